"""The vault: named blobs whose versions only rise."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.platform.db.engine import Database
from lockleaf.server.records import blobs, pages
from lockleaf.wire.codec import canonical, unpack
from tests.support.account_holders import problem
from tests.support.accounts import Owner, change, register
from tests.support.feeds import Reader


@pytest.fixture
async def owner(http: httpx.AsyncClient) -> Owner:
    return await register(http)


def blob(vault_id: str = "keys", **fields: Any) -> dict[str, Any]:
    return {"vault_id": vault_id, "ciphertext": "c2VhbGVk", "iv": "an iv", "salt": "a salt", "version": 1, **fields}


async def create(owner: Owner, **fields: Any) -> dict[str, Any]:
    answer = await owner.request("POST", "/vault", json=blob(**fields))
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def replace(owner: Owner, vault_id: str, *, if_match: str | None = None, **fields: Any) -> httpx.Response:
    body = {name: value for name, value in blob(vault_id, **fields).items() if value is not None}
    return await owner.request(
        "PUT", f"/vault/{vault_id}", json=body, headers={"If-Match": if_match} if if_match else {}
    )


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_a_blob_comes_back_as_it_was_stored(owner: Owner, prefix: str) -> None:
    address = f"http://lockleaf.test{prefix}/vault"
    created = await owner.request("POST", address, json=blob())
    assert created.status_code == 201
    assert (created.json()["vault_id"], created.json()["version"], created.headers["etag"]) == ("keys", 1, '"1"')
    read = await owner.request("GET", f"{address}/keys")
    assert (read.status_code, read.headers["etag"]) == (200, '"1"')
    assert {name: read.json()[name] for name in blob()} == blob()
    assert read.json()["created_at"] == created.json()["created_at"] == read.json()["updated_at"]


async def test_each_version_follows_the_one_before(owner: Owner) -> None:
    await create(owner)
    answer = await replace(owner, "keys", ciphertext="bmV3", version=2)
    assert (answer.status_code, answer.json()["version"], answer.headers["etag"]) == (200, 2, '"2"')
    for version in (1, 2, 4, 0):
        refused = await replace(owner, "keys", ciphertext="b3RoZXI=", version=version)
        assert problem(refused, 409, "version_conflict")["current_version"] == 2
    assert (await owner.request("GET", "/vault/keys")).json()["ciphertext"] == "bmV3"


async def test_an_overwrite_says_what_it_follows(owner: Owner) -> None:
    await create(owner)
    for if_match in (None, "*"):
        problem(await replace(owner, "keys", version=None, if_match=if_match), 428, "revision_required")
    refused = await replace(owner, "keys", version=None, if_match='"7"')
    assert problem(refused, 412, "precondition_failed")["current_version"] == 1
    problem(await replace(owner, "keys", version=2, if_match='W/"1"'), 412, "precondition_failed")
    problem(await replace(owner, "keys", version=9, if_match='"1"'), 409, "version_conflict")
    answer = await replace(owner, "keys", version=None, if_match='"7", "1"', ciphertext="bmV3")
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    again = await replace(owner, "keys", version=None, if_match='"1"', ciphertext="bmV3")
    assert (again.status_code, again.json()) == (200, answer.json())


async def test_a_repeated_request_is_answered_like_the_first(owner: Owner) -> None:
    created = await create(owner)
    assert await create(owner) == created
    second = (await replace(owner, "keys", ciphertext="Mg==", version=2)).json()
    third = (await replace(owner, "keys", ciphertext="Mw==", version=3)).json()
    assert await create(owner) == created
    assert (await replace(owner, "keys", ciphertext="Mg==", version=2)).json() == second
    assert (await replace(owner, "keys", ciphertext="Mw==", version=3)).json() == third
    assert (await owner.request("GET", "/vault/keys")).json()["version"] == 3
    assert (await owner.feed())["seq"] == 3


async def test_an_id_that_is_taken_is_not_overwritten_by_a_creation(owner: Owner) -> None:
    await create(owner)
    refused = await owner.request("POST", "/vault", json=blob(ciphertext="b3RoZXI="))
    assert problem(refused, 409, "version_conflict")["current_version"] == 1


async def test_of_two_devices_one_stores_the_version(owner: Owner) -> None:
    await create(owner)
    answers = await asyncio.gather(*(replace(owner, "keys", ciphertext=f"{n:04}", version=2) for n in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    [stored] = [n for n, answer in enumerate(answers) if answer.status_code == 200]
    assert (await owner.request("GET", "/vault/keys")).json()["ciphertext"] == f"{stored:04}"


async def test_earlier_versions_stay_readable(owner: Owner) -> None:
    await create(owner)
    for version in range(2, 6):
        await replace(owner, "keys", ciphertext=f"{version:04}", version=version)
    first = (await owner.request("GET", "/vault/keys/versions", params={"limit": 3})).json()
    assert [item["version"] for item in first["items"]] == [5, 4, 3]
    rest = (await owner.request("GET", "/vault/keys/versions", params={"cursor": first["next_cursor"]})).json()
    assert [item["version"] for item in rest["items"]] == [2, 1]
    assert rest["next_cursor"] is None
    for version in range(2, 6):
        read = await owner.request("GET", f"/vault/keys/versions/{version}")
        assert (read.json()["ciphertext"], read.json()["version"]) == (f"{version:04}", version)
        assert read.headers["etag"] == f'"{version}"'
    problem(await owner.request("GET", "/vault/keys/versions/6"), 404, "not_found")
    other = {"cursor": first["next_cursor"]}
    await create(owner, vault_id="other")
    problem(await owner.request("GET", "/vault/other/versions", params=other), 422, "invalid_cursor")


async def test_a_deleted_blob_is_gone_with_its_versions(owner: Owner) -> None:
    await create(owner)
    await replace(owner, "keys", version=2)
    problem(await owner.request("DELETE", "/vault/keys", headers={"If-Match": '"1"'}), 412, "precondition_failed")
    assert (await owner.request("DELETE", "/vault/keys", headers={"If-Match": '"2"'})).status_code == 204
    for method, path in (("GET", ""), ("GET", "/versions"), ("GET", "/versions/1"), ("GET", "/versions/2")):
        problem(await owner.request(method, f"/vault/keys{path}"), 404, "not_found")
    problem(await owner.request("DELETE", "/vault/keys"), 404, "not_found")
    problem(await replace(owner, "keys", version=4), 404, "not_found")
    assert (await owner.request("GET", "/vault")).json()["items"] == []


async def test_a_blob_made_anew_goes_on_behind_the_deletion(owner: Owner) -> None:
    await create(owner)
    await replace(owner, "keys", version=2)
    await owner.request("DELETE", "/vault/keys")
    created = await create(owner)
    assert created["version"] == 4
    assert await create(owner) == created
    problem(await replace(owner, "keys", version=3), 409, "version_conflict")
    assert (await replace(owner, "keys", version=5)).json()["version"] == 5
    listed = (await owner.request("GET", "/vault/keys/versions")).json()["items"]
    assert [item["version"] for item in listed] == [5, 4]


async def test_the_vault_is_listed_by_id_page_by_page(owner: Owner) -> None:
    for name in ("b", "a", "d", "c"):
        await create(owner, vault_id=name)
    await owner.request("DELETE", "/vault/c")
    first = (await owner.request("GET", "/vault", params={"limit": 2})).json()
    assert [item["vault_id"] for item in first["items"]] == ["a", "b"]
    rest = (await owner.request("GET", "/vault", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [item["vault_id"] for item in rest["items"]] == ["d"]
    assert rest["next_cursor"] is None


async def test_a_page_of_large_blobs_ends_before_its_limit(owner: Owner) -> None:
    size = 900_000
    for name in range(12):
        await create(owner, vault_id=f"{name:02}", ciphertext="x" * size)
    found: list[str] = []
    params: dict[str, Any] = {"limit": 50}
    while True:
        page = (await owner.request("GET", "/vault", params=params)).json()
        assert len(page["items"]) <= pages.BYTES_A_PAGE // size + 1
        found += [item["vault_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert found == [f"{name:02}" for name in range(12)]


async def test_the_feed_shows_the_fields_as_one_canonical_map(owner: Owner) -> None:
    await create(owner)
    await replace(owner, "keys", ciphertext="bmV3", version=2)
    [superseded, latest] = (await owner.feed())["changes"]
    assert superseded["superseded"] is True
    assert latest["payload"] == canonical(blob(ciphertext="bmV3", version=2))
    assert list(unpack(latest["payload"])) == sorted(blob())
    await owner.request("DELETE", "/vault/keys")
    await create(owner)
    leaves = await Reader(owner).read_all()
    assert [(leaf.revision, leaf.deleted) for leaf in leaves] == [(1, False), (2, False), (3, True), (4, False)]


async def test_sync_cannot_write_into_the_vault(owner: Owner) -> None:
    [result] = await owner.results(change(collection="vault", record_id="keys"))
    assert (result["status"], result["code"]) == ("rejected", "wrong_door")


async def test_another_users_vault_is_not_there(owner: Owner, http: httpx.AsyncClient) -> None:
    await create(owner)
    stranger = await register(http)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/versions"), ("GET", "/versions/1")):
        there = problem(await stranger.request(method, f"/vault/keys{path}"), 404, "not_found")
        assert there == problem(await stranger.request(method, f"/vault/none{path}"), 404, "not_found")
    problem(await replace(stranger, "keys", version=2), 404, "not_found")
    assert (await create(stranger, ciphertext="bWluZQ=="))["version"] == 1
    assert (await owner.request("GET", "/vault/keys")).json()["ciphertext"] == "c2VhbGVk"


@pytest.mark.parametrize(
    "wrong",
    [
        {"vault_id": ""},
        {"vault_id": "a b"},
        {"vault_id": "x" * 129},
        {"vault_id": "ä"},
        {"version": 2},
        {"version": "one"},
        {"iv": "x" * 257},
        {"salt": None},
        {"ciphertext": 7},
        {"ciphertext": None},
    ],
    ids=str,
)
async def test_what_is_no_blob_is_refused_without_being_repeated(owner: Owner, wrong: dict[str, Any]) -> None:
    answer = await owner.request("POST", "/vault", json=blob(**wrong))
    refused = problem(answer, 422, "invalid_request")
    assert [error["field"] for error in refused["errors"]] == list(wrong)
    assert "x" * 129 not in answer.text


async def test_a_blob_beyond_what_a_record_holds_is_refused(owner: Owner) -> None:
    answer = await owner.request("POST", "/vault", json=blob(ciphertext="é" * 1_900_000 + "x" * 400_000))
    assert answer.status_code == 413
    assert (await owner.request("GET", "/vault")).json()["items"] == []


async def test_the_vault_belongs_to_the_full_tier(http: httpx.AsyncClient) -> None:
    for tier in ("local_only", "analytics_sync"):
        owner = await register(http, privacy_tier=tier)
        refused = problem(await owner.request("POST", "/vault", json=blob()), 403, "tier_required")
        assert refused["required"] == "full_sync"


async def test_whether_a_version_is_sent_again_is_asked_without_reading_the_others(app: FastAPI, owner: Owner) -> None:
    await create(owner, ciphertext="A" * 100)
    for version in (2, 3, 4):
        assert (await replace(owner, "keys", version=version, ciphertext="B" * 20_000)).status_code == 200
    sent: list[str] = []
    parts, user_id = app.state.parts, UUID(owner.answer["id"])

    async def found(payload: bytes) -> int | None:
        async with parts[Database].transaction() as tx:
            with tx.connection.query_logger(lambda query: sent.append(query.query)):
                record = await blobs.find_accepted(tx.connection, user_id, "vault", "keys", payload)
        return None if record is None else record.revision

    payload = canonical({**blob(), "version": 2, "ciphertext": "B" * 20_000})
    assert await found(payload) == 2
    sent.clear()
    assert await found(payload[:10_000]) is None
    assert len(sent) == 1 and "octet_length" in sent[0]
    assert await found(payload[:-1] + b"C") is None
