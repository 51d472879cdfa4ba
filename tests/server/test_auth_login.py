"""Coming in: what proves who one is, and what those learn who are not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import event, text

from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.settings import SecretSettings, Settings
from lockleaf.wire.fields import decode_base64
from tests.support.account_holders import Clocked, Person, new_email, served


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_login_tells_tokens_and_account(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    answer = await http.post(
        "/auth/login",
        json={"email": person.email.upper(), "password": person.secret, "device_name": "tablet", "device_id": "t-1"},
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["user"]["id"] == str(person.id)
    assert body["user"]["keyring"] == person.keyring
    assert (body["user"]["session_id"], body["user"]["device_id"]) == (body["session_id"], "t-1")
    assert body["token_type"] == "bearer"


async def test_the_form_of_oauth_2_logs_in_too(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    form = {"username": person.email, "password": person.secret, "grant_type": "password", "scope": ""}
    answer = await http.post("/auth/token", data=form)
    assert answer.status_code == 200
    person.tokens = answer.json()
    assert await person.is_signed_in(http)


@pytest.mark.parametrize("form", [{}, {"username": "a@example.org"}, {"username": "no@body@", "password": "x" * 9}])
async def test_a_form_that_is_no_login_is_refused(http: httpx.AsyncClient, form: dict[str, str]) -> None:
    assert code_of(await http.post("/auth/token", data=form)) == (422, "invalid_request")


@pytest.mark.parametrize("path", ["/auth/login", "/auth/token"])
async def test_a_wrong_secret_and_an_unknown_email_get_the_same_answer(http: httpx.AsyncClient, path: str) -> None:
    person = await Person().sign_up(http)
    answers = []
    for email, secret in ((person.email, "another secret"), (new_email(), "another secret")):
        fields = {"username": email, "password": secret}
        answers.append(await (http.post(path, json=fields) if path == "/auth/login" else http.post(path, data=fields)))
    known, unknown = answers
    assert code_of(known) == (401, "invalid_credentials")
    assert known.content == unknown.content
    assert set(known.headers) == set(unknown.headers)
    assert person.email not in known.text


async def test_an_unknown_email_costs_the_same_statements(http: httpx.AsyncClient, app: FastAPI) -> None:
    person = await Person().sign_up(http)
    statements: list[str] = []
    for engine in (app.state.parts[Database].reading, app.state.parts[Database].writing):
        event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    counts = {}
    for path, fields in (
        ("/auth/login", {"password": "another secret"}),
        ("/auth/prelogin", {}),
        ("/auth/verify-recovery-code", {"verifier": "A" * 43 + "="}),
    ):
        for email in (person.email, new_email()):
            statements.clear()
            await http.post(path, json={"email": email, **fields})
            counts.setdefault(path, []).append(list(statements))
    for path, (known, unknown) in counts.items():
        assert known == unknown, path
        assert len(known) == 2, path  # the directory, and the account


@contextmanager
def hashing_occupied(app: FastAPI) -> Iterator[threading.Event]:
    """The one hashing thread of the server at work until the event is set."""
    end = threading.Event()
    app.state.parts[VerifierHasher]._submit(end.wait)
    try:
        yield end
    finally:
        end.set()


def one_thread(settings: Settings, *, queue: int) -> Settings:
    return settings.model_copy(update={"hashing": settings.hashing.model_copy(update={"threads": 1, "queue": queue})})


@pytest.mark.parametrize("known", [True, False])
async def test_every_login_waits_for_a_hash_and_a_flood_is_asked_to_come_back(settings: Settings, known: bool) -> None:
    async with served(one_thread(settings, queue=1)) as (app, http):
        person = await Person().sign_up(http)
        email = person.email if known else new_email()
        with hashing_occupied(app) as end:
            waiting = asyncio.create_task(http.post("/auth/login", json={"email": email, "password": "a secret"}))
            await until(lambda: hashes_waiting(app) == 2)
            answer = await http.post("/auth/login", json={"email": email, "password": "a secret"})
            assert code_of(answer) == (429, "too_many_requests")
            assert int(answer.headers["retry-after"]) >= 1
            assert not waiting.done()
            assert (await http.get("/auth/me", headers=person.headers)).status_code == 200
            end.set()
            assert code_of(await waiting) == (401, "invalid_credentials")


def hashes_waiting(app: FastAPI) -> float | None:
    found: float | None = app.state.parts[Metrics].registry.get_sample_value("lockleaf_hashing_waiting")
    return found


async def until(condition: Callable[[], bool]) -> None:
    """Wait while others run; the test's own time limit is the end of patience."""
    while not condition():
        await asyncio.sleep(0)


