"""Reading one entry together with who is asking; those that are asked for at once, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from lockleaf.server.features.entries.writing import COLLECTION
from lockleaf.server.identity.principal import Asking, Principal, SeveralAsking
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.together import ALONE, Alone, Together
from lockleaf.server.records import reads
from lockleaf.server.records.reads import ReadTogether

__all__ = ["EntryRead", "EntryReads"]


class EntryRead(NamedTuple):
    """Who asks for which entry."""

    asking: Asking
    entry_id: UUID


Found = tuple[Principal, asyncpg.Record | None]


class EntryReads(Together[EntryRead, Found]):
    """Reads entries as they are stored. `ask` gives who is asking, and the entry's row, for `current_of`; None where
    there is none.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database, alone=_read, together=_read_several)


async def _read(connection: asyncpg.Connection, read: EntryRead) -> Found:
    asking = read.asking
    told, row = await reads.read_beside(connection, asking.user_id, COLLECTION, str(read.entry_id), asking)
    return asking.principal(told), row


async def _read_several(connection: asyncpg.Connection, asked: Sequence[EntryRead]) -> list[Found | Exception | Alone]:
    asking = [read.asking for read in asked]
    ids = [str(read.entry_id) for read in asked]
    found = await reads.read_several(connection, COLLECTION, ids, SeveralAsking(asking))
    return [_found(each, one) for each, one in zip(asking, found, strict=True)]


def _found(asking: Asking, read: ReadTogether) -> Found | Exception | Alone:
    if read.left:
        return ALONE
    found = asking.principal_or_refusal(read.told)
    return (found, read.row) if isinstance(found, Principal) else found
