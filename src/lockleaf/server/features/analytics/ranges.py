"""The SQL of what is added up: the sums and single values that a range is put together from, and its buckets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from lockleaf.server.features.analytics.periods import Cover
from lockleaf.wire.analytics import Bucket

__all__ = ["PackReader", "SumReader", "Term"]

FETCHED_AT_ONCE = 24


@dataclass(frozen=True, slots=True)
class Term:
    """What is added: a ciphertext that holds ``count`` values."""

    ciphertext: bytes
    count: int


# Each interval of whole periods is a range of the primary key.
_OF_COVER = """
FROM unnest($5::text[], $6::date[], $7::date[]) AS w(period, first, last)
JOIN LATERAL (
  SELECT * FROM metric_sums s WHERE s.user_id = $1 AND s.metric_type = $2 AND s.parameter_set = $3 AND s.kind = $4
    AND s.period = w.period AND s.start >= w.first AND s.start < w.last OFFSET 0
) s ON true
"""
_SUMS = "SELECT s.ciphertext, s.count" + _OF_COVER
_SUM_COUNT = "SELECT coalesce(sum(s.count), 0)::bigint" + _OF_COVER

_IN_RANGE = "FROM metrics WHERE user_id = $1 AND metric_type = $2 AND parameter_set = $3 AND at >= $4 AND at < $5"
_KINDS = {
    "values": ("ciphertext", ""),
    "squares": ("square", " AND square IS NOT NULL AND NOT multiplied"),
    "products": ("square", " AND square IS NOT NULL AND multiplied"),
}
_IN_ORDER = " ORDER BY at, metric_id"

_NEXT = "SELECT min(at) " + _IN_RANGE
_DAYS_AND_WEEKS = (
    "SELECT DISTINCT date_trunc($6, at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS start " + _IN_RANGE + " ORDER BY start"
)
_PERIODS = """
SELECT start FROM metric_sums
WHERE user_id = $1 AND metric_type = $2 AND parameter_set = $3 AND kind = 'values' AND period = $4
  AND start >= $5 AND start < $6
