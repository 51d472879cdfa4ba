"""The SQL of encrypted metrics, for one account: whole batches as arrays, on asyncpg itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Any

from lockleaf.server.platform.db.scoped import OnConnection
from lockleaf.server.platform.holdings import Usage
from lockleaf.server.records import usage

__all__ = ["USAGE", "CauseKey", "MetricRepository", "PackKey", "StoredMetric", "StoredPack", "StoredSum", "SumKey"]


@dataclass(frozen=True, slots=True, order=True)
class SumKey:
    """Which sum it is."""

    metric_type: str
    parameter_set: str
    kind: str
    period: str
    start: date


@dataclass(frozen=True, slots=True)
class StoredSum:
    """A sum as it is stored."""

    ciphertext: bytes
    count: int
    seal_version: str


@dataclass(frozen=True, slots=True, order=True)
class PackKey:
    """Which accumulator it is."""

    parameter_set: str
    layout: str
    month: date


@dataclass(frozen=True, slots=True)
class StoredPack:
    """An accumulator as it is stored."""

    ciphertext: bytes
    slots: int
    additions: int
    seal_version: str


@dataclass(frozen=True, slots=True)
class CauseKey:
    """A change, as it is counted in an accumulator."""

    pack: bytes
    month: date
    record_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class StoredMetric:
    """A single value as it is stored."""

    metric_id: str
    metric_type: str
    parameter_set: str
    at: datetime
    ciphertext: bytes
    square: bytes | None
    multiplied: bool
    fingerprint: bytes


_KNOWN_METRICS = "SELECT metric_id, fingerprint FROM metrics WHERE user_id = $1 AND metric_id = ANY($2::text[])"
_KNOWN_DELTAS = "SELECT delta_id, fingerprint FROM metric_deltas WHERE user_id = $1 AND delta_id = ANY($2::text[])"

# Rows with ciphertexts are sent one by one within one round trip: as arrays, which PostgreSQL takes apart, their
# hundreds of kilobytes would be copied several times more, and cost twice as much.
_ADD_METRIC = """
INSERT INTO metrics (
  user_id, created_at, metric_id, metric_type, parameter_set, at, ciphertext, square, multiplied, fingerprint
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

_ADD_DELTAS = """
INSERT INTO metric_deltas (user_id, delta_id, fingerprint, created_at)
SELECT $1, d.*, $4 FROM unnest($2::text[], $3::bytea[]) AS d
"""

_METRIC = """
SELECT metric_id, metric_type, parameter_set, at, ciphertext, square, multiplied, fingerprint
FROM metrics WHERE user_id = $1 AND metric_id = $2
"""

_SUMS = """
SELECT w.position, s.ciphertext, s.count, s.seal_version
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::date[])
  WITH ORDINALITY AS w(metric_type, parameter_set, kind, period, start, position)
JOIN LATERAL (
  SELECT * FROM metric_sums s WHERE s.user_id = $1 AND s.metric_type = w.metric_type
    AND s.parameter_set = w.parameter_set AND s.kind = w.kind AND s.period = w.period AND s.start = w.start OFFSET 0
) s ON true
"""

_WRITE_SUM = """
INSERT INTO metric_sums (
  user_id, updated_at, metric_type, parameter_set, kind, period, start, ciphertext, count, seal_version
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (user_id, metric_type, parameter_set, kind, period, start) DO UPDATE
SET ciphertext = excluded.ciphertext, count = excluded.count, seal_version = excluded.seal_version,
  updated_at = excluded.updated_at
"""

_DELETE_SUM = """
DELETE FROM metric_sums
WHERE user_id = $1 AND metric_type = $2 AND parameter_set = $3 AND kind = $4 AND period = $5 AND start = $6
"""

_PACKS = """
SELECT w.position, p.ciphertext, p.slots, p.additions, p.seal_version
FROM unnest($2::text[], $3::text[], $4::date[]) WITH ORDINALITY AS w(parameter_set, layout, month, position)
JOIN LATERAL (
  SELECT * FROM metric_packs p WHERE p.user_id = $1 AND p.parameter_set = w.parameter_set AND p.layout = w.layout
    AND p.month = w.month OFFSET 0
) p ON true
"""

_WRITE_PACK = """
INSERT INTO metric_packs (
  user_id, updated_at, parameter_set, layout, month, ciphertext, slots, additions, seal_version
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (user_id, parameter_set, layout, month) DO UPDATE
SET ciphertext = excluded.ciphertext, additions = excluded.additions, seal_version = excluded.seal_version,
  updated_at = excluded.updated_at
"""

_COUNTED = """
SELECT w.position
FROM unnest($2::bytea[], $3::date[], $4::text[], $5::bigint[])
  WITH ORDINALITY AS w(pack, month, record_id, revision, position)
JOIN LATERAL (
  SELECT FROM metric_causes c WHERE c.user_id = $1 AND c.pack = w.pack AND c.month = w.month
    AND c.record_id = w.record_id AND c.revision = w.revision OFFSET 0
) c ON true
"""

_ADD_CAUSES = """
INSERT INTO metric_causes (user_id, pack, month, record_id, revision)
SELECT $1, c.* FROM unnest($2::bytea[], $3::date[], $4::text[], $5::bigint[]) AS c
"""

_KEY = "SELECT version, sealed_key, updated_at FROM metric_keys WHERE user_id = $1 AND parameter_set = $2"

_WRITE_KEY = """
INSERT INTO metric_keys (user_id, parameter_set, version, sealed_key, updated_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_id, parameter_set) DO UPDATE
SET version = excluded.version, sealed_key = excluded.sealed_key, updated_at = excluded.updated_at
"""

_TABLES = ("metric_sums", "metric_packs", "metric_causes")

USAGE = Usage(
    "metric_bytes",
    """
    SELECT user_id, sum(octet_length(ciphertext) + coalesce(octet_length(square), 0)) AS bytes
    FROM metrics GROUP BY user_id
    UNION ALL SELECT user_id, sum(octet_length(ciphertext)) FROM metric_sums GROUP BY user_id
    UNION ALL SELECT user_id, sum(octet_length(ciphertext)) FROM metric_packs GROUP BY user_id
    """,
)
"""Ciphertexts, of single values and of what is summed up of them."""

# What is replaced or deleted of them, asked before: the account is locked, so that it stays so.
_BYTES_OF_SUMS = _SUMS.replace(
    "SELECT w.position, s.ciphertext, s.count, s.seal_version",
    "SELECT coalesce(sum(octet_length(s.ciphertext)), 0)::bigint",
)
_BYTES_OF_PACKS = _PACKS.replace(
    "SELECT w.position, p.ciphertext, p.slots, p.additions, p.seal_version",
    "SELECT coalesce(sum(octet_length(p.ciphertext)), 0)::bigint",
)


def _columns(rows: Iterable[Any], *names: str) -> list[list[Any]]:
    listed = list(rows)
    return [[getattr(row, name) for row in listed] for name in names]


_SUM_KEY = ("metric_type", "parameter_set", "kind", "period", "start")
_PACK_KEY = ("parameter_set", "layout", "month")
_CAUSE_KEY = ("pack", "month", "record_id", "revision")


class MetricRepository(OnConnection):
    """The metrics of one account."""

    async def known_metrics(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the fingerprints of those of ``ids`` that are stored."""
        return {row[0]: row[1] for row in await self._connection.fetch(_KNOWN_METRICS, self._user_id, ids)}

    async def known_deltas(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the fingerprints of those of ``ids`` that were added."""
        return {row[0]: row[1] for row in await self._connection.fetch(_KNOWN_DELTAS, self._user_id, ids)}

    async def add_metrics(self, metrics: Sequence[StoredMetric], *, now: datetime) -> None:
        """Store single values, whose ids are new."""
        rows = [(self._user_id, now, *astuple(metric)) for metric in metrics]
        await self._connection.executemany(_ADD_METRIC, rows)
        await self._count(sum(_size(metric) for metric in metrics))

    async def add_deltas(self, ids: Sequence[str], fingerprints: Sequence[bytes], *, now: datetime) -> None:
        """Remember deltas, whose ids are new."""
        await self._connection.execute(_ADD_DELTAS, self._user_id, ids, fingerprints, now)

    async def remove_metric(self, metric_id: str) -> StoredMetric | None:
        """Delete a single value, and return it if it was there."""
        row = await self._connection.fetchrow(_METRIC, self._user_id, metric_id)
        if row is None:
            return None
        await self._connection.execute(
            "DELETE FROM metrics WHERE user_id = $1 AND metric_id = $2", self._user_id, metric_id
        )
        removed = StoredMetric(*row)
        await self._count(-_size(removed))
        return removed

    async def sums(self, keys: Sequence[SumKey]) -> dict[SumKey, StoredSum]:
        """Return those of the sums that there are."""
        rows = await self._connection.fetch(_SUMS, self._user_id, *_columns(keys, *_SUM_KEY))
        return {keys[row[0] - 1]: StoredSum(row[1], row[2], row[3]) for row in rows}

    async def write_sums(self, sums: dict[SumKey, StoredSum], *, now: datetime) -> None:
        """Store sums, new ones and others; those of nothing are deleted."""
        before = await self._connection.fetchval(_BYTES_OF_SUMS, self._user_id, *_columns(sums, *_SUM_KEY))
        for key in [key for key, stored in sums.items() if not stored.count]:
            del sums[key]
            await self._connection.execute(_DELETE_SUM, self._user_id, *(getattr(key, name) for name in _SUM_KEY))
        rows = [(self._user_id, now, *astuple(key), *astuple(stored)) for key, stored in sums.items()]
        await self._connection.executemany(_WRITE_SUM, rows)
        await self._count(sum(len(stored.ciphertext) for stored in sums.values()) - before)

    async def packs(self, keys: Sequence[PackKey]) -> dict[PackKey, StoredPack]:
        """Return those of the accumulators that there are."""
        rows = await self._connection.fetch(_PACKS, self._user_id, *_columns(keys, *_PACK_KEY))
        return {keys[row[0] - 1]: StoredPack(row[1], row[2], row[3], row[4]) for row in rows}

    async def write_packs(self, packs: dict[PackKey, StoredPack], *, now: datetime) -> None:
        """Store accumulators, new ones and others."""
        before = await self._connection.fetchval(_BYTES_OF_PACKS, self._user_id, *_columns(packs, *_PACK_KEY))
        rows = [(self._user_id, now, *astuple(key), *astuple(stored)) for key, stored in packs.items()]
        await self._connection.executemany(_WRITE_PACK, rows)
        await self._count(sum(len(stored.ciphertext) for stored in packs.values()) - before)

    async def counted(self, causes: Sequence[CauseKey]) -> list[int]:
        """Return the places in ``causes`` of those that are counted already."""
        rows = await self._connection.fetch(_COUNTED, self._user_id, *_columns(causes, *_CAUSE_KEY))
        return sorted(row[0] - 1 for row in rows)

    async def add_causes(self, causes: Sequence[CauseKey]) -> None:
        """Remember that changes are counted."""
        await self._connection.execute(_ADD_CAUSES, self._user_id, *_columns(causes, *_CAUSE_KEY))

    async def key(self, parameter_set: str) -> tuple[int, bytes, datetime] | None:
        """Return the version, the bytes and the time of a sealed key."""
        row = await self._connection.fetchrow(_KEY, self._user_id, parameter_set)
        return None if row is None else (row[0], row[1], row[2])

    async def write_key(self, parameter_set: str, version: int, sealed_key: bytes, *, now: datetime) -> None:
        """Store a version of a sealed key in place of the one before."""
        await self._connection.execute(_WRITE_KEY, self._user_id, parameter_set, version, sealed_key, now)

    async def delete_metrics(self) -> int:
        """Delete everything but the sealed keys; return how many values and deltas there were."""
        counted = 0
        for table in ("metrics", "metric_deltas"):
            said = await self._connection.execute(f"DELETE FROM {table} WHERE user_id = $1", self._user_id)  # noqa: S608
            counted += int(said.split()[-1])
        for table in _TABLES:
            await self._connection.execute(f"DELETE FROM {table} WHERE user_id = $1", self._user_id)  # noqa: S608
        await self._connection.execute("UPDATE heads SET metric_bytes = 0 WHERE user_id = $1", self._user_id)
        return counted

    async def delete_keys(self) -> int:
        """Delete the sealed keys; return how many there were."""
        said = await self._connection.execute("DELETE FROM metric_keys WHERE user_id = $1", self._user_id)
        return int(said.split()[-1])

    async def _count(self, change: int) -> None:
        await usage.add(self._connection, self._user_id, USAGE, change)


def _size(metric: StoredMetric) -> int:
    return len(metric.ciphertext) + len(metric.square or b"")
