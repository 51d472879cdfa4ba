"""What the inbox refuses."""

from __future__ import annotations

from lockleaf.server.platform.errors import Conflict, NotFound, OverQuota, TooLarge
from lockleaf.wire.problems import ErrorCode

__all__ = ["InboxFull", "ItemNotFound", "ItemTooLarge", "RecipientRequired"]


class RecipientRequired(Conflict):
    """The account has no recipient to which anything could be sealed. Store a keyring first."""

    code = ErrorCode.RECIPIENT_REQUIRED


class InboxFull(OverQuota):
    """As many items wait as one inbox takes. Accept or refuse some: `limit` says how many may wait."""

    code = ErrorCode.INBOX_FULL


class ItemTooLarge(TooLarge):
    """The item is larger than an entry may be."""

    code = ErrorCode.BODY_TOO_LARGE


class ItemNotFound(NotFound):
    """There is no such item in this inbox: perhaps another device has taken or refused it."""

    code = ErrorCode.NOT_FOUND
