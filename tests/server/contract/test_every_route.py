"""What every route refuses alike, asked of each one of which the document says so."""

from __future__ import annotations

from typing import Any

import pytest

from lockleaf.wire.codec import JSON
from tests.support.account_holders import Person
from tests.support.accounts import Owner, change, following, register
from tests.support.contract import BASES, Contract, somewhere

pytestmark = pytest.mark.parametrize("base", BASES)

ALIKE = (
    "not_authenticated",
    "token_invalid",
    "token_expired",
    "session_revoked",
    "insufficient_scope",
    "tier_required",
    "malformed_body",
    "unsupported_media_type",
    "body_too_large",
    "invalid_request",
    "invalid_cursor",
    "not_acceptable",
)
"""The refusals that the tests here show for every route that names them."""

FORM = "POST /auth/token"
TOKEN_IN_BODY = "POST /auth/refresh"
LIVE = "GET /sync/events"
QUESTION = "POST /encryption/aggregate"
SEARCH = "POST /search"
LARGEST_KEY = "PUT /users/me/privacy"
PUBLICATION = "POST /integrations/{provider}/push"


def promised(contract: Contract, code: str) -> dict[str, str]:
    """The operations that name ``code``, and the whole answer of each."""
    return {
        " ".join(answer.split(" ")[:2]): answer for answer in contract.document.answers() if answer.endswith(f" {code}")
    }


async def ask(contract: Contract, operation: str, headers: dict[str, str] | None = None, **options: Any) -> None:
    method, path = operation.split(" ")
    await contract.http.request(method, somewhere(path), headers=headers, **options)


@pytest.fixture
async def owner(contract: Contract) -> Owner:
    return await register(contract.http)


async def test_who_names_no_session_is_asked_for_one(contract: Contract) -> None:
    for operation, answer in promised(contract, "not_authenticated").items():
        if operation == "GET /metrics":
            continue  # below no prefix, and open to this machine: tests/server/test_operation.py
        await ask(contract, operation)
        assert answer in contract.heard


@pytest.mark.parametrize("code", ["token_invalid", "token_expired", "session_revoked"])
async def test_a_session_that_is_none_or_over_is_refused(contract: Contract, code: str) -> None:
    owner = await register(contract.http)
    access, refresh = owner.token, owner.answer["refresh_token"]
    match code:
        case "token_invalid":
            access, refresh = refresh, access
        case "token_expired":
            contract.clock.advance(days=60)
        case _:
            await owner.request("POST", "/auth/logout")
    for operation, answer in promised(contract, code).items():
        body = {"json": {"refresh_token": refresh}} if operation == TOKEN_IN_BODY else {}
        await ask(contract, operation, {"Authorization": f"Bearer {access}"}, **body)
        assert answer in contract.heard


async def test_a_session_without_the_right_is_refused(contract: Contract, owner: Owner) -> None:
    tokens = {}
    for scope in ("tags:read", "vault:read"):
        login = {"email": owner.email, "password": owner.password, "scope": scope}
        tokens[scope] = (await contract.http.post("/auth/login", json=login)).json()["access_token"]
    for operation, answer in promised(contract, "insufficient_scope").items():
        token = tokens["vault:read" if "/tags" in operation else "tags:read"]
        await ask(contract, operation, {"Authorization": f"Bearer {token}"})
        assert answer in contract.heard


async def test_a_tier_that_keeps_it_on_the_device_is_told_which_one_would_not(contract: Contract) -> None:
    person = await Person().sign_up(contract.http, privacy_tier="local_only")
    for operation, answer in promised(contract, "tier_required").items():
        await ask(contract, operation, person.headers)
        assert answer in contract.heard


async def test_a_body_that_is_no_value_is_refused(contract: Contract, owner: Owner) -> None:
    for operation, answer in promised(contract, "malformed_body").items():
        media_type = "multipart/form-data; boundary=x" if operation == FORM else JSON
        headers = {"Authorization": f"Bearer {owner.token}", "Content-Type": media_type}
        await ask(contract, operation, headers, content=b"{")
        assert answer in contract.heard


async def test_a_body_in_another_encoding_is_refused(contract: Contract, owner: Owner) -> None:
    headers = {"Authorization": f"Bearer {owner.token}", "Content-Type": "text/plain"}
    for operation, answer in promised(contract, "unsupported_media_type").items():
        await ask(contract, operation, headers, content=b"x")
        assert answer in contract.heard


