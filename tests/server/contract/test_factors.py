"""Second factors: ``/auth/factors``, and what every route that takes the secret asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lockleaf.client import FactorQuestion, SecurityKey
from lockleaf.client.account.passkeys import make_passkey
from lockleaf.crypto import recovery
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.factors import PasskeyOptions, PasskeyQuestion
from lockleaf.wire.fields import encode_base64
from tests.server.contract.test_every_route import promised
from tests.support.account_holders import Person, new_kdf, problem, sealed
from tests.support.authenticator import SoftwareKey
from tests.support.contract import Contract, Running, shows
from tests.support.factors import App, add_app

REFUSALS = ("second_factor_required", "invalid_factor", "too_many_factor_attempts")
CONFIRMATION = "POST /auth/factors/{factor_id}/confirm"
ASKING = [
    "POST /auth/token",
    "POST /auth/login",
    "PUT /auth/password",
    "PUT /auth/keyring",
    "POST /auth/recovery-codes",
    "POST /auth/verify-recovery-code",
    "POST /auth/recover",
    "POST /auth/factors",
    "POST /auth/factors/codes",
    "DELETE /auth/factors/{factor_id}",
    "DELETE /users/me",
    "PUT /users/me/privacy",
    "DELETE /users/me/privacy/revoke",
]


@pytest.fixture
def running(own_running: Running) -> Running:
    return own_running


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of a server that knows its address."""
    factors = settings.factors.model_copy(update={"origins": ("https://journal.example.org",)})
    return settings.model_copy(update={"factors": factors})


@pytest.fixture
async def ada(contract: Contract) -> Person:
    return await Person().sign_up(contract.http)


async def _bodies(contract: Contract, ada: Person) -> dict[str, dict[str, Any]]:
    """A body of each operation that needs nothing more than the factor."""
    proof = {"current_password": ada.secret}
    code = {"email": ada.email, "verifier": encode_base64(recovery.verifier(ada.codes[0]))}
    token = (await contract.http.post("/auth/verify-recovery-code", json=code)).json()["recovery_token"]
    keys = {"kdf": new_kdf(), "keyring": sealed(), "base_keyring_version": 1}
    rotated = await Person(id=ada.id, email=ada.email).rotation_body(contract.http, ada, 1)
    return {
        "POST /auth/token": {"username": ada.email, "password": ada.secret},
        "POST /auth/login": {"email": ada.email, "password": ada.secret},
        "PUT /auth/password": {**proof, **keys, "password": "x" * 40},
        "PUT /auth/keyring": rotated,
        "POST /auth/recovery-codes": {**proof, "recovery": ada.recovery_set(), "base_keyring_version": 1},
        "POST /auth/verify-recovery-code": code,
        "POST /auth/recover": {**keys, "recovery_token": token, "password": "x" * 40},
        "POST /auth/factors": {**proof, "kind": "totp"},
        "POST /auth/factors/codes": proof,
        "DELETE /auth/factors/{factor_id}": proof,
        "DELETE /users/me": proof,
        "PUT /users/me/privacy": {**proof, "privacy_tier": "local_only"},
        "DELETE /users/me/privacy/revoke": proof,
    }


@shows(
    *(
        f"{operation} {answer}"
        for operation in ASKING
        for answer in ("401 second_factor_required", "401 invalid_factor")
    ),
    *(f"{operation} 429 too_many_factor_attempts" for operation in ASKING),
    "POST /auth/factors/{factor_id}/confirm 429 too_many_factor_attempts",
)
async def test_what_takes_the_secret_asks_for_the_factor_too(contract: Contract, ada: Person) -> None:
    bodies = await _bodies(contract, ada)
    assert set(bodies) == set(ASKING)
    app = await add_app(contract.http, ada, contract.clock)

    async def ask(operation: str, factor: str | None) -> None:
        method, path = operation.split(" ")
        body = bodies[operation] if factor is None else {**bodies[operation], "factor": factor}
        kind = "data" if operation == "POST /auth/token" else "json"
        path = path.replace("{factor_id}", app.id)
        await contract.http.request(method, path, headers=ada.headers, **{kind: body})

    for operation in ASKING:
        await ask(operation, None)
        await ask(operation, app.codes[0][::-1])
    for _ in range(5):
        await ask("POST /auth/login", app.wrong())
    for operation in ASKING:
        await ask(operation, app.wrong())
    # A further one that was begun is confirmed later.
    begin = {**bodies["POST /auth/factors"], "factor": app.codes[0]}
    begun = (await contract.http.post("/auth/factors", json=begin, headers=ada.headers)).json()
    confirmation = {"current_password": ada.secret, "code": "000000"}
    await contract.http.post(f"/auth/factors/{begun['id']}/confirm", json=confirmation, headers=ada.headers)
    for code in REFUSALS:
        told = promised(contract, code)
        assert set(told) - set(ASKING) <= {CONFIRMATION}
        assert {answer for operation, answer in told.items() if operation != CONFIRMATION} <= contract.heard


