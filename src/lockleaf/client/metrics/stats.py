"""Averages and trends: from the server's encrypted sums, decrypted here, or from the entries of this device.

What is decrypted goes to the caller and nowhere else: neither back to the server nor into a log. A result beside its
ciphertext tells of the noise in it, and enough of them of the key (Li and Micciancio, 2021). Nor may any request depend
on it: everything is fetched before the first ciphertext is decrypted, and nothing afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from lockleaf.client.errors import InvalidAnswer, MetricsOff, MetricsUnreadable, NoMetrics
from lockleaf.client.metrics.census import PARAMETERS, Census
from lockleaf.client.metrics.census_state import State
from lockleaf.client.metrics.layouts import layout_of, names_of, wire_name
from lockleaf.client.metrics.opened_keys import opened_key
from lockleaf.client.metrics.summary import By, Part, Stats, summarise
from lockleaf.client.records.readings import checked_name, counted_day, value_of
from lockleaf.client.store import LocalStore
from lockleaf.client.transport.http import Transport
from lockleaf.he.errors import HeError
from lockleaf.he.layout import DayTotal
from lockleaf.he.metric_types import metric_type
from lockleaf.wire.analytics import Aggregate, Aggregation, BucketResult, TimeRange

if TYPE_CHECKING:
    from lockleaf.he.keys import SecretKey

__all__ = ["Query", "from_device", "from_server", "opened_sum"]

_MOST_PAGES = 5_000
_MOST_SUMS = 2_400
"""Months in which entries lie: they are held in memory together, so a server must not send without end."""
_FIRST, _LAST = date(1, 1, 1), date(9998, 12, 31)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: a metric, how long the periods are, and the first and the last day."""

    metric: str
    by: By
    since: date
    until: date

    @classmethod
    def of(cls, metric: str, by: By, since: date | None, until: date | None) -> Query:
        """Return the query of what a caller gave.

        Raises:
            InvalidEntry: no metric can be called so.
        """
        return cls(checked_name(metric), by, max(since or _FIRST, _FIRST), min(until or _LAST, _LAST))


def from_device(store: LocalStore, query: Query) -> Stats:
    """Work it out from the entries in the local store."""

    def parts() -> Iterator[Part]:
        for record in store.records.entries():
            if record.doc is None:
                continue
            day = counted_day(record.doc.content, record.doc.created_at)
            if day is None or not query.since <= day <= query.until:
                continue
            value = value_of(record.doc.content, query.metric)
            if value is not None:
                yield Part(day, 1, value, value * value)

    return summarise(query.metric, query.by, "device", parts())


async def from_server(store: LocalStore, transport: Transport, query: Query) -> Stats:
    """Ask the server for its sums, and work it out from what they decrypt to.

    Raises:
        MetricsOff: no sums are kept for the account.
        MetricsUnreadable: the account's devices cannot have made them.
    """
    state = await asyncio.to_thread(State.load, store)
    if state.census is None or not state.version:
        raise MetricsOff
    parts: list[Part] = []
    if query.since <= query.until:
        # Whole years can be added up by the server; weeks and other days are picked out of the slots of months.
        whole = query.by == "year" and _begins_month(query.since) and _begins_month(query.until + timedelta(days=1))
        key = await asyncio.to_thread(_key, store, state.census)
        # All of them, before one is decrypted: what is asked for next would tell the server what came out.
        results = [each async for each in _results(transport, state.census, query, "year" if whole else "month")]
        parts = await asyncio.to_thread(_opened, key, query, results, whole)
    return summarise(query.metric, query.by, "server", parts)


def _opened(key: SecretKey, query: Query, results: list[BucketResult], whole: bool) -> list[Part]:
    return [part for result in results for part in opened_sum(key, query, result, whole)]


def _begins_month(day: date) -> bool:
    return day.day == 1


async def _results(
    transport: Transport, census: Census, query: Query, bucket: Literal["month", "year"]
) -> AsyncIterator[BucketResult]:
    """Give the sums of the months, or years, in which the days of a query lie."""
    span = TimeRange(
        start=_midnight(query.since.replace(day=1)) if query.since > _FIRST else None,
        end=_midnight(_next_month(query.until + timedelta(days=1))) if query.until < _LAST else None,
    )
    cursor: str | None = None
    seen: set[datetime] = set()
    for _ in range(_MOST_PAGES):
        body = Aggregation(
            operation="sum",
            time_range=span,
            bucket=bucket,
            parameter_set=PARAMETERS.name,
            layout=wire_name(names_of(query.metric), census.census_id),
            cursor=cursor,
        )
        try:
            page = await transport.request("POST", "/encryption/aggregate", body=body, answer=Aggregate, msgpack=True)
        except NoMetrics:
            return
        for result in page.buckets or ():
            if result.start in seen or len(seen) == _MOST_SUMS:
                raise InvalidAnswer
            seen.add(result.start)
            yield result
        if page.next_cursor is None:
            return
        cursor = page.next_cursor
    raise InvalidAnswer


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _next_month(day: date) -> date:
    """The first day of the month that begins with ``day`` or after it."""
    if day.day == 1:
        return day
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _key(store: LocalStore, census: Census) -> SecretKey:
    try:
        return opened_key(store, census)
    except HeError:
        raise MetricsUnreadable from None


def opened_sum(key: SecretKey, query: Query, result: BucketResult, whole: bool) -> list[Part]:
    """Decrypt a sum, and take out of its slots the days that are asked for."""
    from lockleaf.he.decrypt import decrypt_slots  # noqa: PLC0415  (native code, of which most runs have no need)

    layout = layout_of(names_of(query.metric))
    try:
        slots = decrypt_slots(key, result.encrypted_result, values=layout.width)
        days = layout.read(slots)
        start = result.start.astimezone(UTC).date()
        error = PARAMETERS.sum_error(result.count, max(map(abs, slots)))
        found = ((day, total) for (name, day), total in days.items() if name == query.metric)
        if whole:
            return [_part(query, start, total, error, days_of_one=False) for _, total in found]
        dated = ((start.replace(day=day), total) for day, total in found)
        return [
            _part(query, day, total, error, days_of_one=True)
            for day, total in dated
            if query.since <= day <= query.until
        ]
    except (HeError, ValueError, OverflowError):
        # A slot for the 31st of February, too, is nothing that a device of the account wrote.
        raise MetricsUnreadable from None


def _part(query: Query, day: date, total: DayTotal, error: float, *, days_of_one: bool) -> Part:
    kind = metric_type(query.metric)
    value_error, square_error = error / kind.factor(PARAMETERS), error / kind.square_factor(PARAMETERS)
    if days_of_one and total.count == 1:
        # The square of the only value of a day is known far better from the value itself.
        own_error = (2 * abs(total.total) + value_error) * value_error
        if own_error < square_error:
            return Part(day, 1, total.total, total.total**2, value_error, own_error)
    return Part(day, total.count, total.total, total.squares, value_error, square_error)
