"""Deltas: what changed since the last time, one ciphertext for each layout and month, added once by the server."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from lockleaf.client.errors import AlreadyCounted, ApiError, ChangeNotAccepted, InvalidAnswer
from lockleaf.client.metrics.census import PARAMETERS, Census
from lockleaf.client.metrics.layouts import layout_of, names_of, wire_name
from lockleaf.client.metrics.opened_keys import opened_key
from lockleaf.client.records.counted import standing
from lockleaf.client.records.readings import Reading
from lockleaf.client.store import LocalStore
from lockleaf.client.store.contributions import Step, StoredDelta
from lockleaf.client.transport.batch_size import TOO_LARGE
from lockleaf.client.transport.http import Transport
from lockleaf.he.layout import Delta
from lockleaf.wire.analytics import MAX_CHANGES, Cause, MetricBatch, MetricsStored, NewMetric

if TYPE_CHECKING:
    from lockleaf.he.keys import SecretKey

__all__ = ["make_deltas", "send_deltas"]

_PORTION = 20_000
"""Changes that are gathered at once: the more, the fewer deltas, since those of one month go into one."""
_BATCH = 64
"""Deltas in one request: of 62 KB each, they stay within what the server takes at once."""

_Part = tuple[int, str, str, float]


def make_deltas(store: LocalStore, census: Census) -> None:
    """Turn every contribution that waits into encrypted deltas, and keep those.

    Raises:
        MetricsNotInstalled: the library for encrypted numbers is not here.
    """
    key = opened_key(store, census)
    while True:
        with store.transaction():
            waiting = store.contributions.waiting(_PORTION)
            if not waiting:
                return
            groups: defaultdict[tuple[tuple[str, ...], str], list[Step]] = defaultdict(list)
            for item in waiting:
                before, after = standing(item.before, census.census_id), standing(item.after, census.census_id)
                for place, parts in _differences(before, after).items():
                    groups[place].append((item.record_id, item.revision, parts))
            store.contributions.put_deltas(
                delta
                for (names, month), steps in groups.items()
                for start in range(0, len(steps), MAX_CHANGES)
                if (delta := _encrypted(key, census, names, month, steps[start : start + MAX_CHANGES])) is not None
            )
            store.contributions.remove(waiting)


def _differences(before: Reading | None, after: Reading | None) -> dict[tuple[tuple[str, ...], str], list[_Part]]:
    """What a change takes out of sums and puts into them, by layout and month."""
    parts: defaultdict[tuple[tuple[str, ...], str], list[_Part]] = defaultdict(list)
    gone, come = set(_values(before)), set(_values(after))
    for sign, values in ((-1, gone - come), (1, come - gone)):
        for day, name, value in sorted(values):
            parts[names_of(name), day[:7]].append((sign, day, name, value))
    return parts


def _values(reading: Reading | None) -> Iterator[tuple[str, str, float]]:
    if reading is not None:
        for name, value in reading.values.items():
            yield reading.day.isoformat(), name, value


def _encrypted(
    key: SecretKey, census: Census, names: tuple[str, ...], month: str, steps: list[Step]
) -> StoredDelta | None:
    """The delta of these steps; None where they come to nothing."""
    from lockleaf.he.encrypt import encrypt_delta  # noqa: PLC0415  (native code, of which most runs have no need)

    delta = Delta(layout_of(names))
    for _, _, parts in steps:
        for sign, day, name, value in parts:
            (delta.add if sign > 0 else delta.remove)(date.fromisoformat(day), name, value)
    for encrypted in encrypt_delta(key, delta).values():
        return StoredDelta(uuid.uuid4().hex, census.census_id, names, month, encrypted, steps)
    return None


async def send_deltas(store: LocalStore, transport: Transport, census: Census) -> int:
    """Send every delta that waits; return how many the server counted.

    What was counted before (by a device that was copied, say) is taken out of its delta, which is then made anew.

    Raises:
        ApiError, TransportError: the rest waits.
    """
    sent, at_once = 0, _BATCH
    while batch := await asyncio.to_thread(store.contributions.deltas, at_once):
        body = MetricBatch(metrics=tuple(_metric(delta, census) for delta in batch))
        try:
            await transport.request("POST", "/encryption/metrics", body=body, answer=MetricsStored, msgpack=True)
        except TOO_LARGE:
            if len(batch) == 1:
                raise
            at_once = len(batch) // 2
            continue
        except (AlreadyCounted, ChangeNotAccepted) as refused:
            await asyncio.to_thread(_leave_out, store, census, batch, _refused(refused))
            continue
        sent += len(batch)
        await asyncio.to_thread(store.contributions.remove_deltas, [delta.delta_id for delta in batch])
    return sent


def _metric(delta: StoredDelta, census: Census) -> NewMetric:
    causes = dict.fromkeys((record_id, revision) for record_id, revision, _ in delta.steps if revision)
    year, month = map(int, delta.month.split("-"))
    return NewMetric(
        encrypted_value=delta.encrypted,
        timestamp=datetime(year, month, 1, tzinfo=UTC),
        id=delta.delta_id,
        parameter_set=PARAMETERS.name,
        layout=wire_name(delta.layout, census.census_id),
        change=tuple(Cause(record_id=record_id, revision=revision) for record_id, revision in causes) or None,
    )


def _refused(error: ApiError) -> set[tuple[int, str, int]]:
    """The changes that the server does not count, each with the place of its delta."""
    try:
        found = {(item["item"], item["record_id"], item["revision"]) for item in error.facts["changes"]}
    except (KeyError, TypeError):
        raise InvalidAnswer from None
    return found


def _leave_out(
    store: LocalStore, census: Census, batch: list[StoredDelta], refused: Iterable[tuple[Any, Any, Any]]
) -> None:
    key = opened_key(store, census)
    unwanted = set(refused)
    gone, made = [], []
    for place, delta in enumerate(batch):
        left = [step for step in delta.steps if (place, step[0], step[1]) not in unwanted]
        if len(left) == len(delta.steps):
            continue
        gone.append(delta.delta_id)
        again = _encrypted(key, census, delta.layout, delta.month, left) if left else None
        if again is not None:
            made.append(again)
    if not gone:
        raise InvalidAnswer
    with store.transaction():
        store.contributions.remove_deltas(gone)
        store.contributions.put_deltas(made)
