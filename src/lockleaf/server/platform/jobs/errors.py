"""What can be wrong with a job."""

from __future__ import annotations

from lockleaf.server.platform.errors import NotFound
from lockleaf.wire.problems import ErrorCode

__all__ = ["JobNotFound"]


class JobNotFound(NotFound):
    """There is no such job in this account. Jobs that ended long ago are forgotten."""

    code = ErrorCode.NOT_FOUND
