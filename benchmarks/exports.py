"""A real ten-year journal in plain text: each format, a second export that has nothing to do, and how memory grows.

Each export is a process of its own, on a store that another one has filled; beside it stands what writing the same
bytes to as many files costs, each brought to the disk before it has its name.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.apart import in_process
from benchmarks.journal import DIARY
from benchmarks.report import Report
from benchmarks.servers import peak_memory_mib

__all__ = ["export", "filled", "run"]

TIMES = 4
"""So many times the diary is the longer journal, to see whether memory grows with it."""
_FORMATS = ("markdown", "json", "html", "dayone")


async def filled(folder: str, times: str) -> int:
    """Make a store with the diary in it, so many ``times``, each in a century of its own; return its entries."""
    from lockleaf.client import EntryDraft  # noqa: PLC0415
    from lockleaf.client.journal.journal import Journal  # noqa: PLC0415
    from lockleaf.client.store import LocalStore  # noqa: PLC0415
    from lockleaf.crypto.keyring import Keyring  # noqa: PLC0415

    keyring = Keyring.new("2026-01-01T00:00:00Z")
    Path(folder).mkdir()
    Path(folder, "keyring").write_bytes(keyring.pack())
    with LocalStore.create(Path(folder, "store.sqlite3"), keyring) as store:
        for number in range(int(times)):
            with gzip.open(DIARY, "rt", encoding="utf-8") as lines:
                entries = (json.loads(line) for line in lines)
                drafts = (
                    EntryDraft(
                        body=each["text"],
                        date=f"{16 + number}{each['date'][2:]}",
                        external_id=f"{number} {place}",
                        provider="benchmark",
                    )
                    for place, each in enumerate(entries)
                )
                await Journal(store).import_entries(drafts)
        return store.records.count()


async def export(folder: str, path: str, form: str) -> dict[str, Any]:
    """Export a store that is there; return the time it took, in seconds, what was written, and the peak of memory."""
    from lockleaf.client import FileKeychain, Media  # noqa: PLC0415
    from lockleaf.client.device.device import Device  # noqa: PLC0415
    from lockleaf.client.errors import NotLoggedIn  # noqa: PLC0415
    from lockleaf.client.journal.exporters.destinations import export_to  # noqa: PLC0415
    from lockleaf.client.journal.exporters.sources import JournalSource  # noqa: PLC0415
    from lockleaf.client.media.media_rotation import Synced  # noqa: PLC0415
    from lockleaf.client.profile.profiles import ProfileFolder  # noqa: PLC0415
    from lockleaf.client.search.selection import Selection  # noqa: PLC0415
    from lockleaf.client.store import LocalStore, local_keys  # noqa: PLC0415
    from lockleaf.crypto.keyring import Keyring  # noqa: PLC0415

    keyring = Keyring.unpack(Path(folder, "keyring").read_bytes())
    device = Device(ProfileFolder(Path(folder), "benchmark"), FileKeychain(Path(folder, "keychain.json")), print)

    async def sync(_: object) -> Synced:
        raise NotLoggedIn

    with LocalStore.open(Path(folder, "store.sqlite3"), local_keys(keyring)) as store:
        before = peak_memory_mib()
        started = time.perf_counter()
        report = await export_to(
            Path(path),
            JournalSource(store, Media(device, sync=sync), lambda: device.session, device.clock),
            Selection(),
            user_id="benchmark",
            form=form,  # type: ignore[arg-type]
            revisions=False,
            deleted=False,
            force=False,
            progress=None,
        )
        took = time.perf_counter() - started
    return {
        "took": took,
        "written": report.written,
        "entries": report.entries,
        "before": before,
        "peak": peak_memory_mib(),
    }


def _bare(folder: Path, source: Path) -> float:
    """Return the seconds in which the files of an export are written by themselves."""
    contents = [path.read_bytes() for path in source.rglob("*") if path.is_file()]
    folder.mkdir()

    def settle(number: int) -> None:
        handle = os.open(folder / f"{number}.part", os.O_CREAT | os.O_WRONLY, 0o600)
        os.write(handle, contents[number])
        os.fsync(handle)
        os.close(handle)
        (folder / f"{number}.part").rename(folder / str(number))

    started = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(settle, range(len(contents))))
    return time.perf_counter() - started


def run(report: Report) -> None:
    """Export the diary in each format, and a journal of four times its length."""
    with tempfile.TemporaryDirectory(prefix="lockleaf-benchmark-") as name:
        home = Path(name)
        for store, times in (("one", 1), ("four", TIMES)):
            in_process("benchmarks.exports", "filled", home / store, times)

        def exported(store: str, path: Path, form: str) -> dict[str, Any]:
            found: dict[str, Any] = in_process("benchmarks.exports", "export", home / store, path, form)
            return found

        for form in _FORMATS:
            done = exported("one", home / f"{form}-out", form)
            if form == "markdown":
                bare = _bare(home / str(uuid4()), home / "markdown-out")
                report.times("diary exported as markdown", done["took"], "s", "the same files by themselves", bare)
                report.value("  files written", float(done["written"]), "files")
                again = exported("one", home / "markdown-out", form)
                if again["written"]:
                    raise RuntimeError("a second export wrote something")
                report.value("  exported again, nothing changed", again["took"], "s")
                zipped = exported("one", home / "out.zip", form)
                report.value("  into a ZIP file", zipped["took"], "s")
            else:
                report.value(f"diary exported as {form}", done["took"], "s", aim="under 10")
            more = exported("four", home / f"{form}-four", form)
            report.value(f"  memory for the diary, beyond an open store ({form})", done["peak"] - done["before"], "MiB")
            report.value(
                f"  memory for {TIMES} times as long ({form})", more["peak"] - more["before"], "MiB", aim="under 40"
            )
