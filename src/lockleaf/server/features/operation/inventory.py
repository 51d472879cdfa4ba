"""What an installation holds and what it has left, for its operator's figures: looked up now and then, never for a
request of a user.
"""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import structlog
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from lockleaf import __version__
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.migrate import head_revision
from lockleaf.server.platform.observability.processes import resident_bytes
from lockleaf.server.platform.settings import Settings

__all__ = ["Inventory"]

PATIENCE_SECONDS = 2.0

log = structlog.get_logger("lockleaf.operation")

_ACCOUNTS = "SELECT custody, privacy_tier, count(*) AS accounts FROM accounts GROUP BY custody, privacy_tier"
_DATABASE = "SELECT pg_database_size(current_database())"
# What was deleted lies in the store as well, until it is dropped for good.
_LAST_BACKUP = "SELECT extract(epoch FROM value::timestamptz)::float8 FROM installation WHERE name = 'last_backup'"
_STORE = "SELECT count(*) AS objects, coalesce(sum(size), 0)::bigint AS bytes FROM media WHERE state = 'stored'"


@dataclass(frozen=True, slots=True)
class _Held:
    """What the database tells.

    Attributes:
        accounts: how many, by custody and privacy tier.
        database_bytes: what the database takes.
        objects, store_bytes: files in the store that belong to somebody, and what they take.
        last_backup: when `lockleaf admin backup` made the last one, in seconds of the epoch.
    """

    accounts: dict[tuple[str, str], int]
    database_bytes: int
    objects: int
    store_bytes: int
    last_backup: float | None


@dataclass(frozen=True, slots=True)
class _Disk:
    """A disk that something of the server lies on."""

    place: str
    free_bytes: int
    size_bytes: int


@dataclass(slots=True)
class Inventory:
    """The figures of one process, and the looking up of the next ones."""

    _held: _Held | None = None
    _disks: list[_Disk] = field(default_factory=list)
    _memory: dict[str, int] = field(default_factory=dict)
    _looked_at: float | None = None
    _looking: asyncio.Task[None] | None = None

    async def metrics(self, database: Database, settings: Settings) -> list[Metric]:
        """Return the figures, looked up anew where they are older than the settings allow.

        Who asks waits for that a moment at most, and gets the earlier ones otherwise. What the database does not tell
        is left out.
        """
        now = asyncio.get_running_loop().time()
        old = self._looked_at is None or now - self._looked_at >= settings.metrics.collect_seconds
        if self._looking is None and old:
            self._looked_at = now
            self._looking = asyncio.create_task(self._look(database, settings))
        if self._looking is not None:
            await asyncio.wait((self._looking,), timeout=PATIENCE_SECONDS)
        return list(self._families())

    async def close(self) -> None:
        """Give up what is being looked up."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))

    async def _look(self, database: Database, settings: Settings) -> None:
        try:
            # Files of /proc and of a network's disk can take their time.
            self._disks, self._memory = await asyncio.to_thread(lambda: (_disks(settings), resident_bytes()))
            async with database.read_driver() as connection:
                accounts = await connection.fetch(_ACCOUNTS)
                store = await connection.fetchrow(_STORE)
                self._held = _Held(
                    {(row["custody"], row["privacy_tier"]): row["accounts"] for row in accounts},
                    await connection.fetchval(_DATABASE),
                    store["objects"],
                    store["bytes"],
                    await connection.fetchval(_LAST_BACKUP),
                )
        except Exception as error:
            self._held = self._looked_at = None
            log.warning("figures_not_collected", failure=error)
        finally:
            self._looking = None

    def _families(self) -> Iterator[Metric]:
        build = GaugeMetricFamily(
            "lockleaf_build_info", "What runs here; always 1.", labels=["version", "python", "schema"]
        )
        build.add_metric([__version__, platform.python_version(), _schema()], 1)
        memory = GaugeMetricFamily(
            "lockleaf_process_resident_memory_bytes",
            "Resident memory of the server's processes, PostgreSQL not among them.",
            labels=["process"],
        )
        for process, taken in sorted(self._memory.items()):
            memory.add_metric([process], taken)
        free = GaugeMetricFamily("lockleaf_disk_free_bytes", "What is left of a disk.", labels=["place"])
        size = GaugeMetricFamily("lockleaf_disk_size_bytes", "How large a disk is.", labels=["place"])
        for disk in self._disks:
            free.add_metric([disk.place], disk.free_bytes)
            size.add_metric([disk.place], disk.size_bytes)
        yield from (build, memory, free, size)
        if self._held is not None:
            yield from self._of_database(self._held)

    @staticmethod
    def _of_database(held: _Held) -> Iterator[Metric]:
        accounts = GaugeMetricFamily(
            "lockleaf_accounts", "Accounts, by custody and privacy tier.", labels=["custody", "privacy_tier"]
        )
        for (custody, tier), count in sorted(held.accounts.items()):
            accounts.add_metric([custody, tier], count)
        yield accounts
        yield GaugeMetricFamily("lockleaf_database_size_bytes", "What the database takes.", value=held.database_bytes)
        yield GaugeMetricFamily("lockleaf_store_objects", "Attached files in the store.", value=held.objects)
        yield GaugeMetricFamily(
            "lockleaf_store_size_bytes", "What attached files take in the store.", value=held.store_bytes
        )
        age = GaugeMetricFamily(
            "lockleaf_backup_age_seconds", "How long ago the last backup was made; without a value where none was."
        )
        if held.last_backup is not None:
            age.add_metric([], max(0.0, time.time() - held.last_backup))
        yield age


def _disks(settings: Settings) -> list[_Disk]:
    places = {"data": settings.data_dir}
    if settings.blobs.kind == "file":
        places["files"] = settings.blobs.path or settings.data_dir / "blobs"
    return [disk for place, path in places.items() if (disk := _disk(place, path)) is not None]


def _disk(place: str, path: Path) -> _Disk | None:
    try:
        found = os.statvfs(path)
    except OSError:  # nothing lies there
        return None
    return _Disk(place, found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


_schema = cache(head_revision)
