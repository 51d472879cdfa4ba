"""The search index follows every way in which an entry is written, within the same transaction."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.crypto.labels import token
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records.purge import purge
from lockleaf.wire.codec import MSGPACK, pack, unpack
from lockleaf.wire.fields import decode_base64, encode_base64
from tests.support.accounts import Owner, change, following, register
from tests.support.diaries import FullClient, sealed_body, thin
from tests.support.searching import contents, index_rows, lasting, write

SEA, RAIN = bytes([1]) * 8, bytes([2]) * 8


@pytest.fixture
async def uma(http: httpx.AsyncClient, database_url: str) -> Owner:
    """Somebody whose server opens what they wrote, while they ask it to; tests look at what they wrote themselves."""
    owner, _ = await lasting(http, database_url, __name__)
    return owner


@pytest.fixture
async def ada(http: httpx.AsyncClient) -> Owner:
    """Somebody with an end-to-end encrypted account who switched the index on."""
    owner = await register(http)
    assert (await owner.request("PUT", "/search/index", json={"enabled": True})).status_code == 200
    return owner


async def held(app: FastAPI, owner: Owner, *record_ids: str) -> dict[str, list[bytes]]:
    """The digests of those of these entries that are in the index, sorted."""
    rows = await index_rows(app, owner)
    return {name: sorted(map(decode_base64, rows[name])) for name in record_ids if name in rows}


def word() -> str:
    """A word that nobody else has written."""
    return f"zq{secrets.token_hex(6)}"


# ---- uce ----


async def test_what_a_thin_client_writes_changes_deletes_and_restores_is_followed(uma: Owner) -> None:
    river, sea, sunday = word(), word(), word()
    made = await write(uma, f"walking by the {river}", title=sunday)
    path = f"/entries/{made['id']}"
    assert await contents(uma, f"{river} {sunday} walks") == {f"walking by the {river}"}
    await uma.request("PUT", path, json={"content": f"a walk by the {sea}", "title": None, "revision": 2})
    assert await contents(uma, f"{river} OR {sunday}") == set()
    assert await contents(uma, sea) == {f"a walk by the {sea}"}
    await uma.request("DELETE", path)
    assert await contents(uma, sea) == set()
    await uma.request("POST", f"{path}/restore")
    assert await contents(uma, f"walking {sea}") == {f"a walk by the {sea}"}


async def test_what_a_full_client_pushes_is_opened_unless_its_tokens_come_with_it(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    owner = await thin(http)
    pushed = change(tokens=[SEA, RAIN, SEA])
    await owner.results(pushed)
    assert await held(app, owner, pushed["record_id"]) == {pushed["record_id"]: [SEA, RAIN]}
    assert (await owner.request("GET", "/users/me/access")).json()["items"] == []
    full = await FullClient.of(owner)
    record_id = await full.push({"type": "entry", "title": "Sunday", "body": "rivers, and the rivers"})
    key = full.keyring.index_key
    expected = sorted([token(key, "title", "sunday"), token(key, "body", "river")])
    assert await held(app, owner, record_id) == {record_id: expected}
    accesses = (await owner.request("GET", "/users/me/access")).json()["items"]
    assert {each["purpose"]: each["records"] for each in accesses} == {"search.index": 1}


async def test_an_entry_that_does_not_open_has_no_words_and_is_not_asked_again(app: FastAPI, uma: Owner) -> None:
    pushed = change()
    await uma.results(pushed)
    assert await held(app, uma, pushed["record_id"]) == {pushed["record_id"]: []}
    assert (await uma.request("GET", "/search/stats")).json()["pending"] == 0


async def test_a_renamed_tag_leaves_its_entries_in_the_index(app: FastAPI, uma: Owner) -> None:
    river, holiday, journey = word(), word(), word()
    made = await write(uma, f"a walk by the {river}", tags=[holiday])
    before = await held(app, uma, made["id"])
    tag = (await FullClient.of(uma)).tag_id(holiday)
    assert (await uma.request("PUT", f"/tags/{tag}", json={"name": journey})).status_code == 200
    assert await held(app, uma, made["id"]) == before
    # By its new revision, which is what is opened and shown.
    answer = await uma.request("POST", "/search", json={"query": f"{river} tag:{journey}"})
    [hit] = answer.json()["items"]
    assert (hit["entry"]["id"], hit["entry"]["revision"], hit["entry"]["tags"]) == (made["id"], 2, [journey])
    assert await contents(uma, f"{river} tag:{holiday}") == set()


@pytest.mark.parametrize("choice", ["local", "merged", "remote"])
async def test_a_resolved_conflict_is_found_by_the_words_that_were_chosen(uma: Owner, choice: str) -> None:
    full = await FullClient.of(uma)
    words = {"local": word(), "merged": word(), "remote": word()}
    record_id = await full.push({"type": "entry", "body": words["remote"]})
    kept = await _sealed(full, record_id, {"type": "entry", "body": words["local"]}, on_conflict="keep")
    [refused] = await uma.results(kept)
    body = {"chosen_version": choice, "base_revision": 1}
    body |= {"content": words["merged"]} if choice == "merged" else {}
    resolved = await uma.request("POST", f"/sync/conflicts/{refused['conflict_id']}/resolve", json=body)
    assert resolved.status_code == 200, resolved.text
    assert {name for name, said in words.items() if await contents(uma, said)} == {choice}


async def _sealed(full: FullClient, record_id: str, content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A change to a new entry of this id, sealed by a full client that does not know of another one."""
    elsewhere = FullClient(_Recording(full.owner), full.user_id, full.keyring)
    await elsewhere.push(content, record_id=record_id)
    return {**elsewhere.owner.recorded, **fields}  # type: ignore[attr-defined]


