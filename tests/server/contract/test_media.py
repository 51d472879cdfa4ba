"""``/media`` as its table has it."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import uuid4

import pytest

from lockleaf.server.platform.blobs.protocol import ObjectStore
from tests.support.account_holders import problem
from tests.support.accounts import Owner, register
from tests.support.contract import NOWHERE, Contract, shows
from tests.support.media import (
    attach,
    complete,
    declaration,
    declare,
    fetch,
    in_parts,
    object_key,
    send,
    sent,
    two_parts,
)


@pytest.fixture
async def owner(contract: Contract) -> Owner:
    return await register(contract.http)


@shows(
    "POST /media/upload 201",
    "POST /media/{media_id}/complete 200",
    "GET /media 200",
    "GET /media/{media_id} 200",
    "GET /media/{media_id}/download 200",
)
async def test_a_file_goes_straight_to_the_store_and_comes_back(owner: Owner) -> None:
    data, entry = secrets.token_bytes(3000), str(uuid4())
    declared = await declare(owner, declaration(data, media_type="Image/JPEG", entry_id=entry))
    assert (declared["state"], declared.keys()) == ("uploading", {"id", "state", "upload"})
    assert declared["upload"].keys() == {"method", "url", "path", "headers", "expires_at"}
    assert "authorization" not in {name.lower() for name in declared["upload"]["headers"]}
    await sent(owner.http, declared["upload"], data)
    done = (await complete(owner, declared["id"])).json()
    assert (done["state"], done["media_type"], done["size"], done["entry_id"]) == ("stored", "image/jpeg", 3000, entry)
    assert (await owner.request("GET", f"/media/{declared['id']}")).json() == done
    assert (await owner.request("GET", "/media")).json()["items"] == [done]
    told = (await owner.request("GET", f"/media/{declared['id']}/download")).json()
    assert told.keys() == {"method", "url", "path", "headers", "expires_at", "size", "sha256"}
    assert (told["size"], told["sha256"]) == (3000, done["sha256"])
    assert await fetch(owner, declared["id"]) == data


@shows("POST /media/{media_id}/parts 200", "POST /media/{media_id}/parts 422 part_unknown")
async def test_a_large_file_goes_in_parts(owner: Owner) -> None:
    parts = two_parts()
    declared = await declare(owner, in_parts(parts))
    assert [each["number"] for each in declared["parts"]] == [1, 2]
    await sent(owner.http, declared["parts"][1], parts[1])
    path = f"/media/{declared['id']}/parts"
    rest = (await owner.request("POST", path)).json()
    assert (rest["stored"], [each["number"] for each in rest["parts"]]) == ([2], [1])
    refused = await owner.request("POST", path, json={"numbers": [1, 3]})
    assert problem(refused, 422, "part_unknown")["parts"] == 2
    incomplete = problem(await complete(owner, declared["id"]), 409, "upload_incomplete")
    assert incomplete["missing"] == [1]
    await sent(owner.http, rest["parts"][0], parts[0])
    assert (await complete(owner, declared["id"])).json()["state"] == "stored"
    assert (await owner.request("POST", path)).json() == {
        "id": declared["id"],
        "state": "stored",
        "parts": [],
        "stored": [1, 2],
    }
    assert await fetch(owner, declared["id"]) == b"".join(parts)


@shows("POST /media/upload 409 media_id_taken")
async def test_the_same_declaration_again_is_answered_like_the_first(owner: Owner) -> None:
    data, media_id = secrets.token_bytes(100), str(uuid4())
    first = await declare(owner, declaration(data, id=media_id))
    again = await declare(owner, declaration(data, id=media_id))
    assert (first["id"], again["id"], again.keys()) == (media_id, media_id, first.keys())
    for other in ({"media_type": "text/plain"}, {"size": 101}, {"sha256": "0" * 64}, {"entry_id": str(uuid4())}):
        body = declaration(data, id=media_id) | other
        problem(await owner.request("POST", "/media/upload", json=body), 409, "media_id_taken")
    await sent(owner.http, again["upload"], data)
    await complete(owner, media_id)
    assert await declare(owner, declaration(data, id=media_id)) == {"id": media_id, "state": "stored"}


@shows(
    "POST /media/{media_id}/complete 409 upload_incomplete",
    "POST /media/{media_id}/complete 409 upload_damaged",
    "GET /media/{media_id}/download 409 upload_incomplete",
)
async def test_only_what_was_declared_exists(contract: Contract, owner: Owner) -> None:
    data, other = secrets.token_bytes(100), secrets.token_bytes(100)
    declared = await declare(owner, declaration(data))
    problem(await complete(owner, declared["id"]), 409, "upload_incomplete")
    assert (await send(owner.http, declared["upload"], other)).status_code == 422
    problem(await owner.request("GET", f"/media/{declared['id']}/download"), 409, "upload_incomplete")
    # As in a store that does not compare what comes with what was signed.
    running = contract.app.state.parts
    key = await object_key(running, owner, declared["id"])
    shorter = declaration(other[:99])
    signed = await running[ObjectStore].sign_upload(key, size=99, sha256=bytes.fromhex(shorter["sha256"]), seconds=60)
    put = await owner.http.put(f"http://lockleaf.test{signed.url}", headers=signed.headers, content=other[:99])
    assert put.is_success
    problem(await complete(owner, declared["id"]), 409, "upload_damaged")
    problem(await complete(owner, declared["id"]), 409, "upload_incomplete")
    await sent(owner.http, (await declare(owner, declaration(data, id=declared["id"])))["upload"], data)
    assert (await complete(owner, declared["id"])).json()["state"] == "stored"
    assert await fetch(owner, declared["id"]) == data


@shows(
    "DELETE /media/{media_id} 204",
    "POST /media/{media_id}/restore 200",
    "POST /media/upload 409 media_deleted",
    "POST /media/{media_id}/parts 409 media_deleted",
    "GET /media/{media_id}/download 409 media_deleted",
)
async def test_a_deleted_file_can_be_restored(owner: Owner) -> None:
    data, media_id = secrets.token_bytes(100), str(uuid4())
    await attach(owner, data, id=media_id)
    path = f"/media/{media_id}"
    for _ in range(2):
        assert (await owner.request("DELETE", path)).status_code == 204
    assert (await owner.request("GET", path)).json()["deleted_at"]
    problem(await owner.request("GET", f"{path}/download"), 409, "media_deleted")
    problem(await owner.request("POST", f"{path}/parts"), 409, "media_deleted")
    again = await owner.request("POST", "/media/upload", json=declaration(data, id=media_id))
    problem(again, 409, "media_deleted")
    lists = {
        which: [item["id"] for item in (await owner.request("GET", f"/media?deleted={which}")).json()["items"]]
        for which in ("false", "true", "all")
    }
    assert lists == {"false": [], "true": [media_id], "all": [media_id]}
    for _ in range(2):
        restored = await owner.request("POST", f"{path}/restore")
        assert (restored.status_code, "deleted_at" in restored.json()) == (200, False)
    assert await fetch(owner, media_id) == data
    assert (await owner.request("DELETE", f"{path}?for_good=true")).status_code == 204
    problem(await owner.request("POST", f"{path}/restore"), 404, "not_found")


@shows(
    "GET /media/{media_id} 404 not_found",
    "GET /media/{media_id}/download 404 not_found",
    "POST /media/{media_id}/parts 404 not_found",
    "POST /media/{media_id}/complete 404 not_found",
    "POST /media/{media_id}/restore 404 not_found",
    "DELETE /media/{media_id} 404 not_found",
)
async def test_another_accounts_file_is_no_file(contract: Contract, owner: Owner) -> None:
    media_id = await attach(owner, b"sealed")
    other = await register(contract.http)

    async def asked(media_id: str) -> list[dict[str, Any]]:
        answers = [
            await other.request(method, f"/media/{media_id}{step}")
            for method, step in (
                ("GET", ""),
                ("GET", "/download"),
                ("POST", "/parts"),
                ("POST", "/complete"),
                ("POST", "/restore"),
                ("DELETE", ""),
                ("DELETE", "?for_good=true"),
            )
        ]
        return [problem(answer, 404, "not_found") for answer in answers]

    assert await asked(media_id) == await asked(NOWHERE)
    assert (await other.request("GET", "/media")).json()["items"] == []
    assert await fetch(owner, media_id) == b"sealed"


async def test_a_list_comes_in_pages_latest_first(owner: Owner) -> None:
    entry = str(uuid4())
    made = [(await declare(owner, declaration(b"x", entry_id=entry)))["id"] for _ in range(3)]
    apart = (await declare(owner, declaration(b"x")))["id"]
    listed, cursor = [], None
    while cursor is not None or not listed:
        page = (
            await owner.request("GET", "/media", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        ).json()
        listed += [item["id"] for item in page["items"]]
        cursor = page.get("next_cursor")
    assert listed == [apart, *reversed(made)]
    of_entry = (await owner.request("GET", "/media", params={"entry_id": entry})).json()["items"]
    assert [item["id"] for item in of_entry] == [*reversed(made)]
