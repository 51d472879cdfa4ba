"""The history of access: each opening of an account's content is counted, and its user can read when and for what."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.errors import CustodyRequired, SessionRevoked
from lockleaf.server.platform.clock import Clock as ServerClock
from lockleaf.server.platform.db.engine import Database
from tests.support.account_holders import Clocked, Person, problem
from tests.support.uce_holders import Thin, opened_entry, parts_of, principal_of, written_entry

ENTRY = {"type": "entry", "body": "A walk."}


async def history(http: httpx.AsyncClient, person: Person, **params: Any) -> dict[str, Any]:
    answer = await http.get("/users/me/access", params=params, headers=person.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def open_for(app: FastAPI, person: Person, purpose: str, records: int = 0) -> None:
    parts, principal = parts_of(app), await principal_of(app, person)
    async with (
        parts[Database].transaction() as tx,
        keyrings.opened(parts[ServerClock], parts[Custodian], tx.connection, principal, purpose=purpose) as keys,
    ):
        for number in range(records):
            place: dict[str, Any] = {"collection": "entries", "record_id": str(number), "base_revision": 0}
            keys.seal(**place, parent=bytes(32), content=ENTRY, device="d", written_at=datetime.now(UTC))


async def test_openings_are_counted_by_session_purpose_and_hour(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    assert await history(http, person) == {"items": [], "next_cursor": None}
    tablet = await person.log_in(http, device_name="tablet")
    record_id = await written_entry(app, person, ENTRY)
    for _ in range(3):
        await opened_entry(app, tablet, record_id)
    await open_for(app, tablet, "tags.read")
    found = {(item["device_name"], item["purpose"]): item for item in (await history(http, person))["items"]}
    assert {key: (item["openings"], item["records"]) for key, item in found.items()} == {
        ("first device", "entries.write"): (1, 1),
        ("tablet", "entries.read"): (3, 3),
        ("tablet", "tags.read"): (1, 0),
    }
    read = found["tablet", "entries.read"]
    assert read["session_id"] == tablet.tokens["session_id"]
    assert read["hour"].endswith(":00:00Z")
    assert read["last_at"][:13] == read["hour"][:13]


async def test_the_newest_hours_come_first_in_pages_that_follow_one_another(clocked: Clocked) -> None:
    app, http, clock = clocked
    person = await Thin().sign_up(http)
    for hour in range(4):
        for purpose in ("entries.read", "search"):
            await open_for(app, person, purpose, records=hour)
        clock.advance(hours=1)
        person.tokens |= (await person.refresh(http)).json()
    whole = (await history(http, person))["items"]
    assert [item["records"] for item in whole] == [3, 3, 2, 2, 1, 1, 0, 0]
    paged, cursor = [], None
    while cursor is not None or not paged:
        page = await history(http, person, limit=3, **({"cursor": cursor} if cursor else {}))
        assert len(page["items"]) <= 3
        paged += page["items"]
        cursor = page["next_cursor"]
    assert paged == whole


async def test_an_opening_that_fails_with_its_request_is_not_told(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    parts, principal = parts_of(app), await principal_of(app, person)

    async def fail() -> None:
        async with (
            parts[Database].transaction() as tx,
            keyrings.opened(parts[ServerClock], parts[Custodian], tx.connection, principal, purpose="entries.read"),
        ):
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert (await history(http, person))["items"] == []


async def test_the_keys_are_gone_when_the_room_is_left(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    parts, principal = parts_of(app), await principal_of(app, person)
    async with (
        parts[Database].transaction() as tx,
        keyrings.opened(parts[ServerClock], parts[Custodian], tx.connection, principal, purpose="entries.read") as keys,
    ):
        label = keys.label("tag", "garden")
        assert label == keys.label("tag", "Garden")
    with pytest.raises(RuntimeError):
        keys.label("tag", "garden")


async def test_openings_at_once_are_all_counted(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    await asyncio.gather(*(open_for(app, person, "entries.read", records=2) for _ in range(10)))
    openings = sum(item["openings"] for item in (await history(http, person))["items"])
    records = sum(item["records"] for item in (await history(http, person))["items"])
    assert (openings, records) == (10, 20)


async def test_the_history_stays_when_the_session_goes_and_goes_with_the_account(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    person = await Thin().sign_up(http)
    lost = await person.log_in(http, device_name="lost telephone")
    await open_for(app, lost, "entries.read")
    await http.delete(f"/auth/sessions/{lost.tokens['session_id']}", headers=person.headers)
    (item,) = (await history(http, person))["items"]
    assert (item["session_id"], item["device_name"]) == (lost.tokens["session_id"], None)
    body = {"current_password": person.secret}
    assert (await http.request("DELETE", "/users/me", json=body, headers=person.headers)).status_code == 204
    async with parts_of(app)[Database].read_driver() as connection:
        assert await connection.fetchval("SELECT count(*) FROM accesses WHERE user_id = $1", person.id) == 0


async def test_a_lower_tier_keeps_the_history(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    await open_for(app, person, "entries.read")
    body = {"current_password": person.secret}
    answer = await http.request("DELETE", "/users/me/privacy/revoke", json=body, headers=person.headers)
    assert answer.status_code == 200
    assert len((await history(http, person))["items"]) == 1


async def test_nobody_else_reads_it_and_cursors_are_of_their_account(app: FastAPI, http: httpx.AsyncClient) -> None:
    person, stranger = await Thin().sign_up(http), await Thin().sign_up(http)
    for purpose in ("entries.read", "entries.write"):
        await open_for(app, person, purpose)
    cursor = (await history(http, person, limit=1))["next_cursor"]
    assert (await history(http, stranger))["items"] == []
    for wrong in (cursor, "nonsense"):
        answer = await http.get("/users/me/access", params={"cursor": wrong}, headers=stranger.headers)
        problem(answer, 422, "invalid_cursor")
    narrow = await person.log_in(http, scope="entries")
    problem(await http.get("/users/me/access", headers=narrow.headers), 403, "insufficient_scope")
    reader = await person.log_in(http, scope="account:read")
    assert len((await history(http, reader))["items"]) == 2


async def test_an_end_to_end_encrypted_account_is_never_opened_and_has_no_history(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    person = await Person().sign_up(http)
    with pytest.raises(CustodyRequired) as refused:
        await open_for(app, person, "entries.read")
    assert refused.value.facts == {"required": "uce"}
    assert await history(http, person) == {"items": [], "next_cursor": None}


async def test_the_room_stays_closed_when_the_session_ended_after_its_token_was_checked(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    person = await Thin().sign_up(http)
    parts, principal = parts_of(app), await principal_of(app, person)
    assert (await http.post("/auth/logout", headers=person.headers)).status_code == 204

    async def enter() -> None:
        async with (
            parts[Database].transaction() as tx,
            keyrings.opened(parts[ServerClock], parts[Custodian], tx.connection, principal, purpose="entries.read"),
        ):
            raise LookupError

    with pytest.raises(SessionRevoked):
        await enter()
    assert "session_key" not in repr(principal)
