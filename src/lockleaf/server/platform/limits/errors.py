"""What is answered to who asks too often."""

from __future__ import annotations

from lockleaf.server.platform.errors import Busy
from lockleaf.wire.problems import ErrorCode

__all__ = ["RateLimited"]


class RateLimited(Busy):
    """Too many requests of this kind came from here, or for this account. Nothing was done.

    Wait as long as `Retry-After` says, then send it again.
    """

    code = ErrorCode.RATE_LIMITED