ORDER BY start LIMIT $7
"""
_TIMES = "SELECT at " + _IN_RANGE + _IN_ORDER + " LIMIT $6"
_LATEST = """
SELECT seal_version FROM metric_sums
WHERE user_id = $1 AND metric_type = $2 AND parameter_set = $3 AND kind = 'values' AND period = 'year'
ORDER BY updated_at DESC LIMIT 1
"""


class SumReader:
    """The single values of a metric, and their sums, within one snapshot.

    Args:
        connection: in the snapshot.
        user_id: the account.
        metric_type, parameter_set: the metric.
    """

    def __init__(self, connection: asyncpg.Connection, user_id: UUID, metric_type: str, parameter_set: str) -> None:
        self._connection = connection
        self._of = (user_id, metric_type, parameter_set)

    async def seal_version(self) -> str | None:
        """Return the version of SEAL that wrote what was added last; None if there is nothing."""
        version: str | None = await self._connection.fetchval(_LATEST, *self._of)
        return version

    async def terms(self, cover: Cover, kind: str) -> AsyncIterator[list[Term]]:
        """Yield what adds up to the sum of a range, a few at a time."""
        cursor = await self._connection.cursor(_SUMS, *self._of, kind, *_intervals(cover))
        while rows := await cursor.fetch(FETCHED_AT_ONCE):
            yield [Term(*row) for row in rows]
        for start, end in cover.edges:
            async for terms in self.singles(start, end, kind):
                yield terms

    async def singles(self, start: datetime, end: datetime, kind: str = "values") -> AsyncIterator[list[Term]]:
        """Yield single values in the order of time, then id, a few at a time."""
        column, condition = _KINDS[kind]
        query = f"SELECT {column} {_IN_RANGE}{condition}{_IN_ORDER}"
        cursor = await self._connection.cursor(query, *self._of, start, end)
        while rows := await cursor.fetch(FETCHED_AT_ONCE):
            yield [Term(row[0], 1) for row in rows]

    async def count(self, cover: Cover, kind: str) -> int:
        """Return how many values of a kind are in a range."""
        counted: int = await self._connection.fetchval(_SUM_COUNT, *self._of, kind, *_intervals(cover))
        for start, end in cover.edges:
            counted += await self._connection.fetchval(
                f"SELECT count(*) {_IN_RANGE}{_KINDS[kind][1]}", *self._of, start, end
            )
        return counted

    async def times(self, start: datetime, end: datetime, *, limit: int) -> list[datetime]:
        """Return the times of single values, in the order of ``singles``."""
        return [row[0] for row in await self._connection.fetch(_TIMES, *self._of, start, end, limit)]

    async def next_time(self, start: datetime, end: datetime) -> datetime | None:
        """Return the first time in a range at which there is a value."""
        found: datetime | None = await self._connection.fetchval(_NEXT, *self._of, start, end)
        return found

    async def buckets(self, bucket: Bucket, start: datetime, end: datetime) -> list[datetime]:
        """Return the beginnings of the days or weeks within a range that have a value."""
        rows = await self._connection.fetch(_DAYS_AND_WEEKS, *self._of, start, end, bucket)
        return [row[0] for row in rows]

    async def periods(self, period: str, first: date, last: date, *, limit: int) -> list[date]:
        """Return the beginnings of months or years that have a value, from ``first`` up to, and without, ``last``."""
        return [row[0] for row in await self._connection.fetch(_PERIODS, *self._of, period, first, last, limit)]


def _intervals(cover: Cover) -> tuple[list[str], list[date], list[date]]:
    parts = [*(("year", *part) for part in cover.years), *(("month", *part) for part in cover.months)]
    return [part[0] for part in parts], [part[1] for part in parts], [part[2] for part in parts]


_PACKED = "FROM metric_packs WHERE user_id = $1 AND parameter_set = $2 AND layout = $3"
_PACKS = f"SELECT ciphertext, additions {_PACKED} AND month >= $4 AND month < $5 ORDER BY month"
_PACK_STARTS = (
    f"SELECT DISTINCT date_trunc($6, month::timestamp)::date AS start {_PACKED} AND month >= $4 AND month < $5"
    " ORDER BY start LIMIT $7"
)
_CUT = f"SELECT month, ciphertext, additions {_PACKED} AND month = ANY($4::date[]) ORDER BY month"
_LATEST_PACK = f"SELECT seal_version {_PACKED} ORDER BY updated_at DESC LIMIT 1"


class PackReader:
    """The accumulators of a layout, within one snapshot.

    Args:
        connection: in the snapshot.
        user_id: the account.
        layout, parameter_set: the layout.
    """

    def __init__(self, connection: asyncpg.Connection, user_id: UUID, layout: str, parameter_set: str) -> None:
        self._connection = connection
        self._of = (user_id, parameter_set, layout)

    async def seal_version(self) -> str | None:
        """Return the version of SEAL that wrote what was added last; None if there is nothing."""
        version: str | None = await self._connection.fetchval(_LATEST_PACK, *self._of)
        return version

    async def terms(self, first: date, last: date) -> AsyncIterator[list[Term]]:
        """Yield the accumulators of whole months, a few at a time."""
        cursor = await self._connection.cursor(_PACKS, *self._of, first, last)
        while rows := await cursor.fetch(FETCHED_AT_ONCE):
            yield [Term(*row) for row in rows]

    async def periods(self, period: str, first: date, last: date, *, limit: int) -> list[date]:
        """Return the beginnings of months or years that have an accumulator."""
        rows = await self._connection.fetch(_PACK_STARTS, *self._of, first, last, period, limit)
        return [row[0] for row in rows]

    async def cut(self, months: Sequence[date]) -> list[tuple[date, Term]]:
        """Return the accumulators of ``months``."""
        rows = await self._connection.fetch(_CUT, *self._of, list(months))
        return [(row[0], Term(row[1], row[2])) for row in rows]
