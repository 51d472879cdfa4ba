"""Names of files that come with their upload: kept, given back, and of a uce account never stored as they are."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.platform.db.engine import Database
from tests.support.account_holders import Person, problem
from tests.support.accounts import Owner, register
from tests.support.diaries import thin
from tests.support.media import complete, declaration, declare, sent


def older(data: bytes, **fields: Any) -> dict[str, Any]:
    """What a client of the older diary says of a file."""
    told = declaration(data)
    return {"file_size": told["size"], "mime_type": "Image/JPEG", **fields}


@pytest.fixture(params=["opaque", "uce"])
async def owner(request: pytest.FixtureRequest, http: httpx.AsyncClient) -> Owner:
    return await (thin(http) if request.param == "uce" else register(http))


async def test_a_file_has_the_name_that_it_was_declared_with(app: FastAPI, owner: Owner) -> None:
    data, name = secrets.token_bytes(300), f"Ferien am Meer {secrets.token_hex(8)}.jpg"
    body = older(data, id=str(uuid4()), file_name=name)
    declared = await declare(owner, body)
    assert (await declare(owner, body))["id"] == declared["id"]
    for other in ({"file_name": "another.jpg"}, {"file_name": None}):
        problem(await owner.request("POST", "/media/upload", json={**body, **other}), 409, "media_id_taken")
    nameless = await declare(owner, older(b"x"))
    await sent(owner.http, declared["upload"], data)
    done = (await complete(owner, declared["id"])).json()
    assert (done["file_name"], done["media_type"], done["size"]) == (name, "image/jpeg", 300)
    assert (await owner.request("GET", f"/media/{declared['id']}")).json() == done
    listed = {item["id"]: item.get("file_name") for item in (await owner.request("GET", "/media")).json()["items"]}
    assert listed == {declared["id"]: name, nameless["id"]: None}
    await owner.request("DELETE", f"/media/{declared['id']}")
    assert (await owner.request("POST", f"/media/{declared['id']}/restore")).json()["file_name"] == name
    async with app.state.parts[Database].read_driver() as connection:
        stored = await connection.fetchval("SELECT file_name FROM media WHERE media_id = $1", declared["id"])
    assert (stored == name.encode()) == (owner.answer["encryption_tier"] == "e2e")
    assert name.encode() not in stored or owner.answer["encryption_tier"] == "e2e"


async def test_a_sealed_name_is_of_its_file_alone(app: FastAPI, http: httpx.AsyncClient) -> None:
    uma = await thin(http)
    one, two = [(await declare(uma, older(b"x", file_name=name)))["id"] for name in ("one", "two")]
    async with app.state.parts[Database].transaction() as tx:
        await tx.connection.execute(
            "UPDATE media SET file_name = (SELECT file_name FROM media WHERE media_id = $1) WHERE media_id = $2",
            one,
            two,
        )
    listed = {item["id"]: item.get("file_name") for item in (await uma.request("GET", "/media")).json()["items"]}
    assert listed == {one: "one", two: None}


async def test_who_has_a_keyring_keeps_names_within_entries(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    answer = await http.post("/media/upload", json=declaration(b"x", file_name="river.jpg"), headers=person.headers)
    assert [error["field"] for error in problem(answer, 422, "invalid_request")["errors"]] == ["file_name"]
    assert "river" not in answer.text
    assert (await http.get("/media", headers=person.headers)).json()["items"] == []


@pytest.mark.parametrize("name", ["", "a\nb", "a\u0000b", "x" * 2049, 7])
async def test_what_is_no_name_is_refused(http: httpx.AsyncClient, name: Any) -> None:
    uma = await thin(http)
    problem(await uma.request("POST", "/media/upload", json=older(b"x", file_name=name)), 422, "invalid_request")


async def test_a_permanent_deletion_frees_the_room_at_once(http: httpx.AsyncClient) -> None:
    uma = await thin(http)
    declared = await declare(uma, older(data := secrets.token_bytes(300)))
    await sent(http, declared["upload"], data)
    await complete(uma, declared["id"])
    place = f"/media/{declared['id']}"
    assert (await uma.request("DELETE", place, params={"permanent": "true"})).status_code == 204
    problem(await uma.request("GET", place), 404, "not_found")


async def test_a_download_completes_an_upload_that_is_whole(owner: Owner) -> None:
    data = secrets.token_bytes(300)
    declared = await declare(owner, older(data))
    place = f"/media/{declared['id']}"
    problem(await owner.request("GET", f"{place}/download"), 409, "upload_incomplete")
    await sent(owner.http, declared["upload"], data)
    told = (await owner.request("GET", f"{place}/download")).json()
    assert (await owner.http.get(told["url"], headers=told["headers"])).content == data
    assert (await owner.request("GET", place)).json()["state"] == "stored"
