"""A folder of an export: what it writes, what it takes away, and what it never touches."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from lockleaf.client.errors import ExportRunning, NotAnExportFolder, OtherExport
from lockleaf.client.journal.exporters.folder import ExportFolder
from lockleaf.client.journal.exporters.manifest import MANIFEST, Identity
from lockleaf.client.journal.exporters.targets import Left, Placed
from tests.support.exports import contents
from tests.support.kills import kills

MINE = Identity("a journal", "markdown")


def exported(folder: Path, files: dict[str, bytes], *, identity: Identity = MINE, force: bool = False) -> Placed:
    with ExportFolder(folder, identity, force=force) as target:
        for path, data in files.items():
            target.place(path, data)
        return target.finish()


def visible(folder: Path) -> dict[str, bytes]:
    return {path: data for path, data in contents(folder).items() if not path.startswith(".lockleaf-export/")}


def test_files_are_where_they_belong_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "journal"
    assert exported(folder, {"a/b/c.md": b"text", "j.json": b"{}"}) == Placed(2)
    assert visible(folder) == {"a/b/c.md": b"text", "j.json": b"{}"}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")] if path.is_dir()}
    assert modes == {0o700}
    assert {stat.S_IMODE((folder / path).stat().st_mode) for path in visible(folder)} == {0o600}


def test_a_second_export_writes_what_changed_and_takes_away_what_is_gone(tmp_path: Path) -> None:
    exported(tmp_path, {"same": b"1", "changed": b"2", "gone/away": b"3"})
    before = (tmp_path / "same").stat()
    assert exported(tmp_path, {"same": b"1", "changed": b"two", "new": b"4"}) == Placed(2, 1, 1)
    assert visible(tmp_path) == {"same": b"1", "changed": b"two", "new": b"4"}
    assert not (tmp_path / "gone").exists()
    after = (tmp_path / "same").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_same_export_again_changes_no_byte(tmp_path: Path) -> None:
    exported(tmp_path, {"a": b"1", "b/c": b"2"})
    before = contents(tmp_path)
    assert exported(tmp_path, {"b/c": b"2", "a": b"1"}) == Placed(0, 2)
    assert contents(tmp_path) == before


def test_a_file_that_no_export_made_is_neither_replaced_nor_deleted(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("mine too")
    for force in (False, True):
        done = exported(tmp_path, {"README.md": b"theirs", "entry.md": b"e"}, force=force)
        assert done.left == (Left("README.md", "foreign"),)
    exported(tmp_path, {})
    assert visible(tmp_path) == {"README.md": b"mine", "notes/a.md": b"mine too"}


def test_a_file_that_was_edited_stays_until_it_is_to_be_replaced(tmp_path: Path) -> None:
    exported(tmp_path, {"a": b"first", "b": b"b"})
    (tmp_path / "a").write_bytes(b"edited")
    for data in (b"first", b"second", b"second"):
        assert exported(tmp_path, {"a": data, "b": b"b"}).left == (Left("a", "edited"),)
        assert (tmp_path / "a").read_bytes() == b"edited"
    assert exported(tmp_path, {"a": b"second", "b": b"b"}, force=True) == Placed(1, 1)
    assert (tmp_path / "a").read_bytes() == b"second"


def test_a_file_that_was_edited_and_is_gone_from_the_journal_is_left_to_its_editor(tmp_path: Path) -> None:
    exported(tmp_path, {"a": b"first"})
    (tmp_path / "a").write_bytes(b"edited")
    assert exported(tmp_path, {}).left == (Left("a", "kept"),)
    assert exported(tmp_path, {}, force=True) == Placed(0)
    assert visible(tmp_path) == {"a": b"edited"}


def test_a_file_that_already_says_the_same_is_taken_as_the_exports_own(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    assert exported(tmp_path, {"a": b"a"}) == Placed(0, 1)
    assert exported(tmp_path, {"a": b"b"}) == Placed(1)


@pytest.mark.parametrize("in_the_way", ["link to a folder", "link to a file", "folder", "file as a folder", "pipe"])
def test_nothing_is_written_through_what_stands_in_the_way(tmp_path: Path, in_the_way: str) -> None:
    folder, elsewhere = tmp_path / "journal", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "c").write_text("not yours")
    match in_the_way:
        case "link to a folder":
            (folder / "a").symlink_to(elsewhere)
        case "link to a file":
            (folder / "a").mkdir()
            (folder / "a" / "c").symlink_to(elsewhere / "c")
        case "folder":
            (folder / "a" / "c").mkdir(parents=True)
        case "file as a folder":
            (folder / "a").write_text("a file")
        case _:
            (folder / "a").mkdir()
            os.mkfifo(folder / "a" / "c")
    done = exported(folder, {"a/c": b"secret", "b": b"b"}, force=True)
    assert done.left == (Left("a/c", "foreign"),)
    assert (folder / "b").read_bytes() == b"b"
    assert (elsewhere / "c").read_text() == "not yours"
    assert [path.name for path in elsewhere.iterdir()] == ["c"]


def test_a_manifest_that_somebody_altered_has_no_file_deleted_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    exported(folder, {"a": b"a"})
    (tmp_path / "precious").write_bytes(b"a")
    (folder / "link").symlink_to(tmp_path)
    manifest = json.loads((folder / MANIFEST).read_bytes())
    digest = manifest["files"]["a"]
    absolute = str(tmp_path / "precious")
    manifest["files"] |= {"../precious": digest, absolute: digest, "link/precious": digest, "": digest}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    exported(folder, {})
    assert (tmp_path / "precious").read_bytes() == b"a"
    assert not (folder / "a").exists()


@pytest.mark.parametrize(
    "other",
    [
        Identity("another journal", "markdown"),
        Identity("a journal", "json"),
        Identity("a journal", "markdown", {"tag": "walk"}),
        Identity("a journal", "markdown", revisions=True),
        Identity("a journal", "markdown", deleted=True),
    ],
)
def test_a_folder_of_another_export_is_left_alone_unless_it_shall_be_changed(tmp_path: Path, other: Identity) -> None:
    exported(tmp_path, {"a": b"a"})
    before = contents(tmp_path)
    with pytest.raises(OtherExport):
        exported(tmp_path, {"b": b"b"}, identity=other)
    assert {path: data for path, data in contents(tmp_path).items() if path in before} == before
    assert not (tmp_path / "b").exists()
    assert exported(tmp_path, {"b": b"b"}, identity=other, force=True) == Placed(1, 0, 1)
    assert visible(tmp_path) == {"b": b"b"}


def test_two_exports_into_one_folder_do_not_mix(tmp_path: Path) -> None:
    with ExportFolder(tmp_path, MINE), pytest.raises(ExportRunning):
        exported(tmp_path, {"a": b"a"})


def test_a_file_is_no_folder_to_export_into(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotAnExportFolder):
        exported(tmp_path / "file", {"a": b"a"})
    assert (tmp_path / "file").read_text() == "mine"


def test_an_error_leaves_no_half_file_and_the_next_export_goes_on(tmp_path: Path) -> None:
    exported(tmp_path, {"a": b"a", "old": b"old"})
    with (
        pytest.raises(RuntimeError),
        ExportFolder(tmp_path, MINE) as target,
        target.file("big") as file,
    ):
        target.place("a", b"another a")
        file.write(b"half")
        raise RuntimeError
    assert visible(tmp_path) == {"a": b"a", "old": b"old"}
    assert not list(tmp_path.rglob("*.part"))
    assert exported(tmp_path, {"a": b"a third", "big": b"whole"}) == Placed(2, 0, 1)


def test_wherever_an_export_is_killed_files_are_whole_and_the_next_one_comes_through(tmp_path: Path) -> None:
    old = {"same": b"s" * 5000, "changed": b"c" * 5000, "gone/a": b"g"}
    killed_then = {"same": b"s" * 5000, "changed": b"C" * 6000, "new/b": b"n" * 5000}
    now = {"same": b"s" * 5000, "changed": b"X" * 7000, "new/b": b"N" * 7000}
    allowed = {path: {old.get(path), killed_then.get(path)} for path in old | killed_then}
    folder = tmp_path / "journal"
    exported(folder, old)
    for number, _ in enumerate(kills(lambda: _export(folder, killed_then))):
        assert {path for path, data in visible(folder).items() if data not in allowed[path]} == set(), number
        # What the killed one placed is known as the export's own: nothing is left, nothing is in the way.
        done = exported(folder, now)
        assert (done.left, visible(folder)) == ((), now), number
        assert not list(folder.rglob("*.part"))
        exported(folder, old)
    assert number > 20


def _export(folder: Path, files: dict[str, bytes]) -> None:
    exported(folder, files)
