"""Prometheus metrics. Labels are route templates, methods and statuses; nothing of a user is ever one."""

from __future__ import annotations

import os
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from lockleaf.server.db.engine import Database
from lockleaf.server.jobs.observation import QueueNumbers

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one process. With several workers they share a folder, and any of them answers for all."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "lockleaf_http_requests",
            "Requests by route template.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.latency = Histogram(
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
        self.search_opened = Counter(
            "lockleaf_search_opened_entries", "Entries that were opened to search in them.", registry=self.registry
        )
        self.database_up = Gauge(
            "lockleaf_database_up",
            "Whether the database answered when last asked.",
            registry=self.registry,
            multiprocess_mode="livemin",
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        known = method if method in _METHODS else "OTHER"
        self.requests.labels(known, route, str(status)).inc()
        self.latency.labels(known, route).observe(seconds)

    def exposition(self, database: Database | None, queue: QueueNumbers | None = None) -> bytes:
        """Return all metrics in Prometheus' text format.

        Args:
            database: whose pools are told of.
            queue: the numbers of background work, as the database has them at this moment.
        """
        if database is not None:
            for name, engine in (("writing", database.writing), ("reading", database.reading)):
                pool = engine.pool
                self.pool.labels(name, "in_use").set(pool.checkedout())  # type: ignore[attr-defined]
                self.pool.labels(name, "idle").set(pool.checkedin())  # type: ignore[attr-defined]
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            return generate_latest(registry) + _of_queue(queue)
        return generate_latest(self.registry) + _of_queue(queue)


class _QueueCollector(Collector):
    """Background work, of which no process knows the whole: the database does."""

    def __init__(self, numbers: QueueNumbers) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        present = GaugeMetricFamily(
            "lockleaf_jobs_present", "Jobs that wait or run, by kind and state.", labels=["kind", "state"]
        )
        for (kind, state), count in sorted(self._numbers.present.items()):
            present.add_metric([kind, state], count)
        overdue = GaugeMetricFamily(
            "lockleaf_jobs_overdue_seconds",
            "How long the job that has been due the longest has waited, by kind.",
            labels=["kind"],
        )
        for kind, seconds in sorted(self._numbers.overdue_seconds.items()):
            overdue.add_metric([kind], seconds)
        ended = CounterMetricFamily(
            "lockleaf_jobs_ended", "Jobs that ended, by kind and outcome.", labels=["kind", "outcome"]
        )
        for (kind, outcome), count in sorted(self._numbers.ended.items()):
            ended.add_metric([kind, outcome], count)
        yield from (present, overdue, ended)


def _of_queue(numbers: QueueNumbers | None) -> bytes:
    if numbers is None:
        return b""
    registry = CollectorRegistry()
    registry.register(_QueueCollector(numbers))
    return generate_latest(registry)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
