"""From entries over encrypted deltas and sums back to averages, without a server: as near as is stated."""

from __future__ import annotations

import math
import statistics
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lockleaf.client.errors import MetricsUnreadable
from lockleaf.client.metrics import recounts
from lockleaf.client.metrics.census import PARAMETERS, Census
from lockleaf.client.metrics.deltas import make_deltas
from lockleaf.client.metrics.layouts import names_of
from lockleaf.client.metrics.stats import Query, from_device, opened_sum
from lockleaf.client.metrics.summary import Part, Stats, last_day, period_start, summarise
from lockleaf.client.records.edits import Edits
from lockleaf.client.store import LocalStore
from lockleaf.crypto.keyring import Keyring
from lockleaf.he import codec, evaluate
from lockleaf.he.keys import SecretKey, make_keys
from lockleaf.wire.analytics import BucketResult
from tests.support.statistics import differences

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEYRING = Keyring.new("2026-01-01T00:00:00Z")
KEY, _ = make_keys(PARAMETERS.name)
OTHER, _ = make_keys(PARAMETERS.name)
EVER = (date(1, 1, 1), date(9998, 12, 31))


class Sums:
    """What a server does: it adds ciphertexts, by layout and month."""

    def __init__(self) -> None:
        self.months: dict[tuple[tuple[str, ...], str], tuple[codec.Ciphertext, int]] = {}

    def take(self, store: LocalStore) -> int:
        """Add every delta that waits; how many there were."""
        deltas = store.contributions.deltas(10_000)
        for delta in deltas:
            place = delta.layout, delta.month
            sent = codec.check_ciphertext(delta.encrypted, PARAMETERS.name)
            total, additions = self.months.get(place, (None, 0))
            self.months[place] = (sent if total is None else evaluate.add(total, sent), additions + 1)
        store.contributions.remove_deltas(delta.delta_id for delta in deltas)
        return len(deltas)

    def stats(self, query: Query, key: SecretKey = KEY) -> Stats:
        """What a client makes of them."""
        parts: list[Part] = []
        for (layout, month), (total, additions) in self.months.items():
            if layout == names_of(query.metric):
                start = datetime.fromisoformat(f"{month}-01T00:00:00Z")
                answer = BucketResult(
                    start=start, count=additions, divisor=1, encrypted_result=codec.write_ciphertext(total)
                )
                parts += opened_sum(key, query, answer, False)
        return summarise(query.metric, query.by, "server", parts)


Days = st.dates(date(1660, 1, 1), date(1660, 3, 31)) | st.sampled_from(
    [date(1, 1, 1), date(9998, 12, 31), date(2024, 2, 29), date(2025, 12, 31), date(2026, 1, 1)]
)
Texts = st.lists(st.sampled_from(["happy", "sad", "rain", "not", "terrible"]), max_size=400).map(" ".join)
Written = st.tuples(
    Days,
    Texts,
    st.sampled_from([None, "happy", "sad", "purple"]),
    st.none() | st.floats(-(2**16), 2**16) | st.floats(0, 12),
)
Steps = st.lists(
    st.tuples(st.sampled_from(["write", "write", "edit", "delete", "restore", "sync"]), st.integers(0, 5), Written),
    max_size=25,
)


@settings(max_examples=25)
@given(Steps, st.tuples(Days, Days))
@example([("write", 0, (date(1660, 1, 31), "word " * 60_000, "sad", 2.0**16))] * 6, EVER)
def test_sums_of_any_journal_are_what_its_entries_come_to_within_the_stated_error(
    steps: list[tuple[str, int, tuple[date, str, str | None, float | None]]], span: tuple[date, date]
) -> None:
    sums = Sums()
    census = Census.new(number=1, epoch=None, seq=0, maker="here", key=KEY.to_bytes())
    with TemporaryDirectory() as folder, LocalStore.create(Path(folder) / "store", KEYRING) as store:
        edits = Edits(store, lambda: NOW)
        ids: list[str] = []
        for number, (action, which, (day, text, mood, own)) in enumerate(
            (*steps, ("sync", 0, (NOW.date(), "", None, 0.0)))
        ):
            content: dict[str, object] = {"type": "entry", "body": text, "occurred_at": day.isoformat()}
            content |= {} if mood is None else {"mood": mood}
            content |= {} if own is None else {"metrics": {"own": own}}
            entry_id = ids[which % len(ids)] if ids else None
            record = store.records.get("entries", entry_id) if entry_id is not None else None
            if action == "write":
                ids.append(f"{number:08}")
                edits.insert(ids[-1], content)
            elif action == "sync":
                with store.transaction():
                    recounts.collect(store, census)
                make_deltas(store, census)
                sums.take(store)
            elif record is not None and record.deleted == (action == "restore"):
                if action == "edit":
                    edits.keep(record, content)
                else:
                    (edits.delete if action == "delete" else edits.restore)(record.record_id)
        for metric in ("word_count", "characters", "mood", "sentiment", "own"):
            for by in ("week", "month", "year"):
                for since, until in {EVER, (min(span), max(span))}:
                    query = Query(metric, by, since, until)
                    assert differences(sums.stats(query), from_device(store, query)) == []


