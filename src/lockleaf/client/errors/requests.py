"""What a server refuses whatever it is asked for: the form of a request, and a server in need."""

from __future__ import annotations

from math import ceil

from lockleaf.client.errors.base import ApiError
from lockleaf.exit_codes import ExitCode

__all__ = [
    "BodyTooLarge",
    "DatabaseBusy",
    "DatabaseUnavailable",
    "InternalError",
    "InvalidCursor",
    "InvalidRequest",
    "MalformedBody",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "PreconditionFailed",
    "RateLimited",
    "RouteNotFound",
    "StorageFull",
    "TooManyRequests",
    "TooManyStreams",
    "UnsupportedMediaType",
]

_NEVER = 10**9
_SECONDS = 120
"""Up to which a wait is told in seconds."""


class InvalidRequest(ApiError):
    """The server did not accept the form of the request. This program and the server may be of different versions."""


class MalformedBody(ApiError):
    """The server could not read the request's body. It may have been damaged on its way; try again."""


class UnsupportedMediaType(ApiError):
    """The server does not read the encoding that was sent. This program and the server may be of different versions."""


class NotAcceptable(ApiError):
    """The server does not write the encoding that was asked for. This program and the server may differ in version."""


class BodyTooLarge(ApiError):
    """The request was larger than the server accepts. Send less at once."""


class RouteNotFound(ApiError):
    """The server does not know this address. Check the server's URL; it may also be older than this program."""


class MethodNotAllowed(ApiError):
    """The server does not do this here. This program and the server may be of different versions."""


class InvalidCursor(ApiError):
    """The place in the list is not known to the server any more. Begin the list again."""


class NotFound(ApiError):
    """The server does not have what was asked for. Another device may have deleted it; sync, and look again."""

    exit_code = ExitCode.NOT_FOUND


class PreconditionFailed(ApiError):
    """Another device changed this in the meantime. Read it again, and decide anew."""


class TooManyRequests(ApiError):
    """Too many attempts in a short time. Wait a little and try again."""

    exit_code = ExitCode.UNREACHABLE


class RateLimited(ApiError):
    """The server takes no more requests of this kind from here for a while, so nothing was done. Try again later."""

    exit_code = ExitCode.UNREACHABLE

    @property
    def retry_after(self) -> float | None:
        """In how many seconds the server takes the next one, as it says."""
        told = self.facts.get("retry_after")
        return told if isinstance(told, int | float) and 0 <= told < _NEVER else None

    def __str__(self) -> str:
        """Return the message with the time to wait, where the server says it."""
        seconds = self.retry_after
        if seconds is None:
            return super().__str__()
        wait = f"{ceil(seconds)} seconds" if seconds <= _SECONDS else f"{ceil(seconds / 60)} minutes"
        return super().__str__().replace("Try again later.", f"Try again in {wait}.")


class TooManyStreams(ApiError):
    """This account listens for news in too many places at once. Close one of them."""

    exit_code = ExitCode.UNREACHABLE


class DatabaseUnavailable(ApiError):
    """The server cannot reach its database at the moment. Nothing that you wrote is lost; try again later."""

    exit_code = ExitCode.UNREACHABLE


class DatabaseBusy(ApiError):
    """The server is too busy at the moment. Nothing that you wrote is lost; try again later."""

    exit_code = ExitCode.UNREACHABLE


class StorageFull(ApiError):
    """The server has no space left. What you wrote is kept on this device; tell whoever runs the server."""


class InternalError(ApiError):
    """The server failed. Nothing that you wrote is lost; try again later, and tell whoever runs the server."""

    exit_code = ExitCode.UNREACHABLE
