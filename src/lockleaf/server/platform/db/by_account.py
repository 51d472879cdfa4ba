"""Going through the accounts of which something is due, one by one.

Upkeep finds whose turn it is by one statement, which asks all nodes of a database. What it changes it changes account
by account, each in a transaction of its own, so that every such statement runs where that account's rows are and holds
nobody else up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.transaction import Transaction

__all__ = ["BATCH", "Due", "executed", "in_batches", "whose"]

BATCH = 500
"""How many rows are changed, or looked for, at a time."""


def whose(table: str, due: str, order: str) -> str:
    """Return the statement that tells of which accounts something is due, the longest due first.

    Its arguments are accounts to leave out, how many rows are looked at, and those of ``due``, from $3.

    Arguments:
        table: where it is looked for.
        due: the condition.
        order: the column by which the rows have an index.
    """
    return f"""
SELECT DISTINCT user_id FROM (
  SELECT user_id FROM {table} WHERE {due} AND user_id <> ALL ($1::uuid[]) ORDER BY {order} LIMIT $2
) AS due
"""  # noqa: S608


Due = Callable[[Transaction, UUID], Awaitable[int]]
"""Does what is due of one account, some `BATCH` rows of it; returns how many they were."""


async def in_batches(database: Database, find: str, arguments: tuple[Any, ...], act: Due) -> None:
    """Do what is due, of all accounts.

    An account of which nothing could be done, since somebody else holds what is due, is left for the next time.

    Arguments:
        find: a statement of `whose`, with ``arguments`` from its $3.
    """
    seen: set[UUID] = set()
    left: list[UUID] = []
    while True:
        async with database.read_driver() as connection:
            rows = await connection.fetch(find, left, BATCH, *arguments)
        for (user_id,) in rows:
            if user_id in seen:
                left.append(user_id)
                continue
            seen.add(user_id)
            done = BATCH
            while done == BATCH:
                async with database.transaction() as tx:
                    done = await act(tx, user_id)
        if not rows:
            return


def executed(statement: str, *arguments: Any) -> Due:
    """Return what runs a statement of the account $1, with how many rows at most as $2, and ``arguments`` behind."""

    async def act(tx: Transaction, user_id: UUID) -> int:
        return int((await tx.connection.execute(statement, user_id, BATCH, *arguments)).split()[-1])

    return act
