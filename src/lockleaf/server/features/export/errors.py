"""What can be wrong with an archive."""

from __future__ import annotations

from lockleaf.server.platform.errors import NotFound
from lockleaf.wire.problems import ErrorCode

__all__ = ["ArchiveNotFound"]


class ArchiveNotFound(NotFound):
    """There is no such archive: its job has not succeeded yet, a newer one took its place, or its time is over.

    Ask for a new one.
    """

    code = ErrorCode.NOT_FOUND
