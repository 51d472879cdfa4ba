"""Writes ``docs/reference/errors.md`` from the errors as the code declares them."""

from __future__ import annotations

import inspect
from collections import defaultdict
from pathlib import Path

import lockleaf.server.main.app  # noqa: F401  (importing the application declares every error of the server)
from lockleaf.client.errors import ApiError
from lockleaf.server.platform.errors import DomainError
from lockleaf.server.platform.http.problems import every_error, status_of
from lockleaf.wire.problems import ErrorCode

__all__ = ["PAGE", "page", "server_errors"]

PAGE = Path(__file__).parent / "reference" / "errors.md"

_HEAD = """\
# Errors

The server answers every failure as a problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), with
`Content-Type: application/problem+json`:

```json
{
  "type": "https://journal.example.org/problems/token_expired",
  "title": "The token has expired",
  "status": 401,
  "detail": "The token has expired. Refresh the session; if it was the refresh token, log in again.",
  "code": "token_expired"
}
```

Compare `code`: it is stable. `type` is the address of a page that says what the code means:
relative to the server, or absolute where the server knows its own (`LOCKLEAF_BLOBS__PUBLIC_URL`).
`title` and `detail` are for people and may change. Facts that a program needs stand
beside these fields. Every answer carries `Lockleaf-Api: 1`, by which a client
knows that the server gave it, and `X-Request-ID`, by which the operator finds it in the log. `429` and `503` say
in `Retry-After` how many seconds to wait.

The SDK raises the exception named below, from `lockleaf.client.errors`; all are subclasses of `ApiError`. A code that
the SDK does not know, from a newer server, is an `ApiError` itself.

| code | status | SDK | what happened, and what to do |
|---|---|---|---|
"""

_BATCH = """
## In the result of one change

A batch pushed to `/sync/push` is answered with a result for each change. A result whose `status` is `rejected` says why
in `code`; the other changes of the batch go on, unless it was sent as `atomic`.

| code | SDK | what happened, and what to do |
|---|---|---|
"""


def server_errors() -> dict[ErrorCode, list[type[DomainError]]]:
    """Return the server's classes of errors by code, those of the package alone."""
    found: defaultdict[ErrorCode, list[type[DomainError]]] = defaultdict(list)
    for error_class in every_error():
        if error_class.__module__.startswith("lockleaf."):
            found[error_class.code].append(error_class)
    return {code: sorted(classes, key=lambda each: each.__name__) for code, classes in sorted(found.items())}


def _sentences(documented: type) -> str:
    return " ".join((inspect.getdoc(documented) or "").split()).replace("|", "\\|")


def page() -> str:
    """Return the page."""
    answered = server_errors()
    lines = [_HEAD]
    for code, classes in answered.items():
        for status in sorted({status_of(each) for each in classes}):
            told = " / ".join(_sentences(each) for each in classes if status_of(each) == status)
            lines.append(f"| `{code}` | {status} | `{ApiError.by_code[code].__name__}` | {told} |\n")
    lines.append(_BATCH)
    for code in sorted(set(ErrorCode) - set(answered)):
        refusal = ApiError.by_code[code]
        lines.append(f"| `{code}` | `{refusal.__name__}` | {_sentences(refusal)} |\n")
    return "".join(lines)
