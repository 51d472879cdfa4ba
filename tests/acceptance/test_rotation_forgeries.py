"""What somebody with a stolen keyring wrote before the rotation, or forges after it, beside the entries themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lockleaf.client.errors import RetiredKey
from lockleaf.client.records.edits import Edits
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.fields import encode_base64
from tests.acceptance.test_rotation_attacks import SECRET, Thief, append, replace_last, robbed
from tests.support.diarist import NEW_PASSWORD, PASSWORD, Diarist, caught
from tests.support.forged_history import history_of
from tests.support.lies import AltersAnswers, Shows
from tests.support.lying_server import Lie, LyingServer


async def test_a_thief_who_marks_files_beforehand_keeps_none_of_them(
    ada: Diarist, liar: LyingServer, tmp_path: Path
) -> None:
    """While the keyring is his he may write; he must not be able to write that a file needs no new seal."""
    laptop = await ada.first("laptop", at=liar.url)
    phone = await ada.another("phone", at=liar.url)
    (tmp_path / "letter").write_bytes(b"a letter that nobody else reads")
    entry = await laptop.journal.write(body="with a letter")
    await laptop.media.attach(entry.id, tmp_path / "letter")
    await laptop.sync()
    await phone.sync()
    thief = Thief(phone)
    row = phone._device.opened.store.records.get("entries", entry.id)
    assert row is not None
    assert row.doc is not None
    (file,) = row.doc.content["attachments"]
    after = thief.keyring.newest.key_id + 1
    marked = {**file, "recipient": Keyring.new("2026-01-01T00:00:00Z").newest.recipient, "key_id": after}
    edits = Edits(phone._device.opened.store, phone._device.clock)
    edits.keep(row, row.doc.content | {"attachments": [marked]})
    await phone.sync()
    await laptop.sync()
    await laptop.account.rotate_keyring(PASSWORD, NEW_PASSWORD, media=True)
    assert (await laptop.media.seal_anew()).sealed == 1
    [kept] = [each.attachment for each in await laptop.media.list()]
    assert kept.recipient == laptop._device.opened.keyring.newest.recipient
    assert kept.media_id != file["media_id"]


async def test_a_preference_that_a_stolen_key_sealed_is_obeyed_by_nobody(ada: Diarist, liar: LyingServer) -> None:
    """It would have devices send labels again, which their user switched off."""
    laptop, phone, thief, _ = await robbed(ada, liar)
    await laptop.privacy.send_labels(False)
    await laptop.sync()
    await phone.sync()
    forged = await history_of(laptop)
    # Under the old key, for the record that holds the choice.
    made = thief.sealed(forged, "labels", {"type": "setting", "value": "on"}, collection="x-lockleaf")
    append(forged, made)
    liar.tell(Shows(forged, keeps_checkpoints=True))
    for device in (laptop, phone):
        await caught(device.sync(), RetiredKey)
        assert not device.privacy.sends_labels
    liar.tell(Lie())
    await laptop.journal.write(**SECRET)
    await laptop.sync()
    served = [each for each in (await history_of(laptop)).changes if "payload" in each]
    assert not any(each["labels"] for each in served if each["collection"] == "entries")


async def test_an_earlier_revision_or_a_hit_that_a_stolen_key_sealed_is_shown_to_nobody(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop, _, thief, ids = await robbed(ada, liar)
    await laptop.search.switch_on()
    await laptop.journal.edit(ids["first"], title="edited since")
    await laptop.sync()
    history = await history_of(laptop)
    forged = thief.sealed(replace_last(history, ids["first"]), ids["first"], {"body": "the first, made up"})

    def as_entry(item: dict[str, Any]) -> None:
        item |= {
            "payload": encode_base64(forged["payload"]),
            "revision": forged["revision"],
            "parent": encode_base64(forged["parent"]),
            "labels": [encode_base64(each) for each in forged["labels"]],
        }

    liar.tell(AltersAnswers(f"/entries/{ids['first']}/revisions/{forged['revision']}", as_entry))
    await caught(laptop.revision(ids["first"], str(forged["revision"])), RetiredKey)

    def as_hit(answer: dict[str, Any]) -> None:
        for hit in answer["items"]:
            as_entry(hit["entry"])

    liar.tell(AltersAnswers("/search", as_hit))
    await caught(laptop.search.find("first"), RetiredKey)
