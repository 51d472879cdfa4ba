"""Errors of the HTTP layer itself: what was sent cannot be read as a request."""

from __future__ import annotations

from lockleaf.server.platform.errors import DomainError, Invalid, NotFound, TooLarge
from lockleaf.wire.problems import ErrorCode

__all__ = [
    "BodyTooLarge",
    "InternalError",
    "LengthRequired",
    "MalformedRequest",
    "MethodNotAllowed",
    "NotAcceptable",
    "RangeNotSatisfiable",
    "RouteNotFound",
    "UnsupportedMediaType",
]


class MalformedRequest(Invalid):
    """The body is not one JSON or MessagePack value. Check that it is sent whole, with nothing behind it."""

    code = ErrorCode.MALFORMED_BODY


class UnsupportedMediaType(DomainError):
    """The body is in an encoding that this route does not take. `accepted` lists those that it takes."""

    code = ErrorCode.UNSUPPORTED_MEDIA_TYPE


class NotAcceptable(DomainError):
    """The answer was asked for in an encoding that the server does not speak. `accepted` lists those that it speaks."""

    code = ErrorCode.NOT_ACCEPTABLE


class BodyTooLarge(TooLarge):
    """The body is larger than this route takes. Send less at once: `limit_bytes` says how much."""

    code = ErrorCode.BODY_TOO_LARGE


class RouteNotFound(NotFound):
    """There is no such route. The list of routes is at /api/v1/docs."""

    code = ErrorCode.ROUTE_NOT_FOUND


class MethodNotAllowed(DomainError):
    """The route exists, but not for this method. The list of routes is at /api/v1/docs."""

    code = ErrorCode.METHOD_NOT_ALLOWED


class InternalError(DomainError):
    """Something failed inside the server. Nothing of this request was kept; the operator finds it by its request id."""

    code = ErrorCode.INTERNAL_ERROR


class LengthRequired(DomainError):
    """The request does not say how long its body is. Send `Content-Length` with the size that was signed."""

    code = ErrorCode.LENGTH_REQUIRED


class RangeNotSatisfiable(DomainError):
    """The object has no such range of bytes: `size` says how many it has."""

    code = ErrorCode.RANGE_NOT_SATISFIABLE
