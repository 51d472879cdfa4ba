"""The SQL of lists of metrics: what they are, when and how large, without their ciphertexts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

__all__ = ["ListedMetric", "ListedPack", "any_at_all", "packs", "values"]


@dataclass(frozen=True, slots=True)
class ListedMetric:
    """A single value."""

    metric_id: str
    metric_type: str
    parameter_set: str
    at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class ListedPack:
    """An accumulator."""

    parameter_set: str
    layout: str
    month: date
    size: int
    additions: int


_COLUMNS = """
SELECT metric_id, metric_type, parameter_set, at,
  octet_length(ciphertext) + coalesce(octet_length(square), 0) AS size
FROM metrics
"""

_VALUES = _COLUMNS + "WHERE user_id = $1 AND (at, metric_id) > ($2, $3) ORDER BY at, metric_id LIMIT $4"
_VALUES_OF_TYPE = (
    _COLUMNS + "WHERE user_id = $1 AND metric_type = $5 AND (at, metric_id) > ($2, $3) ORDER BY at, metric_id LIMIT $4"
)

_PACKS = """
SELECT parameter_set, layout, month, octet_length(ciphertext) AS size, additions
FROM metric_packs WHERE user_id = $1 AND (parameter_set, layout, month) > ($2, $3, $4)
ORDER BY parameter_set, layout, month LIMIT $5
"""

_ANY = "SELECT EXISTS (SELECT FROM metrics) OR EXISTS (SELECT FROM metric_packs)"

_BEFORE_ALL = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


async def values(
    connection: asyncpg.Connection,
    user_id: UUID,
    *,
    metric_type: str | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[ListedMetric]:
    """Return single values behind ``after``, by time and id."""
    at, metric_id = after or (_BEFORE_ALL, "")
    if metric_type is None:
        rows = await connection.fetch(_VALUES, user_id, at, metric_id, limit)
    else:
        rows = await connection.fetch(_VALUES_OF_TYPE, user_id, at, metric_id, limit, metric_type)
    return [ListedMetric(*row) for row in rows]


async def packs(
    connection: asyncpg.Connection, user_id: UUID, *, after: tuple[str, str, date] | None, limit: int
) -> list[ListedPack]:
    """Return accumulators behind ``after``."""
    rows = await connection.fetch(_PACKS, user_id, *(after or ("", "", date.min)), limit)
    return [ListedPack(*row) for row in rows]


async def any_at_all(connection: asyncpg.Connection) -> bool:
    """Tell whether any account has metrics."""
    found: bool = await connection.fetchval(_ANY)
    return found
