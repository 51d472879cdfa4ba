"""Searching over plain HTTP, and the rows of an index as its database has them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from lockleaf.server.platform.db.engine import Database
from lockleaf.wire.fields import encode_base64
from tests.support.accounts import Owner
from tests.support.diaries import thin

__all__ = ["build", "contents", "found", "index_rows", "lasting", "write"]

_lasting: dict[tuple[str, str], Owner] = {}


async def lasting(http: httpx.AsyncClient, database_url: str, name: str) -> tuple[Owner, bool]:
    """The uce account of a name in a database, and whether it was made now.

    For tests that leave it as it is, or look at what they wrote alone: an account costs more than what most of them do.
    """
    place = (database_url, name)
    made = place not in _lasting
    if made:
        _lasting[place] = await thin(http)
    owner = _lasting[place]
    return Owner(http, owner.email, owner.password, owner.answer), made


async def found(owner: Owner, query: str | None = None, **body: Any) -> dict[str, Any]:
    """The answer to a search."""
    answer = await owner.request("POST", "/search", json={**({"query": query} if query is not None else {}), **body})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def contents(owner: Owner, query: str, **body: Any) -> set[str]:
    """The texts of the entries that a query finds, whatever their order."""
    return {hit["entry"]["content"] for hit in (await found(owner, query, **body))["items"]}


async def write(owner: Owner, content: str, **fields: Any) -> dict[str, Any]:
    """An entry of a thin client, as it was answered."""
    answer = await owner.request("POST", "/entries", json={"content": content, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def build(owner: Owner, **body: Any) -> dict[str, Any]:
    """The answer to one slice of building the index."""
    answer = await owner.request("POST", "/search/index", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def index_rows(app: FastAPI, owner: Owner) -> dict[str, set[str]]:
    """The digests of each entry that the index has, in base64, by the entry's id."""
    user_id = UUID((await owner.request("GET", "/auth/me")).json()["id"])
    async with app.state.parts[Database].read_driver() as connection:
        rows = await connection.fetch("SELECT record_id, tokens FROM search_documents WHERE user_id = $1", user_id)
    return {
        row["record_id"]: {encode_base64(token.to_bytes(8, signed=True)) for token in row["tokens"]} for row in rows
    }
