"""What the object store refuses, where it is the server's own."""

from __future__ import annotations

from lockleaf.client.errors.base import ApiError
from lockleaf.exit_codes import ExitCode

__all__ = [
    "DigestMismatch",
    "LengthRequired",
    "RangeNotSatisfiable",
    "SizeMismatch",
    "StoreUnavailable",
    "UrlExpired",
    "UrlInvalid",
]


class StoreUnavailable(ApiError):
    """The server cannot reach its store of files at the moment. What you attached is kept here; try again later."""

    exit_code = ExitCode.UNREACHABLE


class UrlInvalid(ApiError):
    """The server did not take the address that it gave for a file. A proxy may have changed it; try again."""


class UrlExpired(ApiError):
    """The address that the server gave for a file is no longer good. Try again: a new one is asked for."""


class LengthRequired(ApiError):
    """The server was not told how long a file is. A proxy on the way may have changed the request."""


class SizeMismatch(ApiError):
    """A file arrived shorter than it was announced, and the server did not keep it. Try again."""


class DigestMismatch(ApiError):
    """A file arrived with other bytes than those that were announced, and the server did not keep it. Try again."""


class RangeNotSatisfiable(ApiError):
    """The file at the server is shorter than the part of it that was asked for. Fetch it from its beginning."""
