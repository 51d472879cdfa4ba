"""Imports that are killed, and imports that are large: as processes, as a person runs them."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support import killed_imports, measured_import
from tests.support.journals.dayone import DayOneFile, entry, journal_json
from tests.support.journals.pictures import MP4, jpeg

PHOTOS = 2000
FILM_MIB = 200
MOST_MIB = 150


def run(module: str, *arguments: Path) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-m", module, *map(str, arguments)], check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_wherever_an_import_is_killed_each_entry_is_whole_or_absent_and_the_next_run_brings_the_rest(
    tmp_path: Path,
) -> None:
    whole = {f"entry {number}": 2 for number in range(killed_imports.ENTRIES)} | {"entry 4": 0}
    seen = run(killed_imports.__name__, tmp_path)
    assert {len(each["left"]) for each in seen} == {0, 1, 2, 3, 5}
    for each in seen:
        assert each["left"].items() <= whole.items()
        assert each["again"] == [len(whole) - len(each["left"]), len(each["left"])]
        assert each["then"] == whole


@pytest.mark.timeout(900)
def test_two_thousand_photos_and_a_long_film_pass_through_in_little_memory(tmp_path: Path) -> None:
    export = tmp_path / "export.zip"
    picture, filler = jpeg(0, (160, 120)), bytes(range(256)) * 200
    film = MP4 + bytes(range(256)) * 4096 * FILM_MIB
    with zipfile.ZipFile(export, "w", zipfile.ZIP_STORED) as archive:
        entries = []
        for number in range(PHOTOS):
            photo = DayOneFile("photos", picture + number.to_bytes(4, "big") + filler, "jpeg")
            archive.writestr(photo.member, photo.data)
            entries.append(entry(photo.link, f"2020-01-01T{number // 60 % 24:02}:{number % 60:02}:00Z", photo))
        long = DayOneFile("videos", film, "mp4")
        archive.writestr(long.member, film)
        archive.writestr("Journal.json", journal_json([*entries, entry(long.link, "2020-01-01T00:00:00Z", long)]))
    del film, long
    (home := tmp_path / "home").mkdir()
    (seen,) = run(measured_import.__name__, home, export)
    assert (seen["added"], seen["files"], seen["skipped"]) == (PHOTOS + 1, PHOTOS + 1, 0)
    assert seen["grown"] < MOST_MIB, seen
