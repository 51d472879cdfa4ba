"""The sealed inbox: what arrives is readable to nobody but the account's devices, and waits until one takes it."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from lockleaf.crypto import identity
from lockleaf.server.features.inbox.errors import InboxFull, ItemTooLarge, RecipientRequired
from lockleaf.server.features.sync.stream import LiveStream
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.settings import LimitSettings, Settings
from lockleaf.server.platform.tiers import TierRequired
from lockleaf.wire.codec import pack, unpack
from lockleaf.wire.content import MAX_PAYLOAD_BYTES
from lockleaf.wire.fields import decode_base64
from tests.support.account_holders import Person, problem, served
from tests.support.accounts import Owner, register
from tests.support.senders import POST, put_in


async def waiting(http: httpx.AsyncClient, person: Person, **params: Any) -> dict[str, Any]:
    answer = await http.get("/inbox", params=params, headers=person.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
async def person(http: httpx.AsyncClient) -> Person:
    return await Person().sign_up(http)


async def test_an_item_is_sealed_to_the_account_and_opens_with_its_identity_alone(
    app: FastAPI, http: httpx.AsyncClient, person: Person
) -> None:
    item_id = await put_in(app, person.id)
    (item,) = (await waiting(http, person))["items"]
    assert (item["id"], item["provider"]) == (str(item_id), "web")
    sealed = decode_base64(item["sealed"])
    assert b"sea at noon" not in sealed
    opened = unpack(identity.open_sealed([identity.identity_from_seed(person.identity_seed)], sealed))
    assert opened == {**POST, "provider": "web", "external_id": "1"}


async def test_nothing_of_an_item_is_in_the_database_in_the_clear(app: FastAPI, person: Person) -> None:
    await put_in(app, person.id, "external-name-of-the-post")
    async with app.state.parts[Database].read_driver() as connection:
        (row,) = await connection.fetch("SELECT * FROM inbox WHERE user_id = $1", person.id)
    stored = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    for word in (b"The sea at noon", b"A picture", b"external-name-of-the-post"):
        assert word not in stored


async def test_the_same_thing_put_in_twice_is_one_item_and_each_account_has_its_own(
    app: FastAPI, http: httpx.AsyncClient, person: Person
) -> None:
    other = await Person().sign_up(http)
    ids = {await put_in(app, person.id, "1"), await put_in(app, person.id, "1", {**POST, "body": "edited"})}
    assert len(ids) == 1
    ids |= {
        await put_in(app, person.id, "2"),
        await put_in(app, person.id, "1", provider="other"),
        await put_in(app, other.id, "1"),
    }
    assert len(ids) == 4
    assert len((await waiting(http, person))["items"]) == 3
    assert len((await waiting(http, other))["items"]) == 1


async def test_an_item_may_come_as_messagepack(app: FastAPI, http: httpx.AsyncClient, person: Person) -> None:
    await put_in(app, person.id, content=pack(POST))
    assert len((await waiting(http, person))["items"]) == 1


@pytest.mark.parametrize("sealed", [True, False])
async def test_pages_give_every_item_once(app: FastAPI, http: httpx.AsyncClient, person: Person, sealed: bool) -> None:
    put = {str(await put_in(app, person.id, str(number))) for number in range(7)}
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await waiting(http, person, limit=3, sealed=sealed, **cursor)
        assert len(page["items"]) <= 3
        assert all((item["sealed"] is not None) == sealed for item in page["items"])
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(seen) == 7
    assert set(seen) == put


async def test_a_page_ends_where_large_items_fill_it(app: FastAPI, http: httpx.AsyncClient, person: Person) -> None:
    for number in range(12):
        await put_in(app, person.id, str(number), {"body": secrets.token_hex(450_000)})
    first = await waiting(http, person, limit=50)
    assert len(first["items"]) == 10  # of 900 kB each, some 8 MiB
    rest = await waiting(http, person, limit=50, cursor=first["next_cursor"])
    assert len(rest["items"]) == 2
    assert rest["next_cursor"] is None
    assert len((await waiting(http, person, sealed=False))["items"]) == 12


async def test_a_cursor_of_somebody_else_is_refused(app: FastAPI, http: httpx.AsyncClient, person: Person) -> None:
    other = await Person().sign_up(http)
    for number in range(2):
        await put_in(app, other.id, str(number))
    cursor = (await waiting(http, other, limit=1))["next_cursor"]
    for wrong in (cursor, "none"):
        problem(await http.get("/inbox", params={"cursor": wrong}, headers=person.headers), 422, "invalid_cursor")


async def test_an_acknowledged_item_is_gone_and_a_second_time_it_is_not_found(
    app: FastAPI, http: httpx.AsyncClient, person: Person
) -> None:
    item_id = await put_in(app, person.id)
    assert (await http.delete(f"/inbox/{item_id}", headers=person.headers)).status_code == 204
    assert (await waiting(http, person))["items"] == []
    problem(await http.delete(f"/inbox/{item_id}", headers=person.headers), 404, "not_found")


async def test_another_users_item_is_as_absent_as_one_that_never_was(
    app: FastAPI, http: httpx.AsyncClient, person: Person
) -> None:
    other = await Person().sign_up(http)
    item_id = await put_in(app, other.id)
    taken = await http.delete(f"/inbox/{item_id}", headers=person.headers)
    never = await http.delete(f"/inbox/{uuid4()}", headers=person.headers)
    assert problem(taken, 404, "not_found") == problem(never, 404, "not_found")
    assert len((await waiting(http, other))["items"]) == 1


async def test_reading_entries_shows_the_inbox_and_only_writing_them_empties_it(
    app: FastAPI, http: httpx.AsyncClient, person: Person
) -> None:
    item_id = await put_in(app, person.id)
    reader = await person.log_in(http, scope="entries:read")
    assert len((await waiting(http, reader))["items"]) == 1
    problem(await http.delete(f"/inbox/{item_id}", headers=reader.headers), 403, "insufficient_scope")
    manager = await person.log_in(http, scope="integrations")
    problem(await http.get("/inbox", headers=manager.headers), 403, "insufficient_scope")


async def test_only_who_can_open_it_and_wants_it_held_gets_an_item(app: FastAPI, http: httpx.AsyncClient) -> None:
    lower = await Person().sign_up(http, privacy_tier="analytics_sync")
    with pytest.raises(TierRequired):
        await put_in(app, lower.id)
    older = await register(http)
    with pytest.raises(RecipientRequired):
        await put_in(app, UUID(older.answer["id"]))


async def test_what_no_entry_could_hold_is_refused_without_being_quoted(app: FastAPI, person: Person) -> None:
    with pytest.raises(ItemTooLarge):
        await put_in(app, person.id, content={"body": "x" * MAX_PAYLOAD_BYTES})
    for content in ({"title": "secret words"}, {"body": "b", "occurred_at": "secret words"}, {"body": 7}):
        with pytest.raises(ValidationError) as told:
            await put_in(app, person.id, content=content)
        assert "secret words" not in str(told.value)


async def test_a_full_inbox_takes_nothing_more_until_something_is_taken_out(settings: Settings) -> None:
    limits = settings.limits.model_copy(update={"inbox_items": 2})
    async with served(settings.model_copy(update={"limits": limits})) as (app, http):
        person = await Person().sign_up(http)
        first = await put_in(app, person.id, "1")
        await put_in(app, person.id, "2")
        with pytest.raises(InboxFull) as told:
            await put_in(app, person.id, "3")
        assert told.value.facts == {"limit": 2}
        assert await put_in(app, person.id, "1") == first  # what waits already is no news
        await http.delete(f"/inbox/{first}", headers=person.headers)
        await put_in(app, person.id, "3")
        assert len((await waiting(http, person))["items"]) == 2


async def test_the_live_stream_counts_what_waits(app: FastAPI, http: httpx.AsyncClient, person: Person) -> None:
    await app.state.parts[EventHub].listening.wait()
    stream = LiveStream(
        app.state.parts[Database],
        app.state.parts[LimitSettings],
        app.state.parts[TokenCodec],
        app.state.parts[EventHub],
        person.id,
        person.tokens["access_token"],
    )
    lines = aiter(stream.body_iterator)

    async def next_event() -> str:
        async with asyncio.timeout(30):
            while not (text := bytes(await anext(lines)).decode()).startswith("data:"):
                pass
            return text

    assert '"inbox":0' in await next_event()
    item_id = await put_in(app, person.id)
    assert '"inbox":1' in await next_event()
    await http.delete(f"/inbox/{item_id}", headers=person.headers)
    assert '"inbox":0' in await next_event()
    await http.request(
        "DELETE", "/users/me/privacy/revoke", json={"current_password": person.secret}, headers=person.headers
    )
    async with asyncio.timeout(30):
        assert [line async for line in lines] == []  # a lower tier has no live stream
    problem(await http.get("/sync/events", headers=person.headers), 403, "tier_required")


@pytest.mark.parametrize("end", ["lowered tier", "deleted account"])
async def test_what_waits_goes_with_the_tier_and_with_the_account(
    app: FastAPI, http: httpx.AsyncClient, person: Person, end: str
) -> None:
    await put_in(app, person.id)
    owner = Owner(http, person.email, person.secret, person.tokens)
    if end == "lowered tier":
        await owner.request("DELETE", "/users/me/privacy/revoke", json={"current_password": person.secret})
    else:
        await owner.request("DELETE", "/users/me", json={"current_password": person.secret})
    async with app.state.parts[Database].read_driver() as connection:
        assert await connection.fetchval("SELECT count(*) FROM inbox WHERE user_id = $1", person.id) == 0
