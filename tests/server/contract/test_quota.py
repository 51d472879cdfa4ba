"""Each door on a server that gives accounts little room."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from lockleaf.server.platform.settings import Settings
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import problem
from tests.support.accounts import Owner, change, following, register, sealed
from tests.support.contract import Contract, Running, shows
from tests.support.measurers import measurer
from tests.support.media import declaration

ROOM = 20 * 1024
LARGE = 16 * 1024


@pytest.fixture
def running(own_running: Running) -> Running:
    return own_running


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A server that gives each account 20 KiB."""
    return settings.model_copy(update={"limits": settings.limits.model_copy(update={"storage_bytes": ROOM})})


@pytest.fixture
async def owner(contract: Contract) -> Owner:
    return await register(contract.http)


def textual(metric: dict[str, Any]) -> dict[str, Any]:
    """A metric as JSON says it."""
    return {name: encode_base64(value) if isinstance(value, bytes) else value for name, value in metric.items()}


def travelling(change: dict[str, Any]) -> dict[str, Any]:
    """A change as the diary's door takes it."""
    return {
        "id": change["record_id"],
        "payload": encode_base64(change["payload"]),
        "parent": encode_base64(change["parent"]),
        "base_revision": change["base_revision"],
    }


@shows(
    "POST /sync/push 200",
    "POST /entries 507 quota_exceeded",
    "PUT /entries/{entry_id} 507 quota_exceeded",
    "POST /entries/{entry_id}/restore 507 quota_exceeded",
    "POST /media/upload 507 quota_exceeded",
)
async def test_an_entry_or_a_file_beyond_the_room_is_refused(owner: Owner) -> None:
    kept, dropped = change(), change()
    await owner.results(kept, dropped, deletion := following(dropped, deleted=True))
    before = await owner.feed()
    beyond = change(payload=sealed(ROOM))
    [rejected] = await owner.results(beyond)
    assert (rejected["status"], rejected["code"]) == ("rejected", "quota_exceeded")
    problem(await owner.request("POST", "/entries", json=travelling(beyond)), 507, "quota_exceeded")
    edit = travelling(following(kept, payload=sealed(ROOM)))
    problem(await owner.request("PUT", f"/entries/{kept['record_id']}", json=edit), 507, "quota_exceeded")
    restored = travelling(following(deletion, deleted=False, payload=sealed(ROOM)))
    answer = await owner.request("POST", f"/entries/{dropped['record_id']}/restore", json=restored)
    problem(answer, 507, "quota_exceeded")
    problem(await owner.request("POST", "/media/upload", json=declaration(bytes(ROOM))), 507, "quota_exceeded")
    assert await owner.feed() == before


@shows(
    "POST /vault 507 quota_exceeded",
    "PUT /vault/{vault_id} 507 quota_exceeded",
    "POST /sync/backup 507 quota_exceeded",
)
async def test_a_blob_beyond_the_room_is_refused(owner: Owner) -> None:
    blob = {"vault_id": "keys", "ciphertext": "x" * LARGE, "iv": "", "salt": "", "version": 1}
    assert (await owner.request("POST", "/vault", json=blob)).status_code == 201
    problem(await owner.request("POST", "/vault", json={**blob, "vault_id": "more"}), 507, "quota_exceeded")
    problem(await owner.request("PUT", "/vault/keys", json={**blob, "version": 2}), 507, "quota_exceeded")
    backup = {
        "id": str(uuid4()),
        "encrypted_content": encode_base64(bytes(LARGE)),
        "content_iv": "",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "device_id": "phone",
    }
    problem(await owner.request("POST", "/sync/backup", json=backup), 507, "quota_exceeded")
    assert (await owner.request("POST", "/vault", json=blob)).status_code == 201


@shows("POST /encryption/metrics 507 quota_exceeded")
async def test_a_metric_beyond_the_room_is_refused(contract: Contract) -> None:
    someone = await measurer(contract.http)
    refused = await someone.owner.request(
        "POST", "/encryption/metrics", json={"metrics": [textual(someone.value(1, "2024-05-05T05:05:05Z"))]}
    )
    problem(refused, 507, "quota_exceeded")
    listed = await someone.owner.request("GET", "/encryption/metrics")
    assert listed.json()["items"] == []


@shows("POST /search/index 507 quota_exceeded")
async def test_digests_beyond_the_room_are_refused_and_none_is_kept(owner: Owner) -> None:
    await owner.results(entry := change())
    assert (await owner.request("PUT", "/search/index", json={"enabled": True})).status_code == 200
    digests = [encode_base64(number.to_bytes(8)) for number in range(ROOM // 8)]
    document = {"record_id": entry["record_id"], "revision": 1, "tokens": digests}
    told = problem(await owner.request("POST", "/search/index", json={"documents": [document]}), 507, "quota_exceeded")
    assert (told["limit"], told["needed"]) == (ROOM, ROOM)
    assert (await owner.request("GET", "/search/stats")).json()["documents"] == 0
    document["tokens"] = digests[:100]
    assert (await owner.request("POST", "/search/index", json={"documents": [document]})).json()["stored"] == 1
