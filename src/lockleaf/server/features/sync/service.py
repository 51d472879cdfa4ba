"""What `/sync` adds to the store: cursors, epochs, the shapes that travel, and waking the listeners."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.features.sync.gathering import Gathering
from lockleaf.server.features.sync.polls import Poll, Polls
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.principal import Asking, admitted
from lockleaf.server.platform.cursors import CursorCodec
from lockleaf.server.platform.tiers import TierRequired
from lockleaf.server.records import statements
from lockleaf.server.records.errors import EpochChanged
from lockleaf.server.records.feed import FeedEnd, FeedPage, page_at
from lockleaf.wire import codec
from lockleaf.wire.epochs import Statement
from lockleaf.wire.fields import encode_base64
from lockleaf.wire.sync import Push

__all__ = ["keep_statements", "push", "read_feed"]

_FEED = "feed"
_AT_HAND = 2048
_SHORT = 1024
"""The end of a history that is kept at hand, in characters: with a statement or two about its epochs."""


async def push(gathering: Gathering, cursors: CursorCodec, asking: Asking, body: Push) -> bytes:
    """Apply a batch, and tell the account's listeners once it is committed; return a ``PushResult`` in MessagePack.

    Raises:
        SessionRevoked, AccountDisabled, InsufficientScope, TierRequired: it is not theirs to push; SessionRevoked too
            where the server is to index what they bring (uce), and the session's key is gone.
        EpochChanged: the changes were made in an epoch that has ended.
    """
    pushed = await gathering.push(asking, body)
    return codec.pack(
        {
            "results": [outcome.as_dict() for outcome in pushed.outcomes],
            "seq": pushed.seq,
            "head": pushed.head,
            "epoch": pushed.epoch,
            "cursor": cursors.seal(_FEED, asking.user_id, (pushed.seq, pushed.epoch)),
        }
    )


async def read_feed(
    polls: Polls, cursors: CursorCodec, asking: Asking, *, after: str | None, limit: int, collection: str | None
) -> bytes:
    """Return a page of the feed behind the cursor ``after``: a ``Feed`` in MessagePack.

    Devices ask for it all day, so that one statement tells who is asking, and what there is for them; of many who ask
    at once, one for all of them.

    Raises:
        SessionRevoked, InsufficientScope, TierRequired: it is not for them.
        InvalidCursor: the cursor is not of this account's feed.
        EpochChanged: it is of an earlier epoch.
    """
    user_id = asking.user_id
    seq, epoch = (0, None) if after is None else cursors.open(_FEED, user_id, after, int, str)
    principal, page = await polls.ask(Poll(asking, seq, limit, collection))
    admitted(principal, "sync", write=False)
    if page is None:
        raise TierRequired(required="full_sync")
    verifiable = collection is None
    if isinstance(page, FeedEnd):
        if after is not None and (page.seq, page.epoch) == (seq, epoch) and len(page.told) <= _SHORT:
            return _at_end(cursors.seal_again(_FEED, user_id, (seq, epoch), after), page, verifiable)
        page = page_at(page, seq)
    if epoch is not None and epoch != page.epoch:
        latest = page.epochs[-1]
        raise EpochChanged(epoch=page.epoch, from_seq=latest.from_seq, from_head=encode_base64(latest.from_head))
    place = page.last_seq, page.epoch
    if after is not None and place == (seq, epoch):
        cursor = cursors.seal_again(_FEED, user_id, place, after)
    else:
        cursor = cursors.seal(_FEED, user_id, place)
    return _packed(cursor, page, verifiable)


@lru_cache(_AT_HAND)
def _at_end(cursor: str, end: FeedEnd, verifiable: bool) -> bytes:
    """Return what a device with nothing new is told: the same each time, until there is something."""
    return _packed(cursor, page_at(end, end.seq), verifiable)


def _packed(cursor: str, page: FeedPage, verifiable: bool) -> bytes:
    fields = {
        "cursor": cursor,
        "has_more": page.has_more,
        "seq": page.seq,
        "head": page.head,
        "epoch": page.epoch,
        "epochs": [
            {
                "epoch": each.epoch,
                "from_seq": each.from_seq,
                "from_head": each.from_head,
                "ended": each.ended,
                "statements": each.statements,
            }
            for each in page.epochs
        ],
        "verifiable": verifiable,
    }
    return codec.pack_with_items("changes", page.changes, fields)


async def keep_statements(session: AsyncSession, user_id: UUID, told: Sequence[Statement]) -> None:
    """Keep what devices signed about ends and beginnings of epochs.

    Raises:
        InvalidStatement: none of the account's signing keys made one of them.
        TooManyStatements: the account has as many as it may.
    """
    statements.require_signed(told, user_id, await accounts.signing_keys(session, user_id))
    await statements.lock_and_keep(session, user_id, told)
