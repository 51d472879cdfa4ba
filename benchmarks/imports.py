"""Journals of other programs into the local store: the diary through each format of text, and a ZIP of photos.

Each import is a process of its own, so that its time and memory are its own. Beside it stands what reading the same
bytes and hashing them costs.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from benchmarks.apart import in_process
from benchmarks.journal import DIARY
from benchmarks.report import Report
from benchmarks.servers import peak_memory_mib
from tests.support.journals.dayone import DayOneFile, entry, journal_json
from tests.support.journals.pepys import WRITERS, diary_of
from tests.support.journals.pictures import jpeg

__all__ = ["imported", "run"]

PHOTOS = 2000


async def imported(home: str, source: str) -> dict[str, Any]:
    """Import a source into a new local store."""
    from lockleaf.client.journal.journal import Journal  # noqa: PLC0415
    from lockleaf.client.store import LocalStore  # noqa: PLC0415
    from lockleaf.crypto.keyring import Keyring  # noqa: PLC0415

    folder = Path(home)
    with LocalStore.create(folder / "store.sqlite3", Keyring.new("2026-01-01T00:00:00Z")) as store:
        before, started, worked = peak_memory_mib(), time.perf_counter(), time.process_time()
        report = await Journal(store, media=folder / "media").import_from(Path(source))
        seconds, worked = time.perf_counter() - started, time.process_time() - worked
    grown = peak_memory_mib() - before
    return {"added": report.added, "seconds": seconds, "processor": worked, "grown": grown}


def _hashed(source: Path) -> float:
    started = time.perf_counter()
    for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
        if path.is_file():
            with path.open("rb") as file:
                hashlib.file_digest(file, "sha256")
    return time.perf_counter() - started


def _photos(path: Path) -> Path:
    picture, filler = jpeg(0, (1600, 1200)), bytes(range(256)) * 1000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        entries = []
        for number in range(PHOTOS):
            photo = DayOneFile("photos", picture + number.to_bytes(4, "big") + filler, "jpeg")
            archive.writestr(photo.member, photo.data)
            entries.append(entry(photo.link, f"2020-01-01T{number // 60 % 24:02}:{number % 60:02}:00Z", photo))
        archive.writestr("Journal.json", journal_json(entries))
    return path


def run(report: Report) -> None:
    """Import the diary in each format, where it is there, and a ZIP of photos."""
    with tempfile.TemporaryDirectory() as scratch:
        for form, write in WRITERS.items() if DIARY.exists() else ():
            folder, home = Path(scratch) / form, Path(scratch) / f"{form} home"
            folder.mkdir()
            home.mkdir()
            source = write(folder, diary_of(DIARY.parent))
            baseline, seen = _hashed(source), in_process(__name__, "imported", home, source)
            assert seen["added"] == 3415, seen
            report.times(f"import of the diary from {form}", seen["seconds"], "s", "reading and hashing it", baseline)
            told = f"the same, with {seen['grown']:.0f} MiB of memory and {seen['processor']:.2f} s of one processor"
            report.value(told, seen["seconds"], "s", aim="under 10")
        (home := Path(scratch) / "photos").mkdir()
        source = _photos(Path(scratch) / "photos.zip")
        baseline, seen = _hashed(source), in_process(__name__, "imported", home, source)
        assert seen["added"] == PHOTOS, seen
        report.times(f"import of {PHOTOS:,} photos", seen["seconds"], "s", "reading and hashing them", baseline)
        report.value("the same, memory that it takes", seen["grown"], "MiB", aim="under 150")
