"""Attaching without a server: the file is sealed as a stream, the entry has it at once, and nothing else is left."""

from __future__ import annotations

import asyncio
import io
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyrage
import pytest
from PIL import Image

from lockleaf.client import Attachment, Client
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    AttachmentNotFound,
    AttachmentTooLarge,
    EntryNotFound,
    FileChanged,
    InvalidAttachment,
    LockleafError,
    MediaDamaged,
    NoSuchFile,
    TooManyAttachments,
)
from lockleaf.client.media.preparation import PreparedAttachment, drafted
from lockleaf.client.media.staging import MAX_BYTES, ONE_PART, PART_BYTES
from lockleaf.client.media.staging_folder import StagingFolder
from lockleaf.client.records.progress import Progress
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.content import MAX_ATTACHMENTS
from tests.support.offline_devices import offline_device

TEXT = bytes(range(256)) * 1000
NOW = "2026-01-01T00:00:00Z"
ENTRY = "00000000-0000-4000-8000-000000000001"


def a_file(folder: Path, data: bytes = TEXT, name: str = "notes.txt") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def staged(device: Device) -> list[Path]:
    return sorted(device.folder.media.glob("*.age"))


async def attached(client: Client, path: Path) -> tuple[str, Attachment]:
    entry = await client.journal.write(body="with a file")
    return entry.id, await client.media.attach(entry.id, path)


async def test_an_attached_file_is_in_the_entry_at_once_and_opens_with_plain_age(tmp_path: Path) -> None:
    async with offline_device(tmp_path) as (client, device):
        told: list[Progress] = []
        entry = await client.journal.write(body="with a file")
        made = await client.media.attach(entry.id[:8], a_file(tmp_path), progress=told.append)
        (listed,) = await client.media.list(entry.id)
        shown = await client.journal.get(entry.id)
        (sealed,) = staged(device)
        identity = device.opened.keyring.newest.identity

        assert shown.attachments == (made,) == (listed.attachment,)
        assert (made.name, made.media_type, made.size) == ("notes.txt", "text/plain", len(TEXT))
        assert made.sha256 == sha256(TEXT).digest()
        assert made.sealed_size == sealed.stat().st_size
        assert made.sealed_sha256 == sha256(sealed.read_bytes()).digest()
        assert listed.waiting
        assert sealed.stat().st_mode & 0o777 == 0o600
        assert pyrage.decrypt(sealed.read_bytes(), [pyrage.x25519.Identity.from_str(identity)]) == TEXT
        assert not any(b"with a file" in path.read_bytes() for path in device.folder.path.rglob("*") if path.is_file())
        assert {each.stage for each in told} <= {"seal"}


async def test_a_file_that_waits_for_its_upload_opens_without_a_server(tmp_path: Path) -> None:
    async with offline_device(tmp_path) as (client, _):
        _, made = await attached(client, a_file(tmp_path))
        folder = tmp_path / "out"
        folder.mkdir()
        saved = await client.media.download(made.media_id[:6], folder)
        assert (saved.name, saved.read_bytes()) == ("notes.txt", TEXT)
        assert saved.stat().st_mode & 0o777 == 0o600
        with pytest.raises(FileExistsError):
            await client.media.download(made, folder)
        saved.write_bytes(b"older")
        assert await client.media.download(made, saved, overwrite=True) == saved
        assert saved.read_bytes() == TEXT
        taken = io.BytesIO()
        await client.media.copy(made, taken)
        assert taken.getvalue() == TEXT
        assert [path.name for path in folder.iterdir()] == ["notes.txt"]


async def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    async with offline_device(tmp_path) as (client, _):
        _, made = await attached(client, a_file(tmp_path, b"", "empty"))
        assert (made.size, made.sha256) == (0, sha256(b"").digest())
        assert (await client.media.download(made, tmp_path / "again")).read_bytes() == b""


