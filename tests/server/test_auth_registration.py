"""Making an account: what has to come together, and what nobody else may take."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from lockleaf.server.platform.db.engine import Database
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import Person, new_email, new_kdf, problem

KEY_FIELDS = ["id", "kdf", "keyring", "recipient", "signing_key", "recovery"]


async def test_an_older_client_registers_with_email_and_password_alone(http: httpx.AsyncClient) -> None:
    email = new_email()
    answer = await http.post("/auth/register", json={"email": email, "password": "an opaque secret"})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["email"], body["token_type"]) == (email, "bearer")
    assert 0 < body["expires_in"] <= 900  # what is left of it: a second may have ended in between
    assert (body["encryption_tier"], body["privacy_tier"]) == ("e2e", "local_only")
    assert (body["timezone"], body["locale"], body["display_name"]) == ("UTC", "en", None)
    assert body["created_at"].endswith("Z")
    me = await http.get("/auth/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert me.json()["id"] == body["id"]
    assert me.json()["keyring"] is None
    assert me.json()["keyring_version"] == 0


@pytest.mark.parametrize(("name", "secret"), [("username", "h_auth"), ("email", "auth_secret")])
async def test_the_names_of_older_documents_are_understood(http: httpx.AsyncClient, name: str, secret: str) -> None:
    email = new_email()
    body = {name: email, secret: "an opaque secret"}
    assert (await http.post("/auth/register", json=body)).status_code == 201
    assert (await http.post("/auth/login", json=body)).status_code == 200


async def test_a_sign_up_keeps_the_keys_to_the_byte(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http, display_name="  Åsa ", timezone="Europe/Stockholm", locale="sv-SE")
    assert person.tokens["privacy_tier"] == "full_sync"
    assert person.tokens["display_name"] == "Åsa"
    assert person.tokens["recovery_codes"] is None
    me = (await http.get("/auth/me", headers=person.headers)).json()
    assert me["id"] == str(person.id)
    assert me["keyring"] == person.keyring
    assert me["kdf"] == person.kdf
    assert me["recipient"] == person.recipient
    assert me["signing_key"] == encode_base64(person.signing_key)
    assert (me["keyring_version"], me["rotation_signature"]) == (1, None)
    assert (me["timezone"], me["locale"]) == ("Europe/Stockholm", "sv-SE")
    left = (await http.get("/auth/recovery-codes", headers=person.headers)).json()
    assert left["remaining"] == 3


@pytest.mark.parametrize("field", KEY_FIELDS)
async def test_a_sign_up_without_one_of_the_keys_is_told_which(http: httpx.AsyncClient, field: str) -> None:
    body = Person().signup_body()
    del body[field]
    assert problem(await http.post("/auth/signup", json=body), 422, "keys_required")["missing"] == [field]


async def test_a_registration_with_some_keys_needs_them_all(http: httpx.AsyncClient) -> None:
    person = Person()
    body = {"email": person.email, "password": person.secret, "keyring": person.keyring}
    missing = problem(await http.post("/auth/register", json=body), 422, "keys_required")["missing"]
    assert missing == [field for field in KEY_FIELDS if field != "keyring"]


async def test_a_recipient_in_raw_bytes_is_kept_in_its_text_form(http: httpx.AsyncClient) -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    person = Person()
    raw = X25519PrivateKey.from_private_bytes(person.identity_seed).public_key().public_bytes_raw()
    body = person.signup_body(public_key=encode_base64(raw))
    del body["recipient"]
    answer = await http.post("/auth/signup", json=body)
    assert answer.status_code == 201
    person.tokens = answer.json()
    assert (await http.get("/auth/me", headers=person.headers)).json()["recipient"] == person.recipient


@pytest.mark.parametrize(
    "recipient",
    ["age1", "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", "me", encode_base64(bytes(32)), "%%%%"],
)
async def test_a_recipient_that_nothing_can_be_sealed_to_is_refused(http: httpx.AsyncClient, recipient: str) -> None:
    answer = await http.post("/auth/signup", json=Person().signup_body(recipient=recipient))
    problem(answer, 422, "invalid_recipient")


async def test_uce_is_refused_by_name_and_makes_nothing(http: httpx.AsyncClient) -> None:
    person = Person()
    answer = await http.post("/auth/signup", json=person.signup_body(encryption_tier="uce"))
    assert problem(answer, 403, "custody_required")["required"] == "e2e"
    await person.sign_up(http)


async def test_an_email_has_one_account_however_it_is_written(http: httpx.AsyncClient) -> None:
    name = new_email().removesuffix("@example.org")
    await Person(email=f"{name}ß@example.org").sign_up(http)
    for same in (f"  {name.upper()}SS@EXAMPLE.ORG ", f"{name}ss@ｅxample.org"):
        problem(await http.post("/auth/signup", json=Person(email=same).signup_body()), 409, "email_taken")
    assert (await http.post("/auth/login", json={"email": "x@example.org", "password": "x" * 8})).status_code == 401


async def test_an_id_that_is_taken_leaves_the_email_free(http: httpx.AsyncClient) -> None:
    first, second = await Person().sign_up(http), Person()
    answer = await http.post("/auth/signup", json=second.signup_body(id=str(first.id)))
    problem(answer, 409, "id_taken")
    await second.sign_up(http)


async def test_a_repeated_sign_up_is_answered_like_the_first(http: httpx.AsyncClient) -> None:
    person = Person()
    body = person.signup_body()
    first, again = [await http.post("/auth/signup", json=body) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    for field in ("id", "email", "created_at", "privacy_tier"):
        assert again.json()[field] == first.json()[field]
    assert again.json()["session_id"] != first.json()["session_id"]


@pytest.mark.parametrize("field", ["password", "keyring", "kdf", "signing_key", "recovery"])
async def test_a_sign_up_that_differs_anywhere_is_no_repetition(http: httpx.AsyncClient, field: str) -> None:
    person, other = Person(), Person()
    body = person.signup_body()
    assert (await http.post("/auth/signup", json=body)).status_code == 201
    differing = {**body, field: other.signup_body()[field]}
    problem(await http.post("/auth/signup", json=differing), 409, "email_taken")


async def test_of_many_who_register_one_email_at_once_one_gets_it(http: httpx.AsyncClient) -> None:
    email = new_email()
    answers = await asyncio.gather(
        *(http.post("/auth/signup", json=Person(email=email).signup_body()) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_a_new_account_has_an_open_and_empty_store(http: httpx.AsyncClient, app: FastAPI) -> None:
    person = await Person().sign_up(http)
    async with app.state.parts[Database].reader() as session:
        seq = await session.scalar(text("SELECT seq FROM heads WHERE user_id = :id"), {"id": person.id})
        epochs = await session.scalar(text("SELECT count(*) FROM epochs WHERE user_id = :id"), {"id": person.id})
    assert (seq, epochs) == (0, 1)


async def test_preferences_given_at_sign_up_are_kept(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http, daily_word_goal=300, theme_preferences={"dark": True}, locale="de")
    kept = (await http.get("/users/me/preferences", headers=person.headers)).json()
    assert (kept["daily_word_goal"], kept["theme_preferences"], kept["locale"]) == (300, {"dark": True}, "de")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", "a\u0000b@example.org"),
        ("email", "a b@example.org"),
        ("email", "a＠b@example.org"),
        ("email", "\ufdfa@example.org"),
        ("email", "x" * 250 + "@example.org"),
        ("email", None),
        ("password", "short"),
        ("password", "x" * 1025),
        ("password", None),
        ("id", "not-an-id"),
        ("display_name", "a\u0000b"),
        ("device_name", "a\nb"),
        ("timezone", "localtime"),
        ("timezone", "Mars/Olympus"),
        ("locale", "../etc"),
        ("privacy_tier", "everything"),
        ("encryption_tier", "none"),
        ("keyring", "not base64!"),
        ("keyring", encode_base64(bytes(20000))),
        ("signing_key", encode_base64(bytes(31))),
        ("recovery", []),
        ("kdf", {**new_kdf(), "salt": encode_base64(bytes(15))}),
        ("kdf", {**new_kdf(), "memory_kib": None}),
        ("kdf", {**new_kdf(), "algorithm": "pbkdf2-sha256"}),
        ("theme_preferences", {"a": "b\u0000"}),
        ("daily_word_goal", -1),
    ],
)
async def test_a_field_that_means_nothing_is_refused_by_name_without_echo(
    http: httpx.AsyncClient, field: str, value: Any
) -> None:
    marker = "canary-" + uuid4().hex
    body = Person().signup_body(**{field: value}, unknown=marker)
    answer = await http.post("/auth/signup", json=body)
    found = problem(answer, 422, "invalid_request")
    assert {error["field"].split(".")[0] for error in found["errors"]} <= {field, "username", "h_auth", "unknown"}
    assert body["email"] is None or body["email"] not in answer.text
    assert marker not in answer.text


async def test_a_number_that_is_none_is_no_theme(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    for number in ("NaN", "Infinity", "-Infinity", "1e400"):
        answer = await http.put(
            "/users/me/preferences",
            content=f'{{"theme_preferences": {{"size": {number}}}}}',
            headers={**person.headers, "Content-Type": "application/json"},
        )
        assert answer.status_code in (400, 422), answer.text


async def test_a_recovery_code_given_twice_is_refused(http: httpx.AsyncClient) -> None:
    body = Person().signup_body()
    body["recovery"].append(body["recovery"][0])
    problem(await http.post("/auth/signup", json=body), 422, "invalid_request")