class _Recording(Owner):
    """An owner whose changes are kept back instead of being sent."""

    def __init__(self, owner: Owner) -> None:
        super().__init__(owner.http, owner.email, owner.password, owner.answer)
        self.recorded: dict[str, Any] = {}

    async def results(self, *changes: dict[str, Any], **options: Any) -> Any:
        """Keep a change back."""
        [self.recorded] = changes
        return [{"status": "applied"}]


async def test_a_transaction_that_fails_leaves_the_index_as_it_was(app: FastAPI, uma: Owner) -> None:
    river = word()
    made = await write(uma, f"a walk by the {river}")
    before = await held(app, uma, made["id"])
    parts = app.state.parts
    async with parts[Database].transaction() as tx:
        # Checked at the commit, behind everything that the request does.
        await tx.connection.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused'; END$$;"
            "CREATE CONSTRAINT TRIGGER refused AFTER INSERT OR UPDATE OR DELETE ON search_documents"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    try:
        path = f"/entries/{made['id']}"
        changed = await uma.request("PUT", path, json={"content": "the sea", "revision": 2})
        deleted = await uma.request("DELETE", path)
        assert (changed.status_code, deleted.status_code) == (500, 500)
    finally:
        async with parts[Database].transaction() as tx:
            await tx.connection.execute("DROP FUNCTION refuse() CASCADE")
    assert await held(app, uma, made["id"]) == before
    assert await contents(uma, river) == {f"a walk by the {river}"}


async def test_a_purge_finds_nothing_left_to_remove(app: FastAPI, uma: Owner) -> None:
    made = await write(uma, "a walk by the river")
    await uma.request("DELETE", f"/entries/{made['id']}")
    assert await held(app, uma, made["id"]) == {}
    await purge(app.state.parts[Clock], app.state.parts[Database], app.state.parts[Settings])
    assert await held(app, uma, made["id"]) == {}


async def test_of_several_changes_in_one_batch_the_last_one_counts(app: FastAPI, uma: Owner) -> None:
    first = change(tokens=[SEA])
    second = following(first, tokens=[RAIN])
    gone = change(tokens=[SEA])
    await uma.results(first, second, gone, following(gone, deleted=True))
    records = (first["record_id"], gone["record_id"])
    assert await held(app, uma, *records) == {first["record_id"]: [RAIN]}


# ---- e2e ----


async def test_tokens_come_with_sealed_entries_and_go_with_them(app: FastAPI, ada: Owner) -> None:
    body = sealed_body(tokens=[SEA])
    body["tokens"] = [encode_base64(SEA)]
    await ada.request("POST", "/entries", json=body)
    assert await held(app, ada, body["id"]) == {body["id"]: [SEA]}
    parent = encode_base64(sha256(decode_base64(body["payload"])).digest())
    changed = sealed_body(id=body["id"], parent=parent, base_revision=1, tokens=[])
    changed["tokens"] = [encode_base64(RAIN)]
    answer = await ada.request("PUT", f"/entries/{body['id']}", json=changed)
    assert answer.status_code == 200, answer.text
    assert await held(app, ada, body["id"]) == {body["id"]: [RAIN]}
    step = sealed_body(
        id=body["id"], parent=encode_base64(sha256(decode_base64(changed["payload"])).digest()), base_revision=2
    )
    answer = await ada.request("DELETE", f"/entries/{body['id']}", json=step)
    assert answer.status_code == 200, answer.text
    assert await held(app, ada, body["id"]) == {}
    back = sealed_body(
        id=body["id"], parent=encode_base64(sha256(decode_base64(step["payload"])).digest()), base_revision=3
    )
    back["tokens"] = [encode_base64(SEA)]
    await ada.request("POST", f"/entries/{body['id']}/restore", json=back)
    assert await held(app, ada, body["id"]) == {body["id"]: [SEA]}