def test_what_comes_to_nothing_is_not_sent(tmp_path: Path) -> None:
    census = Census.new(number=1, epoch=None, seq=0, maker="here", key=KEY.to_bytes())
    with LocalStore.create(tmp_path / "store", KEYRING) as store:
        edits, sums = Edits(store, lambda: NOW), Sums()
        edits.insert("a" * 8, {"body": "one two", "occurred_at": "2026-01-01"})
        recounts.collect(store, census)
        edits.delete("a" * 8)
        recounts.collect(store, census)
        assert store.contributions.counts() == (2, 0)
        make_deltas(store, census)
        assert store.contributions.counts() == (0, 0)
        edits.restore("a" * 8)
        recounts.collect(store, census)
        edits.edit("a" * 8, {"title": "no number changes", "tags": ("a",)})
        recounts.collect(store, census)
        make_deltas(store, census)
        assert sums.take(store) == 1


def test_sums_of_another_key_or_layout_are_none(tmp_path: Path) -> None:
    census = Census.new(number=1, epoch=None, seq=0, maker="here", key=KEY.to_bytes())
    with LocalStore.create(tmp_path / "store", KEYRING) as store:
        sums = Sums()
        Edits(store, lambda: NOW).insert("a" * 8, {"body": "one two", "occurred_at": "2026-01-31"})
        recounts.collect(store, census)
        make_deltas(store, census)
        sums.take(store)
    query = Query("word_count", "month", *EVER)
    assert sums.stats(query).whole is not None
    with pytest.raises(MetricsUnreadable):
        sums.stats(query, OTHER)
    # The 31st of January cannot lie in February.
    [(place, kept)] = sums.months.items()
    sums.months = {(place[0], "2026-02"): kept}
    with pytest.raises(MetricsUnreadable):
        sums.stats(query)


@example([(date.max, 1.0)], "week")
@given(
    st.lists(st.tuples(st.dates(), st.floats(-1e6, 1e6)), min_size=1, max_size=40),
    st.sampled_from(["week", "month", "year"]),
)
def test_averages_variances_and_the_trend_are_those_of_the_textbook(values: list[tuple[date, float]], by: str) -> None:
    stats = summarise("own", by, "device", (Part(day, 1, value, value * value) for day, value in values))  # type: ignore[arg-type]
    assert sum(period.count for period in stats.periods) == len(values)
    for period in stats.periods:
        inside = [value for day, value in values if period.start <= day <= period.end]
        assert period.count == len(inside)
        assert math.isclose(period.average, statistics.fmean(inside), rel_tol=1e-9, abs_tol=1e-6)
        assert math.isclose(period.variance, statistics.pvariance(inside), rel_tol=1e-6, abs_tol=1.0)
    if stats.trend is None:
        assert len(stats.periods) == 1
        return
    units = {"week": 7.0, "month": 365.2425 / 12, "year": 365.2425}[by]
    places = [(period.start - stats.periods[0].start).days / units for period in stats.periods]
    rounded = np.round(places)
    slope, level = np.polyfit(rounded, [period.average for period in stats.periods], 1)
    assert math.isclose(stats.trend.slope, slope, rel_tol=1e-6, abs_tol=1e-3)
    assert math.isclose(stats.trend.first, level, rel_tol=1e-6, abs_tol=1e-2)


@given(st.dates(), st.sampled_from(["week", "month", "year"]))
def test_every_day_lies_in_one_period(day: date, by: str) -> None:
    start = period_start(day, by)  # type: ignore[arg-type]
    end = last_day(start, by)  # type: ignore[arg-type]
    assert start <= day <= end
    assert period_start(end, by) == start  # type: ignore[arg-type]
    if start > date.min:
        assert period_start(start - timedelta(days=1), by) != start  # type: ignore[arg-type]
