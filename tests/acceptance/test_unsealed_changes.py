"""What reaches a device without a seal is not obeyed, costs nothing that is here, and tells the server nothing."""

from __future__ import annotations

import httpx
import pytest

from lockleaf.client import Client
from lockleaf.client.errors import EditConflict, UnsealedChange
from lockleaf.client.store.records import ENTRIES, SETTINGS, TAGS
from lockleaf.wire.codec import pack
from lockleaf.wire.fields import encode_base64
from tests.support.diarist import PASSWORD, Diarist, caught, write
from tests.support.forged_history import history_of
from tests.support.lies import Shows
from tests.support.lying_server import Lie, LyingServer
from tests.support.unsealed import follow


async def texts(client: Client) -> set[str]:
    """Every text that the journal shows, those in conflicts too."""
    conflicts = [each.local.body for each in await client.journal.conflicts() if each.local is not None]
    return {entry.body for entry in await client.journal.list()} | set(conflicts)


async def both(one: Client, two: Client) -> set[str]:
    """Every text, once both devices have synced to the end."""
    for device in (one, two, one, two):
        await device.sync()
    found = await texts(one)
    assert found == await texts(two)
    return found


# ---- deletions ---------------------------------------------------------------------------------------------------


async def test_a_stolen_token_deletes_nothing(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    (one,) = await write(laptop, "one")
    stolen = laptop._device.session.transport.tokens.load()
    assert stolen is not None
    record = laptop._device.opened.store.records.get(ENTRIES, one)
    assert record is not None
    body = {"payload": "", "base_revision": record.revision, "parent": encode_base64(record.payload_hash)}
    headers = {"Authorization": f"Bearer {stolen.access_token}"}
    async with httpx.AsyncClient(base_url=ada.server, headers=headers) as thief:
        answer = await thief.request("DELETE", f"/api/v1/entries/{one}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "seal_required")
    assert await both(laptop, phone) == {"one"}


async def test_a_server_that_hides_another_devices_entry_behind_a_deletion_is_noticed(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop, phone = await ada.first(), await ada.another(at=liar.url)
    await phone.sync()
    (one,) = await write(laptop, "new on the laptop")
    history = await history_of(laptop)
    follow(history, ENTRIES, one, deleted=True)
    liar.tell(Shows(history))
    await phone.journal.write(body="waits on the phone")
    for _ in range(2):
        await caught(phone.sync(), UnsealedChange)
    # The remedy that is printed takes nothing over from a server that goes on, and loses nothing.
    await caught(phone.sync.repair(PASSWORD), UnsealedChange)
    assert await texts(phone) == {"waits on the phone"}
    liar.tell(Lie())
    await phone.sync.repair(PASSWORD)
    assert await both(laptop, phone) == {"new on the laptop", "waits on the phone"}


async def test_an_edit_over_a_hidden_revision_and_a_deletion_swallows_nothing(ada: Diarist, liar: LyingServer) -> None:
    laptop, phone = await ada.first(), await ada.another(at=liar.url)
    (one,) = await write(laptop, "version one")
    await phone.sync()
    await laptop.journal.edit(one, body="version two")
    await laptop.sync()
    history = await history_of(laptop)
    follow(history, ENTRIES, one, deleted=True)
    liar.tell(Shows(history))
    await caught(phone.sync(), UnsealedChange)
    await phone.journal.edit(one, body="the phone's")
    await caught(phone.sync(), UnsealedChange)
    assert history.of(one)["deleted"]
    assert await texts(phone) == {"the phone's"}
    liar.tell(Lie())
    assert await both(laptop, phone) == {"version two", "the phone's"}


async def test_an_unsealed_deletion_is_told_also_behind_what_took_its_place(ada: Diarist, liar: LyingServer) -> None:
    laptop, phone = await ada.first(), await ada.another(at=liar.url)
    (one,) = await write(laptop, "one")
    history = await history_of(laptop)
    sealed = history.of(one)["payload"]
    follow(history, ENTRIES, one, deleted=True)
    follow(history, ENTRIES, one, payload=sealed)
    liar.tell(Shows(history))
    await caught(phone.sync(), UnsealedChange)
    assert await texts(phone) == set()


@pytest.mark.parametrize("pending", [False, True], ids=["restored later", "edited meanwhile"])
async def test_what_a_sealed_deletion_hides_is_not_written_over(ada: Diarist, *, pending: bool) -> None:
    """A variant with honest devices: the phone knows version one, while the laptop wrote and deleted version two."""
    laptop, phone = await ada.first(), await ada.another()
    (one,) = await write(laptop, "version one")
    await phone.sync()
    await laptop.journal.edit(one, body="version two")
    await laptop.sync()
    await laptop.journal.delete(one)
    await laptop.sync()
    if pending:
        await phone.journal.edit(one, body="the phone's")
        await phone.sync()
    else:
        await phone.sync()
        with pytest.raises(EditConflict):
            await phone.journal.restore(one)
    kept = "the phone's" if pending else "version one"
    assert await both(laptop, phone) == {kept}
    assert (await laptop.journal.get(one)).deleted
    # Both are within reach: one in the conflict, the other in the history.
    states = [each.entry.body for each in await phone.history(one) if each.entry is not None]
    assert "version two" in states
    (conflict,) = await phone.journal.conflicts()
    await phone.journal.resolve(conflict.id, "local")
    assert await both(laptop, phone) == {kept}
    assert not (await laptop.journal.get(one)).deleted


async def test_what_a_device_has_seen_whole_is_restored_without_a_question(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    (one,) = await write(laptop, "version one")
    await laptop.journal.edit(one, body="version two")
    await laptop.sync()
    await phone.sync()
    await laptop.journal.delete(one)
    await laptop.sync()
    await phone.sync()
    await phone.journal.restore(one)
    assert await both(laptop, phone) == {"version two"}


# ---- what is no deletion -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b"", pack({"type": "entry", "body": "not hers"}), b"\x01\x01", b"\x02" * 400])
async def test_an_unsealed_entry_is_no_entry(ada: Diarist, liar: LyingServer, payload: bytes) -> None:
    laptop = await ada.first(at=liar.url)
    (one,) = await write(laptop, "one")
    history = await history_of(laptop)
    follow(history, ENTRIES, one, payload=payload)
    liar.tell(Shows(history))
    await caught(laptop.sync(), UnsealedChange)
    assert await texts(laptop) == {"one"}


async def test_the_choice_to_send_no_labels_is_not_taken_back_by_a_server(ada: Diarist, liar: LyingServer) -> None:
    laptop, phone = await ada.first(at=liar.url), await ada.another(at=liar.url)
    await laptop.privacy.send_labels(False)
    await laptop.sync()
    await phone.sync()
    history = await history_of(laptop)
    (choice,) = [change for change in history.changes if change["collection"] == SETTINGS]
    follow(history, SETTINGS, choice["record_id"], deleted=True)
    liar.tell(Shows(history))
    await phone.journal.write(body="private", mood="calm")
    await caught(phone.sync(), UnsealedChange)
    assert not phone.privacy.sends_labels
    assert not any(request.asks("POST", "/sync/push") for request in liar.seen)


# ---- tags --------------------------------------------------------------------------------------------------------


async def asked_with(ada: Diarist, liar: LyingServer, name: str, shown: dict[str, object]) -> list[tuple[str, str]]:
    """What a new device asks that is shown ``shown`` under the label of an entry's tag, edits included."""
    laptop = await ada.open("laptop")
    history = await history_of(laptop)
    (tag,) = [change for change in history.changes if change["collection"] == TAGS]
    history.changes.remove(tag)
    history.renumber()
    follow(history, TAGS, tag["record_id"], **shown)
    device = await ada.another(name, at=liar.url)
    liar.tell(Shows(history))
    await caught(device.sync(), UnsealedChange)
    await device.journal.write(body="another day", tags=["affair"])
    await caught(device.sync(), UnsealedChange)
    asked = [(request.method, request.path) for request in liar.seen]
    assert ("POST", "/sync/push") not in asked
    liar.tell(Lie())
    return asked


async def test_a_guess_at_a_tags_name_is_confirmed_by_nothing_that_a_new_device_sends(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop = await ada.first()
    await laptop.journal.write(body="x", tags=["affair"])
    await laptop.sync()
    await laptop.aclose()
    right = await asked_with(ada, liar, "one", {"payload": pack({"name": "affair", "color": "#123456"})})
    wrong = await asked_with(ada, liar, "two", {"payload": pack({"name": "garden", "color": "#123456"})})
    gone = await asked_with(ada, liar, "three", {"deleted": True})
    assert right == wrong == gone


async def test_what_is_sealed_of_a_tag_stands(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first(at=liar.url)
    await laptop.journal.write(body="x", tags=["work"])
    await laptop.journal.recolor_tag("work", "#111111")
    await laptop.sync()
    history = await history_of(laptop)
    (tag,) = [change for change in history.changes if change["collection"] == TAGS]
    follow(history, TAGS, tag["record_id"], payload=pack({"name": "work", "color": "#ffffff"}))
    await laptop.journal.recolor_tag("work", "#222222")
    for _ in range(2):
        liar.tell(Shows(history))
        await caught(laptop.sync(), UnsealedChange)
        follow(history, TAGS, tag["record_id"], deleted=True)
    liar.tell(Lie())
    await laptop.sync()
    assert [(each.name, each.color) for each in await laptop.journal.tags()] == [("work", "#222222")]