@shows(
    "GET /auth/factors 200",
    "POST /auth/factors 201",
    "POST /auth/factors 401 invalid_credentials",
    "POST /auth/factors 409 too_many_factors",
    "POST /auth/factors/{factor_id}/confirm 200",
    "POST /auth/factors/{factor_id}/confirm 401 invalid_credentials",
    "POST /auth/factors/{factor_id}/confirm 401 invalid_factor",
    "POST /auth/factors/{factor_id}/confirm 404 not_found",
    "POST /auth/factors/codes 200",
    "POST /auth/factors/codes 401 invalid_credentials",
    "POST /auth/factors/codes 404 not_found",
    "DELETE /auth/factors/{factor_id} 204",
    "DELETE /auth/factors/{factor_id} 401 invalid_credentials",
    "DELETE /auth/factors/{factor_id} 404 not_found",
)
async def test_factors_are_added_listed_and_removed(contract: Contract, ada: Person) -> None:
    proof, headers, http = {"current_password": ada.secret}, ada.headers, contract.http
    wrong = {"current_password": "not the secret"}
    problem(await http.post("/auth/factors/codes", json=proof, headers=headers), 404, "not_found")
    problem(
        await http.post("/auth/factors", json={**wrong, "kind": "totp"}, headers=headers), 401, "invalid_credentials"
    )
    begun = (await http.post("/auth/factors", json={**proof, "kind": "totp"}, headers=headers)).json()
    app = App(begun["totp"]["secret"], begun["id"], (), contract.clock)
    confirm = f"/auth/factors/{app.id}/confirm"
    problem(await http.post(confirm, json={**wrong, "code": "000000"}, headers=headers), 401, "invalid_credentials")
    problem(await http.post(confirm, json={**proof, "code": app.wrong()}, headers=headers), 401, "invalid_factor")
    assert (await http.post(confirm, json={**proof, "code": app.code()}, headers=headers)).status_code == 200
    problem(await http.post(confirm, json={**proof, "code": app.code()}, headers=headers), 404, "not_found")
    assert len((await http.get("/auth/factors", headers=headers)).json()["items"]) == 1
    problem(await http.post("/auth/factors/codes", json=wrong, headers=headers), 401, "invalid_credentials")
    answer = await http.post("/auth/factors/codes", json={**proof, "factor": app.code()}, headers=headers)
    assert len(answer.json()["codes"]) == 10
    for _ in range(7):
        await add_app(http, ada, contract.clock, factor=app.code())
    full = {**proof, "kind": "totp", "factor": app.code()}
    problem(await http.post("/auth/factors", json=full, headers=headers), 409, "too_many_factors")

    async def remove(factor_id: str, body: dict[str, Any]) -> Any:
        return await http.request("DELETE", f"/auth/factors/{factor_id}", json=body, headers=headers)

    problem(await remove(app.id, wrong), 401, "invalid_credentials")
    problem(await remove(str(ada.id), {**proof, "factor": app.code()}), 404, "not_found")
    assert (await remove(app.id, {**proof, "factor": app.code()})).status_code == 204


@shows(
    "POST /auth/factors 201",
    "POST /auth/factors/{factor_id}/confirm 200",
    "POST /auth/factors/{factor_id}/confirm 422 invalid_passkey",
    "POST /auth/login 401 second_factor_required",
    "POST /auth/login 401 invalid_factor",
    "POST /auth/login 200",
)
async def test_a_passkey_is_made_for_one_challenge_and_answers_another(contract: Contract, ada: Person) -> None:
    proof, headers, http = {"current_password": ada.secret}, ada.headers, contract.http
    key = SecurityKey(SoftwareKey())
    begin = {**proof, "kind": "passkey", "name": "key"}
    begun = [(await http.post("/auth/factors", json=begin, headers=headers)).json() for _ in range(2)]
    options = [PasskeyOptions.model_validate_json(json.dumps(each["passkey"])) for each in begun]
    made = [(await make_passkey(key, "https://journal.example.org", each)).model_dump(mode="json") for each in options]
    confirm = f"/auth/factors/{begun[1]['id']}/confirm"
    for other in (made[0], {**made[1], "client_data": made[0]["client_data"]}, None):
        refused = await http.post(confirm, json={**proof, "passkey": other}, headers=headers)
        problem(refused, 422, "invalid_passkey")
    assert (await http.post(confirm, json={**proof, "passkey": made[1]}, headers=headers)).status_code == 200

    async def log_in(**more: Any) -> Any:
        return await http.post("/auth/login", json={"email": ada.email, "password": ada.secret, **more})

    async def signed(refusal: dict[str, Any]) -> dict[str, Any]:
        where = PasskeyQuestion.model_validate_json(json.dumps(refusal["passkey"]))
        question = FactorQuestion(
            "https://journal.example.org", ("passkey",), False, refusal["challenge"], where.rp_id, where.credentials
        )
        return (await key.sign(question)).model_dump(mode="json")

    # What was asked for something else does not log in.
    deletion = await http.request("DELETE", "/users/me", json=proof, headers=headers)
    asked = problem(deletion, 401, "second_factor_required")
    answer = {"challenge": asked["challenge"], "passkey": await signed(asked)}
    problem(await log_in(factor=answer), 401, "invalid_factor")
    # Nor does the answer to one question answer another.
    asked, another = [problem(await log_in(), 401, "second_factor_required") for _ in range(2)]
    answer = {"challenge": another["challenge"], "passkey": await signed(asked)}
    problem(await log_in(factor=answer), 401, "invalid_factor")
    answer["challenge"] = asked["challenge"]
    assert (await log_in(factor=answer)).status_code == 200
    problem(await log_in(factor=answer), 401, "invalid_factor")
