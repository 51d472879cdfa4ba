"""Every list takes a cursor and a limit; most give pages by their numbers too, and both lead through the same items."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.support.account_holders import problem
from tests.support.accounts import Owner, register
from tests.support.media import declaration, declare

BY_CURSOR_ALONE = {"/api/v1/sync/conflicts", "/api/v1/sync/backups"}
"""Forms of older clients, which go on by `since` or by the cursor."""
ENTRY = "0190c0de-0000-7000-8000-000000000001"


@pytest.fixture
async def owner(http: httpx.AsyncClient) -> Owner:
    """An account with five of everything."""
    owner = await register(http)
    for number in range(1, 6):
        stored = {"vault_id": f"blob-{number}", "ciphertext": "c2VhbGVk", "iv": "i", "salt": "s", "version": 1}
        made = [await owner.request("POST", "/vault", json=stored)]
        versioned = {**stored, "vault_id": "versions", "version": number}
        made.append(
            await owner.request("POST", "/vault", json=versioned)
            if number == 1
            else await owner.request("PUT", "/vault/versions", json=versioned)
        )
        fields = {"encrypted_content": f"text {number}"}
        made.append(
            await owner.request("POST", "/entries", json={"id": ENTRY, **fields})
            if number == 1
            else await owner.request("PUT", f"/entries/{ENTRY}", json={**fields, "revision": number})
        )
        if number > 1:
            made.append(await owner.request("POST", "/entries", json=fields))
            made.append(await http.post("/auth/login", json={"email": owner.email, "password": owner.password}))
        assert all(answer.status_code < 300 for answer in made), [answer.text for answer in made]
        await declare(owner, declaration(bytes([number])))
    return owner


async def page(owner: Owner, path: str, **params: Any) -> Any:
    answer = await owner.request("GET", path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


LISTS = ["/entries", f"/entries/{ENTRY}/history", "/media", "/vault/versions/versions", "/auth/sessions"]


@pytest.mark.parametrize("path", [*LISTS, "/vault"])
async def test_cursors_and_numbers_lead_through_the_same_items(owner: Owner, path: str) -> None:
    there = 6 if path == "/vault" else 5
    whole = (await page(owner, path))["items"]
    assert len(whole) == there
    followed: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        found = await page(owner, path, limit=2, **cursor)
        followed += found["items"]
        if found.get("next_cursor") is None:
            break
        cursor = {"cursor": found["next_cursor"]}
    numbered = [await page(owner, path, page=number, page_size=2) for number in (1, 2, 3)]
    assert followed == [item for each in numbered for item in each["items"]] == whole
    assert [(each["page"], each["page_size"], each["total"]) for each in numbered] == [
        (number, 2, there) for number in (1, 2, 3)
    ]
    beyond = await page(owner, path, page=9, page_size=2)
    assert (beyond["items"], beyond["total"], beyond.get("next_cursor")) == ([], there, None)


async def test_a_cursor_is_good_for_its_own_list_alone(owner: Owner, http: httpx.AsyncClient) -> None:
    cursors = {path: (await page(owner, path, limit=2))["next_cursor"] for path in LISTS}
    other = await register(http)
    for path in LISTS:
        for asked, cursor in cursors.items():
            if asked != path:
                answer = await owner.request("GET", path, params={"cursor": cursor})
                problem(answer, 422, "invalid_cursor")
        problem(await other.request("GET", "/media", params={"cursor": cursors[path]}), 422, "invalid_cursor")


async def test_a_page_is_asked_for_in_one_way(owner: Owner) -> None:
    cursor = (await page(owner, "/media", limit=2))["next_cursor"]
    for asked, name in (
        ({"page": 2, "cursor": cursor}, "page"),
        ({"page_size": 2, "limit": 3}, "page_size"),
        ({"page": 0}, "page"),
        ({"page_size": 501}, "page_size"),
    ):
        refused = problem(await owner.request("GET", "/media", params=asked), 422, "invalid_request")
        assert [error["field"].split(".")[-1] for error in refused["errors"]] == [name]
    assert len((await page(owner, "/media", limit=3, page_size=3))["items"]) == 3


def test_every_list_takes_what_its_answer_leads_on_by(app: FastAPI) -> None:
    document = app.openapi()
    schemas = document["components"]["schemas"]
    lists = 0
    for path, methods in document["paths"].items():
        content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        named = content.get("application/json", {}).get("schema", {}).get("$ref", "/").rsplit("/", 1)[-1]
        fields = schemas.get(named, {}).get("properties", {})
        if "next_cursor" not in fields:
            continue
        lists += 1
        asked = {parameter["name"] for parameter in methods["get"]["parameters"]}
        by_number = set() if path in BY_CURSOR_ALONE else {"page", "page_size"}
        assert asked >= {"cursor", "limit"} | by_number, path
        assert ("page" in fields) is bool(by_number), path
    assert lists > 10
