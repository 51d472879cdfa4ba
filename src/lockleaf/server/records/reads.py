"""Reading one record together with who asks for it, and so of several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

import asyncpg

from lockleaf.server.platform.db.beside import Beside, BesideSeveral
from lockleaf.server.records.diary import READ

__all__ = ["ReadTogether", "read_beside", "read_several"]

MOST_BYTES_TOGETHER = 64 * 1024
"""Of a record that is read with others; so many of them are a few MiB at most."""

_READ_BESIDE = "SELECT {} AS told, found.* FROM (SELECT) AS one LEFT JOIN ({}) AS found ON true"


@cache
def _read_beside(beside: Callable[[str, str], str]) -> str:
    return _READ_BESIDE.format(beside("$4", "$5"), READ)


async def read_beside(
    connection: asyncpg.Connection, user_id: UUID, collection: str, record_id: str, beside: Beside
) -> tuple[Sequence[str | None] | None, asyncpg.Record | None]:
    """Return what is told ``beside`` by the same statement, and the row of a record, for `current_of`; None for one
    that never was.
    """
    statement = _read_beside(beside.told_by)
    row = await connection.fetchrow(statement, user_id, collection, record_id, *beside.arguments)
    return row["told"], None if row["packed"] is None else row


# What is deleted, and thus wants its revision before, or is large, is left to be read by itself.
_READ_SEVERAL = """
SELECT {told} AS told, r.user_id IS NOT NULL AS found, NULL::bytea AS last, false AS purged,
  CASE WHEN NOT r.deleted AND octet_length(r.packed) <= {large} THEN r.packed END AS packed
FROM unnest({columns}, $4::text[]) WITH ORDINALITY AS w({names}, record_id, position)
LEFT JOIN records r ON r.user_id = w.user_id AND r.collection = $5 AND r.record_id = w.record_id
ORDER BY w.position
"""


@dataclass(frozen=True, slots=True)
class ReadTogether:
    """What was read of one record among several.

    Attributes:
        told: what was told beside it.
        row: for `current_of`; None where there is no record, and where it is left.
        left: whether the record is there, and is to be read by itself.
    """

    told: Sequence[str | None] | None
    row: asyncpg.Record | None
    left: bool


@cache
def _read_several(columns: str, names: str, told: str) -> str:
    return _READ_SEVERAL.format(columns=columns, names=names, told=told, large=MOST_BYTES_TOGETHER)


async def read_several(
    connection: asyncpg.Connection, collection: str, record_ids: Sequence[str], beside: BesideSeveral
) -> list[ReadTogether]:
    """Return of several accounts what is told ``beside``, and of each one record; large or deleted ones are left.

    Arguments:
        record_ids: of each account, the record.
        beside: whose records they are, and what the same statement tells besides.
    """
    statement = _read_several(beside.columns, beside.names, beside.told)
    rows = await connection.fetch(statement, *beside.arguments, record_ids, collection)
    return [
        ReadTogether(
            row["told"],
            None if row["packed"] is None else row,
            row["found"] and row["packed"] is None,
        )
        for row in rows
    ]
