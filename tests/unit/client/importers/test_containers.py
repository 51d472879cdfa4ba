"""Archives and folders that are not what they say: refused whole, or file by file, and nothing is written anywhere."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from lockleaf.client.errors import ImportRefused
from lockleaf.client.journal.importers.archives import opened_container
from lockleaf.client.journal.importers.containers import Unreadable
from lockleaf.client.journal.importers.registry import importer_for


def a_zip(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def named(path: Path) -> tuple[list[str], list[str]]:
    source = opened_container(path)
    try:
        return [each.name for each in source.members], [each.reason for each in source.refused]
    finally:
        source.close()


@pytest.mark.parametrize(
    "name", ["../up.md", "/etc/passwd", "a/../../b.md", "C:\\boot.md", "\\\\host\\x.md", "..\\up.md"]
)
def test_a_name_that_leads_out_of_an_archive_is_refused(tmp_path: Path, name: str) -> None:
    found, reasons = named(a_zip(tmp_path / "a.zip", (name, b"x"), ("good.md", b"y")))
    assert found == ["good.md"]
    assert reasons == ["its name leads out of the archive"]
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for each in (name, "good.md"):
            archive.addfile(tarfile.TarInfo(each), io.BytesIO())
    assert named(tmp_path / "a.tar") == (found, reasons)


def test_links_and_devices_in_an_archive_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.md")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    found, reasons = named(a_zip(tmp_path / "a.zip", (link, b"/etc/passwd"), ("good.md", b"y")))
    assert (found, len(reasons), "a link" in reasons[0]) == (["good.md"], 1, True)
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"bad-{kind.decode()}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        archive.addfile(tarfile.TarInfo("good.md"), io.BytesIO())
    found, reasons = named(tmp_path / "a.tar")
    assert (found, len(reasons)) == (["good.md"], 4)


def test_links_and_pipes_in_a_folder_are_refused_and_hidden_files_are_no_part_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    (folder / ".obsidian").mkdir(parents=True)
    (folder / ".obsidian" / "app.json").write_text("{}")
    (folder / "good.md").write_text("x")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "note.md").write_text("not of the vault")
    (folder / "link.md").symlink_to(tmp_path / "secret" / "note.md")
    (folder / "linked").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe.md")
    found, reasons = named(folder)
    assert (found, len(reasons)) == (["good.md"], 3)


def put_into(path: Path, *names: str) -> Path:
    if path.suffix == ".zip":
        return a_zip(path, *((name, b"x") for name in names))
    with tarfile.open(path, "w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_hidden_files_are_no_part_of_an_archive_either(tmp_path: Path, kind: str) -> None:
    names = ("v/good.md", "v/._good.md", "v/.trash/gone.md", "v/.obsidian/a.md", "__MACOSX/v/._good.md", "v/.DS_Store")
    assert named(put_into(tmp_path / f"a.{kind}", *names)) == (["v/good.md"], [])
    assert named(put_into(tmp_path / f"b.{kind}", "./good.md", "./.git/b.md"))[0][-1].endswith("good.md")
    # The folder that was packed may be hidden itself.
    assert named(put_into(tmp_path / f"c.{kind}", ".journal/good.md", ".journal/.trash/c.md"))[0] == [
        ".journal/good.md"
    ]


def test_what_has_to_be_unpacked_first_is_told_so(tmp_path: Path) -> None:
    put_into(tmp_path / "a.tar", "Keep/a.json")
    (tmp_path / "a.tgz").write_bytes(gzip.compress((tmp_path / "a.tar").read_bytes()))
    (tmp_path / "a.rar").write_bytes(b"Rar!\x1a\x07\x01\0")
    for name in ("a.tgz", "a.rar"):
        with pytest.raises(ImportRefused, match="Unpack it"):
            opened_container(tmp_path / name)
    path = a_zip(tmp_path / "b.zip", ("inner.zip", b"PK"))
    with closing(opened_container(path)) as source, pytest.raises(ImportRefused, match=r"inner\.zip"):
        importer_for(source)
    (tmp_path / "lines.jsonl.gz").write_bytes(gzip.compress(b'{"date": "2026-03-01", "text": "one"}\n'))
    with closing(opened_container(tmp_path / "lines.jsonl.gz")) as source:
        assert importer_for(source).name == "jsonl"


def test_a_file_that_became_a_link_since_it_was_listed_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    folder.mkdir()
    (folder / "note.md").write_text("x")
    source = opened_container(folder)
    (folder / "note.md").unlink()
    (folder / "note.md").symlink_to(__file__)
    with pytest.raises(Unreadable):
        source.open("note.md")


def test_a_zip_that_promises_far_more_than_it_holds_is_refused_whole(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("bomb.md", "w") as file,
    ):
        for _ in range(100):
            file.write(bytes(1024 * 1024))
    with pytest.raises(ImportRefused):
        opened_container(path)


def test_one_file_of_a_zip_that_is_packed_too_tightly_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("photo.jpg", os.urandom(600_000), zipfile.ZIP_STORED)
        with archive.open("bomb.md", "w") as file:
            for _ in range(100):
                file.write(bytes(1024 * 1024))
    found, reasons = named(path)
    assert found == ["photo.jpg"]
    assert reasons == ["packed so tightly that it is no text and no photo"]


def test_a_zip_whose_files_lie_over_each_other_is_refused(tmp_path: Path) -> None:
    """Each promises what its neighbours hold: a small file that unpacks to any size."""
    path = a_zip(tmp_path / "a.zip", ("one.md", b"x" * 100_000))
    data = bytearray(path.read_bytes())
    start = data.rindex(b"PK\x01\x02")
    entry, end = data[start : data.rindex(b"PK\x05\x06")], data[data.rindex(b"PK\x05\x06") :]
    many = 2000
    entries = b"".join(entry.replace(b"one.md", b"%06d" % number) for number in range(many))
    end[8:10] = end[10:12] = many.to_bytes(2, "little")
    end[12:16] = len(entries).to_bytes(4, "little")
    path.write_bytes(data[:start] + entries + end)
    with pytest.raises(ImportRefused):
        opened_container(path)


@pytest.mark.parametrize("left", [0.2, 0.9, 0.99])
def test_a_zip_that_is_cut_off_is_refused_whole(tmp_path: Path, left: float) -> None:
    path = a_zip(tmp_path / "a.zip", *((f"{number}.md", os.urandom(1000)) for number in range(20)))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * left)])
    with pytest.raises(ImportRefused):
        opened_container(path)


def test_a_file_of_a_zip_with_damaged_bytes_costs_itself(tmp_path: Path) -> None:
    path = a_zip(tmp_path / "a.zip", ("bad.md", os.urandom(1000)), ("good.md", b"good"))
    data = bytearray(path.read_bytes())
    data[200] ^= 0xFF
    path.write_bytes(data)
    source = opened_container(path)
    assert source.read("good.md", 100) == b"good"
    with pytest.raises(Unreadable, match="damaged"):
        source.read("bad.md", 10_000)
    source.close()


def test_a_name_that_stands_twice_counts_once_and_is_said(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = a_zip(tmp_path / "a.zip", ("a.md", b"first"), ("a.md", b"second"))
    source = opened_container(path)
    assert source.read("a.md", 100) == b"second"
    assert len(source.refused) == 1
    source.close()


def test_a_name_in_another_form_of_the_same_letters_is_found(tmp_path: Path) -> None:
    source = opened_container(a_zip(tmp_path / "a.zip", ("fotos/gru\u0308n.JPG", b"x")))
    found = source.get("fotos/gr\u00fcn.jpg")
    assert found is not None
    assert [each.name for each in source.called("GRÜN.jpg")] == [found.name]
    source.close()


def test_a_device_or_nothing_is_no_journal(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path / "absent"):
        with pytest.raises(ImportRefused):
            opened_container(path)


@pytest.mark.parametrize("packed", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("damaged", [False, True])
def test_a_file_that_is_packed_otherwise_says_so_whole_or_damaged(tmp_path: Path, packed: int, damaged: bool) -> None:
    path = tmp_path / "journal.zip"
    with zipfile.ZipFile(path, "w", packed) as into:
        into.writestr("Journal.json", b"{}" * 500)
    if damaged:
        data = bytearray(path.read_bytes())
        data[50:60] = bytes(10)
        path.write_bytes(data)
    with closing(opened_container(path)) as container:
        assert container.start("Journal.json") == b""
        with pytest.raises(Unreadable, match="packed in a way that is not read here"):
            container.read("Journal.json", 1000)


def test_a_zip_whose_file_has_no_name_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "journal.zip"
    with zipfile.ZipFile(path, "w") as into:
        into.writestr("x", b"{}")
    path.write_bytes(path.read_bytes().replace(b"x{}", b"\0{}").replace(b"xPK", b"\0PK"))
    with pytest.raises(ImportRefused, match="damaged"):
        opened_container(path)
