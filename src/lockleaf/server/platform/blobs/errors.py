"""What the object store refuses, and what it says when it cannot work."""

from __future__ import annotations

from lockleaf.server.platform.errors import Forbidden, Invalid, NotFound, Unavailable
from lockleaf.wire.problems import ErrorCode

__all__ = [
    "DigestMismatch",
    "ObjectNotFound",
    "SizeMismatch",
    "StoreUnavailable",
    "UploadNotFound",
    "UrlExpired",
    "UrlInvalid",
]


class StoreUnavailable(Unavailable):
    """The store of files does not answer. Nothing was lost; send the same request again in a few seconds."""

    code = ErrorCode.STORE_UNAVAILABLE


class UrlInvalid(Forbidden):
    """The address was not signed by this server for this request, or was altered. Ask for another."""

    code = ErrorCode.URL_INVALID


class UrlExpired(Forbidden):
    """The address was good for a time that is over. Ask for another."""

    code = ErrorCode.URL_EXPIRED


class SizeMismatch(Invalid):
    """The body is shorter than the address was signed for. Nothing was kept; send it whole."""

    code = ErrorCode.SIZE_MISMATCH


class DigestMismatch(Invalid):
    """The body is not the one that the address was signed for: its SHA-256 differs. Nothing was kept."""

    code = ErrorCode.DIGEST_MISMATCH


class ObjectNotFound(NotFound):
    """There is no such object, or no longer."""

    code = ErrorCode.NOT_FOUND


class UploadNotFound(NotFound):
    """The file was deleted, or its upload in parts was completed or given up. Ask how it stands."""

    code = ErrorCode.NOT_FOUND
