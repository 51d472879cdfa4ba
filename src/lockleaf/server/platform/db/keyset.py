"""Pages of what a statement finds, in a total order: behind a place of it, or behind so many rows."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from lockleaf.server.platform.paging import Page, Window

__all__ = ["fetch_page", "page_of", "select_page"]

M = TypeVar("M")

_COUNT = "SELECT count(*) FROM ({}) AS listed"


@cache
def page_of(statement: str, given: int, *order: str, descending: bool = False, behind: bool = False) -> str:
    """Return the statement of one page of ``statement``: its arguments, then the place if it is ``behind`` one.

    The last two are how many rows there are at most, and how many are left out before them.
    """
    if behind:
        place = ", ".join(f"${number}" for number in range(given + 1, given + 1 + len(order)))
        statement += f" AND ({', '.join(order)}) {'<' if descending else '>'} ({place})"
        given += len(order)
    turned = ", ".join(f"{column} DESC" if descending else column for column in order)
    return f"{statement} ORDER BY {turned} LIMIT ${given + 1}::bigint OFFSET ${given + 2}::bigint"


async def fetch_page(
    connection: asyncpg.Connection,
    statement: str,
    arguments: tuple[Any, ...],
    window: Window,
    *order: str,
    descending: bool = False,
) -> Page[asyncpg.Record]:
    """Return a page of the rows of ``statement``, which ends in a condition.

    Arguments:
        arguments: of the statement.
        order: the columns of the order, all among those of the rows.
    """
    behind = window.after or ()
    paged = page_of(statement, len(arguments), *order, descending=descending, behind=bool(behind))
    rows = await connection.fetch(paged, *arguments, *behind, window.limit + 1, window.skip)
    total = None
    if window.numbered:
        total = await connection.fetchval(_COUNT.format(statement), *arguments)
    return window.page(rows, lambda row: tuple(row[column] for column in order), total=total)


async def select_page(
    session: AsyncSession,
    statement: Select[M],
    window: Window,
    *order: InstrumentedAttribute[Any],
    descending: bool = False,
) -> Page[M]:
    """Return a page of the objects of ``statement``, whose attributes the ``order`` is."""
    tried = statement.order_by(*(column.desc() if descending else column for column in order))
    if window.after is not None:
        place = tuple_(*order)
        tried = tried.where(place < window.after if descending else place > window.after)
    found = (await session.scalars(tried.limit(window.limit + 1).offset(window.skip))).all()
    total = None
    if window.numbered:
        total = await session.scalar(select(func.count()).select_from(statement.subquery()))
    return window.page(found, lambda row: tuple(getattr(row, column.key) for column in order), total=total)
