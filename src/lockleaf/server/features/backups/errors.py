"""What the endpoints of backups refuse."""

from __future__ import annotations

from lockleaf.server.platform.errors import Conflict, NotFound
from lockleaf.wire.problems import ErrorCode

__all__ = ["BackupConflict", "BackupNotFound"]


class BackupConflict(Conflict):
    """Another device backed up another text under this id. Both are kept: `conflict_id` names what to resolve."""

    code = ErrorCode.BACKUP_CONFLICT


class BackupNotFound(NotFound):
    """There is no such backup in this account."""

    code = ErrorCode.NOT_FOUND
