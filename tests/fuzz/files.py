"""Files that people bring: journals of other programs, archives, tables, pictures."""

from __future__ import annotations

import io
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

from PIL import Image

from lockleaf.client.errors import ImportRefused, NotAnArchive, PictureUnreadable
from lockleaf.client.journal.archive_file import ArchiveFile
from lockleaf.client.journal.exporters.archive_source import ArchiveSource
from lockleaf.client.journal.exporters.manifest import Manifest
from lockleaf.client.journal.importers.archives import opened_container
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.journal.importers.registry import importer_for
from lockleaf.client.media.bare_pictures import bare_picture
from lockleaf.client.media.thumbnails import thumbnail
from lockleaf.client.search.selection import Selection
from lockleaf.crypto.keyring import Keyring
from tests.fuzz.target import Target
from tests.support.journals.pepys import WRITERS

__all__ = ["TARGETS"]

_DIARY = [("1660-01-01", "Blessed be God.\nWe lived in Axe Yard. ![](x.png)"), ("1660-01-02", "In the morning #sea.")]
_OPTIONS = ImportOptions(time_zone="Europe/London", file_dates=True)


def _read(name: str, data: bytes, importer: str | None = None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        with closing(opened_container(path)) as container:
            for _ in importer_for(container, importer).read(container, _OPTIONS):
                pass


@cache
def _written(form: str) -> tuple[str, bytes] | None:
    """The name and the bytes of a small journal in one form; none where it is a folder."""
    with tempfile.TemporaryDirectory() as folder:
        path = WRITERS[form](Path(folder), _DIARY)
        return (path.name, path.read_bytes()) if path.is_file() else None


@cache
def _members(form: str) -> tuple[tuple[str, bytes], ...]:
    written = _written(form)
    assert written is not None
    with zipfile.ZipFile(io.BytesIO(written[1])) as archive:
        return tuple((name, archive.read(name)) for name in archive.namelist() if not name.endswith("/"))


def _within(form: str, data: bytes) -> None:
    """Read the ZIP in which the file that the first byte chooses has the bytes behind it."""
    members = _members(form)
    chosen = data[0] % len(members) if data else 0
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, (name, content) in enumerate(members):
            archive.writestr(name, data[1:] if number == chosen else content)
    _read(f"{form}.zip", packed.getvalue(), form)


def _of_form(form: str) -> Iterator[Target]:
    written = _written(form)
    if written is None:
        return
    name, data = written
    yield Target(
        f"import-{form.replace(' ', '-')}",
        lambda given: _read(name, given),
        (ImportRefused,),
        lambda: [data],
        long=True,
    )
    if name.endswith(".zip"):
        yield Target(
            f"import-within-{form}",
            lambda given: _within(form, given),
            (ImportRefused,),
            lambda: [bytes([number]) + content for number, (_, content) in enumerate(_members(form))],
            long=True,
        )


def _folder(name: str, *seeds: bytes) -> Target:
    """A single file of text, as a folder of Markdown has many."""
    return Target(
        f"import-{name.replace('.', '-')}", lambda data: _read(name, data), (ImportRefused,), lambda: seeds, long=True
    )


@cache
def _archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "manifest.json",
            '{"format": "lockleaf-archive", "version": 1, "account": {"id": "x"}, "keys": {"keyring": "QQ=="}}',
        )
        archive.writestr(
            "records.jsonl", '{"collection": "entries", "record_id": "x", "payload": "QQ==", "revision": 1}\n'
        )
        archive.writestr("revisions.jsonl", "{}\n")
    return packed.getvalue()


def _opened(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive.zip"
        path.write_bytes(data)
        keyring = Keyring.new("2026-01-01T00:00:00Z")
        with ArchiveFile(path) as archive, ArchiveSource(archive, keyring) as source:
            source.entries(source.ids(Selection(), deleted=True))
            source.tags()
            source.conflicts()


def _opened_lines(data: bytes) -> None:
    """Open an archive whose manifest is right, and whose lines are these."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        with zipfile.ZipFile(io.BytesIO(_archive())) as made:
            archive.writestr("manifest.json", made.read("manifest.json"))
        for name in ("records.jsonl", "revisions.jsonl", "tags.jsonl", "conflicts.jsonl"):
            archive.writestr(name, data)
    _opened(packed.getvalue())


def _picture(data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        thumbnail(io.BytesIO(data))
        for kind in ("image/jpeg", "image/png", "image/webp", "image/gif"):
            try:
                bare_picture(data, kind)
            except PictureUnreadable:
                continue


def _pictures() -> Iterable[bytes]:
    for form in ("JPEG", "PNG", "WEBP", "GIF"):
        file = io.BytesIO()
        Image.effect_noise((24, 16), 40).convert("RGB").save(file, form)
        yield file.getvalue()


_LINE = b'{"collection": "entries", "record_id": "x", "payload": "AQEAAAAB", "parent": "QQ==", "revision": 2}\n'

TARGETS = (
    *(target for form in WRITERS for target in _of_form(form)),
    _folder("2026-03-01.md", b"---\ntags: [a]\ndate: 2026-03-01T09:00\n---\n# A day\n![[x.png]] #sea\n"),
    _folder("day.txt", b"\xff\xfeI\x00t\x00", b"It rained.\r\n"),
    Target("archive", _opened, (NotAnArchive,), lambda: [_archive()], long=True),
    Target("archive-lines", _opened_lines, (NotAnArchive,), lambda: [_LINE, b"{}\n[]\nnull\n"], long=True),
    Target("export-manifest", Manifest.unpack, (), lambda: [b'{"files": {"a.md": {"sha256": "x"}}}', b"{}"]),
    Target("picture", _picture, (), _pictures, long=True),
)
