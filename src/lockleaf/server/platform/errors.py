"""The categories of what can go wrong in a domain.

Nothing here knows HTTP; ``platform/http/problems.py`` gives each category its status. A domain's error is a class below
one of these. Its docstring is what a person reads: what happened, what it means, what to do. Facts that a caller needs
are arguments of the constructor, by name; they travel, so they hold no content, email, token or key.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from lockleaf.wire.problems import ErrorCode

__all__ = [
    "Busy",
    "Conflict",
    "DomainError",
    "Forbidden",
    "Invalid",
    "InvalidRequest",
    "NotFound",
    "Outdated",
    "OverQuota",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unconditional",
    "contradiction",
]


class DomainError(Exception):
    """Something that the rules of the domain do not allow."""

    code: ClassVar[ErrorCode]

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.detail)

    @property
    def title(self) -> str:
        """The first line of the docstring, without its full stop."""
        return self._lines()[0].rstrip(".")

    @property
    def detail(self) -> str:
        """The whole docstring, as one paragraph."""
        return " ".join(self._lines())

    def _lines(self) -> list[str]:
        return [line for line in (inspect.getdoc(type(self)) or "").splitlines() if line]


class Invalid(DomainError):
    """What was sent is well-formed, but means nothing that can be done."""


class Unauthenticated(DomainError):
    """Who is asking is not known, or no longer."""


class Forbidden(DomainError):
    """Who is asking may not do this."""


class NotFound(DomainError):
    """There is no such thing, or it belongs to somebody else."""

    code = ErrorCode.NOT_FOUND


class Conflict(DomainError):
    """What was asked for does not follow from what is there now."""


class Outdated(DomainError):
    """What was asked for was asked of a revision that is not the present one."""


class Unconditional(DomainError):
    """What was asked for would replace something without saying what."""


class TooLarge(DomainError):
    """What was sent is larger than what is taken."""


class OverQuota(DomainError):
    """It exceeds a quota."""


class Busy(DomainError):
    """Too much is asked at once; the same request will go through a little later."""

    def __init__(self, *, retry_after: int = 1, **facts: Any) -> None:
        self.retry_after = retry_after
        super().__init__(**facts)


class Unavailable(DomainError):
    """Something that the server needs does not answer; the same request may go through later."""

    def __init__(self, *, retry_after: int = 2, **facts: Any) -> None:
        self.retry_after = retry_after
        super().__init__(**facts)


class InvalidRequest(Invalid):
    """Fields of the request are missing or wrong. `errors` names each of them; correct them and send it again."""

    code = ErrorCode.INVALID_REQUEST


def contradiction(name: str, why: str) -> InvalidRequest:
    """Return the refusal of a request that says two different things, by the name of the second, to be raised."""
    return InvalidRequest(errors=[{"field": name, "type": "value_error", "message": why}])
