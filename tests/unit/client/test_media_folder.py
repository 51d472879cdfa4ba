"""The folder of files on their way: what is in use stays, what a killed program left goes, and no place is shared."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lockleaf.client.errors import UploadAlreadyRunning
from lockleaf.client.media.staging_folder import StagingFolder


def names(folder: StagingFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


def test_only_what_nobody_knows_and_nobody_makes_is_cleaned_up(tmp_path: Path) -> None:
    folder = StagingFolder(tmp_path / "media")
    for name in ("known", "orphan"):
        folder.begin(name).release()
    being_made = folder.begin("being made")
    folder.clean({"known"}.__contains__, older_than=0)
    assert names(folder) == ["being made.age", "known.age"]
    being_made.release()
    folder.clean({"known"}.__contains__, older_than=0)
    assert names(folder) == ["known.age"]


def test_pieces_of_downloads_stay_for_a_while(tmp_path: Path) -> None:
    folder = StagingFolder(tmp_path / "media")
    for name, time in (("old", 1000), ("new", 3000)):
        with folder.receive(name) as path:
            path.write_bytes(b"piece")
        os.utime(path, (time, time))
    folder.clean(lambda _: False, older_than=2000)
    assert names(folder) == ["new.incoming"]


def test_two_that_fetch_the_same_at_once_have_places_of_their_own(tmp_path: Path) -> None:
    folder = StagingFolder(tmp_path / "media")
    with folder.receive("a") as first:
        with folder.receive("a") as second:
            assert first != second
            second.write_bytes(b"theirs")
            first.write_bytes(b"ours")
        assert names(folder) == [first.name]
    with folder.receive("a") as again:
        assert (again, again.read_bytes()) == (first, b"ours")
        again.unlink()
    with folder.receive("a") as anew:
        assert anew.read_bytes() == b""
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert anew.stat().st_mode & 0o777 == 0o600


def test_one_program_at_a_time_sends(tmp_path: Path) -> None:
    folder = StagingFolder(tmp_path / "media")
    with folder.alone(), pytest.raises(UploadAlreadyRunning), folder.alone():
        pass
    with folder.alone():
        pass
