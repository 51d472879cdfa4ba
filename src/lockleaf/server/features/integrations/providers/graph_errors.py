"""What an answer of the Graph API means that is no success.

After developers.facebook.com/docs/graph-api/guides/error-handling (codes and what to do about them) and
.../overview/rate-limiting (codes of throttling, and the headers that tell how much of a limit is used).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lockleaf.server.features.integrations.failures import (
    NetworkRefusal,
    ReconnectNeeded,
    Throttled,
    Unintelligible,
    WorthRetrying,
)
from lockleaf.server.features.integrations.outbound import Reply

__all__ = ["DUPLICATE", "answer", "pause"]

DUPLICATE = 506
"""The same text was published a moment ago."""
_TRANSIENT = {1, 2}
_EXPIRED = {102, 190, 463, 467}
# 4: the application, 17: the user, 32: the Page, 341: the application, 613: a limit of its own; the rest are those of
# business use cases.
_THROTTLED = {4, 17, 32, 341, 613, *range(80000, 80015)}
_PAUSE_SECONDS = 15 * 60
_LONGEST_PAUSE = 24 * 3600
_NEARLY_ALL = 95
"""Per cent of a limit, from which on we wait for it to empty."""


def answer(reply: Reply) -> dict[str, Any]:
    """Return the document of a reply that is a success.

    Raises:
        NetworkFailure: it is a refusal or a failure.
    """
    if 300 <= reply.status < 400:
        raise Unintelligible
    if reply.status >= 400:
        raise _failure(reply)
    document = reply.json()
    if not isinstance(document, dict):
        raise Unintelligible
    if "error" in document:
        raise _failure(reply)
    return document


def _failure(reply: Reply) -> Exception:
    try:
        error = reply.json()["error"]
        code = int(error["code"])
    except (Unintelligible, KeyError, TypeError, ValueError):
        return WorthRetrying() if reply.status >= 500 else NetworkRefusal(reply.status)
    if code in _EXPIRED:
        return ReconnectNeeded()
    if code in _THROTTLED:
        return Throttled(_regained(reply.headers) or _PAUSE_SECONDS)
    if code in _TRANSIENT or error.get("is_transient") is True:
        return WorthRetrying()
    return NetworkRefusal(reply.status, code)


def pause(reply: Reply) -> int:
    """Return how many seconds to leave the API alone after an answer whose headers say that a limit is nearly used."""
    used = max((usage for usage, _ in _usages(reply.headers)), default=0)
    return 0 if used < _NEARLY_ALL else _regained(reply.headers) or _PAUSE_SECONDS


def _regained(headers: Mapping[str, str]) -> int | None:
    """Return the seconds until calls are taken again, where a header tells: there it is in minutes."""
    minutes = max((wait for _, wait in _usages(headers)), default=0)
    return min(minutes * 60, _LONGEST_PAUSE) if minutes > 0 else None


def _usages(headers: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Yield (per cent used, minutes to wait) of each limit that the headers speak of."""
    for name in ("x-app-usage", "x-page-usage", "x-business-use-case-usage"):
        try:
            document = json.loads(headers[name])
        except (KeyError, ValueError):
            continue
        if not isinstance(document, dict):
            continue
        groups = [document] if "call_count" in document else [
            each for group in document.values() if isinstance(group, list) for each in group if isinstance(each, dict)
        ]  # fmt: skip
        for group in groups:
            used = [_number(group.get(part)) for part in ("call_count", "total_cputime", "total_time")]
            yield max(used), _number(group.get("estimated_time_to_regain_access"))


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < 10**6 else 0
