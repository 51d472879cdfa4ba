"""A PostgreSQL for a test run or a benchmark: embedded, in a folder of its own that goes with it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from lockleaf.server.platform.db.embedded import EmbeddedPostgres


@contextlib.contextmanager
def temporary_postgres(
    *, durable: bool = True, settings: Mapping[str, str] | None = None, parent: Path | None = None
) -> Iterator[EmbeddedPostgres]:
    """Run one EmbeddedPostgres in a new temporary folder; stop it and remove the folder at the end.

    Args:
        durable: False adds fsync=off and its like, for speed where a crash of the machine does not matter.
        settings: more PostgreSQL settings by name.
        parent: folder to create the temporary folder in.

    """
    with (
        tempfile.TemporaryDirectory(prefix="lockleaf-test-", dir=parent) as folder,
        EmbeddedPostgres(Path(folder) / "data", durable=durable, settings=settings) as server,
    ):
        yield server
