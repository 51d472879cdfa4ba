"""What a server refuses whatever it is asked for: the form of a request, and a server in need."""

from __future__ import annotations

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
    "RouteNotFound",
    "StorageFull",
    "TooManyRequests",
    "TooManyStreams",
    "UnsupportedMediaType",
]


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
    """The server has no room left. What you wrote is kept on this device; tell whoever runs the server."""


class InternalError(ApiError):
    """The server failed. Nothing that you wrote is lost; try again later, and tell whoever runs the server."""

    exit_code = ExitCode.UNREACHABLE