async def test_an_entry_that_changes_without_tokens_is_not_found_by_what_it_was(app: FastAPI, ada: Owner) -> None:
    first = change(tokens=[SEA])
    await ada.results(first)
    await ada.results(following(first, tokens=None))
    assert await held(app, ada, first["record_id"]) == {}
    stats = (await ada.request("GET", "/search/stats")).json()
    assert (stats["pending"], stats["complete"]) == (1, False)
    searched = await ada.request("POST", "/search", json={"tokens": {"any": [encode_base64(SEA)]}})
    assert searched.json()["index"] == {"complete": False}


async def test_a_resolution_brings_tokens(app: FastAPI, ada: Owner) -> None:
    first = change(tokens=[SEA])
    await ada.results(first)
    [refused] = await ada.results(change(record_id=first["record_id"], on_conflict="keep"))
    mine = following(first, tokens=[RAIN])
    body = {"chosen_version": "local"} | {name: mine[name] for name in ("base_revision", "parent", "payload", "tokens")}
    answer = await ada.request(
        "POST", f"/sync/conflicts/{refused['conflict_id']}/resolve",
        content=pack(body), headers={"Content-Type": MSGPACK, "Accept": MSGPACK},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert unpack(answer.content)["details"]["revision"] == 2
    assert await held(app, ada, first["record_id"]) == {first["record_id"]: [RAIN]}


async def test_a_record_shows_nothing_of_the_tokens_that_came_with_it(ada: Owner) -> None:
    await ada.results(change(tokens=[SEA]))
    [record] = (await ada.feed())["changes"]
    assert "tokens" not in record


async def test_without_an_index_tokens_are_not_kept(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner = await register(http)
    await owner.results(change(tokens=[SEA]))
    assert await index_rows(app, owner) == {}


async def test_other_collections_are_not_indexed(app: FastAPI, ada: Owner, uma: Owner) -> None:
    for owner in (ada, uma):
        name = word()
        await owner.results(change(collection="x-notes", record_id=name, tokens=[SEA]))
        assert name not in await index_rows(app, owner)


async def test_a_change_that_is_refused_leaves_the_index_as_it_is(app: FastAPI, ada: Owner) -> None:
    first = change(tokens=[SEA])
    await ada.results(first)
    [refused] = await ada.results(following(first, parent=bytes([9]) * 32, tokens=[RAIN]))
    assert refused["status"] == "rejected"
    [again] = await ada.results(first)
    assert again["status"] == "unchanged"
    atomic = await ada.results(change(tokens=[RAIN]), change(record_id="no", tokens=[RAIN]), atomic=True)
    assert {each["status"] for each in atomic} == {"rejected"}
    assert await held(app, ada, first["record_id"]) == {first["record_id"]: [SEA]}


# ---- what lowers or ends an account ----


async def test_a_lowered_tier_leaves_no_digest_and_no_switch(app: FastAPI, http: httpx.AsyncClient, ada: Owner) -> None:
    uma = await thin(http)
    await ada.results(change(tokens=[SEA]))
    await write(uma, "a walk by the river")
    for owner in (ada, uma):
        assert len(await index_rows(app, owner)) == 1
        lowered = await owner.request(
            "PUT",
            "/users/me/privacy",
            json={
                "privacy_tier": "local_only",
                "consent_timestamp": _now(app),
                "current_password": owner.password,
            },
        )
        assert lowered.status_code == 200, lowered.text
        assert await index_rows(app, owner) == {}
        features = (await owner.request("GET", "/auth/features")).json()["features"]
        assert (features["server_search"], features["blind_search"]) == (False, False)


def _now(app: FastAPI) -> str:
    now: str = app.state.parts[Clock]().isoformat()
    return now


async def test_the_room_of_the_digests_is_counted(ada: Owner) -> None:
    async def used() -> int:
        return int((await ada.request("GET", "/auth/features")).json()["storage"]["used_bytes"])

    pushed = change(tokens=[])
    await ada.results(pushed)
    before = await used()
    tokens = [uuid4().bytes[:8] for _ in range(1000)]
    await ada.results(following(pushed, tokens=tokens, payload=pushed["payload"]))
    assert before + 8000 < await used()


async def test_the_digests_of_an_account_are_its_own(app: FastAPI, http: httpx.AsyncClient, uma: Owner) -> None:
    other = await thin(http)
    written = [(owner, (await write(owner, "a walk by the river"))["id"]) for owner in (uma, other)]
    mine, theirs = [(await index_rows(app, owner))[record_id] for owner, record_id in written]
    assert len(mine) == 2
    assert mine.isdisjoint(theirs)
