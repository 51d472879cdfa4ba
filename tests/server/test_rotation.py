"""A rotation, as the store sees it: from its commit on nothing that an older key sealed comes in or stays behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records import service as records
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import Person, served
from tests.support.accounts import Owner, change, following, sealed

OLD, NEW = 1, 2


def under(key_id: int, size: int = 300, **fields: Any) -> dict[str, Any]:
    return change(payload=sealed(size, key_id=key_id), **fields)


def owner_of(http: httpx.AsyncClient, person: Person) -> Owner:
    return Owner(http, person.email, person.secret, person.tokens)


async def rotate(http: httpx.AsyncClient, person: Person) -> Owner:
    """The person's session after a rotation to key 2."""
    new = Person(id=person.id, email=person.email)
    body = await new.rotation_body(http, person, 1)
    answer = await http.put("/auth/keyring", json=body, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return Owner(http, person.email, new.secret, answer.json()["tokens"])


@pytest.fixture
async def ada(http: httpx.AsyncClient) -> Person:
    return await Person().sign_up(http)


async def test_a_keyring_comes_back_under_a_later_version_and_never_under_an_earlier_one(
    http: httpx.AsyncClient, ada: Person
) -> None:
    """As after a restore: devices have seen later versions than the server."""
    named = {"keyring": ada.keyring, "kdf": ada.kdf, "base_keyring_version": 1}
    change = {"current_password": ada.secret, "password": ada.secret} | named
    refused = await http.put("/auth/password", json=change | {"keyring_version": 1}, headers=ada.headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "keyring_conflict")
    for beyond in (2**31, 2**31 - 1, 10_002):  # the last version would leave none for any later change
        refused = await http.put("/auth/password", json=change | {"keyring_version": beyond}, headers=ada.headers)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "keyring_version")
    taken = await http.put("/auth/password", json=change | {"keyring_version": 7}, headers=ada.headers)
    assert taken.status_code == 200, taken.text
    owner = Owner(http, ada.email, ada.secret, taken.json())
    assert (await owner.request("GET", "/auth/me")).json()["keyring_version"] == 7
    new = Person(id=ada.id, email=ada.email)
    body = await new.rotation_body(http, replace(ada, tokens=taken.json()), 7)
    for version, status in ((7, 409), (8, 200)):
        answer = await owner.request("PUT", "/auth/keyring", json=body | {"keyring_version": version})
        assert answer.status_code == status, answer.text


async def test_what_an_older_key_sealed_is_refused_and_not_kept(http: httpx.AsyncClient, ada: Person) -> None:
    before = owner_of(http, ada)
    entry = under(OLD)
    await before.results(entry)
    owner = await rotate(http, ada)
    await owner.results(following(entry, payload=sealed(key_id=NEW)))
    tag = under(OLD, collection="tags", record_id="a" * 32)
    late = following(entry, payload=sealed(key_id=OLD), on_conflict="keep")
    told = await owner.results(under(OLD), late, tag, under(NEW))
    assert [(each["status"], each.get("code")) for each in told] == [
        ("rejected", "key_retired"),
        ("rejected", "key_retired"),
        ("rejected", "key_retired"),
        ("applied", None),
    ]
    listed = await owner.request("GET", "/sync/conflicts")
    assert listed.json()["conflicts"] == []


async def test_what_was_accepted_before_the_rotation_is_still_known_when_it_comes_again(
    http: httpx.AsyncClient, ada: Person
) -> None:
    entry = under(OLD)
    await owner_of(http, ada).results(entry)
    owner = await rotate(http, ada)
    [again] = await owner.results(entry)
    assert (again["status"], again["seq"]) == ("unchanged", 1)


async def test_other_collections_are_none_of_the_rotations_business(http: httpx.AsyncClient, ada: Person) -> None:
    owner = await rotate(http, ada)
    [note] = await owner.results(change(collection="x-notes", payload=sealed(key_id=OLD)))
    assert note["status"] == "applied"


async def test_an_account_without_a_rotation_takes_any_key(http: httpx.AsyncClient, ada: Person) -> None:
    [entry] = await owner_of(http, ada).results(under(OLD))
    assert entry["status"] == "applied"


async def payloads(app: FastAPI, person: Person) -> set[bytes]:
    """Every payload that the server holds of an account."""
    async with app.state.parts[Database].read_driver() as connection:
        rows = await connection.fetch(
            "SELECT packed AS held FROM records WHERE user_id = $1"
            " UNION ALL SELECT packed FROM revisions WHERE user_id = $1"
            " UNION ALL SELECT payload FROM conflicts WHERE user_id = $1",
            UUID(str(person.id)),
        )
    return {bytes(row["held"]) for row in rows}


