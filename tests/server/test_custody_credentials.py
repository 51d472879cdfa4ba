"""Changing and recovering what opens an account in user-controlled encryption: the server wraps the keyring anew."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import bcrypt
import httpx
import pytest
from fastapi import FastAPI

from lockleaf.crypto import identity, recovery, uce
from lockleaf.crypto.keyring import RECOVERY_LABEL, UCE_LABEL, Keyring, open_keyring
from lockleaf.server.platform.db.engine import Database
from lockleaf.wire.fields import decode_base64, encode_base64
from tests.support.account_holders import Clocked, Person, new_kdf, problem, sealed
from tests.support.uce_holders import Thin, opened_entry, parts_of, written_entry

ENTRY = {"type": "entry", "title": "A walk", "body": "Along the river.", "tags": ["garden"]}
NEW = "a password that is new"


async def me(http: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    answer = await http.get("/auth/me", headers=person.headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def keyring_of(http: httpx.AsyncClient, person: Person) -> Keyring:
    """The keyring, as a full client opens it with the password."""
    account = await me(http, person)
    kek = uce.derive_kek(person.secret, decode_base64(account["kek_salt"]))
    place = {"label": UCE_LABEL, "user_id": str(person.id), "version": account["keyring_version"]}
    return open_keyring(decode_base64(account["keyring"]), kek, **place)


async def verified(http: httpx.AsyncClient, person: Thin, code: str) -> dict[str, Any]:
    answer = await http.post("/auth/verify-recovery-code", json={"email": person.email, "code": code})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def recover(http: httpx.AsyncClient, person: Thin, code: str, password: str) -> httpx.Response:
    token = (await verified(http, person, code))["recovery_token"]
    return await http.post("/auth/recover", json={"recovery_token": token, "password": password})


# ---- the password ----


async def test_a_new_password_wraps_the_same_keyring_under_a_new_salt_and_ends_other_sessions(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    person = await Thin().sign_up(http)
    record_id = await written_entry(app, person, ENTRY)
    other, before, keyring = await person.log_in(http), await me(http, person), await keyring_of(http, person)
    answer = await person.change_password(http, NEW)
    assert answer.status_code == 200, answer.text
    assert not await person.is_signed_in(http)  # with the older token: its key opens what is no longer there
    assert not await other.is_signed_in(http)
    later = Thin(**{**vars(person), "secret": NEW, "tokens": answer.json()})
    after = await me(http, later)
    assert after["kek_salt"] != before["kek_salt"]
    assert (after["keyring_version"], after["recipient"]) == (2, before["recipient"])
    assert await keyring_of(http, later) == keyring
    assert await opened_entry(app, later, record_id) == ENTRY
    assert await opened_entry(app, await later.log_in(http), record_id) == ENTRY
    wrong = await http.post("/auth/login", json={"email": person.email, "password": person.secret})
    problem(wrong, 401, "invalid_credentials")


async def test_a_wrong_current_password_changes_nothing(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    before = await me(http, person)
    liar = Thin(**{**vars(person), "secret": "not the password"})
    problem(await liar.change_password(http, NEW), 401, "invalid_credentials")
    wrong = {"current_password": liar.secret}
    problem(await http.put("/auth/keyring", json=wrong, headers=person.headers), 401, "invalid_credentials")
    problem(await http.post("/auth/recovery-codes", json=wrong, headers=person.headers), 401, "invalid_credentials")
    assert await me(http, person) == before


async def test_of_concurrent_changes_one_counts_and_the_content_stays(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    record_id = await written_entry(app, person, ENTRY)
    passwords = [f"password number {number}" for number in range(3)]
    answers = await asyncio.gather(*(person.change_password(http, password) for password in passwords))
    assert Counter(answer.status_code for answer in answers)[200] == 1
    (password,) = (each for each, answer in zip(passwords, answers, strict=True) if answer.status_code == 200)
    again = await Thin(**{**vars(person), "secret": password}).log_in(http)
    assert await opened_entry(app, again, record_id) == ENTRY


# ---- the keyring ----


async def test_a_rotation_adds_a_signed_key_and_new_codes_and_keeps_older_entries_open(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    person = await Thin().sign_up(http)
    older = await written_entry(app, person, ENTRY)
    other, before = await person.log_in(http), await me(http, person)
    answer = await http.put("/auth/keyring", json={"current_password": person.secret}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["keyring_version"] == 2
    codes = answer.json()["recovery_codes"]
    assert len(set(codes)) == 10
    assert not set(codes) & set(person.shown_codes)
    assert not await other.is_signed_in(http)
    person.tokens |= answer.json()["tokens"]
    after, keyring = await me(http, person), await keyring_of(http, person)
    assert [entry.key_id for entry in keyring] == [1, 2]
    assert keyring.first.retired_at is not None
    assert keyring.first.retired_at.seq == 1
    assert after["kek_salt"] != before["kek_salt"]
    assert after["recipient"] == keyring.newest.recipient != before["recipient"]
    message = identity.rotation_message(str(person.id), 2, after["recipient"], decode_base64(after["signing_key"]))
    signature = decode_base64(after["rotation_signature"])
    assert identity.verify(decode_base64(before["signing_key"]), message, signature)
    repeated = {"current_password": person.secret, "base_keyring_version": 1}
    refused = problem(await http.put("/auth/keyring", json=repeated, headers=person.headers), 409, "keyring_conflict")
    assert refused["current_version"] == 2
    newer = await written_entry(app, person, ENTRY)
    for record_id in (older, newer):
        assert await opened_entry(app, person, record_id) == ENTRY
    problem(
        await http.post("/auth/verify-recovery-code", json={"email": person.email, "code": person.shown_codes[0]}),
        401,
        "invalid_recovery_code",
    )
    assert (await verified(http, person, codes[0]))["keyring_version"] == 2


# ---- recovery ----


async def test_new_codes_replace_the_ones_before(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    other = await person.log_in(http)
    answer = await http.post("/auth/recovery-codes", json={"current_password": person.secret}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["remaining"], len(set(answer.json()["recovery_codes"]))) == (10, 10)
    assert not await other.is_signed_in(http)
    left = (await http.get("/auth/recovery-codes", headers=person.headers)).json()
    assert (left["remaining"], left.get("recovery_codes")) == (10, None)
    old = await http.post("/auth/verify-recovery-code", json={"email": person.email, "code": person.shown_codes[0]})
    problem(old, 401, "invalid_recovery_code")
    assert (await recover(http, person, answer.json()["recovery_codes"][9], NEW)).status_code == 200


async def test_a_code_recovers_the_content_under_a_new_password_once(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    record_id = await written_entry(app, person, ENTRY)
    keyring, code = await keyring_of(http, person), person.shown_codes[4]
    token = (await verified(http, person, code.lower().replace("-", " ")))["recovery_token"]
    body = {"recovery_token": token, "password": NEW, "device_name": "new telephone"}
    answer = await http.post("/auth/recover", json=body)
    assert answer.status_code == 200, answer.text
    assert not await person.is_signed_in(http)
    later = Thin(**{**vars(person), "secret": NEW, "tokens": answer.json()})
    assert await keyring_of(http, later) == keyring
    assert (await me(http, later))["keyring_version"] == 2
    for each in (later, await later.log_in(http)):
        assert await opened_entry(app, each, record_id) == ENTRY
    assert (await http.get("/auth/recovery-codes", headers=later.headers)).json()["remaining"] == 9
    problem(await http.post("/auth/recover", json=body), 401, "invalid_recovery_token")
    spent = await http.post("/auth/verify-recovery-code", json={"email": person.email, "code": code})
    problem(spent, 401, "invalid_recovery_code")


async def test_a_code_outlives_changes_of_the_password(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    record_id, codes = await written_entry(app, person, ENTRY), person.shown_codes
    for password in (NEW, "and another one"):
        answer = await person.change_password(http, password)
        person = Thin(**{**vars(person), "secret": password, "tokens": answer.json()})
    found = await verified(http, person, codes[0])
    assert (found["keyring_version"], found["current_keyring_version"]) == (1, 3)
    keyring = open_keyring(
        decode_base64(found["keyring"]),
        recovery.recovery_key(codes[0]),
        label=RECOVERY_LABEL,
        user_id=str(person.id),
        version=1,
    )
    assert keyring == await keyring_of(http, person)
    answer = await recover(http, person, codes[1], NEW)
    later = Thin(**{**vars(person), "secret": NEW, "tokens": answer.json()})
    assert (await me(http, later))["keyring_version"] == 4
    assert await opened_entry(app, later, record_id) == ENTRY


async def test_of_concurrent_recoveries_with_one_code_one_succeeds(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    token = (await verified(http, person, person.shown_codes[0]))["recovery_token"]
    passwords = [f"password number {number}" for number in range(3)]
    answers = await asyncio.gather(
        *(http.post("/auth/recover", json={"recovery_token": token, "password": each}) for each in passwords)
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 2}


async def test_a_recovery_token_is_good_for_ten_minutes(clocked: Clocked) -> None:
    _, http, clock = clocked
    person = await Thin().sign_up(http)
    token = (await verified(http, person, person.shown_codes[0]))["recovery_token"]
    clock.advance(minutes=10, seconds=1)
    answer = await http.post("/auth/recover", json={"recovery_token": token, "password": NEW})
    problem(answer, 401, "invalid_recovery_token")
    assert (await person.log_in(http)).tokens["access_token"]


async def test_wrong_codes_and_emails_are_answered_alike(http: httpx.AsyncClient) -> None:
    person, stranger = await Thin().sign_up(http), await Thin().sign_up(http)
    answers = [
        await http.post("/auth/verify-recovery-code", json={"email": email, "code": code})
        for email, code in (
            (person.email, recovery.new_code()),
            (person.email, stranger.shown_codes[0]),
            (person.email, "U" * 20),
            (Thin().email, person.shown_codes[0]),
            ((await Person().sign_up(http)).email, recovery.new_code()),
        )
    ]
    for answer in answers:
        problem(answer, 401, "invalid_recovery_code")
    assert len({answer.content for answer in answers}) == 1


async def test_a_verifier_recovers_no_uce_account_and_a_code_no_other(http: httpx.AsyncClient) -> None:
    thin, full = await Thin().sign_up(http), await Person().sign_up(http)
    verifier = recovery.verifier(thin.shown_codes[0])
    for body in (
        {"email": thin.email, "verifier": encode_base64(verifier)},
        {"email": full.email, "code": full.codes[0]},
    ):
        problem(await http.post("/auth/verify-recovery-code", json=body), 401, "invalid_recovery_code")


# ---- the other custody's calls ----


@pytest.mark.parametrize(
    "field", ["keyring", "kdf", "recipient", "signing_key", "recovery"], ids=lambda field: f"with {field}"
)
async def test_a_sign_up_in_uce_that_brings_keys_is_refused(http: httpx.AsyncClient, field: str) -> None:
    person = Thin()
    brought = {field: Person().signup_body()[field]}
    problem(await http.post("/auth/signup", json=person.signup_body(**brought)), 403, "custody_required")
    assert (await http.post("/auth/signup", json=person.signup_body())).status_code == 201


async def test_calls_that_bring_keys_to_a_uce_account_are_refused_by_name(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    person = await Thin().sign_up(http)
    before, full = await me(http, person), Person()
    keys = {"keyring": sealed(), "kdf": new_kdf(), "base_keyring_version": 1}
    bodies = {
        "PUT /auth/password": {"current_password": person.secret, "password": NEW, **keys},
        "PUT /auth/keyring": {**full.keyring_body(full, 1), "current_password": person.secret},
        "PUT /auth/keyring/": {"current_password": person.secret, "keyring_version": 9},
        "POST /auth/recovery-codes": {
            "current_password": person.secret,
            "recovery": full.recovery_set(),
            "base_keyring_version": 1,
        },
    }
    for call, body in bodies.items():
        method, path = call.split()
        refused = problem(await http.request(method, path, json=body, headers=person.headers), 403, "custody_required")
        assert refused["required"] == "e2e"
    token = (await verified(http, person, person.shown_codes[0]))["recovery_token"]
    refused = problem(
        await http.post("/auth/recover", json={"recovery_token": token, "password": NEW, **keys}),
        403,
        "custody_required",
    )
    assert await me(http, person) == before
    assert (await http.get("/auth/recovery-codes", headers=person.headers)).json()["remaining"] == 10


async def test_calls_without_keys_are_refused_by_an_end_to_end_account(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    before = await me(http, person)
    secret = {"current_password": person.secret}
    for method, path in (("PUT", "/auth/keyring"), ("POST", "/auth/recovery-codes")):
        answer = await http.request(method, path, json=secret, headers=person.headers)
        problem(answer, 422, "keys_required")
    assert await me(http, person) == before


# ---- accounts from elsewhere ----


async def _as_it_came(app: FastAPI, user_id: UUID, secret: str, *, custody: str) -> None:
    """Make an account look as one that another system kept: a bcrypt hash, and no keys of ours."""
    stored = bcrypt.hashpw(secret.encode()[:72], bcrypt.gensalt(4)).decode()
    async with parts_of(app)[Database].transaction() as transaction:
        await transaction.connection.execute(
            "UPDATE accounts SET verifier_hash = $2, custody = $3, keyring = NULL, keyring_version = 0, "
            "kek_salt = NULL, recipient = NULL, signing_key = NULL WHERE user_id = $1",
            user_id,
            stored,
            custody,
        )
        for table in ("recovery_codes", "signing_keys", "session_keys", "sessions"):
            await transaction.connection.execute(f"DELETE FROM {table} WHERE user_id = $1", user_id)


async def _verifier_hash(app: FastAPI, user_id: UUID) -> str:
    async with parts_of(app)[Database].read_driver() as connection:
        found: str = await connection.fetchval("SELECT verifier_hash FROM accounts WHERE user_id = $1", user_id)
    return found


@pytest.mark.parametrize("custody", ["e2e", "uce"])
async def test_a_bcrypt_hash_becomes_argon2id_at_the_next_login(
    app: FastAPI, http: httpx.AsyncClient, custody: str
) -> None:
    person = await (Thin() if custody == "uce" else Person()).sign_up(http)
    await _as_it_came(app, person.id, person.secret, custody=custody)
    wrong = await http.post("/auth/login", json={"email": person.email, "password": "not the password"})
    problem(wrong, 401, "invalid_credentials")
    assert (await _verifier_hash(app, person.id)).startswith("$2b$")
    await person.log_in(http)
    assert (await _verifier_hash(app, person.id)).startswith("$argon2id$")
    await person.log_in(http)


async def test_a_uce_account_from_elsewhere_gets_its_keys_at_its_first_login_and_codes_when_it_asks(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    person = await Thin().sign_up(http)
    await _as_it_came(app, person.id, person.secret, custody="uce")
    again = await person.log_in(http)
    record_id = await written_entry(app, again, ENTRY)
    assert (await me(http, again))["keyring_version"] == 1
    assert (await http.get("/auth/recovery-codes", headers=again.headers)).json()["remaining"] == 0
    answer = await http.post("/auth/recovery-codes", json={"current_password": person.secret}, headers=again.headers)
    recovered = await recover(http, person, answer.json()["recovery_codes"][0], NEW)
    later = Thin(**{**vars(person), "secret": NEW, "tokens": recovered.json()})
    assert await opened_entry(app, later, record_id) == ENTRY


async def test_concurrent_first_logins_make_one_keyring(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    await _as_it_came(app, person.id, person.secret, custody="uce")
    body = {"email": person.email, "password": person.secret}
    answers = await asyncio.gather(*(http.post("/auth/login", json=body) for _ in range(3)))
    won = [answer for answer in answers if answer.status_code == 200]
    assert won
    for answer in answers:
        if answer not in won:
            # The others find the first one's hash or keys in the place of those that they read, and try again.
            assert answer.status_code in (401, 429)
    record_id = await written_entry(app, Thin(id=person.id, tokens=won[0].json()), ENTRY)
    assert await opened_entry(app, await person.log_in(http), record_id) == ENTRY
