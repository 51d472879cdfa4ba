"""Somebody who stole a device's keyring and tokens, together with a server that lies, after the keys were rotated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from lockleaf.client import Client
from lockleaf.client.errors import HistoryForked, RetiredKey, SealBroken
from lockleaf.client.metrics.census import PARAMETERS, Census
from lockleaf.client.metrics.census_state import State
from lockleaf.client.records.sealer import labels_of
from lockleaf.client.records.tag_records import tag_id
from lockleaf.client.search.word_digests import tokens_of
from lockleaf.crypto.envelope import RecordContext, seal_record
from lockleaf.crypto.history import meta, payload_hash
from lockleaf.crypto.identity import checkpoint_message, sign
from lockleaf.crypto.keyring import Keyring
from lockleaf.search.languages import language
from lockleaf.wire.analytics import SealedKey
from lockleaf.wire.fields import encode_base64
from lockleaf.wire.sync import Checkpoint
from tests.support.diarist import NEW_PASSWORD, PASSWORD, Diarist, caught, write
from tests.support.forged_history import Change, History, bare, history_of
from tests.support.lies import AltersAnswers, Shows
from tests.support.lying_server import Lie, LyingServer

SECRET = {"body": "a text that nobody else reads", "mood": "calm", "tags": ["sea"]}


class Thief:
    """What was on a stolen device: the keyring, and the tokens of its session."""

    def __init__(self, client: Client) -> None:
        opened = client._device.opened
        self.keyring: Keyring = opened.keyring
        self.user_id = str(opened.profile.user_id)
        tokens = opened.transport.tokens.load()
        assert tokens is not None
        self.tokens = tokens

    def sealed(
        self,
        history: History,
        record_id: str,
        content: dict[str, Any],
        *,
        head: dict[str, Any] | None = None,
        collection: str = "entries",
        **fields: Any,
    ) -> Change:
        """A change that follows the latest of a record, sealed under the stolen key, for the end of ``history``."""
        before = [change for change in history.changes if change["record_id"] == record_id]
        revision, parent = len(before) + 1, bytes(32)
        if before:
            parent = bytes(before[-1].get("payload_hash") or payload_hash(before[-1]["payload"]))
        labels = labels_of(self.keyring.index_key, content)
        deleted = content.get("type") == "deleted"
        context = RecordContext(
            self.user_id, collection, record_id, revision, parent, deleted, meta(labels, None, None)
        )
        end = history.epochs[-1]["epoch"], history.seq, history.head()
        now = datetime.now(UTC)
        said = {"seen": list(end), "device": "stolen", "written_at": now.isoformat()} if head is None else head
        times = {"client_updated_at": now, "created_at": now, "updated_at": now}
        return {
            "superseded": False,
            "seq": history.seq + 1,
            "collection": collection,
            "record_id": record_id,
            "revision": revision,
            "parent": parent,
            "payload": seal_record(self.keyring, context, {"type": "entry", **content, **said}),
            "deleted": deleted,
            "labels": list(labels),
            "device_id": "stolen",
            **times,
            **fields,
        }


def append(history: History, change: Change) -> None:
    for index, earlier in enumerate(history.changes):
        if earlier["record_id"] == change["record_id"] and not earlier.get("superseded"):
            history.changes[index] = bare(earlier)
    history.changes.append(change)


async def robbed(ada: Diarist, liar: LyingServer) -> tuple[Client, Client, Thief, dict[str, str]]:
    """Two devices, the second's keyring stolen, and the keys rotated on the first; both are up to date."""
    laptop = await ada.first("laptop", at=liar.url)
    phone = await ada.another("phone", at=liar.url)
    first, second = await write(laptop, "the first", "the second")
    await phone.sync()
    thief = Thief(phone)
    await laptop.account.rotate_keyring(PASSWORD, NEW_PASSWORD)
    await laptop.sync()
    await ada.login(phone, at=liar.url, password=NEW_PASSWORD)
    await phone.sync()
    await laptop.sync()
    return laptop, phone, thief, {"first": first, "second": second}


Forgery = Callable[[History, Thief, dict[str, str]], None]


def writes_a_new_entry(history: History, thief: Thief, ids: dict[str, str]) -> None:
    append(history, thief.sealed(history, str(uuid4()), {"body": "made up"}))


def rewrites_an_entry(history: History, thief: Thief, ids: dict[str, str]) -> None:
    append(history, thief.sealed(history, ids["first"], {"body": "rewritten"}))


def deletes_an_entry(history: History, thief: Thief, ids: dict[str, str]) -> None:
    append(history, thief.sealed(history, ids["first"], {"type": "deleted"}))