async def test_nothing_stays_that_an_older_key_opens(app: FastAPI, http: httpx.AsyncClient, ada: Person) -> None:
    before = owner_of(http, ada)
    one = under(OLD)
    two = following(one, payload=sealed(key_id=OLD))
    aside = following(one, payload=sealed(key_id=OLD), on_conflict="keep")
    results = await before.results(one, two, aside)
    owner = await rotate(http, ada)
    three = following(two, payload=sealed(key_id=NEW))
    await owner.results(three)
    held = await payloads(app, ada)
    assert not any(two["payload"] in each for each in held), "what a current payload replaced"
    assert any(one["payload"] in each for each in held)
    await owner.request(
        "POST", f"/sync/conflicts/{results[2]['conflict_id']}/resolve", json={"chosen_version": "remote"}
    )
    dropped = (await owner.request("POST", "/sync/purge")).json()
    assert dropped == {"revisions": 1, "conflicts": 1, "has_more": False}
    held = await payloads(app, ada)
    assert not any(old["payload"] in each for each in held for old in (one, two, aside))
    assert any(three["payload"] in each for each in held)


async def test_a_purge_keeps_leaves_current_payloads_and_open_conflicts(
    app: FastAPI, http: httpx.AsyncClient, ada: Person
) -> None:
    before = owner_of(http, ada)
    one = under(OLD)
    two = following(one, payload=sealed(key_id=OLD))
    aside = following(one, payload=sealed(key_id=OLD), on_conflict="keep")
    await before.results(one, two, aside)
    leaves = (await before.feed())["changes"]
    owner = await rotate(http, ada)
    assert (await owner.request("POST", "/sync/purge")).json()["revisions"] == 1
    assert (await owner.feed())["changes"] == leaves
    [kept] = (await owner.request("GET", "/sync/conflicts")).json()["conflicts"]
    assert kept["local_version"]["encrypted_content"] == encode_base64(aside["payload"])


async def test_what_a_newer_key_sealed_keeps_its_past(http: httpx.AsyncClient, ada: Person) -> None:
    owner = await rotate(http, ada)
    one = under(NEW)
    await owner.results(one, following(one, payload=sealed(key_id=NEW)))
    assert (await owner.request("POST", "/sync/purge")).json()["revisions"] == 0
    earlier = await owner.request("GET", f"/entries/{one['record_id']}/revisions/1")
    assert earlier.json()["payload"] == encode_base64(one["payload"])


async def test_a_full_account_can_be_sealed_again(settings: Settings) -> None:
    full = settings.model_copy(update={"limits": settings.limits.model_copy(update={"storage_bytes": 1500})})
    async with served(full) as (_, http):
        ada = await Person().sign_up(http)
        before = owner_of(http, ada)
        entries = [under(OLD), under(OLD)]
        told = await before.results(*entries, under(OLD, 1200))
        assert [each.get("code") for each in told] == [None, None, "quota_exceeded"]
        owner = await rotate(http, ada)
        again = [following(entry, payload=sealed(key_id=NEW)) for entry in entries]
        larger = following(again[0], payload=sealed(1500, key_id=NEW))
        told = await owner.results(*again, larger)
        assert [each.get("code") for each in told] == [None, None, "quota_exceeded"]


async def test_no_write_slips_between_the_end_that_a_rotation_names_and_its_commit(
    http: httpx.AsyncClient, ada: Person
) -> None:
    """Devices write all the while: what was accepted under the old key stands before the named end, whatever comes."""
    before, last = owner_of(http, ada), 0

    async def write() -> None:
        nonlocal last
        for _ in range(20):
            answer = await before.request("POST", "/sync/push", json=_in_json(under(OLD)))
            if answer.status_code != 200:  # signed out by the rotation
                return
            [told] = answer.json()["results"]
            if told["status"] == "applied":
                last = max(last, told["seq"])

    async def rotate_beside() -> tuple[int, Owner]:
        new = Person(id=ada.id, email=ada.email)
        while True:
            body = await new.rotation_body(http, ada, 1)
            answer = await http.put("/auth/keyring", json=body, headers=ada.headers)
            if answer.status_code == 200:
                return body["retired_at"]["seq"], Owner(http, ada.email, new.secret, answer.json()["tokens"])
            assert answer.json()["code"] == "history_moved", answer.text

    *_, (named, owner) = await asyncio.gather(write(), write(), rotate_beside())
    feed = await owner.feed()
    assert last <= named == feed["seq"]


def _in_json(pushed: dict[str, Any]) -> dict[str, Any]:
    plain = {
        **pushed,
        "parent": encode_base64(pushed["parent"]),
        "payload": encode_base64(pushed["payload"]),
        "client_updated_at": pushed["client_updated_at"].isoformat(),
    }
    return {"changes": [plain]}


async def test_a_push_that_waits_for_a_rotation_is_held_to_it(
    app: FastAPI, http: httpx.AsyncClient, ada: Person
) -> None:
    """It read the account before the rotation committed, and must not write by what it read."""
    parts = app.state.parts
    end = await owner_of(http, ada).feed()
    async with parts[Database].transaction() as tx:
        place = records.End(end["epoch"], end["seq"], end["head"])
        await records.retire(tx.session, ada.id, place, key_id=NEW)
        waiting = asyncio.create_task(owner_of(http, ada).results(under(OLD), under(NEW)))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
    told = await waiting
    assert [each["status"] for each in told] == ["rejected", "applied"]
