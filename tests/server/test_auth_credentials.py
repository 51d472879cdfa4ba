"""Changing password, keyring and recovery codes: with the present secret, on the present version, in one step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from lockleaf.crypto.recovery import verifier
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.platform.db.engine import Database
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import Clocked, Person, new_email, new_kdf, problem, sealed
from tests.support.accounts import Owner, change


async def account(http: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    """The account as the server tells it."""
    answer = await http.get("/auth/me", headers=person.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    for own in ("session_id", "device_id"):
        del found[own]
    return found


def password_body(person: Person, base: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "current_password": person.secret,
        "password": "quite another secret",
        "kdf": new_kdf(),
        "keyring": sealed(),
        "base_keyring_version": base,
        **more,
    }


# ---- password ----


async def test_a_new_password_takes_the_place_of_the_old_one(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    body = password_body(person)
    answer = await http.put("/auth/password", json=body, headers=person.headers)
    assert answer.status_code == 200
    changed = replace(person, secret=body["password"], tokens=answer.json())
    problem(
        await http.post("/auth/login", json={"email": person.email, "password": person.secret}),
        401,
        "invalid_credentials",
    )
    entered = await changed.log_in(http)
    found = entered.tokens["user"]
    assert (found["keyring"], found["kdf"], found["keyring_version"]) == (body["keyring"], body["kdf"], 2)
    assert (found["recipient"], found["signing_key"]) == (person.recipient, encode_base64(person.signing_key))
    assert (await http.post("/auth/prelogin", json={"email": person.email})).json()["kdf"] == body["kdf"]


async def test_a_new_password_ends_every_other_session_and_renews_this_one(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    other = await person.log_in(http)
    answer = await http.put("/auth/password", json=password_body(person), headers=person.headers)
    renewed = replace(person, tokens=answer.json())
    assert renewed.tokens["session_id"] == person.tokens["session_id"]
    assert not await other.is_signed_in(http)
    assert await renewed.is_signed_in(http)
    assert (await renewed.refresh(http)).status_code == 200


async def test_recovery_codes_outlive_a_new_password(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    await http.put("/auth/password", json=password_body(person), headers=person.headers)
    assert (await http.get("/auth/recovery-codes", headers=person.headers)).json()["remaining"] == 3


async def test_an_account_without_a_keyring_changes_its_password_alone(http: httpx.AsyncClient) -> None:
    person = Person()
    body = {"email": person.email, "password": person.secret}
    person.tokens = (await http.post("/auth/register", json=body)).json()
    body = {"current_password": person.secret, "h_auth": "quite another secret"}
    assert (await http.put("/auth/password", json=body, headers=person.headers)).status_code == 200
    assert await replace(person, secret="quite another secret").log_in(http)


@pytest.mark.parametrize(
    ("change", "status", "code", "facts"),
    [
        ({"current_password": "not the secret"}, 401, "invalid_credentials", {}),
        ({"keyring": None}, 422, "keyring_required", {"missing": ["keyring"]}),
        ({"base_keyring_version": None}, 422, "keyring_required", {"missing": ["base_keyring_version"]}),
        ({"kdf": None}, 422, "key_derivation_required", {}),
        ({"base_keyring_version": 0}, 409, "keyring_conflict", {"current_version": 1}),
        ({"base_keyring_version": 2}, 409, "keyring_conflict", {"current_version": 1}),
        ({"password": "short"}, 422, "invalid_request", {}),
    ],
)
async def test_a_refused_password_changes_nothing(
    http: httpx.AsyncClient, change: dict[str, Any], status: int, code: str, facts: dict[str, Any]
) -> None:
    person = await Person().sign_up(http)
    other = await person.log_in(http)
    before = await account(http, person)
    answer = await http.put("/auth/password", json=password_body(person) | change, headers=person.headers)
    found = problem(answer, status, code)
    assert found.items() >= facts.items()
    assert await account(http, person) == before
    assert await other.is_signed_in(http)
    await person.log_in(http)


async def test_of_two_devices_that_change_the_password_at_once_one_succeeds(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    devices = [person, await person.log_in(http), await person.log_in(http)]
    bodies = [password_body(person, password=f"secret number {number}") for number in range(3)]
    answers = await asyncio.gather(
        *(
            http.put("/auth/password", json=body, headers=device.headers)
            for body, device in zip(bodies, devices, strict=True)
        )
    )
    won = [body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 200]
    assert len(won) == 1
    assert all(answer.status_code in (200, 401) for answer in answers)
    entered = await replace(person, secret=won[0]["password"]).log_in(http)
    assert entered.tokens["user"]["keyring"] == won[0]["keyring"]
    assert entered.tokens["user"]["keyring_version"] == 2


# ---- keyring ----


async def test_a_rotation_signed_by_the_keys_before_replaces_them(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    other = await person.log_in(http)
    new = Person(id=person.id, email=person.email)
    body = await new.rotation_body(http, person, 1)
    answer = await http.put("/auth/keyring", json=body, headers=person.headers)
    assert (answer.status_code, answer.json()["keyring_version"]) == (200, 2)
    new.tokens = answer.json()["tokens"]
    found = await account(http, new)
    assert (found["keyring"], found["recipient"]) == (new.keyring, new.recipient)
    assert found["signing_key"] == encode_base64(new.signing_key)
    assert found["rotation_signature"] == body["rotation_signature"]
    assert found["kdf"] == new.kdf
    assert not await other.is_signed_in(http)
    assert (await person.refresh(http)).status_code == 401
    assert (await new.log_in(http)).tokens["user"]["keyring"] == new.keyring


async def test_a_rotation_names_the_end_of_the_history(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    new = Person(id=person.id, email=person.email)
    body = await new.rotation_body(http, person, 1)
    await Owner(http, person.email, person.secret, person.tokens).results(change())
    refused = problem(await http.put("/auth/keyring", json=body, headers=person.headers), 409, "history_moved")
    present = (await http.get("/sync/changes", headers=person.headers)).json()
    assert [refused[name] for name in ("epoch", "seq", "head")] == [present[name] for name in ("epoch", "seq", "head")]
    again = new.keyring_body(person, 1, refused)
    assert (await http.put("/auth/keyring", json=again, headers=person.headers)).status_code == 200


async def test_a_rotation_replaces_the_recovery_set(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    new = Person(id=person.id, email=person.email)
    await http.put("/auth/keyring", json=await new.rotation_body(http, person, 1), headers=person.headers)
    for codes, status in ((person.codes, 401), (new.codes, 200)):
        answer = await http.post("/auth/verify-recovery-code", json=verify_body(person, codes[0]))
        assert answer.status_code == status


async def test_a_chain_of_rotations_is_signed_link_by_link(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    present = person
    for base in (1, 2, 3):
        following = Person(id=person.id, email=person.email)
        body = await following.rotation_body(http, present, base)
        answer = await http.put("/auth/keyring", json=body, headers=present.headers)
        assert answer.json()["keyring_version"] == base + 1
        following.tokens = answer.json()["tokens"]
        stale = Person(id=person.id, signing_seed=present.signing_seed, secret=following.secret)
        body = stale.keyring_body(replace(present, secret=following.secret), base + 1)
        problem(await http.put("/auth/keyring", json=body, headers=following.headers), 403, "invalid_signature")
        present = following


async def test_a_repeated_rotation_is_refused_for_its_old_secret(http: httpx.AsyncClient) -> None:
    """As a change of the password is: the device asks which keyring is in force instead."""
    person = await Person().sign_up(http)
    new = Person(id=person.id, email=person.email)
    body = await new.rotation_body(http, person, 1)
    new.tokens = (await http.put("/auth/keyring", json=body, headers=person.headers)).json()["tokens"]
    problem(await http.put("/auth/keyring", json=body, headers=new.headers), 401, "invalid_credentials")
    assert (await account(http, new))["keyring_version"] == 2


Change = Callable[[dict[str, Any]], dict[str, Any]]
REFUSED_ROTATIONS: list[tuple[str, Change, int, str]] = [
    ("a wrong secret", lambda body: {"current_password": "not the secret"}, 401, "invalid_credentials"),
    ("no signature", lambda body: {"rotation_signature": None}, 403, "invalid_signature"),
    ("a signature over other keys", lambda body: {"signing_key": encode_base64(bytes(32))}, 403, "invalid_signature"),
    ("another recipient than signed", lambda body: {"recipient": Person().recipient}, 403, "invalid_signature"),
    ("a short signature", lambda body: {"rotation_signature": encode_base64(bytes(63))}, 422, "invalid_request"),
    ("an older version", lambda body: {"base_keyring_version": 0}, 409, "keyring_conflict"),
    ("a version to come", lambda body: {"base_keyring_version": 2}, 409, "keyring_conflict"),
    ("an unusable recipient", lambda body: {"recipient": encode_base64(bytes(32))}, 422, "invalid_recipient"),
    ("no verifier", lambda body: {"password": None}, 422, "keys_required"),
    ("no parameters", lambda body: {"kdf": None}, 422, "keys_required"),
    ("no end of the old key", lambda body: {"retired_at": None}, 422, "keys_required"),
    ("no key id", lambda body: {"key_id": None}, 422, "keys_required"),
    ("an invalid key id", lambda body: {"key_id": 0}, 422, "invalid_request"),
    ("another epoch", lambda body: {"retired_at": body["retired_at"] | {"epoch": "e"}}, 409, "history_moved"),
    ("another number", lambda body: {"retired_at": body["retired_at"] | {"seq": 1}}, 409, "history_moved"),
    (
        "another head",
        lambda body: {"retired_at": body["retired_at"] | {"head": encode_base64(bytes(32))}},
        409,
        "history_moved",
    ),
    ("no recovery set", lambda body: {"recovery": None}, 422, "keys_required"),
]


@pytest.mark.parametrize(
    ("reason", "change", "status", "code"), REFUSED_ROTATIONS, ids=[r[0] for r in REFUSED_ROTATIONS]
)
async def test_a_refused_rotation_changes_nothing(
    http: httpx.AsyncClient, reason: str, change: Change, status: int, code: str
) -> None:
    person = await Person().sign_up(http)
    other = await person.log_in(http)
    before = await account(http, person)
    body = await Person(id=person.id).rotation_body(http, person, 1)
    problem(await http.put("/auth/keyring", json=body | change(body), headers=person.headers), status, code)
    assert await account(http, person) == before
    assert await other.is_signed_in(http)
    assert (await http.post("/auth/verify-recovery-code", json=verify_body(person))).status_code == 200


async def test_an_account_gets_its_first_keyring_later(http: httpx.AsyncClient) -> None:
    person = Person()
    registered = await http.post("/auth/register", json={"email": person.email, "password": person.secret})
    person.tokens, person.id = registered.json(), registered.json()["id"]
    body = person.keyring_body(person, 0, rotation_signature=None)
    for name in ("password", "kdf", "key_id", "retired_at"):
        del body[name]
    problem(await http.put("/auth/keyring", json=body, headers=person.headers), 422, "key_derivation_required")
    answer = await http.put("/auth/keyring", json={**body, "kdf": person.kdf}, headers=person.headers)
    assert answer.json() == {"keyring_version": 1}
    found = await account(http, person)
    assert (found["keyring"], found["kdf"], found["recipient"]) == (person.keyring, person.kdf, person.recipient)


async def test_a_first_keyring_comes_with_its_public_keys(http: httpx.AsyncClient) -> None:
    person = Person()
    person.tokens = (await http.post("/auth/register", json={"email": person.email, "password": person.secret})).json()
    answer = await http.put("/auth/password", json=password_body(person, 0), headers=person.headers)
    assert problem(answer, 422, "keys_required")["missing"] == ["recipient", "signing_key"]


# ---- recovery codes ----


def verify_body(person: Person, code: str | None = None) -> dict[str, Any]:
    return {"email": person.email, "verifier": encode_base64(verifier(code or person.codes[0]))}


def recover_body(token: str, base: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "recovery_token": token,
        "password": "a secret after the loss",
        "kdf": new_kdf(),
        "keyring": sealed(),
        "base_keyring_version": base,
        "device_name": "new device",
        **more,
    }


async def verified(http: httpx.AsyncClient, person: Person, code: str | None = None) -> dict[str, Any]:
    answer = await http.post("/auth/verify-recovery-code", json=verify_body(person, code))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_code_gives_the_keyring_sealed_under_it_and_is_not_spent(http: httpx.AsyncClient) -> None:
    person = Person()
    body = person.signup_body()
    await http.post("/auth/signup", json=body)
    for _ in range(2):
        found = await verified(http, person, person.codes[1])
        assert found["keyring"] == body["recovery"][1]["keyring"]
        assert (found["keyring_version"], found["current_keyring_version"]) == (1, 1)
        assert (found["user_id"], found["expires_in"]) == (str(person.id), 600)


async def test_recovering_sets_new_credentials_and_spends_the_code(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    other = await person.log_in(http)
    token = (await verified(http, person))["recovery_token"]
    body = recover_body(token)
    answer = await http.post("/auth/recover", json=body)
    assert answer.status_code == 200
    back = replace(person, secret=body["password"], tokens=answer.json())
    assert not await person.is_signed_in(http)
    assert not await other.is_signed_in(http)
    found = await account(http, back)
    assert (found["keyring"], found["kdf"], found["keyring_version"]) == (body["keyring"], body["kdf"], 2)
    items = (await http.get("/auth/sessions", headers=back.headers)).json()["items"]
    assert [item["device_name"] for item in items] == ["new device"]
    assert (await http.get("/auth/recovery-codes", headers=back.headers)).json()["remaining"] == 2
    await back.log_in(http)
    problem(await http.post("/auth/recover", json=body), 401, "invalid_recovery_token")
    problem(await http.post("/auth/verify-recovery-code", json=verify_body(person)), 401, "invalid_recovery_code")


async def test_after_a_new_password_a_code_still_recovers(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    await http.put("/auth/password", json=password_body(person), headers=person.headers)
    found = await verified(http, person)
    assert (found["keyring_version"], found["current_keyring_version"]) == (1, 2)
    stale = await http.post("/auth/recover", json=recover_body(found["recovery_token"], 1))
    assert problem(stale, 409, "keyring_conflict")["current_version"] == 2
    answer = await http.post("/auth/recover", json=recover_body(found["recovery_token"], 2))
    assert answer.status_code == 200


async def test_recovering_can_bring_a_new_set_of_codes(http: httpx.AsyncClient) -> None:
    person, new = await Person().sign_up(http), Person()
    token = (await verified(http, person))["recovery_token"]
    answer = await http.post("/auth/recover", json=recover_body(token, recovery=new.recovery_set()))
    assert answer.status_code == 200
    problem(
        await http.post("/auth/verify-recovery-code", json=verify_body(person, person.codes[1])),
        401,
        "invalid_recovery_code",
    )
    found = await verified(http, replace(new, email=person.email), new.codes[0])
    assert found["keyring_version"] == 2


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"keyring": None}, 422, "keyring_required"),
        ({"kdf": None}, 422, "key_derivation_required"),
        ({"base_keyring_version": 0}, 409, "keyring_conflict"),
        ({"recovery_token": "nonsense"}, 401, "invalid_recovery_token"),
        ({"password": "short"}, 422, "invalid_request"),
    ],
)
async def test_a_refused_recovery_spends_nothing(
    http: httpx.AsyncClient, change: dict[str, Any], status: int, code: str
) -> None:
    person = await Person().sign_up(http)
    before = await account(http, person)
    token = (await verified(http, person))["recovery_token"]
    problem(await http.post("/auth/recover", json=recover_body(token) | change), status, code)
    assert await account(http, person) == before
    assert (await http.post("/auth/recover", json=recover_body(token))).status_code == 200


async def test_of_concurrent_uses_of_one_code_one_recovers(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    tokens = [(await verified(http, person))["recovery_token"] for _ in range(4)]
    answers = await asyncio.gather(*(http.post("/auth/recover", json=recover_body(token)) for token in tokens))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


async def test_an_unknown_email_and_a_wrong_code_get_the_same_answer(http: httpx.AsyncClient) -> None:
    person, stranger = await Person().sign_up(http), await Person().sign_up(http)
    wrong = await http.post("/auth/verify-recovery-code", json=verify_body(person, stranger.codes[0]))
    unknown = await http.post("/auth/verify-recovery-code", json=verify_body(replace(person, email=new_email())))
    problem(wrong, 401, "invalid_recovery_code")
    assert wrong.content == unknown.content


async def test_a_code_itself_is_not_wanted_from_an_e2e_account(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    for email in (person.email, new_email()):
        answer = await http.post("/auth/verify-recovery-code", json={"email": email, "code": person.codes[0]})
        problem(answer, 401, "invalid_recovery_code")
        assert person.codes[0] not in answer.text
    for body in ({}, {**verify_body(person), "code": person.codes[0]}):
        answer = await http.post("/auth/verify-recovery-code", json={"email": person.email, **body})
        problem(answer, 422, "invalid_request")


async def test_a_new_set_of_codes_ends_the_old_one_and_other_sessions(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    other = await person.log_in(http)
    new = Person(email=person.email)
    body = {"current_password": person.secret, "recovery": new.recovery_set(), "base_keyring_version": 1}
    for _ in range(2):
        answer = await http.post("/auth/recovery-codes", json=body, headers=person.headers)
        assert (answer.status_code, answer.json()["remaining"]) == (200, 3)
    problem(await http.post("/auth/verify-recovery-code", json=verify_body(person)), 401, "invalid_recovery_code")
    assert (await verified(http, new))["keyring"] == body["recovery"][0]["keyring"]  # type: ignore[index]
    assert not await other.is_signed_in(http)
    assert await person.is_signed_in(http)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"current_password": "not the secret"}, 401, "invalid_credentials"),
        ({"base_keyring_version": 2}, 409, "keyring_conflict"),
        ({"recovery": []}, 422, "invalid_request"),
    ],
)
async def test_a_refused_set_leaves_the_old_one(
    http: httpx.AsyncClient, change: dict[str, Any], status: int, code: str
) -> None:
    person = await Person().sign_up(http)
    body = {"current_password": person.secret, "recovery": Person().recovery_set(), "base_keyring_version": 1}
    problem(await http.post("/auth/recovery-codes", json=body | change, headers=person.headers), status, code)
    await verified(http, person)


async def test_codes_need_a_keyring_to_recover(http: httpx.AsyncClient) -> None:
    person = Person()
    person.tokens = (await http.post("/auth/register", json={"email": person.email, "password": person.secret})).json()
    body = {"current_password": person.secret, "recovery": person.recovery_set(), "base_keyring_version": 0}
    problem(await http.post("/auth/recovery-codes", json=body, headers=person.headers), 422, "keyring_required")


async def test_a_recovery_token_lasts_ten_minutes(clocked: Clocked) -> None:
    _, http, clock = clocked
    person = await Person().sign_up(http)
    token = (await verified(http, person))["recovery_token"]
    clock.advance(minutes=11)
    problem(await http.post("/auth/recover", json=recover_body(token)), 401, "invalid_recovery_token")
    fresh = (await verified(http, person))["recovery_token"]
    assert (await http.post("/auth/recover", json=recover_body(fresh))).status_code == 200


async def test_a_secret_that_is_changed_while_it_is_checked_opens_nothing(
    http: httpx.AsyncClient, app: FastAPI
) -> None:
    person = await Person().sign_up(http)
    database = app.state.parts[Database]
    waiting_for_locks = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    new_hash = await app.state.parts[VerifierHasher].hash("quite another secret")
    async with database.transaction() as tx:
        await tx.session.execute(
            text("UPDATE accounts SET verifier_hash = :new WHERE user_id = :id"), {"new": new_hash, "id": person.id}
        )
        login = asyncio.create_task(http.post("/auth/login", json={"email": person.email, "password": person.secret}))
        async with database.reader() as watching:
            while not await watching.scalar(waiting_for_locks):
                assert not login.done()
    # Its hash was right when it was checked; the session would have outlived the change that ends all others.
    problem(await login, 401, "invalid_credentials")
    await replace(person, secret="quite another secret").log_in(http)