@pytest.mark.parametrize("forgery", [writes_a_new_entry, rewrites_an_entry, deletes_an_entry], ids=lambda f: f.__name__)
async def test_what_a_stolen_key_seals_after_the_rotation_is_refused_by_every_device(
    ada: Diarist, liar: LyingServer, forgery: Forgery
) -> None:
    laptop, phone, thief, ids = await robbed(ada, liar)
    forged = await history_of(laptop)
    forgery(forged, thief, ids)
    liar.tell(Shows(forged, keeps_checkpoints=True))
    fresh = await ada.open("tablet")
    await ada.login(fresh, at=liar.url, password=NEW_PASSWORD)
    for device in (laptop, phone, fresh):
        before = {entry.body for entry in await device.journal.list()}
        await caught(device.sync(), RetiredKey)
        assert {entry.body for entry in await device.journal.list()} == before
    # What is written goes on being kept, and nothing of the forgery was taken over.
    assert (await laptop.journal.write(body="still here")).id
    liar.tell(Lie())
    for device in (laptop, phone, fresh, laptop):
        await device.sync()
    assert {entry.body for entry in await laptop.journal.list()} == {"the first", "the second", "still here"}


async def test_a_history_that_ends_before_the_rotation_and_goes_on_by_a_stolen_key_is_no_history(
    ada: Diarist, liar: LyingServer
) -> None:
    """The server shows the old state, so that the forged change seems to stand before the end of the old key."""
    laptop, phone, thief, _ = await robbed(ada, liar)
    place = laptop._device.opened.keyring.first.retired_at
    assert place is not None
    short = await history_of(laptop)
    short.changes = [change for change in short.changes if change["seq"] < place.seq]
    append(short, thief.sealed(short, str(uuid4()), {"body": "made up"}))
    liar.tell(Shows(short, keeps_checkpoints=True))
    fresh = await ada.open("tablet")
    await ada.login(fresh, at=liar.url, password=NEW_PASSWORD)
    for device in (laptop, phone, fresh):
        await caught(device.sync(), HistoryForked)


async def test_a_checkpoint_that_a_stolen_key_signs_beyond_its_end_is_refused(ada: Diarist, liar: LyingServer) -> None:
    laptop, phone, thief, _ = await robbed(ada, liar)
    report = await laptop.sync()
    time = "2026-01-01T00:00:00Z"
    fields = (report.epoch, report.seq, report.head, "stolen", time)
    signature = sign(thief.keyring.newest.signing_seed, checkpoint_message(thief.user_id, *fields))
    forged = Checkpoint(
        epoch=report.epoch, seq=report.seq, head=report.head, device_id="stolen", time=time, signature=signature
    )

    def add(answer: dict[str, Any]) -> None:
        answer["items"].append(forged.model_dump(mode="json"))

    liar.tell(AltersAnswers("/sync/checkpoints", add))
    await caught(phone.sync(), RetiredKey)


async def test_a_list_that_shows_what_a_stolen_key_sealed_is_refused(ada: Diarist, liar: LyingServer) -> None:
    laptop, _, thief, ids = await robbed(ada, liar)
    forged = thief.sealed(await history_of(laptop), ids["first"], {"body": "rewritten"})

    def alter(answer: dict[str, Any]) -> None:
        for item in answer["items"]:
            if item["id"] == ids["first"]:
                item["payload"] = encode_base64(forged["payload"])
                item["revision"], item["parent"] = forged["revision"], encode_base64(forged["parent"])

    liar.tell(AltersAnswers("/entries", alter))
    await caught(laptop.search.entries_page(), RetiredKey)


async def test_stolen_tokens_are_of_no_use_and_a_stolen_key_seals_nothing_at_an_honest_server(
    ada: Diarist, liar: LyingServer
) -> None:
    _, phone, thief, _ = await robbed(ada, liar)
    async with httpx.AsyncClient(base_url=f"{ada.server}/api/v1") as http:
        stolen = {"Authorization": f"Bearer {thief.tokens.access_token}"}
        assert (await http.get("/sync/changes", headers=stolen)).status_code == 401
        again = await http.post("/auth/refresh", json={"refresh_token": thief.tokens.refresh_token})
        assert again.status_code == 401
    # Devices that still write under the old key are told so, and lose nothing.
    assert (await phone.sync()).pending == 0


