"""What can go wrong where content is opened."""

from __future__ import annotations

from lockleaf.server.platform.errors import Conflict
from lockleaf.wire.problems import ErrorCode

__all__ = ["ContentUnreadable"]


class ContentUnreadable(Conflict):
    """The record does not open with the account's keys: another program may have written it, or its bytes changed.

    Its ciphertext is kept as it is, and is there in the feed.
    """

    code = ErrorCode.CONTENT_UNREADABLE
