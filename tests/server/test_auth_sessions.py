"""Staying in and going out: refresh tokens are used once, and a session that has ended is over at the next request."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import uuid4

import httpx
import pytest

from tests.support.account_holders import Clocked, Person, problem


async def test_a_refresh_gives_the_next_tokens(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    seen = {person.tokens["refresh_token"]}
    for _ in range(3):
        answer = await person.refresh(http)
        assert answer.status_code == 200
        assert answer.json()["session_id"] == person.tokens["session_id"]
        person.tokens = answer.json()
        seen.add(person.tokens["refresh_token"])
    assert len(seen) == 4
    assert await person.is_signed_in(http)


async def test_the_use_of_an_old_refresh_token_ends_the_session_for_good(http: httpx.AsyncClient) -> None:
    thief = await Person().sign_up(http)
    owner = Person(**{**vars(thief), "tokens": (await thief.refresh(http)).json()})
    problem(await thief.refresh(http), 401, "refresh_token_reused")
    assert not await owner.is_signed_in(http)
    problem(await owner.refresh(http), 401, "session_revoked")
    problem(await thief.refresh(http), 401, "session_revoked")


async def test_the_reuse_ends_no_other_session(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    other = await person.log_in(http)
    await person.refresh(http)
    problem(await person.refresh(http), 401, "refresh_token_reused")
    assert await other.is_signed_in(http)


async def test_a_retry_with_the_same_id_gets_the_same_tokens(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    retry_id = uuid4().hex
    first = (await person.refresh(http, retry_id=retry_id)).json()
    again = (await person.refresh(http, retry_id=retry_id)).json()
    for field in ("access_token", "refresh_token", "session_id", "scope"):
        assert again[field] == first[field]
    person.tokens = again
    assert (await person.refresh(http)).status_code == 200


@pytest.mark.parametrize("retry_id", [None, "another-id"])
async def test_a_retry_with_another_id_is_a_reuse(http: httpx.AsyncClient, retry_id: str | None) -> None:
    person = await Person().sign_up(http)
    await person.refresh(http, retry_id=uuid4().hex)
    more = {} if retry_id is None else {"retry_id": retry_id}
    problem(await person.refresh(http, **more), 401, "refresh_token_reused")


async def test_a_first_use_without_an_id_cannot_be_retried(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    await person.refresh(http)
    problem(await person.refresh(http, retry_id=uuid4().hex), 401, "refresh_token_reused")


async def test_a_retry_of_the_one_before_last_is_a_reuse(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    retry_id = uuid4().hex
    later = Person(**{**vars(person), "tokens": (await person.refresh(http, retry_id=retry_id)).json()})
    assert (await later.refresh(http, retry_id=retry_id)).status_code == 200
    problem(await person.refresh(http, retry_id=retry_id), 401, "refresh_token_reused")


async def test_a_retry_is_answered_until_its_answer_is_refreshed_in_its_turn(clocked: Clocked) -> None:
    _, http, clock = clocked
    person = await Person().sign_up(http)
    retry_id = uuid4().hex
    first = (await person.refresh(http, retry_id=retry_id)).json()
    clock.advance(seconds=55)
    again = (await person.refresh(http, retry_id=retry_id)).json()
    assert again["refresh_token"] == first["refresh_token"]
    assert again["expires_in"] <= first["expires_in"] - 55
    # The lid stays closed over the weekend.
    clock.advance(days=3)
    again = (await person.refresh(http, retry_id=retry_id)).json()
    assert (again["refresh_token"], again["expires_in"]) == (first["refresh_token"], 0)
    later = Person(**{**vars(person), "tokens": again})
    later.tokens = (await later.refresh(http, retry_id=uuid4().hex)).json()
    assert await later.is_signed_in(http)
    problem(await person.refresh(http, retry_id=retry_id), 401, "refresh_token_reused")
    assert not await later.is_signed_in(http)


async def test_of_two_who_ask_for_the_same_answer_the_second_to_go_on_is_found_out(http: httpx.AsyncClient) -> None:
    """Who copied a device in the middle of a refresh holds the token and the id of the attempt."""
    person = await Person().sign_up(http)
    retry_id = uuid4().hex
    answers = [(await person.refresh(http, retry_id=retry_id)).json() for _ in range(2)]
    owner, thief = (Person(**{**vars(person), "tokens": each}) for each in answers)
    owner.tokens = (await owner.refresh(http, retry_id=uuid4().hex)).json()
    problem(await thief.refresh(http, retry_id=uuid4().hex), 401, "refresh_token_reused")
    assert not await owner.is_signed_in(http)


async def test_of_concurrent_uses_of_one_refresh_token_one_wins(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    answers = await asyncio.gather(*(person.refresh(http) for _ in range(8)))
    codes = Counter(answer.json().get("code", "won") for answer in answers)
    assert codes["won"] == 1
    assert codes["refresh_token_reused"] >= 1
    assert codes["won"] + codes["refresh_token_reused"] + codes["session_revoked"] == 8
    # Nobody can tell the owner from the thief, so neither goes on.
    assert not await person.is_signed_in(http)


async def test_concurrent_retries_of_one_attempt_all_get_the_same_tokens(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    retry_id = uuid4().hex
    answers = await asyncio.gather(*(person.refresh(http, retry_id=retry_id) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert await person.is_signed_in(http)


async def test_a_refresh_token_expires_unless_it_is_used(clocked: Clocked) -> None:
    _, http, clock = clocked
    person = await Person().sign_up(http)
    clock.advance(days=29)
    person.tokens = (await person.refresh(http)).json()
    clock.advance(days=29)
    person.tokens = (await person.refresh(http)).json()
    clock.advance(days=31)
    problem(await person.refresh(http), 401, "token_expired")


async def test_what_is_no_refresh_token_is_invalid(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    for token in ("nonsense", person.tokens["access_token"]):
        problem(await http.post("/auth/refresh", json={"refresh_token": token}), 401, "token_invalid")
    assert (await person.refresh(http)).status_code == 200


async def test_a_logout_is_over_at_the_next_request(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    other = await person.log_in(http)
    answer = await http.post("/auth/logout", headers=person.headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert not await person.is_signed_in(http)
    problem(await person.refresh(http), 401, "session_revoked")
    problem(await http.post("/auth/logout", headers=person.headers), 401, "session_revoked")
    assert await other.is_signed_in(http)


async def test_the_narrowest_session_can_log_out(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    narrow = await person.log_in(http, scope="search:read")
    assert (await http.post("/auth/logout", headers=narrow.headers)).status_code == 204
    problem(await http.post("/auth/logout", headers=narrow.headers), 401, "session_revoked")


async def test_the_devices_are_listed_latest_used_first(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    tablet = await person.log_in(http, device_name="tablet", device_id="tablet-1")
    person.tokens = (await person.refresh(http)).json()
    items = (await http.get("/auth/sessions", headers=tablet.headers)).json()["items"]
    assert [(item["device_name"], item["device_id"], item["current"]) for item in items] == [
        ("first device", None, False),
        ("tablet", "tablet-1", True),
    ]
    assert items[1]["id"] == tablet.tokens["session_id"]
    assert items[0]["last_used_at"] > items[0]["created_at"]


async def test_a_device_can_be_signed_out_from_another(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    lost = await person.log_in(http)
    path = f"/auth/sessions/{lost.tokens['session_id']}"
    assert (await http.delete(path, headers=person.headers)).status_code == 204
    assert not await lost.is_signed_in(http)
    problem(await lost.refresh(http), 401, "session_revoked")
    problem(await http.delete(path, headers=person.headers), 404, "not_found")
    assert await person.is_signed_in(http)


async def test_the_sessions_of_others_are_not_there(http: httpx.AsyncClient) -> None:
    person, stranger = await Person().sign_up(http), await Person().sign_up(http)
    for session_id in (stranger.tokens["session_id"], uuid4()):
        answer = await http.delete(f"/auth/sessions/{session_id}", headers=person.headers)
        problem(answer, 404, "not_found")
    problem(await http.delete("/auth/sessions/x", headers=person.headers), 422, "invalid_request")
    assert await stranger.is_signed_in(http)


async def test_an_ended_session_is_not_listed(clocked: Clocked) -> None:
    _, http, clock = clocked
    person = await Person().sign_up(http)
    clock.advance(days=31)
    again = await person.log_in(http)
    items = (await http.get("/auth/sessions", headers=again.headers)).json()["items"]
    assert [item["id"] for item in items] == [again.tokens["session_id"]]


async def test_a_token_of_the_form_lives_longer_than_one_of_a_login(clocked: Clocked) -> None:
    _, http, clock = clocked
    person = await Person().sign_up(http)
    form = (await http.post("/auth/token", data={"username": person.email, "password": person.secret})).json()
    login = (await http.post("/auth/login", json={"email": person.email, "password": person.secret})).json()
    assert [round(each["expires_in"], -1) for each in (form, login)] == [1800, 900]

    async def status(tokens: dict[str, str]) -> int:
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        return (await http.get("/users/me", headers=headers)).status_code

    clock.advance(minutes=20)
    assert (await status(form), await status(login)) == (200, 401)
    clock.advance(minutes=11)
    assert await status(form) == 401
    # Who has a refresh token needs no longer one.
    refreshed = (await http.post("/auth/refresh", json={"refresh_token": form["refresh_token"]})).json()
    assert round(refreshed["expires_in"], -1) == 900