async def test_a_large_file_is_measured_in_parts_that_make_up_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(ONE_PART + 1)
    async with offline_device(tmp_path) as (client, device):
        _, made = await attached(client, path)
        row = device.opened.store.media.get(made.media_id)
        assert row is not None
        data = staged(device)[0].read_bytes()
        assert [size for size, _ in row.parts][:-1] == [PART_BYTES, PART_BYTES]
        assert sum(size for size, _ in row.parts) == len(data) == made.sealed_size
        places = [sum(size for size, _ in row.parts[:number]) for number in range(len(row.parts))]
        assert [digest for _, digest in row.parts] == [
            sha256(data[start : start + size]).digest() for start, (size, _) in zip(places, row.parts, strict=True)
        ]


class Writer:
    """Changes a file while it is read: called by whoever reads it, when it has come so far."""

    def __init__(self, path: Path, what: str) -> None:
        self.path, self.what, self.done = path, what, False

    def __call__(self, _: int) -> None:
        if self.done:
            return
        self.done = True
        if self.what == "longer":
            with self.path.open("ab") as file:
                file.write(b"more")
        elif self.what == "shorter":
            os.truncate(self.path, 10)
        elif self.what == "rewritten":
            status = self.path.stat()
            with self.path.open("r+b") as file:
                file.write(b"others")
            os.utime(self.path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
        elif self.what == "replaced":
            other = self.path.with_name("other")
            other.write_bytes(self.path.read_bytes())
            other.replace(self.path)
        else:
            self.path.unlink()


@pytest.mark.parametrize("what", ["longer", "shorter", "rewritten", "replaced", "gone"])
def test_a_file_that_changes_while_it_is_read_is_refused_and_nothing_stays(tmp_path: Path, what: str) -> None:
    path = a_file(tmp_path, bytes(3 * 1024 * 1024), "growing")
    writer = Writer(path, what)
    kept: list[PreparedAttachment] = []

    def keep(draft: PreparedAttachment) -> Attachment:
        kept.append(draft)
        return draft.attachment

    with pytest.raises(FileChanged):
        drafted(
            path,
            entry_id=ENTRY,
            name="growing",
            media_type="image/png",
            key=Keyring.new(NOW).newest,
            folder=StagingFolder(tmp_path / "media"),
            now=NOW,
            beat=writer,
            keep=keep,
        )
    assert writer.done
    assert kept == []
    assert list((tmp_path / "media").iterdir()) == []


async def test_an_attachment_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(400 * 1024 * 1024)
    async with offline_device(tmp_path) as (client, device):
        entry = await client.journal.write(body="text")
        begun = asyncio.Event()
        work = asyncio.create_task(client.media.attach(entry.id, path, progress=lambda _: begun.set()))
        await begun.wait()
        assert len(staged(device)) == 1
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert staged(device) == []
        assert (await client.journal.get(entry.id)).attachments == ()


async def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    async with offline_device(tmp_path) as (client, device):
        entry = await client.journal.write(body="text")
        refused: list[tuple[Path, dict[str, Any], type[LockleafError]]] = [
            (tmp_path, {}, NoSuchFile),
            (tmp_path / "absent", {}, NoSuchFile),
            (tmp_path / "pipe", {}, NoSuchFile),
            (Path("/dev/null"), {}, NoSuchFile),
            (tmp_path / "huge", {}, AttachmentTooLarge),
            (a_file(tmp_path), {"name": "///"}, InvalidAttachment),
            (a_file(tmp_path), {"media_type": "a picture"}, InvalidAttachment),
        ]
        for path, more, error in refused:
            with pytest.raises(error):
                await client.media.attach(entry.id, path, **more)
        with pytest.raises(EntryNotFound):
            await client.media.attach("0000", a_file(tmp_path))
        assert staged(device) == []


async def test_an_entry_takes_so_many_attachments_and_no_more(tmp_path: Path) -> None:
    path = a_file(tmp_path, b"x")
    async with offline_device(tmp_path) as (client, device):
        entry = await client.journal.write(body="text")
        for _ in range(MAX_ATTACHMENTS):
            await client.media.attach(entry.id, path)
        with pytest.raises(TooManyAttachments):
            await client.media.attach(entry.id, path)
        assert len(staged(device)) == MAX_ATTACHMENTS == len((await client.journal.get(entry.id)).attachments)


async def test_an_image_brings_a_small_picture_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.new("RGB", (1000, 500), "red").save(path)
    async with offline_device(tmp_path) as (client, device):
        _, made = await attached(client, path)
        assert made.thumbnail is not None
        assert len(staged(device)) == 2
        saved = await client.media.download(made.thumbnail.media_id, tmp_path)
        assert saved.name == "photo.thumbnail.webp"
        with Image.open(saved) as picture:
            assert (picture.format, picture.size) == ("WEBP", (320, 160))
        assert await client.media.get(made.thumbnail.media_id) == await client.media.get(made.media_id)


async def test_an_edit_keeps_the_attachments(tmp_path: Path) -> None:
    async with offline_device(tmp_path) as (client, _):
        entry_id, made = await attached(client, a_file(tmp_path))
        edited = await client.journal.edit(entry_id, body="other text")
        assert edited.attachments == (made,)


async def test_what_was_deleted_before_anybody_heard_of_it_is_restored_whole(tmp_path: Path) -> None:
    async with offline_device(tmp_path) as (client, device):
        path = tmp_path / "photo.png"
        Image.new("RGB", (640, 480), "blue").save(path)
        entry_id, made = await attached(client, path)
        await client.media.delete(made.media_id)
        assert (await client.journal.get(entry_id)).attachments == ()
        assert await client.media.pending_count() == 0
        (deleted,) = await client.media.list(deleted=True)
        assert (deleted.attachment, deleted.deleted) == (made, True)
        with pytest.raises(AttachmentNotFound):
            await client.media.get(made.media_id)

        assert await client.media.restore(made.media_id) == made
        assert (await client.journal.get(entry_id)).attachments == (made,)
        assert await client.media.pending_count() == 2
        assert (await client.media.download(made, tmp_path / "again.png")).read_bytes() == path.read_bytes()
        with pytest.raises(AttachmentNotFound):
            await client.media.restore(made.media_id)
        assert len(staged(device)) == 2


@pytest.mark.parametrize("first", [False, True])
async def test_what_was_never_sent_and_is_deleted_for_good_leaves_nothing(tmp_path: Path, first: bool) -> None:
    async with offline_device(tmp_path) as (client, device):
        path = tmp_path / "photo.png"
        Image.new("RGB", (640, 480), "blue").save(path)
        entry_id, made = await attached(client, path)
        _, kept = await attached(client, a_file(tmp_path))
        if first:
            await client.media.delete(made.media_id)
        assert await client.media.delete_for_good(made.media_id[:8]) == made
        assert (await client.journal.get(entry_id)).attachments == ()
        assert await client.media.list(deleted=True) == []
        assert [each.stem for each in staged(device)] == [kept.media_id]
        assert await client.media.pending_count() == 1
        for forgotten in (client.media.restore, client.media.delete_for_good):
            with pytest.raises(AttachmentNotFound):
                await forgotten(made.media_id)


async def test_a_sealed_file_that_was_altered_on_this_device_is_named(tmp_path: Path) -> None:
    async with offline_device(tmp_path) as (client, device):
        _, made = await attached(client, a_file(tmp_path))
        (sealed,) = staged(device)
        data = bytearray(sealed.read_bytes())
        data[-1] ^= 1
        sealed.write_bytes(data)
        with pytest.raises(MediaDamaged):
            await client.media.download(made, tmp_path / "out")
        assert not (tmp_path / "out").exists()
        taken = io.BytesIO()
        with pytest.raises(MediaDamaged):
            await client.media.copy(made, taken)
        assert taken.getvalue() == b""