async def test_a_body_that_is_too_large_is_refused(contract: Contract, owner: Owner) -> None:
    headers = {"Authorization": f"Bearer {owner.token}", "Content-Type": JSON}
    for operation, answer in promised(contract, "body_too_large").items():
        size = {LARGEST_KEY: 17, PUBLICATION: 33}.get(operation, 9)
        await ask(contract, operation, headers, content=bytes(size * 1024 * 1024))
        assert answer in contract.heard


async def test_what_is_no_such_request_is_refused(contract: Contract, owner: Owner) -> None:
    headers = {"Authorization": f"Bearer {owner.token}"}
    for operation, answer in promised(contract, "invalid_request").items():
        method, path = operation.split(" ")
        if operation == FORM:
            await contract.http.post(path, data={"username": "nobody"})
        elif "requestBody" in contract.document.operations[operation]:
            await contract.http.request(method, somewhere(path), headers=headers, json=[])
        elif "{" in path:
            await contract.http.request(method, path.replace("{", "~").replace("}", "~"), headers=headers)
        else:
            await contract.http.request(
                method, path, headers=headers, params={"limit": "0", "days": "-1", "seal_version": "0"}
            )
        assert answer in contract.heard


async def test_a_cursor_that_is_none_is_refused(contract: Contract, owner: Owner) -> None:
    headers = {"Authorization": f"Bearer {owner.token}"}
    for operation, answer in promised(contract, "invalid_cursor").items():
        known = {each["name"] for each in contract.document.operations[operation].get("parameters", ())}
        place = {name: "x" for name in ("cursor", "after") if name in known or (name == "cursor" and not known)}
        if operation == QUESTION:
            question = {"metric_type": "words", "operation": "sum", "bucket": "day", **place}
            await ask(contract, operation, headers, json=question)
        elif operation == SEARCH:
            await ask(contract, operation, headers, json={"tokens": {"any": ["AAAAAAAAAAA="]}, **place})
        else:
            await ask(contract, operation, headers, params=place)
        assert answer in contract.heard


async def test_an_answer_that_nobody_writes_is_refused_and_nothing_is_done(contract: Contract, owner: Owner) -> None:
    first = change()
    [_, refused] = await owner.results(first, following(first, base_revision=7, on_conflict="keep"))
    backup = {
        "encrypted_content": "AAAA",
        "content_iv": "1",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "device_id": "device-one",
    }
    await owner.request("POST", "/sync/backup", json={**backup, "id": "kept"})
    sealed_key = {"sealed_key": "AAAA", "base_version": 0}
    assert (await owner.request("PUT", "/encryption/keys/ckks-4096", json=sealed_key)).status_code == 200
    plain = {name: str(value) for name, value in change().items() if name not in ("parent", "payload")}
    requests: dict[str, tuple[str, dict[str, Any]]] = {
        "POST /sync/push": (
            "/sync/push",
            {"changes": [{**plain, "parent": "A" * 43 + "=", "payload": "AQEA", "base_revision": 0}]},
        ),
        "POST /sync/conflicts/{conflict_id}/resolve": (
            f"/sync/conflicts/{refused['conflict_id']}/resolve",
            {"chosen_version": "remote"},
        ),
        "POST /sync/backup": ("/sync/backup", {**backup, "id": "new"}),
        "DELETE /sync/backup/{log_id}": ("/sync/backup/kept", {}),
        "GET /encryption/keys/{parameter_set}": ("/encryption/keys/ckks-4096", {}),
        "PUT /encryption/keys/{parameter_set}": ("/encryption/keys/ckks-4096", sealed_key),
        "POST /encryption/metrics": (
            "/encryption/metrics",
            {"metrics": [{"metric_type": "words", "encrypted_value": "AAAA", "timestamp": "2026-01-01T00:00:00Z"}]},
        ),
        QUESTION: ("/encryption/aggregate", {"metric_type": "words", "operation": "sum"}),
    }
    before = await owner.feed()
    for operation, answer in promised(contract, "not_acceptable").items():
        method, path = operation.split(" ")
        path, body = requests.get(operation, (path, {}))
        options = {"json": body} if body else {}
        await owner.request(method, path, headers={"Accept": "text/csv"}, **options)
        assert answer in contract.heard
    assert await owner.feed() == before
    assert (await owner.request("GET", "/sync/conflicts")).json()["total_count"] == 1
