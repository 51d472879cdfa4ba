"""Sessions in user-controlled encryption: each generation of tokens carries a key of its own, and opens the content."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.crypto import uce
from lockleaf.crypto.keyring import UCE_LABEL, open_keyring
from lockleaf.server.identity.auth import sessions
from lockleaf.server.identity.auth.repository import SessionRepository
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.fields import decode_base64
from tests.support.account_holders import Clocked, Person, problem, served
from tests.support.thief import token_claims
from tests.support.uce_holders import Thin, opened_entry, parts_of, stored, written_entry

ENTRY = {"type": "entry", "title": "A walk", "body": "Along the river.", "tags": ["garden"]}


async def generations(app: FastAPI, person: Person) -> list[int]:
    async with parts_of(app)[Database].read_driver() as connection:
        rows = await connection.fetch(
            "SELECT generation FROM session_keys WHERE user_id = $1 AND session_id = $2::text::uuid "
            "ORDER BY generation",
            person.id,
            person.tokens["session_id"],
        )
    return [row[0] for row in rows]


def key_of(tokens: dict[str, Any]) -> bytes:
    carried = {token_claims(tokens[name])["sk"] for name in ("access_token", "refresh_token")}
    assert len(carried) == 1
    return decode_base64(carried.pop())


async def test_a_sign_up_answers_ten_codes_once_and_keys_that_the_server_made(http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    assert person.tokens["encryption_tier"] == "uce"
    assert person.tokens["privacy_tier"] == "full_sync"
    assert len(set(person.shown_codes)) == 10
    me = (await http.get("/auth/me", headers=person.headers)).json()
    assert (me["encryption_tier"], me["kdf"], me["keyring_version"]) == ("uce", None, 1)
    kek = uce.derive_kek(person.secret, decode_base64(me["kek_salt"]))
    place = {"label": UCE_LABEL, "user_id": str(person.id), "version": 1}
    keyring = open_keyring(decode_base64(me["keyring"]), kek, **place)
    assert keyring.newest.recipient == me["recipient"]
    assert keyring.newest.public_signing_key == decode_base64(me["signing_key"])
    features = (await http.get("/auth/features", headers=person.headers)).json()
    assert features["features"]["server_decryption"] is True


async def test_a_repeated_sign_up_is_answered_without_codes_and_a_foreign_one_refused(http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    again = await http.post("/auth/signup", json=person.signup_body())
    assert again.status_code == 201
    assert (again.json()["id"], again.json()["recovery_codes"]) == (str(person.id), None)
    for other in ({"password": "another password"}, {"id": str(uuid4())}):
        problem(await http.post("/auth/signup", json=person.signup_body(**other)), 409, "email_taken")
    left = (await http.get("/auth/recovery-codes", headers=person.headers)).json()
    assert left["remaining"] == 10


async def test_of_concurrent_sign_ups_with_one_email_one_is_made(http: httpx.AsyncClient) -> None:
    email = Thin().email
    answers = await asyncio.gather(*(http.post("/auth/signup", json=Thin(email=email).signup_body()) for _ in range(4)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 3}


async def test_the_answers_of_end_to_end_accounts_carry_no_key(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    for name in ("access_token", "refresh_token"):
        assert "sk" not in token_claims(person.tokens[name])
    assert person.tokens["recovery_codes"] is None
    me = (await http.get("/auth/me", headers=person.headers)).json()
    assert me["kek_salt"] is None
    features = (await http.get("/auth/features", headers=person.headers)).json()
    assert features["features"]["server_decryption"] is False


@pytest.mark.parametrize("way", ["login", "token"])
async def test_each_login_has_a_key_of_its_own_and_each_opens_the_same(
    app: FastAPI, http: httpx.AsyncClient, way: str
) -> None:
    person = await Thin().sign_up(http)
    record_id = await written_entry(app, person, ENTRY)
    if way == "login":
        other = await person.log_in(http)
        assert other.tokens["user"]["kek_salt"] is not None
    else:
        form = {"username": person.email, "password": person.secret, "scope": "entries:read"}
        answer = await http.post("/auth/token", data=form)
        other = Thin(id=person.id, email=person.email, tokens=answer.json())
        problem(await http.get("/auth/me", headers=other.headers), 403, "insufficient_scope")
    assert key_of(other.tokens) != key_of(person.tokens)
    assert await opened_entry(app, other, record_id) == ENTRY


async def test_a_wrong_password_opens_nothing(http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    for email, password in ((person.email, "another password"), (Thin().email, person.secret)):
        answer = await http.post("/auth/login", json={"email": email, "password": password})
        problem(answer, 401, "invalid_credentials")


@pytest.mark.parametrize(("suite", "number"), [("aes-256-gcm", 1), ("chacha20-poly1305", 2)])
async def test_what_the_server_seals_is_in_the_suite_of_the_setting_and_both_are_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, suite: str, number: int
) -> None:
    monkeypatch.setenv("LOCKLEAF_CUSTODY__SUITE", suite)
    async with served(Settings()) as (app, http):
        person = await Thin().sign_up(http)
        record_id = await written_entry(app, person, ENTRY)
        assert (await stored(app, person.id, record_id)).payload[1] == number
        async with parts_of(app)[Database].read_driver() as connection:
            sealed = await connection.fetchrow(
                "SELECT a.keyring, k.sealed_kek, c.keyring FROM accounts a JOIN session_keys k USING (user_id) "
                "JOIN recovery_codes c USING (user_id) WHERE user_id = $1 LIMIT 1",
                person.id,
            )
        assert {seal[1] for seal in sealed} == {number}
    other = {1: "chacha20-poly1305", 2: "aes-256-gcm"}[number]
    monkeypatch.setenv("LOCKLEAF_CUSTODY__SUITE", other)
    async with served(Settings()) as (app, http):
        person = Thin(**{**vars(person), "tokens": (await person.refresh(http)).json()})
        assert await opened_entry(app, person, record_id) == ENTRY
        record_id = await written_entry(app, await person.log_in(http), ENTRY)
        assert (await stored(app, person.id, record_id)).payload[1] == 3 - number
        assert await opened_entry(app, person, record_id) == ENTRY


async def test_a_refresh_draws_a_new_key_and_the_access_token_before_lives_out_its_time(clocked: Clocked) -> None:
    app, http, clock = clocked
    person = await Thin().sign_up(http)
    record_id = await written_entry(app, person, ENTRY)
    clock.advance(minutes=5)
    later = Thin(**{**vars(person), "tokens": (await person.refresh(http)).json()})
    assert key_of(later.tokens) != key_of(person.tokens)
    for each in (person, later):
        assert await opened_entry(app, each, record_id) == ENTRY
    assert await generations(app, person) == [1, 2]
    clock.advance(minutes=11)
    problem(await http.get("/auth/me", headers=person.headers), 401, "token_expired")
    assert await opened_entry(app, later, record_id) == ENTRY
    last = Thin(**{**vars(later), "tokens": (await later.refresh(http)).json()})
    assert await opened_entry(app, last, record_id) == ENTRY
    assert await generations(app, person) == [2, 3]


async def test_a_refresh_long_after_the_access_token_expired_leaves_one_key(clocked: Clocked) -> None:
    app, http, clock = clocked
    person = await Thin().sign_up(http)
    record_id = await written_entry(app, person, ENTRY)
    clock.advance(days=20)
    person.tokens = (await person.refresh(http)).json()
    assert await generations(app, person) == [2]
    assert await opened_entry(app, person, record_id) == ENTRY


async def test_a_repeated_refresh_is_answered_alike_key_and_all(clocked: Clocked) -> None:
    app, http, clock = clocked
    person = await Thin().sign_up(http)
    record_id = await written_entry(app, person, ENTRY)
    clock.advance(days=1)  # so that the key before has nothing else to live for
    retry_id = uuid4().hex
    first = (await person.refresh(http, retry_id=retry_id)).json()
    clock.advance(seconds=50)
    again = (await person.refresh(http, retry_id=retry_id)).json()
    for name in ("access_token", "refresh_token", "session_id"):
        assert again[name] == first[name]
    later = Thin(**{**vars(person), "tokens": again})
    assert await opened_entry(app, later, record_id) == ENTRY
    clock.advance(minutes=13)
    later.tokens = (await person.refresh(http, retry_id=retry_id)).json()
    later.tokens = (await later.refresh(http, retry_id=uuid4().hex)).json()
    assert await opened_entry(app, later, record_id) == ENTRY
    # Nobody can ask for the first answer again, so that its key lives no longer than its access token.
    clock.advance(minutes=3)
    later.tokens = (await later.refresh(http, retry_id=uuid4().hex)).json()
    assert 1 not in await generations(app, person)
    problem(await person.refresh(http, retry_id=retry_id), 401, "refresh_token_reused")
    assert not await later.is_signed_in(http)
    assert await generations(app, person) == []


async def test_a_refresh_repeated_after_its_answer_expired_finds_the_session_over(
    clocked: Clocked,
) -> None:
    _, http, clock = clocked
    person = await Thin().sign_up(http)
    retry_id = uuid4().hex
    assert (await person.refresh(http, retry_id=retry_id)).status_code == 200
    clock.advance(minutes=16)
    problem(await person.refresh(http, retry_id=retry_id), 401, "session_revoked")


async def test_concurrent_retries_of_one_attempt_all_get_the_same_key(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    record_id = await written_entry(app, person, ENTRY)
    retry_id = uuid4().hex
    answers = await asyncio.gather(*(person.refresh(http, retry_id=retry_id) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({key_of(answer.json()) for answer in answers}) == 1
    later = Thin(**{**vars(person), "tokens": answers[0].json()})
    assert await opened_entry(app, later, record_id) == ENTRY
    assert await generations(app, person) == [1, 2]


async def test_of_concurrent_uses_of_one_refresh_token_one_wins_and_the_keys_go(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    person = await Thin().sign_up(http)
    answers = await asyncio.gather(*(person.refresh(http) for _ in range(6)))
    codes = Counter(answer.json().get("code", "won") for answer in answers)
    assert codes["won"] == 1
    assert codes["refresh_token_reused"] >= 1
    assert not await person.is_signed_in(http)
    assert await generations(app, person) == []


async def test_a_token_whose_generation_has_no_key_any_more_speaks_for_nobody(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    person = await Thin().sign_up(http)
    assert await person.is_signed_in(http)
    async with parts_of(app)[Database].transaction() as transaction:
        await transaction.connection.execute("DELETE FROM session_keys WHERE user_id = $1", person.id)
    assert not await person.is_signed_in(http)


async def test_others_are_served_while_a_login_derives_its_key(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    released = threading.Event()
    threads = parts_of(app)[Settings].hashing.threads
    # Every thread that derives keys is kept busy, so that the login below cannot come to its end before it is let.
    kept = [asyncio.create_task(parts_of(app)[VerifierHasher].run(released.wait)) for _ in range(threads)]
    try:
        login = asyncio.create_task(person.log_in(http))
        assert (await http.get("/auth/me", headers=person.headers)).status_code == 200
        assert not login.done()
    finally:
        released.set()
    assert all(await asyncio.gather(*kept))
    assert (await login).tokens["access_token"]


@pytest.mark.parametrize("way", ["logout", "all", "all others", "reuse"])
async def test_a_session_that_ends_while_it_is_refreshed_leaves_no_key(
    app: FastAPI, http: httpx.AsyncClient, way: str
) -> None:
    person = await Thin().sign_up(http)
    parts, session_id = parts_of(app), UUID(person.tokens["session_id"])
    claims = parts[TokenCodec].read_refresh(person.tokens["refresh_token"])

    async def end() -> None:
        async with parts[Database].transaction() as tx:
            repository = SessionRepository(tx.session, person.id)
            match way:
                case "logout":
                    await sessions.end(tx, person.id, session_id)
                case "all":
                    await repository.delete_all()
                case "all others":
                    await repository.delete_all(but=uuid4())
                case _:
                    await repository.revoke(session_id)

    async with parts[Database].transaction() as tx:
        assert isinstance(await parts[sessions.SessionIssuer].rotate(tx.session, claims, None), sessions.OpenSession)
        ending = asyncio.create_task(end())
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        async with asyncio.timeout(20), parts[Database].read_driver() as connection:
            while not await connection.fetchval(waiting):
                await asyncio.sleep(0)
    await ending
    assert await generations(app, person) == []