async def test_no_connection_is_held_while_a_hash_waits(settings: Settings) -> None:
    async with served(one_thread(settings, queue=8)) as (app, http):
        person = await Person().sign_up(http)
        database = app.state.parts[Database]
        wrong = {"current_password": "not the secret"}
        with hashing_occupied(app) as end:
            requests = [
                asyncio.create_task(http.request(method, path, json=body, headers=person.headers))
                for method, path, body in (
                    ("POST", "/auth/login", {"email": person.email, "password": "not the secret"}),
                    ("POST", "/auth/signup", Person().signup_body()),
                    ("PUT", "/auth/password", {**wrong, "password": "another secret"}),
                    ("PUT", "/auth/keyring", Person().keyring_body(person, 1, **wrong)),
                    ("DELETE", "/users/me", wrong),
                )
            ]
            await until(lambda: hashes_waiting(app) == 1 + len(requests))
            assert database.reading.pool.checkedout() == 0
            assert database.writing.pool.checkedout() == 0
            end.set()
            answers = await asyncio.gather(*requests)
        assert [answer.status_code for answer in answers] == [401, 201, 401, 401, 401]


async def test_an_outdated_hash_is_renewed_at_login(settings: Settings) -> None:
    dearer = settings.model_copy(update={"hashing": settings.hashing.model_copy(update={"iterations": 3})})
    person = Person()

    async def stored(app: FastAPI) -> str:
        async with app.state.parts[Database].reader() as session:
            query = text("SELECT verifier_hash FROM accounts WHERE user_id = :id")
            found: str = await session.scalar(query, {"id": person.id})
        return found

    async with served(settings) as (app, http):
        await person.sign_up(http)
        assert ",t=1," in await stored(app)
    async with served(dearer) as (app, http):
        assert (await http.post("/auth/login", json={"email": person.email, "password": "wrong secret"})).is_error
        assert ",t=1," in await stored(app)
        await person.log_in(http)
        renewed = await stored(app)
        assert ",t=3," in renewed
        await person.log_in(http)
        assert await stored(app) == renewed


# ---- prelogin ----


