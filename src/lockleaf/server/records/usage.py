"""How many bytes an account holds: kept beside its head, and changed by whatever changes them, in the same statement.

Counting an account's rows at each write took 60 ms at 50,000 of them. What is kept has to agree with what is there, so
each domain says how it is counted too: an operator compares the two, and puts right what differs.

Whoever changes a kept number holds the account's head first. Then nobody waits for a row of somebody who waits for the
head.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from lockleaf.server.platform.holdings import Holding, Usage

__all__ = ["OF_RECORDS", "Difference", "add", "differences", "hold", "kept", "kept_of", "repair", "usages"]

OF_RECORDS = Usage(
    "record_bytes",
    """
    SELECT user_id, sum(octet_length(packed)) AS bytes FROM records GROUP BY user_id
    UNION ALL SELECT user_id, sum(octet_length(packed)) FROM revisions GROUP BY user_id
    UNION ALL SELECT user_id, sum(octet_length(payload)) FROM conflicts GROUP BY user_id
    """,
)
"""Records, their earlier revisions, and conflicts."""

_KEPT = """
SELECT record_bytes + index_bytes + media_bytes + metric_bytes + inbox_bytes FROM heads WHERE user_id = $1
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """An account of which something else is kept than is there.

    Attributes:
        column: of `heads`, in which it is kept.
        kept, counted: bytes.
    """

    user_id: UUID
    column: str
    kept: int
    counted: int


async def kept(connection: asyncpg.Connection, user_id: UUID) -> int:
    """Return the bytes of everything that counts against the quota of an account."""
    return await connection.fetchval(_KEPT, user_id) or 0


async def kept_of(connection: asyncpg.Connection, user_id: UUID, usage: Usage) -> int:
    """Return the bytes of one kind of it."""
    statement = f"SELECT {usage.column} FROM heads WHERE user_id = $1"  # noqa: S608
    return await connection.fetchval(statement, user_id) or 0


async def hold(connection: asyncpg.Connection, user_id: UUID) -> None:
    """Hold the account's head until the transaction ends, whatever its tier, before what is kept changes."""
    await connection.execute("SELECT FROM heads WHERE user_id = $1 FOR UPDATE", user_id)


async def add(connection: asyncpg.Connection, user_id: UUID, usage: Usage, change: int) -> None:
    """Keep that an account holds more bytes of a kind, or fewer. The caller holds the head."""
    if change:
        column = usage.column
        statement = f"UPDATE heads SET {column} = {column} + $2 WHERE user_id = $1"  # noqa: S608
        await connection.execute(statement, user_id, change)


# ---- the operator's side ----

_DIFFERENT = """
SELECT h.user_id, h.{column} AS kept, coalesce(c.bytes, 0)::bigint AS counted
FROM heads h
LEFT JOIN (SELECT user_id, sum(bytes) AS bytes FROM ({recount}) AS each_table GROUP BY user_id) c
  ON c.user_id = h.user_id
WHERE h.{column} <> coalesce(c.bytes, 0) ORDER BY h.user_id
"""
_COUNT_ONE = "SELECT coalesce(sum(bytes), 0)::bigint FROM ({recount}) AS each_table WHERE user_id = $1"


def usages(holdings: Iterable[Holding]) -> list[Usage]:
    """Return every kind of bytes that is kept."""
    return [OF_RECORDS, *(each.usage for each in holdings if each.usage is not None)]


async def differences(connection: asyncpg.Connection, kinds: Iterable[Usage]) -> list[Difference]:
    """Count everything, and return where something else is kept.

    Each kind is one statement, which sees one state of the database: it may run while people write.
    """
    found = []
    for usage in kinds:
        rows = await connection.fetch(_DIFFERENT.format(column=usage.column, recount=usage.recount))
        found += [Difference(row["user_id"], usage.column, row["kept"], row["counted"]) for row in rows]
    return found


async def repair(connection: asyncpg.Connection, kinds: Iterable[Usage]) -> list[Difference]:
    """Keep what is there, wherever something else is kept; return what was put right.

    Each account is counted again behind the lock of its head, by which nobody changes it meanwhile.
    """
    listed = list(kinds)
    by_column = {usage.column: usage for usage in listed}
    put_right = []
    for each in await differences(connection, listed):
        usage = by_column[each.column]
        async with connection.transaction():
            await hold(connection, each.user_id)
            before = await kept_of(connection, each.user_id, usage)
            counted = await connection.fetchval(_COUNT_ONE.format(recount=usage.recount), each.user_id)
            await add(connection, each.user_id, usage, counted - before)
        if counted != before:
            put_right.append(Difference(each.user_id, each.column, before, counted))
    return put_right
