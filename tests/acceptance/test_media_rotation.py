"""Attachments after a rotation: sealed anew under new ids, never lost on the way, and never brought back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pyrage
from PIL import Image

from lockleaf.client import Attachment, Client
from lockleaf.client.errors import LockleafError
from lockleaf.crypto.keyring import Keyring
from tests.support.diarist import NEW_PASSWORD, PASSWORD, Diarist
from tests.support.storage_proxy import StorageProxy


async def with_photo(client: Client, folder: Path, body: str = "a day out") -> Attachment:
    """An entry with a picture, at the server."""
    path = folder / f"{body}.png"
    Image.effect_noise((500, 300), 60).save(path)
    entry = await client.journal.write(body=body)
    made = await client.media.attach(entry.id, path)
    await client.sync()
    return made


async def present(client: Client) -> list[Attachment]:
    return [each.attachment for each in await client.media.list()]


async def held(client: Client) -> dict[str, dict[str, Any]]:
    """What the server lists of attachments, by id."""
    session = client._device.session
    tokens = session.transport.tokens.load()
    assert tokens is not None
    async with httpx.AsyncClient(base_url=f"{session.profile.server}/api/v1") as http:
        answer = await http.get("/media", headers={"Authorization": f"Bearer {tokens.access_token}"})
    return {each["id"]: each for each in answer.json()["items"]}


async def fetched(client: Client, media_id: str) -> bytes:
    """The sealed bytes that the server serves."""
    session = client._device.session
    tokens = session.transport.tokens.load()
    assert tokens is not None
    async with httpx.AsyncClient(base_url=session.profile.server) as http:
        headers = {"Authorization": f"Bearer {tokens.access_token}"}
        signed = (await http.get(f"/api/v1/media/{media_id}/download", headers=headers)).json()
        return (await http.get(signed["path"] or signed["url"], headers=signed.get("headers"))).content


def opens(keyring: Keyring, sealed: bytes) -> bool:
    try:
        pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(keyring.newest.identity)])
    except pyrage.DecryptError:
        return False
    return True


async def rotated(client: Client, password: str = PASSWORD, new: str = NEW_PASSWORD) -> None:
    await client.account.rotate_keyring(password, new, media=True)
    await client.sync()


async def test_what_the_store_serves_afterwards_opens_under_the_new_key_alone(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    made = await with_photo(laptop, tmp_path)
    stolen = laptop._device.opened.keyring
    before = await held(laptop)
    await rotated(laptop)
    assert await held(laptop) == before, "without being asked for, a rotation leaves attachments as they are"
    done = await laptop.media.seal_anew()
    assert (done.sealed, done.left, done.missing, done.trouble) == (2, 0, (), None)
    (now,) = await present(laptop)
    assert (now.name, now.size, now.sha256) == (made.name, made.size, made.sha256)
    assert made.thumbnail is not None
    assert now.thumbnail is not None
    new_ids, old_ids = {now.media_id, now.thumbnail.media_id}, {made.media_id, made.thumbnail.media_id}
    assert set(await held(laptop)) == new_ids
    assert not new_ids & old_ids
    for media_id in new_ids:
        sealed = await fetched(laptop, media_id)
        assert opens(laptop._device.opened.keyring, sealed)
        assert not opens(stolen, sealed)
    assert not await laptop.media.is_rotation_unfinished()
    await ada.login(phone, password=NEW_PASSWORD)
    await phone.sync()
    saved = await phone.media.download((await present(phone))[0], tmp_path / "again.png")
    assert saved.read_bytes() == (tmp_path / "a day out.png").read_bytes()


async def test_without_a_rotation_nothing_is_sealed_anew_and_done_once_it_is_not_done_again(
    ada: Diarist, tmp_path: Path
) -> None:
    laptop = await ada.first()
    made = await with_photo(laptop, tmp_path)
    assert (await laptop.media.seal_anew()).sealed == 0
    assert await present(laptop) == [made]
    await rotated(laptop)
    assert (await laptop.media.seal_anew()).sealed == 2
    now = await present(laptop)
    assert (await laptop.media.seal_anew()).sealed == 0
    assert await present(laptop) == now


async def test_an_old_file_is_there_until_the_server_has_the_entry_that_names_the_new_one(
    eve: Diarist, wire: StorageProxy, tmp_path: Path
) -> None:
    """Whatever request fails: what other devices see always opens, and the next call brings it to its end."""
    laptop, phone = await eve.first(), await eve.another()
    made = await with_photo(laptop, tmp_path)
    picture = (tmp_path / "a day out.png").read_bytes()
    await rotated(laptop)
    await eve.login(phone, password=NEW_PASSWORD)
    await phone.sync()
    for after in range(60):
        seen = 0

        def fail(_: Any, after: int = after) -> bytes | None:
            nonlocal seen
            seen += 1
            return b"" if seen > after else None

        wire.refuse = fail
        try:
            done = await laptop.media.seal_anew()
            ended = done.trouble is None and not done.left
        except LockleafError:
            ended = False
        wire.behave()
        await phone.sync()
        (shown,) = await present(phone)
        saved = await phone.media.download(shown, tmp_path / f"seen {after}")
        assert saved.read_bytes() == picture
        if ended:
            break
    assert ended
    (now,) = await present(laptop)
    assert now.media_id != made.media_id
    assert len(await held(laptop)) == 2


async def test_what_another_device_deletes_meanwhile_stays_deleted(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    taken_off = await with_photo(laptop, tmp_path, "one")
    await with_photo(laptop, tmp_path, "two")
    await phone.sync()
    (gone,) = [each.id for each in await phone.journal.list() if each.body == "two"]
    await phone.media.delete(taken_off.media_id)
    await phone.journal.delete(gone)
    await rotated(laptop)
    assert (await laptop.media.seal_anew()).sealed == 4
    await ada.login(phone, password=NEW_PASSWORD)
    for client in (phone, laptop, phone):
        await client.sync()
        assert await present(client) == []
        assert await client.journal.conflicts() == []
    assert all(each["state"] != "stored" for each in (await held(laptop)).values()), "nothing of it is left"
    await phone.journal.restore(gone)
    for client in (phone, laptop):
        await client.sync()
    (back,) = await present(laptop)
    saved = await laptop.media.download(back, tmp_path / "back.png")
    assert saved.read_bytes() == (tmp_path / "two.png").read_bytes()


async def test_two_devices_that_seal_the_same_file_anew_leave_one_of_it(ada: Diarist, tmp_path: Path) -> None:
    laptop, phone = await ada.first(), await ada.another()
    await with_photo(laptop, tmp_path)
    await phone.sync()
    await rotated(laptop)
    await ada.login(phone, password=NEW_PASSWORD)
    await phone.sync()
    request = phone._device.opened.transport.request

    async def late(method: str, path: str, **options: Any) -> Any:
        if path == "/sync/push" and (await laptop.media.seal_anew()).sealed:
            await laptop.sync()
        return await request(method, path, **options)

    phone._device.opened.transport.request = late  # type: ignore[method-assign]
    await phone.media.seal_anew()
    for client in (phone, laptop):
        await client.sync()
        assert await client.journal.conflicts() == []
    (here,), (there,) = await present(phone), await present(laptop)
    assert here == there
    assert here.thumbnail is not None
    stored = {each for each, facts in (await held(laptop)).items() if facts["state"] == "stored"}
    assert stored == {here.media_id, here.thumbnail.media_id}


async def test_a_file_that_the_server_has_exchanged_is_left_and_named(
    eve: Diarist, wire: StorageProxy, tmp_path: Path
) -> None:
    laptop = await eve.first()
    made = await with_photo(laptop, tmp_path)
    await rotated(laptop)
    wire.alter = lambda data: data[:-1] + bytes([data[-1] ^ 1])
    done = await laptop.media.seal_anew()
    assert made.thumbnail is not None
    assert set(done.missing) == {made.media_id, made.thumbnail.media_id}
    assert (done.sealed, done.left) == (0, 0)
    wire.behave()
    saved = await laptop.media.download(made, tmp_path / "still")
    assert saved.read_bytes() == (tmp_path / "a day out.png").read_bytes()
