"""Prometheus metrics. Labels are route templates, methods and statuses; nothing of a user is ever one."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest, values
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.observability.queue import QueueNumbers
from lockleaf.server.platform.observability.turns import AtTurnsEnd

__all__ = ["CONTENT_TYPE", "Metrics", "counting_as"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@contextmanager
def counting_as(name: str) -> Iterator[None]:
    """Let a process that comes and goes count under a name, where all count in a folder that they share.

    Its successor goes on with the same files. Under their numbers each process would leave some for good, all of which
    are read whenever somebody asks. What is only true while it lives is gone when it is.

    Args:
        name: that no process has that runs at the same time. Metrics are to be made within.
    """
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        yield
        return
    values.ValueClass = values.MultiProcessValue(lambda: name)  # type: ignore[no-untyped-call]
    mark_process_dead(name)  # type: ignore[no-untyped-call]  # of one that was killed
    try:
        yield
    finally:
        mark_process_dead(name)  # type: ignore[no-untyped-call]


class _Durations(Histogram):
    """Takes durations several at a time: each by itself is two writes into memory that all workers share."""

    def observe_all(self, seconds: Sequence[float]) -> None:
        """Count durations."""
        self._sum.inc(sum(seconds))
        for bucket, count in Tally([bisect_left(self._upper_bounds, each) for each in seconds]).items():
            self._buckets[bucket].inc(count)


class Metrics:
    """The counters of one process. With several workers they share a folder, and any of them answers for all."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._observed: dict[tuple[str, str, int], list[float]] = {}
        """The durations of the requests of the present turn of the loop, by method, route and status."""
        self._counting = AtTurnsEnd(self._count_observed)
        self._tellings: list[AtTurnsEnd] = []
        self.requests = Counter(
            "lockleaf_http_requests",
            "Requests by route template.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.latency = _Durations(
            "lockleaf_http_request_duration_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ["method", "route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.changes = Counter(
            "lockleaf_sync_changes", "Changes pushed, by what became of them.", ["status"], registry=self.registry
        )
        self.streams = Gauge(
            "lockleaf_event_streams", "Open live streams.", registry=self.registry, multiprocess_mode="livesum"
        )
        self.hashing = Gauge(
            "lockleaf_hashing_waiting",
            "Verifier hashes running or waiting.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.pool = Gauge(
            "lockleaf_database_connections",
            "Database connections by pool and state.",
            ["pool", "state"],
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.evaluations = Counter(
            "lockleaf_evaluations",
            "Questions to the processes that add up encrypted metrics, by operation and outcome.",
            ["operation", "outcome"],
            registry=self.registry,
        )
        self.evaluation_seconds = Histogram(
            "lockleaf_evaluation_duration_seconds",
            "How long they took, the start of a process included.",
            ["operation"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.evaluating = Gauge(
            "lockleaf_evaluations_running",
            "Evaluations of encrypted metrics at this moment.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.searches = Counter(
            "lockleaf_searches", "Searches answered, by the account's custody.", ["custody"], registry=self.registry
        )
        self.rates_refused = Counter(
            "lockleaf_rates_refused", "Requests that came too often, by the rate.", ["policy"], registry=self.registry
        )
        self.rates_degraded = Gauge(
            "lockleaf_rates_degraded",
            "Processes that count rates in memory since the store that replicas share does not answer.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.search_opened = Counter(
            "lockleaf_search_opened_entries", "Entries that were opened to search in them.", registry=self.registry
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        kind = method if method in _METHODS else "OTHER", route, status
        self._observed.setdefault(kind, []).append(seconds)
        self._counting()

    def _count_observed(self) -> None:
        observed, self._observed = self._observed, {}
        for (method, route, status), seconds in observed.items():
            self.requests.labels(method, route, str(status)).inc(len(seconds))
            self.latency.labels(method, route).observe_all(seconds)

    def count_change(self, status: str) -> None:
        """Count what became of a change to a record."""
        self.changes.labels(status).inc()

    def watch_pools(self, database: Database) -> None:
        """Count the connections of a database's pools as they come and go.

        Each process counts its own at all times: the one that answers for all cannot ask the others.
        """
        for name, engine in (("writing", database.writing), ("reading", database.reading)):
            self._watch_pool(name, engine)

    def _watch_pool(self, name: str, engine: AsyncEngine) -> None:
        in_use, idle = self.pool.labels(name, "in_use"), self.pool.labels(name, "idle")

        def tell() -> None:
            in_use.set(_pool(engine).checkedout())
            idle.set(_pool(engine).checkedin())

        telling = AtTurnsEnd(tell)
        self._tellings.append(telling)

        @event.listens_for(engine.sync_engine, "checkout")
        @event.listens_for(engine.sync_engine, "checkin")
        def _changed(*_: object) -> None:
            telling()

    def exposition(self, *, database_up: bool, queue: QueueNumbers | None, more: Sequence[Metric] = ()) -> bytes:
        """Return all metrics in Prometheus' text format.

        Args:
            database_up: whether the database answers at this moment.
            queue: the numbers of background work, as the database has them at this moment.
            more: what else was looked up.
        """
        for each in (self._counting, *self._tellings):
            each.now()
        registry = self.registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        asked = CollectorRegistry()
        asked.register(_AskedCollector(database_up, queue, more))
        return generate_latest(registry) + generate_latest(asked)


def _pool(engine: AsyncEngine) -> QueuePool:
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    return pool


class _AskedCollector(Collector):
    """What was looked up for this answer: whether the database answers, and its numbers of background work.

    No process knows these by itself, and what one remembered could be old.
    """

    def __init__(self, database_up: bool, queue: QueueNumbers | None, more: Sequence[Metric]) -> None:
        self._database_up = database_up
        self._queue = queue
        self._more = more

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        yield GaugeMetricFamily(
            "lockleaf_database_up", "Whether the database answers, asked for this answer.", value=int(self._database_up)
        )
        if self._queue is not None:
            yield from self._of_queue(self._queue)
        yield from self._more

    @staticmethod
    def _of_queue(numbers: QueueNumbers) -> Iterator[Metric]:
        present = GaugeMetricFamily(
            "lockleaf_jobs_present", "Jobs that wait or run, by kind and state.", labels=["kind", "state"]
        )
        for (kind, state), count in sorted(numbers.present.items()):
            present.add_metric([kind, state], count)
        overdue = GaugeMetricFamily(
            "lockleaf_jobs_overdue_seconds",
            "How long the job that has been due the longest has waited, by kind.",
            labels=["kind"],
        )
        for kind, seconds in sorted(numbers.overdue_seconds.items()):
            overdue.add_metric([kind], seconds)
        ended = CounterMetricFamily(
            "lockleaf_jobs_ended", "Jobs that ended, by kind and outcome.", labels=["kind", "outcome"]
        )
        for (kind, outcome), count in sorted(numbers.ended.items()):
            ended.add_metric([kind, outcome], count)
        yield from (present, overdue, ended)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
