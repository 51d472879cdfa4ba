"""What a search leaves behind: no word of it in the database, a log or a metric, and of the entries digests only."""

from __future__ import annotations

import io
import secrets
from uuid import UUID

import httpx
from fastapi import FastAPI

from lockleaf.crypto.labels import token
from lockleaf.server.platform.db.engine import Database
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import problem
from tests.support.accounts import change, register
from tests.support.canaries import Canaries
from tests.support.diaries import FullClient, thin
from tests.support.searching import found, index_rows, write
from tests.support.thief import dump, pieces_of


async def test_neither_words_nor_queries_are_in_the_database_a_log_or_a_metric(
    app: FastAPI, http: httpx.AsyncClient, log: io.StringIO
) -> None:
    owner = await thin(http)
    written, asked, in_filter = (f"zq{secrets.token_hex(8)}" for _ in range(3))
    await write(owner, f"{written} stands here", title=f"on {written}")
    await found(owner, f'{written} "{written} stands" -{asked} mood:{in_filter}')
    await found(owner, f"{asked} tag:{in_filter}", source=in_filter)
    await owner.request("POST", "/search/index")
    refused = [
        await owner.request("POST", "/search", json={"query": f"{asked} " * 65}),
        await owner.request("POST", "/search", json={"query": asked, "cursor": asked}),
        await owner.request("POST", "/search", json={"query": {asked: asked}}),
        await owner.request("POST", "/search", json={"query": asked, "from": asked}),
    ]
    await owner.request("PUT", "/search/index", json={"enabled": False})
    refused.append(await owner.request("POST", "/search", json={"query": asked}))
    for answer in refused:
        problem(answer, answer.status_code, answer.json()["code"])
    canaries = Canaries({"written": written, "asked": asked, "in a filter": in_filter})
    metrics = (await http.get("http://lockleaf.test/metrics")).text
    assert "lockleaf_searches_total" in metrics
    for text in (log.getvalue(), metrics, *(answer.text for answer in refused)):
        assert canaries.found_in(text.encode()) == set()
    async with app.state.parts[Database].read_driver() as connection:
        tables = await dump(connection)
    values = [value for rows in tables.values() for row in rows for value in row.values()]
    assert canaries.found_in_any(pieces_of(values)) == set()


async def test_the_index_holds_nothing_but_keyed_digests_of_the_stems(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner = await thin(http)
    made = await write(owner, "Houses, houses and the house of walking.", title="The house")
    key = (await FullClient.of(owner)).keyring.index_key
    expected = {("title", "hous"), ("body", "hous"), ("body", "walk")}
    assert await index_rows(app, owner) == {
        made["id"]: {encode_base64(token(key, field, stem)) for field, stem in expected}
    }
    user_id = UUID((await owner.request("GET", "/auth/me")).json()["id"])
    async with app.state.parts[Database].read_driver() as connection:
        [row] = await connection.fetch("SELECT * FROM search_documents WHERE user_id = $1", user_id)
        assert set(row.keys()) == {"user_id", "record_id", "seq", "at", "tokens"}


async def test_a_blind_search_leaves_nothing_behind(app: FastAPI, http: httpx.AsyncClient, log: io.StringIO) -> None:
    owner = await register(http)
    await owner.request("PUT", "/search/index", json={"enabled": True})
    held, asked = secrets.token_bytes(8), secrets.token_bytes(8)
    await owner.results(change(tokens=[held]))
    told = await found(owner, tokens={"any": [encode_base64(held), encode_base64(asked)]})
    assert told["total"] == 1
    canaries = Canaries({"base64": encode_base64(asked), "digits": str(int.from_bytes(asked, signed=True))})
    assert canaries.found_in(log.getvalue().encode()) == set()
    async with app.state.parts[Database].read_driver() as connection:
        for rows in (await dump(connection)).values():
            assert canaries.found_in_any(str(tuple(row.values())).encode() for row in rows) == set()
