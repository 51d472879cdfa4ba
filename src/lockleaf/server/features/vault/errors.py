"""What the vault refuses."""

from __future__ import annotations

from lockleaf.server.platform.errors import Conflict, NotFound
from lockleaf.wire.problems import ErrorCode

__all__ = ["VaultNotFound", "VersionConflict"]


class VaultNotFound(NotFound):
    """There is no such blob, or no such version of it, in this account."""

    code = ErrorCode.NOT_FOUND


class VersionConflict(Conflict):
    """The version does not follow the present one, which `current_version` names. Read it, and send the next."""

    code = ErrorCode.VERSION_CONFLICT
