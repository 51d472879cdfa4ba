"""What the object store refuses, and what it says when it cannot work."""

from __future__ import annotations

from lockleaf.server.platform.errors import DomainError, Forbidden, Invalid, NotFound, Unavailable
from lockleaf.wire.problems import ErrorCode

__all__ = [
    "DigestMismatch",
    "LengthRequired",
    "ObjectNotFound",
    "RangeNotSatisfiable",
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


class LengthRequired(DomainError):
    """The request does not say how long its body is. Send `Content-Length` with the size that was signed."""

    code = ErrorCode.LENGTH_REQUIRED


class SizeMismatch(Invalid):
    """The body is shorter than the address was signed for. Nothing was kept; send it whole."""

    code = ErrorCode.SIZE_MISMATCH


class DigestMismatch(Invalid):
    """The body is not the one that the address was signed for: its SHA-256 differs. Nothing was kept."""

    code = ErrorCode.DIGEST_MISMATCH


class RangeNotSatisfiable(DomainError):
    """The object has no such range of bytes: `size` says how many it has."""

    code = ErrorCode.RANGE_NOT_SATISFIABLE


class ObjectNotFound(NotFound):
    """There is no such object, or no longer."""

    code = ErrorCode.NOT_FOUND


class UploadNotFound(NotFound):
    """The file was deleted, or its upload in parts was completed or given up. Ask how it stands."""

    code = ErrorCode.NOT_FOUND
