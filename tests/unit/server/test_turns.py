"""What happens often in one turn of an event loop is done once for all of it, and counts as much."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from lockleaf.server.platform.observability.metrics import BUCKETS, Metrics
from lockleaf.server.platform.observability.turns import AtTurnsEnd

OF_REQUESTS = "lockleaf_http_request"


def lines(text: bytes, name: str) -> list[str]:
    return [line for line in text.decode().splitlines() if line.startswith(name) and "_created" not in line]


async def test_what_is_asked_for_in_one_turn_is_done_once_at_its_end() -> None:
    done: list[int] = []
    asked = AtTurnsEnd(lambda: done.append(1))
    for turn in range(1, 4):
        for _ in range(5):
            asked()
        assert len(done) == turn - 1
        await asyncio.sleep(0)
        assert len(done) == turn


def test_without_a_turn_it_is_done_at_once() -> None:
    done: list[int] = []
    asked = AtTurnsEnd(lambda: done.append(1))
    asked()
    asked()
    assert len(done) == 2


def test_a_loop_that_ended_before_it_was_done_holds_up_no_other() -> None:
    done: list[int] = []
    asked = AtTurnsEnd(lambda: done.append(1))
    ended = asyncio.new_event_loop()
    ended.call_soon(ended.stop)
    ended.call_soon(asked)
    ended.run_forever()
    ended.close()
    assert done == []

    async def ask() -> None:
        asked()

    asyncio.run(ask())
    assert done == [1]


@given(st.lists(st.floats(0, 20) | st.sampled_from(BUCKETS), min_size=1))
async def test_requests_are_counted_together_as_each_would_be_by_itself(seconds: list[float]) -> None:
    metrics = Metrics()
    for each in seconds:
        metrics.observe("GET", "/entries/{entry_id}", 200, each)
    metrics.observe("BREW", "unmatched", 405, 0.5)
    registry = CollectorRegistry()
    alone = Histogram(f"{OF_REQUESTS}_duration_seconds", "", ["method", "route"], buckets=BUCKETS, registry=registry)
    for each in seconds:
        alone.labels("GET", "/entries/{entry_id}").observe(each)
    alone.labels("OTHER", "unmatched").observe(0.5)
    told = metrics.exposition(database_up=True, queue=None)
    buckets, expected = (
        [line for line in lines(text, f"{OF_REQUESTS}_duration_seconds") if "_sum" not in line]
        for text in (told, generate_latest(registry))
    )
    assert buckets == expected
    (total,) = (line for line in lines(told, f"{OF_REQUESTS}_duration_seconds_sum") if "GET" in line)
    assert abs(float(total.split()[-1]) - sum(seconds)) < 1e-6
    assert lines(told, f"{OF_REQUESTS}s_total") == [
        f'{OF_REQUESTS}s_total{{method="GET",route="/entries/{{entry_id}}",status="200"}} {float(len(seconds))}',
        f'{OF_REQUESTS}s_total{{method="OTHER",route="unmatched",status="405"}} 1.0',
    ]
