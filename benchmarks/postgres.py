"""A PostgreSQL that both the server and the baseline use, waiting for the disk at each commit as it should."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lockleaf.server.platform.db.embedded import EmbeddedPostgres

__all__ = ["durable_postgres"]


@contextlib.contextmanager
def durable_postgres() -> Iterator[str]:
    """Run one in a temporary folder, and give its address."""
    with (
        tempfile.TemporaryDirectory(prefix="lockleaf-benchmark-") as folder,
        EmbeddedPostgres(Path(folder) / "data", settings={"max_connections": "300"}) as postgres,
    ):
        yield postgres.dsn()
