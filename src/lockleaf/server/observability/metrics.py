"""Prometheus metrics. Labels are route templates, methods and statuses; nothing of a user is ever one."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from lockleaf.server.db.engine import Database

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

    def exposition(self, database: Database | None) -> bytes:
        """Return all metrics in Prometheus' text format."""
        if database is not None:
            for name, engine in (("writing", database.writing), ("reading", database.reading)):
                pool = engine.pool
                self.pool.labels(name, "in_use").set(pool.checkedout())  # type: ignore[attr-defined]
                self.pool.labels(name, "idle").set(pool.checkedin())  # type: ignore[attr-defined]
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            return generate_latest(registry)
        return generate_latest(self.registry)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