async def test_prelogin_gives_the_parameters_of_an_account(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    answer = await http.post("/auth/prelogin", json={"email": f" {person.email.upper()} "})
    assert answer.json()["kdf"] == person.kdf


async def test_prelogin_for_an_unknown_email_looks_real_and_stays_the_same(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    real = (await http.post("/auth/prelogin", json={"email": person.email})).json()["kdf"]
    email = new_email()
    first, again, upper, other = [
        (await http.post("/auth/prelogin", json={"email": each})).json()["kdf"]
        for each in (email, email, email.upper(), new_email())
    ]
    assert first == again == upper
    assert first["salt"] != other["salt"]
    assert first.keys() == real.keys()
    assert len(decode_base64(first["salt"])) == 16
    assert (first["algorithm"], first["memory_kib"], first["iterations"]) == ("argon2id", 65536, 3)


async def test_an_account_without_parameters_shows_what_its_email_showed_before(http: httpx.AsyncClient) -> None:
    email = new_email()
    before = (await http.post("/auth/prelogin", json={"email": email})).json()
    assert (await http.post("/auth/register", json={"email": email, "password": "x" * 20})).status_code == 201
    assert (await http.post("/auth/prelogin", json={"email": email})).json() == before


async def test_pbkdf2_parameters_come_back_without_the_costs_they_do_not_have(http: httpx.AsyncClient) -> None:
    person = Person()
    person.kdf = {"algorithm": "pbkdf2-sha256", "salt": person.kdf["salt"], "iterations": 600000}
    await person.sign_up(http)
    assert (await http.post("/auth/prelogin", json={"email": person.email})).json()["kdf"] == person.kdf


async def test_new_root_secrets_end_no_session_and_change_no_prelogin(settings: Settings) -> None:
    email = new_email()
    rotated = SecretSettings(
        roots=("fR7mQ2xV9bK4pL8wZsTn1CyGd6HhJ3eU", *settings.secrets.roots),  # type: ignore[arg-type]
        prelogin=settings.secrets.prelogin,
    )
    async with served(settings) as (_, http):
        person = await Person().sign_up(http)
        before = (await http.post("/auth/prelogin", json={"email": email})).json()
    async with served(settings.model_copy(update={"secrets": rotated})) as (_, http):
        assert (await http.post("/auth/prelogin", json={"email": email})).json() == before
        assert await person.is_signed_in(http)
        answer = await http.post("/auth/refresh", json={"refresh_token": person.tokens["refresh_token"]})
        assert answer.status_code == 200


# ---- the bearer ----


async def test_a_request_without_a_token_is_told_to_log_in(http: httpx.AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer "}):
        answer = await http.get("/auth/me", headers=headers)
        assert code_of(answer) == (401, "not_authenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_what_is_no_access_token_is_invalid(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    claims = jwt.decode(person.tokens["access_token"], options={"verify_signature": False})
    for forged in (
        "nonsense",
        person.tokens["refresh_token"],
        jwt.encode(claims, None, "none"),
        jwt.encode(claims, "a key of somebody else's, long enough for it", "HS256"),
    ):
        answer = await http.get("/auth/me", headers={"Authorization": f"Bearer {forged}"})
        assert code_of(answer) == (401, "token_invalid")
        assert forged not in answer.text


async def test_an_access_token_expires(clocked: Clocked) -> None:
    _, http, clock = clocked
    person = await Person().sign_up(http)
    clock.advance(minutes=14)
    assert (await http.get("/auth/me", headers=person.headers)).status_code == 200
    clock.advance(minutes=2)
    assert code_of(await http.get("/auth/me", headers=person.headers)) == (401, "token_expired")


# ---- scopes ----


async def test_a_narrow_session_can_do_only_what_it_was_opened_for(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    narrow = await person.log_in(http, scope="sync  tags:read sync")
    assert narrow.tokens["scope"] == "sync tags:read"
    answer = await http.get("/auth/me", headers=narrow.headers)
    assert code_of(answer) == (403, "insufficient_scope")
    assert answer.json()["required"] == "account:read"


async def test_a_right_to_read_is_none_to_write(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    reader = await person.log_in(http, scope="account:read")
    assert (await http.get("/auth/me", headers=reader.headers)).status_code == 200
    answer = await http.put("/users/me", json={"display_name": "no"}, headers=reader.headers)
    assert code_of(answer) == (403, "insufficient_scope")
    assert answer.json()["required"] == "account"


async def test_a_refreshed_session_keeps_its_scope(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    narrow = await person.log_in(http, scope="account:read")
    answer = await http.post("/auth/refresh", json={"refresh_token": narrow.tokens["refresh_token"]})
    narrow.tokens = answer.json()
    assert narrow.tokens["scope"] == "account:read"
    answer = await http.put("/users/me", json={"display_name": "no"}, headers=narrow.headers)
    assert code_of(answer) == (403, "insufficient_scope")


@pytest.mark.parametrize("scope", ["everything", "account:write", "sync:read:read", "sync\u0000"])
async def test_an_unknown_scope_is_refused(http: httpx.AsyncClient, scope: str) -> None:
    person = await Person().sign_up(http)
    fields = {"username": person.email, "password": person.secret, "scope": scope}
    assert code_of(await http.post("/auth/login", json=fields)) == (422, "invalid_request")
    assert code_of(await http.post("/auth/token", data=fields)) == (422, "invalid_request")
