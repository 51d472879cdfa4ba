"""What a request asks for is done or refused: no field of a body, and no parameter, is passed over in silence."""

from __future__ import annotations

import pytest

from lockleaf.wire.codec import JSON, MSGPACK, pack
from tests.support.account_holders import Person, problem
from tests.support.accounts import Owner, register
from tests.support.contract import BASES, Contract, somewhere
from tests.support.diaries import thin

UNKNOWN = "nobody_knows_this"
FORM = "POST /auth/token"
KEEPS_FURTHER_FIELDS = {"POST /entries", "PUT /entries/{entry_id}"}
"""Of an account without a keyring: a field beside the others may be what opens them (docs/how-to)."""
WITHOUT_PREFIX = {"GET /health", "GET /ready", "GET /metrics"}
"""Asked by whoever watches the server, who may add what it likes: the answers are the same for all."""


async def _bearer(contract: Contract, kind: str) -> dict[str, str]:
    """The session of an account of one kind, at the tier at which every route answers."""
    tier = {"privacy_tier": "full_sync"}
    if kind == "sealed":
        return (await Person().sign_up(contract.http, **tier)).headers
    owner: Owner = await (thin(contract.http, **tier) if kind == "uce" else register(contract.http, **tier))
    return {"Authorization": f"Bearer {owner.token}"}


@pytest.mark.parametrize("kind", ["sealed", "opaque", "uce"])
async def test_a_field_that_nobody_knows_is_named_in_the_refusal(contract: Contract, kind: str) -> None:
    headers, asked = await _bearer(contract, kind), 0
    for operation, described in contract.document.operations.items():
        if "requestBody" not in described or operation == FORM:
            continue
        if kind == "opaque" and operation in KEEPS_FURTHER_FIELDS:
            continue
        method, path = operation.split(" ")
        for media_type in set(described["requestBody"]["content"]) & {JSON, MSGPACK}:
            data = b'{"nobody_knows_this": 1}' if media_type == JSON else pack({UNKNOWN: 1})
            told = {**headers, "Content-Type": media_type}
            answer = await contract.http.request(method, somewhere(path), headers=told, content=data)
            if answer.status_code == 403 and answer.json()["code"] == "custody_required":
                continue  # nothing of it is read
            assert answer.status_code == 422, (operation, answer.text)
            found = problem(answer, 422, "invalid_request")
            assert UNKNOWN in {error["field"] for error in found["errors"]}, (operation, media_type, answer.text)
            asked += 1
    assert asked > 25


@pytest.mark.parametrize("base", BASES)
async def test_a_parameter_that_nobody_knows_is_refused(contract: Contract) -> None:
    headers = await _bearer(contract, "sealed")
    for operation in contract.document.operations.keys() - WITHOUT_PREFIX:
        method, path = operation.split(" ")
        form = {"username": "nobody", "password": "nothing here"} if operation == FORM else None
        answer = await contract.http.request(method, somewhere(path), headers=headers, params={UNKNOWN: "1"}, data=form)
        assert answer.status_code == 422, (operation, answer.text)
        found = problem(answer, 422, "invalid_request")
        assert "query" in {error["field"] for error in found["errors"]}, (operation, answer.text)
        assert UNKNOWN not in answer.text


async def test_a_field_within_another_is_looked_at_too_and_null_asks_for_nothing(contract: Contract) -> None:
    owner = await register(contract.http)
    backup = {
        "id": "day-1",
        "encrypted_content": "AAAA",
        "content_iv": "iv",
        "updated_at": "2026-03-14T19:00:00Z",
        "device_id": "phone",
    }
    assert (await owner.request("POST", "/sync/backup", json={**backup, UNKNOWN: None})).status_code == 201
    (stored,) = (await owner.request("GET", "/sync/backups")).json()["backups"]
    again = {name: value for name, value in stored.items() if name != "revision"}
    assert (await owner.request("POST", "/sync/backup", json=again)).status_code == 201  # as it was answered
    size = 5 * 1024 * 1024
    part = {"size": size, "sha256": "0" * 64}
    parts = {"media_type": "a/b", "size": 2 * size, "sha256": "0" * 64, "parts": [part, {**part, UNKNOWN: 1}]}
    found = problem(await owner.request("POST", "/media/upload", json=parts), 422, "invalid_request")
    assert [error["field"] for error in found["errors"]] == [f"parts.1.{UNKNOWN}"]