async def test_a_stolen_keyring_knows_no_label_word_or_number_of_what_is_served_afterwards(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    phone = await ada.another("phone", at=liar.url)
    await laptop.journal.write(**SECRET)
    await laptop.sync()
    await laptop.search.switch_on()
    await laptop.metrics.count()
    await phone.sync()
    thief = Thief(phone)
    old_labels = set(labels_of(thief.keyring.index_key, SECRET))
    old_tokens = set(tokens_of(thief.keyring.index_key, language("english"), SECRET))
    await laptop.account.rotate_keyring(PASSWORD, NEW_PASSWORD)
    pushed: list[Change] = []
    request = laptop._device.opened.transport.request

    async def seen(method: str, path: str, **options: Any) -> Any:
        if path == "/sync/push":
            pushed.extend(change.model_dump() for change in options["body"].changes)
        return await request(method, path, **options)

    laptop._device.opened.transport.request = seen  # type: ignore[method-assign]
    await laptop.sync()
    await laptop.journal.write(**SECRET | {"body": "the same sea, later"})
    await laptop.sync()
    assert pushed
    assert not old_tokens & {token for change in pushed for token in change["tokens"] or ()}
    served = [change for change in (await history_of(laptop)).changes if "payload" in change]
    assert not old_labels & {bytes(label) for change in served for label in change["labels"]}
    live = {change["record_id"] for change in served if not change["deleted"]}
    assert tag_id(thief.keyring, "sea") not in live
    kept = await request("GET", f"/encryption/keys/{PARAMETERS.name}", answer=SealedKey, msgpack=True)
    with pytest.raises(SealBroken):
        Census.open(thief.keyring, thief.user_id, kept.version, kept.sealed_key)
    found = await laptop.search.find("sea")
    assert [hit.entry.body for hit in found.hits] == ["the same sea, later"]


async def test_a_key_for_metrics_that_a_stolen_key_sealed_is_never_counted_under(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await laptop.journal.write(body="one two three")
    await laptop.metrics.count()
    thief = Thief(laptop)
    await laptop.account.rotate_keyring(PASSWORD, NEW_PASSWORD)
    await laptop.sync()
    request = laptop._device.opened.transport.request
    path = f"/encryption/keys/{PARAMETERS.name}"
    kept = await request("GET", path, answer=SealedKey, msgpack=True)
    honest = Census.open(laptop._device.opened.keyring, thief.user_id, kept.version, kept.sealed_key)
    planted = replace(honest, census_id="ab" * 6, number=honest.number + 1, maker="stolen", key=b"the thief's own")
    forged = planted.seal(thief.keyring, thief.user_id, kept.version)

    def plant(answer: dict[str, Any]) -> None:
        if "sealed_key" in answer:
            answer["sealed_key"] = forged

    liar.tell(AltersAnswers(path, plant))
    await laptop.journal.write(body="four five")
    await laptop.sync()
    counted = State.load(laptop._device.opened.store).census
    assert counted is None or counted.key != planted.key
    liar.tell(Lie())
    await laptop.sync()
    now = await request("GET", path, answer=SealedKey, msgpack=True)
    present = Census.open(laptop._device.opened.keyring, thief.user_id, now.version, now.sealed_key)
    assert present.key != planted.key


async def test_a_conflict_that_a_stolen_key_sealed_is_shown_as_such_and_changes_nothing(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop, phone, thief, ids = await robbed(ada, liar)
    history = await history_of(laptop)
    base = replace_last(history, ids["first"])
    forged = thief.sealed(base, ids["first"], {"body": "made up as a conflict"})

    def add(answer: dict[str, Any]) -> None:
        answer["conflicts"].append(
            {
                "id": str(uuid4()),
                "collection": "entries",
                "log_id": ids["first"],
                "detected_at": forged["created_at"],
                "local_version": {
                    "encrypted_content": forged["payload"],
                    "iv": None,
                    "tag": None,
                    "base_revision": forged["revision"] - 1,
                    "parent": forged["parent"],
                    "labels": [],
                    "deleted": False,
                    "device_id": "stolen",
                    "updated_at": forged["updated_at"],
                },
                "remote_version": {
                    "encrypted_content": None,
                    "iv": None,
                    "tag": None,
                    "base_revision": 0,
                    "parent": bytes(32),
                    "deleted": False,
                    "device_id": "",
                    "updated_at": forged["updated_at"],
                },
            }
        )

    liar.tell(AltersAnswers("/sync/conflicts", add))
    for device in (laptop, phone):
        await device.sync()
        [conflict] = await device.journal.conflicts()
        assert not conflict.authentic
        assert (await device.journal.get(ids["first"])).body == "the first"
    # Nobody vouches for it by sealing it again.
    await laptop.sync()
    [conflict] = await laptop.journal.conflicts()
    assert not conflict.authentic


def replace_last(history: History, record_id: str) -> History:
    """The history without the latest revision of a record."""
    shorter = history.copy()
    shorter.changes.remove(shorter.of(record_id))
    return shorter


_WRITER = {"device": "stolen", "written_at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"device": "stolen"},
        {"written_at": _WRITER["written_at"]},
        {**_WRITER, "device": 7},
        {**_WRITER, "device": "two words"},
        {**_WRITER, "written_at": "yesterday"},
        {**_WRITER, "written_at": None},
    ],
)
@pytest.mark.parametrize("deleted", [False, True])
async def test_what_does_not_name_its_writer_and_its_time_within_the_seal_is_refused(
    ada: Diarist, liar: LyingServer, head: dict[str, Any], deleted: bool
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    (one,) = await write(laptop, "one")
    thief, history = Thief(laptop), await history_of(laptop)
    content: dict[str, Any] = {"type": "deleted"} if deleted else {"body": "forged"}
    # What is said beside the seal is well-formed: it is never asked.
    append(history, thief.sealed(history, one, content, head=head))
    liar.tell(Shows(history, keeps_checkpoints=True))
    await caught(laptop.sync(), SealBroken)
    assert [entry.body for entry in await laptop.journal.list()] == ["one"]
