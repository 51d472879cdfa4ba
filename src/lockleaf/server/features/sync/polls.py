"""Pages of the feed, asked for all day by devices for which there is seldom anything: together with who is asking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from lockleaf.server.identity.principal import Asking, Principal, SeveralAsking, who
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.together import ALONE, Alone, Together
from lockleaf.server.records import feed
from lockleaf.server.records.feed import FeedEnd, FeedPage

__all__ = ["Poll", "Polls"]


class Poll(NamedTuple):
    """Who asks for a page of the feed, behind which number, and for how much of it."""

    asking: Asking
    after: int
    limit: int
    collection: str | None


Polled = tuple[Principal, FeedPage | FeedEnd | None]


class Polls(Together[Poll, Polled]):
    """Reads the feed. `ask` gives who is asking and the page, or the end of the history where nothing is behind; None
    where the account has no store.

    Those with nothing new are answered together; a page that holds something is read by itself.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database, alone=_read, together=_read_ends)


async def _read(connection: asyncpg.Connection, poll: Poll) -> Polled:
    asking = poll.asking
    page = await feed.read(
        connection, asking.user_id, after=poll.after, limit=poll.limit, collection=poll.collection, beside=asking
    )
    return asking.principal(page.told) if page is not None else await who(connection, asking), page


async def _read_ends(connection: asyncpg.Connection, polls: Sequence[Poll]) -> list[Polled | Exception | Alone]:
    asking = [poll.asking for poll in polls]
    found = await feed.read_ends(connection, [poll.after for poll in polls], SeveralAsking(asking))
    return [ALONE if end is None else _told(each, told, end) for each, (told, end) in zip(asking, found, strict=True)]


def _told(asking: Asking, told: Sequence[str | None] | None, end: FeedEnd) -> Polled | Exception:
    found = asking.principal_or_refusal(told)
    return (found, end) if isinstance(found, Principal) else found
