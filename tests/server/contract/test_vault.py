"""``/vault`` as its table has it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from lockleaf.wire.content import MAX_PAYLOAD_BYTES
from tests.support.account_holders import problem
from tests.support.accounts import Owner, register
from tests.support.contract import Contract, shows


def blob(**fields: Any) -> dict[str, Any]:
    whole = {
        "vault_id": "my.Keys_1-2",
        "ciphertext": "c2VhbGVk",
        "iv": "an iv",
        "salt": "a salt",
        "version": 1,
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not None}


@pytest.fixture
async def owner(contract: Contract) -> Owner:
    """Somebody with a blob in the vault."""
    owner = await register(contract.http)
    assert (await owner.request("POST", "/vault", json=blob())).status_code == 201
    return owner


async def put(
    owner: Owner, if_match: str | None = None, vault_id: str = "my.Keys_1-2", **fields: Any
) -> httpx.Response:
    headers = {"If-Match": if_match} if if_match else {}
    return await owner.request("PUT", f"/vault/{vault_id}", json=blob(vault_id=vault_id, **fields), headers=headers)


@shows("POST /vault 201", "GET /vault 200", "GET /vault/{vault_id} 200", "POST /vault 409 version_conflict")
async def test_a_blob_is_stored_under_an_id_of_the_clients_choice(owner: Owner) -> None:
    again = await owner.request("POST", "/vault", json=blob())
    assert again.json().keys() >= {"vault_id", "created_at", "version"}
    assert (again.status_code, again.json()["version"], again.headers["etag"]) == (201, 1, '"1"')
    other = await owner.request("POST", "/vault", json=blob(ciphertext="b3RoZXI="))
    assert problem(other, 409, "version_conflict")["current_version"] == 1
    read = await owner.request("GET", "/vault/my.Keys_1-2")
    assert read.json() == {**read.json(), **blob()}
    assert read.json().keys() >= {"created_at", "updated_at"}
    assert read.headers["etag"] == '"1"'
    await owner.request("POST", "/vault", json=blob(vault_id="another"))
    first = (await owner.request("GET", "/vault", params={"limit": 1})).json()
    rest = (await owner.request("GET", "/vault", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert {item["vault_id"] for item in first["items"] + rest["items"]} == {"another", "my.Keys_1-2"}


@shows(
    "PUT /vault/{vault_id} 200",
    "PUT /vault/{vault_id} 409 version_conflict",
    "PUT /vault/{vault_id} 412 precondition_failed",
    "PUT /vault/{vault_id} 428 revision_required",
    "GET /vault/{vault_id}/versions 200",
    "GET /vault/{vault_id}/versions/{number} 200",
    "GET /vault/{vault_id}/versions/{number} 404 not_found",
)
async def test_each_version_follows_the_present_one_and_stays_readable(owner: Owner) -> None:
    problem(await put(owner, version=None), 428, "revision_required")
    assert problem(await put(owner, version=7), 409, "version_conflict")["current_version"] == 1
    problem(await put(owner, '"7"', version=2), 412, "precondition_failed")
    second = await put(owner, version=2, ciphertext="bmV3")
    assert (second.json()["version"], second.headers["etag"]) == (2, '"2"')
    third = await put(owner, '"2"', version=None, ciphertext="bmV3ZXI=")
    assert third.json()["version"] == 3
    versions = (await owner.request("GET", "/vault/my.Keys_1-2/versions")).json()
    assert [item["version"] for item in versions["items"]] == [3, 2, 1]
    for number, text in ((1, "c2VhbGVk"), (2, "bmV3"), (3, "bmV3ZXI=")):
        read = await owner.request("GET", f"/vault/my.Keys_1-2/versions/{number}")
        assert read.json()["ciphertext"] == text
    problem(await owner.request("GET", "/vault/my.Keys_1-2/versions/4"), 404, "not_found")


@shows(
    "DELETE /vault/{vault_id} 204",
    "DELETE /vault/{vault_id} 412 precondition_failed",
    "DELETE /vault/{vault_id} 404 not_found",
    "GET /vault/{vault_id} 404 not_found",
    "PUT /vault/{vault_id} 404 not_found",
    "GET /vault/{vault_id}/versions 404 not_found",
    "GET /vault/{vault_id}/versions/{number} 404 not_found",
)
async def test_a_blob_is_deleted_with_its_versions_and_is_nobody_elses(contract: Contract, owner: Owner) -> None:
    other = await register(contract.http)
    path = "/vault/my.Keys_1-2"
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", path, {}),
        ("PUT", path, {"json": blob(version=2)}),
        ("DELETE", path, {}),
        ("GET", f"{path}/versions", {}),
        ("GET", f"{path}/versions/1", {}),
    ]
    foreign = [
        problem(await other.request(method, at, **options), 404, "not_found") for method, at, options in requests
    ]
    assert (await other.request("GET", "/vault")).json()["items"] == []
    assert (await owner.request("GET", path)).status_code == 200
    problem(await owner.request("DELETE", path, headers={"If-Match": '"7"'}), 412, "precondition_failed")
    assert (await owner.request("DELETE", path, headers={"If-Match": '"1"'})).status_code == 204
    absent = [problem(await owner.request(method, at, **options), 404, "not_found") for method, at, options in requests]
    assert absent == foreign


@shows("POST /vault 413 payload_too_large", "PUT /vault/{vault_id} 413 payload_too_large")
async def test_a_blob_is_at_most_as_large_as_a_record(owner: Owner) -> None:
    whole, beyond = "x" * (MAX_PAYLOAD_BYTES - 512), "x" * MAX_PAYLOAD_BYTES
    stored = await owner.request("POST", "/vault", json=blob(vault_id="large", ciphertext=whole))
    assert stored.status_code == 201
    refused = await owner.request("POST", "/vault", json=blob(vault_id="larger", ciphertext=beyond))
    problem(refused, 413, "payload_too_large")
    problem(await put(owner, version=2, ciphertext=beyond), 413, "payload_too_large")
