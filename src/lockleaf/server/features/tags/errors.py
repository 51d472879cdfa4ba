"""What `/tags` refuses."""

from __future__ import annotations

from lockleaf.server.platform.errors import NotFound
from lockleaf.wire.problems import ErrorCode

__all__ = ["TagNotFound"]


class TagNotFound(NotFound):
    """There is no such tag in this account."""

    code = ErrorCode.NOT_FOUND
