"""What `/sync` refuses."""

from __future__ import annotations

from lockleaf.server.platform.errors import Busy, Conflict, Invalid
from lockleaf.wire.problems import ErrorCode

__all__ = ["CheckpointOutdated", "InvalidCheckpoint", "TooManyStreams"]


class TooManyStreams(Busy):
    """This account has as many live streams open as one account may. Close one, or ask for changes now and then."""

    code = ErrorCode.TOO_MANY_STREAMS


class InvalidCheckpoint(Invalid):
    """The checkpoint is not signed by this account's signing key. Sign it with the newest key, and send it again."""

    code = ErrorCode.INVALID_SIGNATURE


class CheckpointOutdated(Conflict):
    """The checkpoint is of an epoch that has ended. Sync, then post the one that results."""

    code = ErrorCode.CHECKPOINT_OUTDATED
