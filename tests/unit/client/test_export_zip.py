"""An export in one ZIP file."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from lockleaf.client.journal.exporters.manifest import MANIFEST, Identity
from lockleaf.client.journal.exporters.zipped import ExportZip
from tests.support.kills import kills

MINE = Identity("a journal", "markdown")


def exported(path: Path, files: dict[str, bytes], *, force: bool = False) -> None:
    with ExportZip(path, MINE, force=force) as target:
        for name, data in files.items():
            if len(data) > 1000:
                with target.file(name, packed=False) as file:
                    file.write(data)
            else:
                target.place(name, data)
        target.finish()


def read(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist() if name != MANIFEST}


FILES = {"a/é.md": b"text", "photo.jpg": bytes(range(256)) * 50}


def test_the_same_export_makes_the_same_file_for_its_owner_alone(tmp_path: Path) -> None:
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    exported(one, FILES)
    exported(two, FILES)
    assert read(one) == FILES
    assert one.read_bytes() == two.read_bytes()
    assert stat.S_IMODE(one.stat().st_mode) == 0o600
    with zipfile.ZipFile(one) as archive:
        assert archive.getinfo("photo.jpg").compress_type == zipfile.ZIP_STORED
        assert archive.getinfo("a/é.md").compress_type == zipfile.ZIP_DEFLATED


def test_a_file_that_is_there_stays_unless_it_shall_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "mine.zip"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        exported(path, FILES)
    assert path.read_text() == "mine"
    exported(path, FILES, force=True)
    assert read(path) == FILES
    assert [each.name for each in tmp_path.iterdir()] == ["mine.zip"]


def test_a_file_that_came_to_be_there_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "mine.zip"
    with ExportZip(path, MINE) as target:
        path.write_text("mine")
        with pytest.raises(FileExistsError):
            target.finish()
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("mine.zip", "mine")]


def test_no_folder_is_made_for_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        exported(tmp_path / "nowhere" / "mine.zip", FILES)


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.zip"
    with pytest.raises(RuntimeError), ExportZip(path, MINE) as target, target.file("a") as file:
        file.write(b"half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_wherever_it_is_killed_the_earlier_file_is_there_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "[mine]*.zip"
    exported(path, {"old": b"old"})
    for number, killed in enumerate(kills(lambda: exported(path, FILES, force=True))):
        assert read(path) == ({"old": b"old"} if killed else FILES), number
    assert number > 3
    # What the killed ones left behind is gone with the next one that comes through.
    assert list(tmp_path.iterdir()) == [path]
