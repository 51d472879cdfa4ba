"""Second factors: what they keep out, and whom they let in."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest

from lockleaf.crypto import recovery
from lockleaf.server.identity.factors.proofs import sealer_of
from lockleaf.server.identity.factors.resealing import reseal_factors
from lockleaf.server.identity.factors.upkeep import forget_unanswered
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import Clock, Clocked, Person, new_kdf, problem, sealed
from tests.support.factors import App, add_app, challenge_of
from tests.support.uce_holders import Thin


@pytest.fixture
def clock(clocked: Clocked) -> Clock:
    return clocked.clock


@pytest.fixture
def http(clocked: Clocked) -> httpx.AsyncClient:
    return clocked.http


@pytest.fixture
async def ada(http: httpx.AsyncClient) -> Person:
    return await Person().sign_up(http)


@pytest.fixture
async def app_of_ada(http: httpx.AsyncClient, ada: Person, clock: Clock) -> App:
    return await add_app(http, ada, clock, name="phone")


async def login(http: httpx.AsyncClient, person: Person, factor: Any = None, **more: Any) -> httpx.Response:
    body = {"email": person.email, "password": person.secret, **more}
    return await http.post("/auth/login", json=body if factor is None else {**body, "factor": factor})


async def factors_of(http: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    answer = await http.get("/auth/factors", headers=person.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


# ---- adding one ----


async def test_an_app_counts_once_it_has_shown_a_code(http: httpx.AsyncClient, ada: Person, clock: Clock) -> None:
    proof = {"current_password": ada.secret}
    begun = await http.post("/auth/factors", json={**proof, "kind": "totp", "name": "phone"}, headers=ada.headers)
    shown = begun.json()["totp"]
    uri = urlsplit(shown["uri"])
    assert (uri.scheme, uri.netloc, parse_qs(uri.query)["secret"]) == ("otpauth", "totp", [shown["secret"]])
    assert (await login(http, ada)).status_code == 200  # it does not count yet
    app = App(shown["secret"], begun.json()["id"], (), clock)
    confirm = f"/auth/factors/{app.id}/confirm"
    refused = await http.post(confirm, json={**proof, "code": app.wrong()}, headers=ada.headers)
    problem(refused, 401, "invalid_factor")
    assert (await factors_of(http, ada))["items"] == []
    confirmed = await http.post(confirm, json={**proof, "code": app.code()}, headers=ada.headers)
    assert len(set(confirmed.json()["codes"])) == 10
    problem(await http.post(confirm, json={**proof, "code": app.code()}, headers=ada.headers), 404, "not_found")
    found = await factors_of(http, ada)
    assert [(each["id"], each["kind"], each["name"]) for each in found["items"]] == [(app.id, "totp", "phone")]
    assert (found["codes_left"], found["wrong_codes"], found["retry_at"]) == (10, 0, None)


async def test_whatever_changes_about_factors_ends_the_other_sessions(
    http: httpx.AsyncClient, ada: Person, clock: Clock
) -> None:
    other = await ada.log_in(http)
    app = await add_app(http, ada, clock)
    assert not await other.is_signed_in(http)
    other = await ada.log_in(http, factor=app.code())
    proof = {"current_password": ada.secret, "factor": app.code()}
    assert (await http.post("/auth/factors/codes", json=proof, headers=ada.headers)).status_code == 200
    assert not await other.is_signed_in(http)
    other = await ada.log_in(http, factor=app.code())
    proof["factor"] = app.code()
    gone = await http.request("DELETE", f"/auth/factors/{app.id}", json=proof, headers=ada.headers)
    assert gone.status_code == 204
    assert not await other.is_signed_in(http)
    assert await ada.is_signed_in(http)


async def test_an_account_has_a_bounded_number_of_factors(http: httpx.AsyncClient, ada: Person, clock: Clock) -> None:
    apps = [await add_app(http, ada, clock)]
    for _ in range(7):
        apps.append(await add_app(http, ada, clock, factor=apps[0].code()))
    body = {"current_password": ada.secret, "kind": "totp", "factor": apps[0].code()}
    refused = problem(await http.post("/auth/factors", json=body, headers=ada.headers), 409, "too_many_factors")
    assert refused["limit"] == 8
    assert (await login(http, ada, apps[7].code())).status_code == 200


# ---- what is asked for where ----


async def test_a_login_is_asked_for_the_factor_after_the_right_secret_alone(
    http: httpx.AsyncClient, ada: Person, app_of_ada: App
) -> None:
    problem(await login(http, replace(ada, secret="not the secret")), 401, "invalid_credentials")
    problem(await login(http, replace(ada, secret="not the secret"), app_of_ada.code()), 401, "invalid_credentials")
    asked = problem(await login(http, ada), 401, "second_factor_required")
    assert (asked["kinds"], asked["expires_in"]) == (["totp", "code"], 300)
    answer = await login(http, ada, {"code": app_of_ada.code(), "challenge": asked["challenge"]})
    assert answer.status_code == 200


async def test_every_way_in_asks_for_the_factor(http: httpx.AsyncClient, ada: Person, app_of_ada: App) -> None:
    proof = {"current_password": ada.secret}
    name = {"email": ada.email}
    with_verifier = {**name, "verifier": encode_base64(recovery.verifier(ada.codes[0]))}
    keys = await Person(id=ada.id, email=ada.email).rotation_body(http, ada, 1)
    password = {**proof, "password": "x" * 40, "kdf": new_kdf(), "keyring": sealed(), "base_keyring_version": 1}
    codes = {"recovery": ada.recovery_set(), "base_keyring_version": 1}
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/auth/login", {"json": {**name, "password": ada.secret}}),
        ("POST", "/auth/token", {"data": {"username": ada.email, "password": ada.secret}}),
        ("POST", "/auth/verify-recovery-code", {"json": with_verifier}),
        ("PUT", "/auth/password", {"json": password}),
        ("PUT", "/auth/keyring", {"json": keys}),
        ("POST", "/auth/recovery-codes", {"json": {**proof, **codes}}),
        ("POST", "/auth/factors", {"json": {**proof, "kind": "totp"}}),
        ("POST", "/auth/factors/codes", {"json": proof}),
        ("DELETE", f"/auth/factors/{app_of_ada.id}", {"json": proof}),
        ("PUT", "/users/me/privacy", {"json": {"privacy_tier": "local_only", **proof}}),
        ("DELETE", "/users/me/privacy/revoke", {"json": proof}),
        ("DELETE", "/users/me", {"json": proof}),
    ]
    for method, path, options in requests:
        asked = challenge_of(await http.request(method, path, headers=ada.headers, **options))
        field = "json" if "json" in options else "data"
        wrong = {field: {**options[field], "factor": app_of_ada.codes[0][::-1]}}
        assert challenge_of(await http.request(method, path, headers=ada.headers, **wrong), "invalid_factor") != asked
    # The same first registration again opens a session too, for who has the secret.
    problem(await http.post("/auth/signup", json=ada.signup_body()), 409, "email_taken")
    assert (await http.get("/auth/me", headers=ada.headers)).json()["keyring_version"] == 1
    assert (await factors_of(http, ada))["codes_left"] == 10


async def test_a_repeated_registration_of_a_uce_account_is_no_way_around(http: httpx.AsyncClient, clock: Clock) -> None:
    uma = await Thin().sign_up(http)
    body = {"email": uma.email, "password": uma.secret, "encryption_tier": "uce", "id": str(uma.id)}
    assert (await http.post("/auth/signup", json=body)).status_code == 201
    await add_app(http, uma, clock)
    problem(await http.post("/auth/signup", json=body), 409, "email_taken")


async def test_with_the_factor_each_of_them_opens(http: httpx.AsyncClient, ada: Person, clock: Clock) -> None:
    app = await add_app(http, ada, clock)
    form = {"username": ada.email, "password": ada.secret, "factor": app.code()}
    assert (await http.post("/auth/token", data=form)).status_code == 200
    password = {
        "current_password": ada.secret, "password": "x" * 40, "kdf": new_kdf(), "keyring": sealed(),
        "base_keyring_version": 1, "factor": app.code(),
    }  # fmt: skip
    changed = await http.put("/auth/password", json=password, headers=ada.headers)
    assert changed.status_code == 200
    ada = replace(ada, secret="x" * 40, tokens=changed.json())
    body = {"current_password": ada.secret, "factor": app.code()}
    lowered = await http.request("DELETE", "/users/me/privacy/revoke", json=body, headers=ada.headers)
    assert lowered.status_code == 200
    body["factor"] = app.code()
    assert (await http.request("DELETE", "/users/me", json=body, headers=ada.headers)).status_code == 204


async def test_a_stolen_access_token_takes_no_factor_away(
    http: httpx.AsyncClient, ada: Person, app_of_ada: App
) -> None:
    for proof in ({}, {"current_password": "not the secret", "factor": app_of_ada.code()}):
        gone = await http.request("DELETE", f"/auth/factors/{app_of_ada.id}", json=proof, headers=ada.headers)
        assert gone.status_code in (401, 422)
    assert len((await factors_of(http, ada))["items"]) == 1


# ---- a code is good once ----


async def test_a_code_is_accepted_once(http: httpx.AsyncClient, ada: Person, app_of_ada: App) -> None:
    code = app_of_ada.code()
    assert (await login(http, ada, code)).status_code == 200
    problem(await login(http, ada, code), 401, "invalid_factor")
    # Nor is one that was shown before it, and was not used.
    problem(await login(http, ada, app_of_ada.at_step(-1)), 401, "invalid_factor")
    assert (await login(http, ada, app_of_ada.code())).status_code == 200


async def test_clocks_may_differ_by_one_step(http: httpx.AsyncClient, ada: Person, app_of_ada: App) -> None:
    app_of_ada.clock.advance(minutes=10)
    for steps in (-2, 2):
        problem(await login(http, ada, app_of_ada.at_step(steps)), 401, "invalid_factor")
    for steps in (-1, 0, 1):
        assert (await login(http, ada, app_of_ada.at_step(steps))).status_code == 200


async def test_of_two_logins_with_one_code_one_wins(http: httpx.AsyncClient, ada: Person, app_of_ada: App) -> None:
    for code in (app_of_ada.code(), app_of_ada.codes[0]):
        answers = await asyncio.gather(*(login(http, ada, code) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


async def test_a_code_of_a_request_that_failed_otherwise_is_not_used_up(
    http: httpx.AsyncClient, ada: Person, app_of_ada: App
) -> None:
    body = {"current_password": ada.secret, "recovery": ada.recovery_set(), "factor": app_of_ada.code()}
    stale = {**body, "base_keyring_version": 7}
    problem(await http.post("/auth/recovery-codes", json=stale, headers=ada.headers), 409, "keyring_conflict")
    fresh = {**body, "base_keyring_version": 1}
    assert (await http.post("/auth/recovery-codes", json=fresh, headers=ada.headers)).status_code == 200


# ---- a challenge is good once, for one account and one purpose ----


async def test_a_challenge_answers_once_in_time_for_its_account_and_purpose(
    http: httpx.AsyncClient, ada: Person, app_of_ada: App, clock: Clock
) -> None:
    async def refused(challenge: str) -> None:
        answer = {"code": app_of_ada.code(), "challenge": challenge}
        problem(await login(http, ada, answer), 401, "invalid_factor")

    used = challenge_of(await login(http, ada))
    assert (await login(http, ada, {"code": app_of_ada.code(), "challenge": used})).status_code == 200
    await refused(used)
    eve = await Person().sign_up(http)
    await add_app(http, eve, clock)
    await refused(challenge_of(await login(http, eve)))
    deletion = {"json": {"current_password": ada.secret}, "headers": ada.headers}
    await refused(challenge_of(await http.request("DELETE", "/users/me", **deletion)))
    late = challenge_of(await login(http, ada))
    clock.advance(minutes=6)
    await refused(late)
    await refused("A" * 43)


async def test_questions_that_nobody_answered_and_factors_that_nobody_confirmed_are_forgotten(
    clocked: Clocked, ada: Person, app_of_ada: App, database_url: str
) -> None:
    app, http, clock = clocked
    body = {"current_password": ada.secret, "kind": "totp", "factor": app_of_ada.code()}
    assert (await http.post("/auth/factors", json=body, headers=ada.headers)).status_code == 201
    for _ in range(20):
        challenge_of(await login(http, ada))
    connection = await asyncpg.connect(database_url)

    async def count(table: str) -> int:
        found: int = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", ada.id)
        return found

    try:
        assert (await count("factor_challenges"), await count("factors")) == (16, 2)
        clock.advance(hours=2)
        await forget_unanswered(clock, app.state.parts[Database])
        assert (await count("factor_challenges"), await count("factors")) == (0, 2)
        clock.advance(days=1)
        await forget_unanswered(clock, app.state.parts[Database])
        assert await count("factors") == 1
    finally:
        await connection.close()


# ---- guessing ----


async def test_guessing_codes_ends_and_keeps_no_owner_out(
    http: httpx.AsyncClient, ada: Person, app_of_ada: App, clock: Clock
) -> None:
    for _ in range(5):
        problem(await login(http, ada, app_of_ada.wrong()), 401, "invalid_factor")
    waits = []
    for _ in range(16):
        answer = await login(http, ada, app_of_ada.at_step(1))  # right, and not looked at
        problem(answer, 429, "too_many_factor_attempts")
        waits.append(int(answer.headers["Retry-After"]))
        clock.advance(seconds=waits[-1])
        problem(await login(http, ada, app_of_ada.wrong()), 401, "invalid_factor")
    assert [round(wait / 60) for wait in waits] == [min(2**n, 24 * 60) for n in range(16)]
    ada = await ada.log_in(http, factor=app_of_ada.codes[3].lower())
    told = await factors_of(http, ada)
    assert told["wrong_codes"] == 21
    assert told["retry_at"] is not None
    clock.advance(days=1)
    ada = await ada.log_in(http, factor=app_of_ada.code())
    assert (await factors_of(http, ada))["wrong_codes"] == 0


async def test_many_guesses_at_once_are_counted_one_by_one(
    http: httpx.AsyncClient, ada: Person, app_of_ada: App
) -> None:
    answers = await asyncio.gather(*(login(http, ada, app_of_ada.wrong()) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7


# ---- coming back ----


async def test_who_lost_the_phone_comes_in_with_a_factor_code_and_takes_another_phone(
    http: httpx.AsyncClient, ada: Person, app_of_ada: App, clock: Clock
) -> None:
    first, second, third = app_of_ada.codes[:3]
    again = await ada.log_in(http, factor=first)
    problem(await login(http, ada, first), 401, "invalid_factor")
    proof = {"current_password": ada.secret, "factor": second}
    gone = await http.request("DELETE", f"/auth/factors/{app_of_ada.id}", json=proof, headers=again.headers)
    assert gone.status_code == 204
    # With the last factor its codes went too.
    found = await factors_of(http, again)
    assert (found["items"], found["codes_left"]) == ([], 0)
    phone = await add_app(http, again, clock)
    assert len(phone.codes) == 10
    problem(await login(http, ada, third), 401, "invalid_factor")
    assert (await login(http, ada, phone.code())).status_code == 200


async def test_neither_the_password_nor_one_paper_alone_lets_anybody_in(
    http: httpx.AsyncClient, ada: Person, app_of_ada: App
) -> None:
    paper = {"email": ada.email, "verifier": encode_base64(recovery.verifier(ada.codes[0]))}
    # The paper with the recovery codes gives not even the sealed keyring,
    refused = await http.post("/auth/verify-recovery-code", json=paper)
    assert "keyring" not in problem(refused, 401, "second_factor_required")
    # and counts as no second factor; that with the factor codes is no password.
    problem(await login(http, ada, ada.codes[0]), 401, "invalid_factor")
    problem(await login(http, replace(ada, secret=app_of_ada.codes[0])), 401, "invalid_credentials")


async def test_recovery_takes_a_recovery_code_and_the_factor(
    http: httpx.AsyncClient, ada: Person, app_of_ada: App
) -> None:
    paper = {"email": ada.email, "verifier": encode_base64(recovery.verifier(ada.codes[0]))}
    answer = await http.post("/auth/verify-recovery-code", json={**paper, "factor": app_of_ada.codes[0]})
    assert answer.status_code == 200
    body = {
        "recovery_token": answer.json()["recovery_token"], "password": "y" * 40, "kdf": new_kdf(), "keyring": sealed(),
        "base_keyring_version": 1,
    }  # fmt: skip
    recovered = await http.post("/auth/recover", json=body)
    assert recovered.status_code == 200, recovered.text
    back = replace(ada, secret="y" * 40, tokens=recovered.json())
    (session,) = (await http.get("/auth/sessions", headers=back.headers)).json()["items"]
    assert session["opened_with"] == ["recovery_code", "code"]
    assert len((await factors_of(http, back))["items"]) == 1


async def test_a_recovery_that_began_before_the_factor_was_added_is_asked_for_it(
    http: httpx.AsyncClient, ada: Person, clock: Clock
) -> None:
    paper = {"email": ada.email, "verifier": encode_base64(recovery.verifier(ada.codes[0]))}
    token = (await http.post("/auth/verify-recovery-code", json=paper)).json()["recovery_token"]
    app = await add_app(http, ada, clock)
    body = {
        "recovery_token": token, "password": "y" * 40, "kdf": new_kdf(), "keyring": sealed(), "base_keyring_version": 1,
    }  # fmt: skip
    challenge_of(await http.post("/auth/recover", json=body))
    assert (await http.get("/auth/recovery-codes", headers=ada.headers)).json()["remaining"] == 3
    assert (await http.post("/auth/recover", json={**body, "factor": app.code()})).status_code == 200


# ---- sessions ----


async def test_sessions_tell_from_what_and_with_what_they_were_opened(
    http: httpx.AsyncClient, ada: Person, app_of_ada: App
) -> None:
    await login(http, ada, app_of_ada.code(), device_name="laptop")
    await login(http, ada, app_of_ada.codes[0], device_name="library")
    sessions = (await http.get("/auth/sessions", headers=ada.headers)).json()["items"]
    assert {each["device_name"]: each["opened_with"] for each in sessions} == {
        "first device": ["registration"],
        "laptop": ["password", "totp"],
        "library": ["password", "code"],
    }


# ---- what others learn ----


async def test_who_has_the_database_alone_learns_no_secret_of_an_app_and_no_code(
    http: httpx.AsyncClient, ada: Person, app_of_ada: App, database_url: str, log: io.StringIO
) -> None:
    challenge = challenge_of(await login(http, ada))
    connection = await asyncpg.connect(database_url)
    try:
        rows = [
            row
            for table in ("factors", "factor_codes", "factor_challenges", "factor_attempts", "sessions")
            for row in await connection.fetch(f"SELECT * FROM {table} WHERE user_id = $1", ada.id)
        ]
    finally:
        await connection.close()
    everything = " ".join(repr(tuple(row)) for row in rows) + log.getvalue()
    assert "phone" in everything  # which shows that the search finds what is there
    secrets = [app_of_ada.secret, challenge, *app_of_ada.codes]
    assert [each for each in secrets if each in everything or each.replace("-", "") in everything] == []


async def test_secrets_of_apps_follow_the_newest_root_of_the_server(
    http: httpx.AsyncClient, ada: Person, app_of_ada: App, settings: Settings, database_url: str
) -> None:
    old = settings.secrets.roots[0].get_secret_value().encode()
    new, other = b"n" * 48, b"o" * 48
    connection = await asyncpg.connect(database_url)
    try:
        sealed_before = await connection.fetchval("SELECT sealed FROM factors WHERE user_id = $1", ada.id)
        done, _ = await reseal_factors(connection, sealer_of(ServerKeys([new, old], b"p" * 48)))
        assert done >= 1
        assert (await reseal_factors(connection, sealer_of(ServerKeys([new], b"p" * 48))))[0] == 0
        assert (await reseal_factors(connection, sealer_of(ServerKeys([other], b"p" * 48))))[1] >= 1
        # Whoever lost the root has factor codes still.
        problem(await login(http, ada, app_of_ada.code()), 401, "invalid_factor")
        assert (await login(http, ada, app_of_ada.codes[0])).status_code == 200
        await connection.execute("UPDATE factors SET sealed = $2 WHERE user_id = $1", ada.id, sealed_before)
    finally:
        await connection.close()
    assert (await login(http, ada, app_of_ada.code())).status_code == 200
