"""``/auth`` as its table has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from bech32 import bech32_decode, convertbits

from lockleaf.crypto import recovery
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import Person, new_email, new_kdf, problem, sealed
from tests.support.contract import Contract, shows
from tests.support.uce_holders import Thin

ACCOUNT = {"id", "email", "display_name", "timezone", "locale", "privacy_tier", "encryption_tier", "created_at"}
TOKENS = {"access_token", "refresh_token", "token_type", "expires_in"}


def raw_recipient(recipient: str) -> bytes:
    """The 32 bytes of an age recipient."""
    _, data = bech32_decode(recipient)
    return bytes(convertbits(data, 5, 8, False))


async def post(contract: Contract, path: str, body: dict[str, Any], person: Person | None = None) -> httpx.Response:
    return await contract.http.post(path, json=body, headers=person.headers if person else {})


async def put(contract: Contract, path: str, body: dict[str, Any], person: Person) -> httpx.Response:
    return await contract.http.put(path, json=body, headers=person.headers)


@pytest.fixture
async def ada(contract: Contract) -> Person:
    """Somebody with an end-to-end encrypted account."""
    return await Person().sign_up(contract.http)


@pytest.fixture
async def uma(contract: Contract) -> Thin:
    """Somebody whose server makes the keys."""
    return await Thin().sign_up(contract.http)


# ---- coming in ----


@shows("POST /auth/prelogin 200")
async def test_prelogin_answers_alike_for_accounts_and_for_none(contract: Contract, ada: Person) -> None:
    known = (await post(contract, "/auth/prelogin", {"email": ada.email})).json()
    assert known == {"kdf": ada.kdf, "salt": known["salt"]}
    nobody = {"email": new_email()}
    unknown = (await post(contract, "/auth/prelogin", nobody)).json()
    assert unknown.keys() == known.keys()
    assert unknown["kdf"].keys() == known["kdf"].keys()
    assert len(unknown["salt"]) == len(known["salt"])
    assert (await post(contract, "/auth/prelogin", nobody)).json() == unknown


@shows("POST /auth/register 201", "POST /auth/register 409 email_taken")
async def test_register_needs_email_and_password_alone(contract: Contract) -> None:
    body = {"username": new_email(), "password": "opaque-secret"}
    answer = await post(contract, "/auth/register", body)
    made = answer.json()
    assert made.keys() >= (ACCOUNT | TOKENS)
    assert (made["email"], made["privacy_tier"], made["encryption_tier"]) == (body["username"], "local_only", "e2e")
    assert (made["token_type"], made["timezone"], made["locale"]) == ("bearer", "UTC", "en")
    problem(await post(contract, "/auth/register", {**body, "password": "another-secret"}), 409, "email_taken")


@shows("POST /auth/register 422 consent_required", "POST /auth/signup 422 consent_required")
async def test_nobody_agrees_tomorrow(contract: Contract) -> None:
    consent = {"consent_timestamp": (contract.clock() + timedelta(days=2)).isoformat()}
    body = {"email": new_email(), "password": "opaque-secret", **consent}
    problem(await post(contract, "/auth/register", body), 422, "consent_required")
    problem(await post(contract, "/auth/signup", {**body, "encryption_tier": "uce"}), 422, "consent_required")


@shows("POST /auth/register 201")
async def test_register_takes_profile_and_preferences_and_is_answered_alike_again(contract: Contract) -> None:
    body = {
        "email": new_email(),
        "auth_secret": "opaque-secret",
        "id": str(uuid4()),
        "display_name": "Ada",
        "timezone": "Europe/Vienna",
        "locale": "de",
        "privacy_tier": "full_sync",
        "daily_word_goal": 300,
        "encryption_tier": "E2E",
    }
    first, again = [(await post(contract, "/auth/register", body)).json() for _ in range(2)]
    assert {name: again[name] for name in ACCOUNT} == {name: first[name] for name in ACCOUNT}
    assert (first["id"], first["display_name"], first["timezone"]) == (body["id"], "Ada", "Europe/Vienna")
    headers = {"Authorization": f"Bearer {first['access_token']}"}
    preferences = (await contract.http.get("/users/me/preferences", headers=headers)).json()
    assert (preferences["daily_word_goal"], preferences["locale"]) == (300, "de")


@shows(
    "POST /auth/register 409 id_taken",
    "POST /auth/register 422 keys_required",
    "POST /auth/register 422 invalid_recipient",
    "POST /auth/signup 409 id_taken",
    "POST /auth/signup 409 email_taken",
    "POST /auth/signup 422 keys_required",
    "POST /auth/signup 422 invalid_recipient",
    "POST /auth/signup 403 custody_required",
)
async def test_an_account_is_made_with_all_keys_of_its_own(contract: Contract, ada: Person) -> None:
    for path in ("/auth/register", "/auth/signup"):
        other = Person().signup_body()
        problem(await post(contract, path, {**other, "id": str(ada.id)}), 409, "id_taken")
        refused = problem(await post(contract, path, {**other, "recovery": None}), 422, "keys_required")
        assert refused["missing"] == ["recovery"]
        problem(await post(contract, path, {**other, "recipient": "age1" + "q" * 58}), 422, "invalid_recipient")
        problem(await post(contract, path, {**other, "recipient": encode_base64(bytes(32))}), 422, "invalid_recipient")
    problem(await post(contract, "/auth/signup", {**Person().signup_body(), "email": ada.email}), 409, "email_taken")
    brought = {**Person().signup_body(), "encryption_tier": "uce"}
    assert problem(await post(contract, "/auth/signup", brought), 403, "custody_required")["required"] == "e2e"


@shows("POST /auth/signup 201")
async def test_signup_in_either_custody(contract: Contract) -> None:
    body = Person().signup_body()
    body["public_key"] = encode_base64(raw_recipient(body.pop("recipient")))
    made = (await post(contract, "/auth/signup", body)).json()
    assert (made["encryption_tier"], made["privacy_tier"], made["id"]) == ("e2e", "full_sync", body["id"])
    assert not made.get("recovery_codes")
    person = Thin()
    made = (await post(contract, "/auth/signup", person.signup_body())).json()
    assert made.keys() >= (ACCOUNT | TOKENS)
    assert (made["encryption_tier"], made["privacy_tier"]) == ("uce", "full_sync")
    assert len(set(made["recovery_codes"])) == 10
    assert not (await post(contract, "/auth/signup", person.signup_body())).json()["recovery_codes"]


@shows(
    "POST /auth/token 200",
    "POST /auth/token 401 invalid_credentials",
    "POST /auth/login 200",
    "POST /auth/login 401 invalid_credentials",
)
async def test_logging_in_by_form_and_by_json(contract: Contract, ada: Person) -> None:
    form = {"username": ada.email, "password": ada.secret, "scope": "entries:read vault"}
    tokens = (await contract.http.post("/auth/token", data=form)).json()
    assert tokens.keys() >= TOKENS
    assert set(tokens["scope"].split()) == {"entries:read", "vault"}
    body = {"email": ada.email, "password": ada.secret, "device_name": "phone", "device_id": "phone-1"}
    answer = (await post(contract, "/auth/login", body)).json()
    assert answer.keys() >= TOKENS
    assert (answer["user"]["id"], answer["user"]["device_id"]) == (str(ada.id), "phone-1")
    wrong = problem(
        await contract.http.post("/auth/token", data={**form, "password": "x" * 9}), 401, "invalid_credentials"
    )
    for email, secret in ((ada.email, "x" * 9), (new_email(), ada.secret)):
        assert (
            problem(
                await post(contract, "/auth/login", {"email": email, "password": secret}), 401, "invalid_credentials"
            )
            == wrong
        )


# ---- staying in, going out ----


@shows("POST /auth/refresh 200", "POST /auth/refresh 401 refresh_token_reused")
async def test_a_refresh_token_is_used_once_but_for_a_retry(contract: Contract, ada: Person) -> None:
    body = {"refresh_token": ada.tokens["refresh_token"], "retry_id": "the-same-try"}
    first, again = [(await post(contract, "/auth/refresh", body)).json() for _ in range(2)]
    assert first.keys() >= TOKENS
    assert (first["jwt_token"], first["user_id"]) == (first["access_token"], str(ada.id))
    assert again["refresh_token"] == first["refresh_token"]
    problem(await post(contract, "/auth/refresh", {**body, "retry_id": "another-try"}), 401, "refresh_token_reused")
    problem(await post(contract, "/auth/refresh", {"refresh_token": first["refresh_token"]}), 401, "session_revoked")


@shows(
    "GET /auth/sessions 200",
    "DELETE /auth/sessions/{session_id} 204",
    "DELETE /auth/sessions/{session_id} 404 not_found",
    "POST /auth/logout 204",
)
async def test_devices_are_listed_and_signed_out_at_once(contract: Contract, ada: Person) -> None:
    phone = await ada.log_in(contract.http, device_name="phone")
    listed = (await contract.http.get("/auth/sessions", headers=ada.headers)).json()["items"]
    assert {(item["device_name"], item["current"]) for item in listed} == {("phone", False), ("first device", True)}
    [theirs] = [item["id"] for item in listed if not item["current"]]
    other = await Person().sign_up(contract.http)
    absent = problem(await contract.http.delete(f"/auth/sessions/{uuid4()}", headers=other.headers), 404, "not_found")
    foreign = await contract.http.delete(f"/auth/sessions/{theirs}", headers=other.headers)
    assert problem(foreign, 404, "not_found") == absent
    assert await phone.is_signed_in(contract.http)
    assert (await contract.http.delete(f"/auth/sessions/{theirs}", headers=ada.headers)).status_code == 204
    assert not await phone.is_signed_in(contract.http)
    assert (await contract.http.post("/auth/logout", headers=ada.headers)).status_code == 204
    assert not await ada.is_signed_in(contract.http)


# ---- the account ----


@shows("GET /auth/me 200", "GET /auth/features 200")
async def test_the_account_and_what_it_may(contract: Contract, ada: Person, uma: Thin) -> None:
    me = (await contract.http.get("/auth/me", headers=ada.headers)).json()
    assert me.keys() >= ACCOUNT
    assert (me["keyring"], me["recipient"], me["kdf"]) == (ada.keyring, ada.recipient, ada.kdf)
    theirs = (await contract.http.get("/auth/me", headers=uma.headers)).json()
    assert theirs["kek_salt"]
    assert theirs["keyring"]
    for person, custody in ((ada, "e2e"), (uma, "uce")):
        features = (await contract.http.get("/auth/features", headers=person.headers)).json()
        assert (features["encryption_tier"], features["privacy_tier"]) == (custody, "full_sync")
        assert features["features"]["server_decryption"] == (custody == "uce")
        assert {"server_search", "blind_search", "integrations", "media", "analytics"} <= features["features"].keys()
        assert features["storage"].keys() >= {"used_bytes", "limit_bytes"}


# ---- changing credentials ----


@shows(
    "PUT /auth/password 200",
    "PUT /auth/password 401 invalid_credentials",
    "PUT /auth/password 409 keyring_conflict",
    "PUT /auth/password 422 keyring_required",
    "PUT /auth/password 422 key_derivation_required",
    "PUT /auth/password 422 keys_required",
    "PUT /auth/password 403 custody_required",
)
async def test_a_new_password_seals_the_keyring_again_and_ends_the_other_sessions(
    contract: Contract, ada: Person, uma: Thin
) -> None:
    phone = await ada.log_in(contract.http)
    body = {
        "current_password": ada.secret,
        "password": "the-new-secret",
        "kdf": new_kdf(),
        "keyring": sealed(),
        "base_keyring_version": 1,
    }

    async def change(person: Person, **fields: Any) -> httpx.Response:
        changed = {name: value for name, value in {**body, **fields}.items() if value is not None}
        return await put(contract, "/auth/password", changed, person)

    problem(await change(ada, current_password="x" * 9), 401, "invalid_credentials")
    assert problem(await change(ada, base_keyring_version=7), 409, "keyring_conflict")["current_version"] == 1
    assert problem(await change(ada, keyring=None), 422, "keyring_required")["missing"] == ["keyring"]
    problem(await change(ada, kdf=None), 422, "key_derivation_required")
    assert await phone.is_signed_in(contract.http)
    answer = await change(ada)
    assert answer.json().keys() >= TOKENS
    assert not await phone.is_signed_in(contract.http)
    renewed = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    me = (await contract.http.get("/auth/me", headers=renewed)).json()
    assert (me["keyring"], me["keyring_version"]) == (body["keyring"], 2)

    older = {"email": new_email(), "password": "opaque-secret"}
    tokens = (await post(contract, "/auth/register", older)).json()
    without = Person(email=older["email"], secret=older["password"], tokens=tokens)
    problem(await change(without, current_password=without.secret), 422, "keys_required")

    brought = await change(uma, current_password=uma.secret)
    assert problem(brought, 403, "custody_required")["required"] == "e2e"
    plain = {"kdf": None, "keyring": None, "base_keyring_version": None}
    assert (await change(uma, current_password=uma.secret, **plain)).status_code == 200


@shows(
    "PUT /auth/keyring 200",
    "PUT /auth/keyring 401 invalid_credentials",
    "PUT /auth/keyring 403 invalid_signature",
    "PUT /auth/keyring 409 keyring_conflict",
    "PUT /auth/keyring 409 history_moved",
    "PUT /auth/keyring 422 key_derivation_required",
    "PUT /auth/keyring 422 invalid_recipient",
    "PUT /auth/keyring 422 keys_required",
    "PUT /auth/keyring 403 custody_required",
)
async def test_a_keyring_gains_a_key_signed_by_the_one_before(contract: Contract, ada: Person, uma: Thin) -> None:
    nova = Person(email=ada.email, id=ada.id)
    body = await nova.rotation_body(contract.http, ada, 1)

    async def replace(**fields: Any) -> httpx.Response:
        changed = {name: value for name, value in {**body, **fields}.items() if value is not None}
        return await put(contract, "/auth/keyring", changed, ada)

    problem(await replace(current_password="x" * 9), 401, "invalid_credentials")
    problem(await replace(rotation_signature=encode_base64(bytes(64))), 403, "invalid_signature")
    assert problem(await replace(base_keyring_version=7), 409, "keyring_conflict")["current_version"] == 1
    problem(await replace(recipient="age1" + "q" * 58), 422, "invalid_recipient")
    elsewhere = body["retired_at"] | {"seq": 7}
    assert problem(await replace(retired_at=elsewhere), 409, "history_moved")["seq"] == 0
    assert problem(await replace(recovery=None), 422, "keys_required")["missing"] == ["recovery"]
    assert (await replace()).json()["keyring_version"] == 2

    elder = Person()
    registered = await post(contract, "/auth/register", {"email": elder.email, "password": elder.secret})
    elder.tokens = registered.json()
    first = elder.keyring_body(elder, 0, kdf=None, password=None, key_id=None, retired_at=None)
    first = {name: value for name, value in first.items() if value is not None}
    problem(await put(contract, "/auth/keyring", first, elder), 422, "key_derivation_required")

    refused = await put(contract, "/auth/keyring", {**body, "current_password": uma.secret}, uma)
    assert problem(refused, 403, "custody_required")["required"] == "e2e"
    rotated = await put(contract, "/auth/keyring", {"current_password": uma.secret}, uma)
    assert rotated.json()["keyring_version"] == 2
    assert len(rotated.json()["recovery_codes"]) == 10


# ---- recovery ----


@shows(
    "GET /auth/recovery-codes 200",
    "POST /auth/recovery-codes 200",
    "POST /auth/recovery-codes 401 invalid_credentials",
    "POST /auth/recovery-codes 409 keyring_conflict",
    "POST /auth/recovery-codes 422 keyring_required",
    "POST /auth/recovery-codes 422 keys_required",
    "POST /auth/recovery-codes 403 custody_required",
)
async def test_a_new_set_of_recovery_codes_replaces_the_old(contract: Contract, ada: Person, uma: Thin) -> None:
    assert (await contract.http.get("/auth/recovery-codes", headers=ada.headers)).json()["remaining"] == 3
    body = {"current_password": ada.secret, "base_keyring_version": 1, "recovery": ada.recovery_set()[:2]}
    path = "/auth/recovery-codes"
    problem(await post(contract, path, {**body, "current_password": "x" * 9}, ada), 401, "invalid_credentials")
    problem(await post(contract, path, {**body, "base_keyring_version": 7}, ada), 409, "keyring_conflict")
    without = {name: value for name, value in body.items() if name != "recovery"}
    problem(await post(contract, path, without, ada), 422, "keys_required")
    assert (await post(contract, path, body, ada)).json()["remaining"] == 2

    older = {"email": new_email(), "password": "opaque-secret"}
    tokens = (await post(contract, "/auth/register", older)).json()
    person = Person(email=older["email"], secret=older["password"], tokens=tokens)
    problem(await post(contract, path, {**body, "current_password": person.secret}, person), 422, "keyring_required")
    drawn = (await post(contract, path, {"current_password": person.secret}, person)).json()
    assert drawn["remaining"] == len(drawn["recovery_codes"]) == 10

    problem(await post(contract, path, {**body, "current_password": uma.secret}, uma), 403, "custody_required")
    drawn = (await post(contract, path, {"current_password": uma.secret}, uma)).json()
    assert drawn["remaining"] == len(drawn["recovery_codes"]) == 10


@shows(
    "POST /auth/verify-recovery-code 200",
    "POST /auth/verify-recovery-code 401 invalid_recovery_code",
    "POST /auth/recover 200",
    "POST /auth/recover 401 invalid_recovery_token",
    "POST /auth/recover 409 keyring_conflict",
    "POST /auth/recover 422 keyring_required",
    "POST /auth/recover 422 key_derivation_required",
)
async def test_a_recovery_code_sets_new_credentials_once(contract: Contract, ada: Person) -> None:
    verifier = encode_base64(recovery.verifier(ada.codes[0]))
    wrong = {"email": ada.email, "verifier": encode_base64(bytes(32))}
    refused = problem(await post(contract, "/auth/verify-recovery-code", wrong), 401, "invalid_recovery_code")
    nobody = {"email": new_email(), "verifier": verifier}
    assert problem(await post(contract, "/auth/verify-recovery-code", nobody), 401, "invalid_recovery_code") == refused
    answer = await post(contract, "/auth/verify-recovery-code", {"email": ada.email, "verifier": verifier})
    found = answer.json()
    assert {"recovery_token", "keyring", "keyring_version"} <= found.keys()
    body = {
        "recovery_token": found["recovery_token"],
        "password": "the-new-secret",
        "kdf": new_kdf(),
        "keyring": sealed(),
        "base_keyring_version": found["keyring_version"],
    }

    async def recover(**fields: Any) -> httpx.Response:
        changed = {name: value for name, value in {**body, **fields}.items() if value is not None}
        return await post(contract, "/auth/recover", changed)

    problem(await recover(recovery_token="x"), 401, "invalid_recovery_token")
    problem(await recover(base_keyring_version=7), 409, "keyring_conflict")
    problem(await recover(keyring=None), 422, "keyring_required")
    problem(await recover(kdf=None), 422, "key_derivation_required")
    assert (await recover()).json().keys() >= TOKENS
    assert not await ada.is_signed_in(contract.http)
    problem(await recover(), 401, "invalid_recovery_token")
    spent = {"email": ada.email, "verifier": verifier}
    problem(await post(contract, "/auth/verify-recovery-code", spent), 401, "invalid_recovery_code")


@shows("POST /auth/recover 200", "POST /auth/recover 403 custody_required")
async def test_a_uce_account_is_recovered_with_the_code_that_was_shown(contract: Contract, uma: Thin) -> None:
    code = {"email": uma.email, "code": uma.shown_codes[3]}
    found = (await post(contract, "/auth/verify-recovery-code", code)).json()
    body = {"recovery_token": found["recovery_token"], "password": "the new password"}
    refused = await post(contract, "/auth/recover", {**body, "keyring": sealed(), "kdf": new_kdf()})
    assert problem(refused, 403, "custody_required")["required"] == "e2e"
    assert (await post(contract, "/auth/recover", body)).json().keys() >= TOKENS
    login = {"email": uma.email, "password": "the new password"}
    assert (await post(contract, "/auth/login", login)).status_code == 200
