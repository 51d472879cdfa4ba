"""An import in a process of its own, whose memory is measured: run as a program, with its home and a path."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sys
from pathlib import Path

import psutil

from lockleaf.client.journal.journal import Journal
from lockleaf.client.store import LocalStore
from lockleaf.crypto.keyring import Keyring

__all__ = ["main"]


def _peak() -> int:
    """The most memory that this process had, in bytes.

    Not by ``ru_maxrss`` where there is anything else: it counts what the process had that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (found,) = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())
        return int(found) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


async def main(home: Path, export: Path) -> None:
    """Import, and write as JSON what came in and by how many MiB the process grew at most."""
    import PIL.Image  # noqa: F401  (what the first photo would load is no memory of the import)

    with LocalStore.create(home / "store.sqlite3", Keyring.new("2026-01-01T00:00:00Z")) as store:
        journal = Journal(store, media=home / "media")
        before = psutil.Process().memory_info().rss
        report = await journal.import_from(export)
    peak = _peak()
    print(
        json.dumps(
            {
                "added": report.added,
                "files": report.files,
                "skipped": len(report.of("skipped")),
                "grown": (peak - before) / 2**20,
                "peak": peak / 2**20,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
