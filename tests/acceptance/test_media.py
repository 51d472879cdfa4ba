"""Files between devices: the real SDK, the real server with its own store, and a wire between them that fails."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

import pyrage
import pytest
from PIL import Image

from lockleaf.client import Attachment, Client
from lockleaf.client.errors import (
    AttachmentAwaited,
    AttachmentNotFound,
    MediaDamaged,
    ObjectStoreRefused,
    ObjectStoreUnreachable,
    ServerUnreachable,
    StoreUnavailable,
    TierRequired,
)
from lockleaf.client.media.staging import ONE_PART, PART_BYTES
from lockleaf.client.media.transfers import MediaRefusal
from lockleaf.client.records.progress import Progress
from lockleaf.wire.media import Media as ServerMedia
from lockleaf.wire.problem_documents import PROBLEM
from tests.support.diarist import PASSWORD, Diarist, caught, diarist
from tests.support.process import RunningServer
from tests.support.storage_proxy import Passing, StorageProxy, answer, storage_proxy

SMALL = b"a few lines\n" * 2000


def a_file(folder: Path, data: bytes = SMALL, name: str = "notes.txt") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


async def attached(client: Client, path: Path) -> Attachment:
    entry = await client.journal.write(body="with a file")
    return await client.media.attach(entry.id, path)


def problem(status: int, code: str, **facts: object) -> bytes:
    document = {"type": "about:blank", "title": "t", "status": status, "detail": "d", "code": code, **facts}
    return answer(status, json.dumps(document).encode(), kind=PROBLEM)


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


# ---- from one device to another ----------------------------------------------------------------------------------


async def test_what_one_device_attaches_another_opens(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    photo = tmp_path / "photo.jpg"
    Image.effect_noise((900, 600), 80).save(photo)
    made = await attached(laptop, photo)
    report = await laptop.sync()
    assert (report.media.uploaded, report.media.waiting, report.media.trouble) == (2, 0, None)
    assert not (await laptop.media.get(made.media_id)).waiting
    assert list((ada.home / "profiles" / "laptop" / "media").glob("*.age")) == []

    await phone.sync()
    (entry,) = await phone.journal.list()
    assert entry.attachments == (made,)
    folder = tmp_path / "here"
    folder.mkdir()
    saved = await phone.media.download(entry.attachments[0], folder)
    assert (saved.name, saved.read_bytes()) == ("photo.jpg", photo.read_bytes())
    assert made.thumbnail is not None
    with Image.open(await phone.media.download(made.thumbnail, folder)) as picture:
        assert picture.size == (320, 213)
    assert left_over(folder) == []


async def test_the_store_holds_plain_age_files_and_nothing_of_their_names(
    ada: Diarist, server: RunningServer, tmp_path: Path
) -> None:
    laptop = await ada.first()
    made = await attached(laptop, a_file(tmp_path, os.urandom(40_000), "letter to Jane.odt"))
    await laptop.sync()
    files = [path for path in (server.data_dir / "blobs").rglob("*") if path.is_file()]
    (stored,) = [path for path in files if sha256(path.read_bytes()).digest() == made.sealed_sha256]
    identity = pyrage.x25519.Identity.from_str(laptop._device.opened.keyring.newest.identity)
    assert sha256(pyrage.decrypt(stored.read_bytes(), [identity])).digest() == made.sha256
    assert b"Jane" not in server.log.read_bytes()
    assert not any(made.media_id in str(path) or "Jane" in str(path) for path in files)


async def test_the_store_gets_no_token_and_no_header_but_those_of_its_address(
    eve: Diarist, wire: StorageProxy, tmp_path: Path
) -> None:
    laptop = await eve.first()
    made = await attached(laptop, a_file(tmp_path))
    await laptop.sync()
    await laptop.media.download(made, tmp_path / "again")
    for each in (*wire.uploads, *wire.downloads):
        assert not {"authorization", "cookie"} & each.headers.keys()
    assert len(wire.uploads) == len(wire.downloads) == 1


async def test_files_attached_on_two_devices_at_once_are_both_there(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    entry = await laptop.journal.write(body="text")
    await laptop.sync()
    await phone.sync()
    one = await laptop.media.attach(entry.id, a_file(tmp_path, b"one", "one"))
    two = await phone.media.attach(entry.id, a_file(tmp_path, b"two", "two"))
    for device in (laptop, phone, laptop):
        assert (await device.sync()).conflicts == 0
    for device in (laptop, phone):
        assert {each.media_id for each in (await device.journal.get(entry.id)).attachments} == {
            one.media_id,
            two.media_id,
        }
    assert (await laptop.media.download(two, tmp_path / "two again")).read_bytes() == b"two"


async def test_a_deleted_file_is_gone_everywhere_and_comes_back(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    made = await attached(laptop, a_file(tmp_path))
    await laptop.sync()
    await phone.sync()
    await phone.media.delete(made.media_id)
    assert (await phone.sync()).media.deleted == 1
    await laptop.sync()
    assert await laptop.media.list() == []
    await phone.media.restore(made.media_id)
    assert (await phone.sync()).media.restored == 1
    await laptop.sync()
    assert (await laptop.media.download(made.media_id, tmp_path / "again")).read_bytes() == SMALL


async def test_what_is_deleted_for_good_frees_its_room_and_comes_back_nowhere(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    one, two = await attached(laptop, a_file(tmp_path)), await attached(laptop, a_file(tmp_path))
    await laptop.sync()
    await phone.sync()
    await phone.media.delete(one.media_id)
    await phone.sync()
    # Deleted as it was, it takes room still.
    assert (await laptop.account.features()).storage.media_used_bytes > 2 * len(SMALL)
    await phone.media.delete_for_good(one.media_id)
    await phone.media.delete_for_good(two.media_id)
    assert (await phone.sync()).media.deleted == 2
    assert (await laptop.account.features()).storage.media_used_bytes == 0
    assert await phone.media.list(deleted=True) == []
    await laptop.sync()
    assert await laptop.media.list() == []
    for media_id in (one.media_id, two.media_id):
        with pytest.raises(AttachmentNotFound):
            await phone.media.restore(media_id)


async def test_a_file_that_an_entry_has_again_is_not_deleted_for_good(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    made = await attached(laptop, a_file(tmp_path))
    await laptop.sync()
    await phone.sync()
    await phone.journal.edit(made.entry_id, body="theirs")
    await phone.sync()
    await laptop.media.delete_for_good(made.media_id)
    await laptop.journal.edit(made.entry_id, body="mine")
    assert (await laptop.sync()).conflicts == 1
    # As long as nobody has decided, a version of the entry names it.
    assert await states(laptop, made.media_id) == [False]
    (conflict,) = await laptop.journal.conflicts()
    await laptop.journal.resolve(conflict.id, "remote")
    await laptop.sync()
    assert (await laptop.media.download(made.media_id, tmp_path / "again")).read_bytes() == SMALL


async def test_a_uce_account_attaches_and_opens_alike(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.open("laptop"), await ada.open("phone")
    await laptop.account.register(ada.server, ada.email, "six herons over a cold dyke", device_name="a", custody="uce")
    made = await attached(laptop, a_file(tmp_path))
    assert (await laptop.sync()).media.uploaded == 1
    await phone.account.login(ada.server, ada.email, "six herons over a cold dyke", device_name="b", custody="uce")
    await phone.sync()
    assert (await phone.media.download(made.media_id, tmp_path / "again")).read_bytes() == SMALL


# ---- what fails on the way up ------------------------------------------------------------------------------------


async def test_what_is_attached_offline_is_sent_once_there_is_a_network(
    ada: Diarist, server: RunningServer, tmp_path: Path
) -> None:
    async with storage_proxy(server.port) as wire:
        laptop = await ada.first(at=wire.url)
        wire.refuse = lambda _: b""
        made = await attached(laptop, a_file(tmp_path))
        with pytest.raises(ServerUnreachable):
            await laptop.sync()
        assert (await laptop.media.get(made.media_id)).waiting
        wire.behave()
        assert (await laptop.sync()).media.uploaded == 1
        assert not (await laptop.media.get(made.media_id)).waiting


@pytest.mark.parametrize(
    ("fails", "error"),
    [
        (lambda each: answer(503) if each.to_store else None, ObjectStoreUnreachable),
        (lambda each: answer(307, more="location: /elsewhere\r\n") if each.to_store else None, ObjectStoreRefused),
        (lambda each: answer(403) if each.to_store else None, ObjectStoreRefused),
        (
            lambda each: problem(503, "store_unavailable") if each.asks("POST", "/complete") else None,
            StoreUnavailable,
        ),
        (lambda each: b"" if each.asks("POST", "/complete") else None, ServerUnreachable),
    ],
    ids=[
        "store down",
        "store leads elsewhere",
        "every address expired",
        "no store at completion",
        "server cuts at completion",
    ],
)
async def test_where_the_store_fails_entries_are_in_step_and_the_file_waits(
    eve: Diarist, wire: StorageProxy, tmp_path: Path, fails: object, error: type[Exception]
) -> None:
    laptop = await eve.first()
    made = await attached(laptop, a_file(tmp_path))
    wire.refuse = fails  # type: ignore[assignment]
    report = await laptop.sync()
    assert (report.pushed, report.pending, report.media.waiting) == (1, 0, 1)
    assert type(report.media.trouble) is error
    assert not any(each.path.startswith("/elsewhere") for each in wire.seen)
    wire.behave()
    again = await laptop.media.resume()
    assert (again.uploaded, again.waiting, again.trouble) == (1, 0, None)
    assert (await laptop.media.download(made, tmp_path / "again")).read_bytes() == SMALL


async def test_addresses_that_expired_are_asked_for_again(eve: Diarist, wire: StorageProxy, tmp_path: Path) -> None:
    laptop = await eve.first()
    made = await attached(laptop, a_file(tmp_path))
    stale: list[Passing] = []

    def twice(each: Passing) -> bytes | None:
        if not each.to_store or len(stale) == 2:
            return None
        stale.append(each)
        return answer(403)

    wire.refuse = twice
    assert (await laptop.sync()).media.uploaded == 1
    stale.clear()
    assert (await laptop.media.download(made, tmp_path / "again")).read_bytes() == SMALL
    assert len(stale) == 2


async def test_a_server_without_room_is_named_and_asked_again_next_time(
    eve: Diarist, wire: StorageProxy, tmp_path: Path
) -> None:
    laptop = await eve.first()
    made = await attached(laptop, a_file(tmp_path))
    wire.refuse = lambda each: (
        problem(507, "quota_exceeded", used=1, limit=2, needed=3) if each.asks("POST", "/media/upload") else None
    )
    report = await laptop.sync()
    assert report.media.refused == (MediaRefusal(made.media_id, "quota_exceeded", needed=3, used=1, limit=2),)
    listed = await laptop.media.get(made.media_id)
    assert (listed.waiting, listed.refused) == (True, "quota_exceeded")
    wire.behave()
    assert (await laptop.sync()).media.uploaded == 1
    assert (await laptop.media.get(made.media_id)).refused is None


async def test_a_sealed_file_that_is_lost_is_told_and_holds_up_nothing_else(ada: Diarist, tmp_path: Path) -> None:
    laptop = await ada.first()
    lost, kept = await attached(laptop, a_file(tmp_path)), await attached(laptop, a_file(tmp_path, b"kept", "kept"))
    (ada.home / "profiles" / "laptop" / "media" / f"{lost.media_id}.age").unlink()
    report = (await laptop.sync()).media
    assert [(each.media_id, each.code) for each in report.refused] == [(lost.media_id, "staged_file_lost")]
    assert (report.uploaded, report.waiting) == (1, 1)
    assert (await laptop.media.download(kept, tmp_path / "again")).read_bytes() == b"kept"


async def test_a_lower_tier_is_said_once_and_no_file_is_blamed_for_it(ada: Diarist, tmp_path: Path) -> None:
    laptop = await ada.first()
    made = await attached(laptop, a_file(tmp_path))
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    report = await laptop.media.resume()
    assert (type(report.trouble), report.refused, report.waiting) == (TierRequired, (), 1)
    assert (await laptop.media.get(made.media_id)).refused is None


# ---- what fails on the way down ----------------------------------------------------------------------------------


def flipped(data: bytes) -> bytes:
    altered = bytearray(data)
    altered[len(altered) // 2] ^= 1
    return bytes(altered)


@pytest.mark.parametrize("alter", [flipped, lambda data: data[:-1]])
async def test_a_file_that_is_not_what_was_attached_is_called_damaged_and_leaves_none(
    eve: Diarist, wire: StorageProxy, tmp_path: Path, alter: object
) -> None:
    laptop = await eve.first()
    made = await attached(laptop, a_file(tmp_path))
    await laptop.sync()
    folder = tmp_path / "here"
    folder.mkdir()
    wire.alter = alter  # type: ignore[assignment]
    if alter is flipped:
        await caught(laptop.media.download(made, folder), MediaDamaged)
    else:
        with pytest.raises((MediaDamaged, ObjectStoreUnreachable)):
            await laptop.media.download(made, folder)
    assert list(folder.iterdir()) == []
    wire.behave()
    assert (await laptop.media.download(made, folder)).read_bytes() == SMALL


async def test_another_file_of_the_account_in_its_place_is_called_damaged(
    eve: Diarist, wire: StorageProxy, server: RunningServer, tmp_path: Path
) -> None:
    laptop = await eve.first()
    made = await attached(laptop, a_file(tmp_path))
    other = await attached(laptop, a_file(tmp_path, SMALL[::-1], "other"))
    await laptop.sync()
    files = [path for path in (server.data_dir / "blobs").rglob("*") if path.is_file()]
    by_digest = {sha256(path.read_bytes()).digest(): path.read_bytes() for path in files}
    assert other.sealed_sha256 is not None
    exchanged = by_digest[other.sealed_sha256]
    wire.alter = lambda _: exchanged
    with pytest.raises((MediaDamaged, ObjectStoreUnreachable)):
        await laptop.media.download(made, tmp_path / "again")
    assert not (tmp_path / "again").exists()


async def test_a_download_goes_on_where_the_line_broke(eve: Diarist, wire: StorageProxy, tmp_path: Path) -> None:
    laptop = await eve.first()
    data = os.urandom(1_000_000)
    made = await attached(laptop, a_file(tmp_path, data, "noise"))
    await laptop.sync()
    wire.behave()
    wire.cut_at = 300_000
    saved = await laptop.media.download(made, tmp_path / "again")
    assert saved.read_bytes() == data
    asked = [each.headers.get("range") for each in wire.downloads]
    assert asked[0] is None
    assert len(asked) == 4
    starts = [int(each.removeprefix("bytes=").removesuffix("-")) for each in asked[1:] if each]
    assert starts == sorted(set(starts))


async def test_a_file_that_the_server_does_not_have_yet_is_awaited(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    made = await attached(laptop, a_file(tmp_path))
    folder = ada.home / "profiles" / "laptop" / "media"
    away = folder.rename(folder.with_name("away"))
    await laptop.sync()
    await phone.sync()
    await caught(phone.media.download(made.media_id, tmp_path / "again"), AttachmentAwaited)
    for path in away.iterdir():
        path.rename(folder / path.name)
    await laptop.sync()
    assert (await phone.media.download(made.media_id, tmp_path / "again")).read_bytes() == SMALL


async def test_the_file_of_another_account_is_as_absent_as_any(
    ada: Diarist, server: RunningServer, tmp_path: Path
) -> None:
    laptop = await ada.first()
    theirs = await attached(laptop, a_file(tmp_path))
    await laptop.sync()
    async with diarist(tmp_path / "mallory", server.url) as mallory:
        device = await mallory.first("own")
        mine = await attached(device, a_file(tmp_path))
        await device.sync()
        edits = device.media._book(device._device.opened)._edits
        record = edits.find(mine.entry_id)
        assert record.doc is not None
        named = {"media_id": theirs.media_id, "name": "x", "media_type": "a/b", "size": 1}
        edits.keep(record, record.doc.content | {"attachments": [named]})
        await caught(device.media.download(theirs.media_id, tmp_path / "stolen"), AttachmentAwaited)


# ---- as entries come and go --------------------------------------------------------------------------------------


async def states(server_side: Client, *media_ids: str) -> list[bool]:
    """Whether the server holds media as deleted."""
    found = []
    for media_id in media_ids:
        shown = await server_side._device.session.transport.request("GET", f"/media/{media_id}", answer=ServerMedia)
        found.append(shown.deleted_at is not None)
    return found


async def test_the_files_of_an_entry_go_and_come_back_with_it_on_whichever_device(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    made = await attached(laptop, a_file(tmp_path))
    await laptop.sync()
    await phone.sync()
    await laptop.journal.delete(made.entry_id)
    assert (await laptop.sync()).media.deleted == 1
    assert await states(laptop, made.media_id) == [True]
    assert await laptop.media.list(deleted=True) == []
    await phone.sync()
    await phone.journal.restore(made.entry_id)
    assert (await phone.sync()).media.restored == 1
    assert await states(laptop, made.media_id) == [False]
    assert (await phone.media.download(made.media_id, tmp_path / "again")).read_bytes() == SMALL
    # The device that had deleted it hears of it, and does not do so again.
    await laptop.sync()
    assert await states(laptop, made.media_id) == [False]


async def test_a_file_that_another_device_took_off_is_not_sent_any_more(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    made = await attached(laptop, a_file(tmp_path))
    folder = ada.home / "profiles" / "laptop" / "media"
    away = folder.rename(folder.with_name("away"))
    await laptop.sync()
    away.joinpath(f"{made.media_id}.age").rename(folder / f"{made.media_id}.age")
    await phone.sync()
    await phone.media.delete(made.media_id)
    await phone.sync()
    report = (await laptop.sync()).media
    assert (report.uploaded, report.waiting) == (0, 0)
    assert await laptop.media.list() == []


async def test_a_conflict_between_deleting_an_entry_and_editing_it_costs_no_file(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    made = await attached(laptop, a_file(tmp_path))
    await laptop.sync()
    await phone.sync()
    await laptop.journal.edit(made.entry_id, body="edited meanwhile")
    await laptop.sync()
    await phone.journal.delete(made.entry_id)
    assert (await phone.sync()).conflicts == 1
    (conflict,) = await phone.journal.conflicts()
    await phone.journal.resolve(conflict.id, "remote")
    await phone.sync()
    assert await states(phone, made.media_id) == [False]
    assert (await phone.journal.get(made.entry_id)).attachments == (made,)


async def test_a_file_of_a_version_in_conflict_is_there_when_its_user_has_decided(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    entry = await laptop.journal.write(body="text")
    await laptop.sync()
    await phone.sync()
    await laptop.journal.edit(entry.id, body="one way")
    other = await laptop.media.attach(entry.id, a_file(tmp_path, b"other", "other"))
    await laptop.sync()
    await phone.journal.edit(entry.id, body="another way")
    made = await phone.media.attach(entry.id, a_file(tmp_path))
    report = await phone.sync()
    assert (report.conflicts, report.media.uploaded) == (1, 1)
    (conflict,) = await phone.journal.conflicts()
    await phone.journal.resolve(conflict.id, "merged", merged_body="both ways")
    await phone.sync()
    await laptop.sync()
    shown = await laptop.journal.get(entry.id)
    assert (shown.body, {each.media_id for each in shown.attachments}) == (
        "both ways",
        {made.media_id, other.media_id},
    )
    assert await states(laptop, made.media_id, other.media_id) == [False, False]
    assert (await laptop.media.download(made, tmp_path / "again")).read_bytes() == SMALL


async def test_files_come_home_before_the_server_gives_them_up_and_are_sent_again_later(
    eve: Diarist, wire: StorageProxy, tmp_path: Path
) -> None:
    laptop = await eve.first()
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(ONE_PART + 5)
    large, small = await attached(laptop, path), await attached(laptop, a_file(tmp_path))
    assert large.sealed_size is not None
    assert small.sealed_size is not None
    whole = large.sealed_size + small.sealed_size
    told: list[Progress] = []
    await laptop.sync(told.append)
    assert wire.uploaded == whole
    assert [each.sent for each in wire.uploads].count(PART_BYTES) == 2
    assert told[-1] == Progress("upload", whole, whole)

    told.clear()
    assert (await laptop.media.keep_all(told.append)).kept == 2
    assert told[-1] == Progress("fetch", whole, whole)
    # Nothing is given up after all: the server has them, and nothing is sent.
    assert (await laptop.sync()).media.uploaded == 2
    assert wire.uploaded == whole
    assert (await laptop.media.keep_all()).missing == ()
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    assert (await laptop.media.download(small, tmp_path / "again")).read_bytes() == SMALL
    await laptop.privacy.set_tier("full_sync")
    report = await laptop.sync()
    assert (report.media.uploaded, report.media.waiting, report.media.refused) == (2, 0, ())
    assert wire.uploaded == 2 * whole
    saved = await laptop.media.download(large, tmp_path / "large again")
    assert sha256(saved.read_bytes()).digest() == large.sha256
