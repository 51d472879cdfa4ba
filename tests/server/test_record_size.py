"""How large a record may be: the same through every door, as the operator sets it, and never larger than a page."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from lockleaf.server.platform.settings import Settings
from lockleaf.wire.content import MAX_PAYLOAD_BYTES
from lockleaf.wire.fields import encode_base64
from lockleaf.wire.sync import MAX_BATCH_BYTES
from tests.server.test_backups import backup
from tests.support.account_holders import problem, served
from tests.support.accounts import Owner, change, following, register, sealed

LOW = 256 * 1024
BESIDE = 1024
"""Bytes of a record's fields beside its content, generously."""


def limited(settings: Settings) -> Settings:
    """The settings of a server that takes less."""
    return settings.model_copy(update={"limits": settings.limits.model_copy(update={"record_bytes": LOW})})


def entry(payload: bytes) -> dict[str, Any]:
    fields = change(payload=payload)
    return {
        "id": fields["record_id"],
        "base_revision": 0,
        "parent": encode_base64(fields["parent"]),
        "payload": encode_base64(payload),
    }


def blob(size: int) -> dict[str, Any]:
    return {"vault_id": uuid4().hex, "ciphertext": "x" * size, "iv": "i", "salt": "s", "version": 1}


def stored(size: int) -> dict[str, Any]:
    return backup(uuid4().hex, encrypted_content=encode_base64(bytes(size)))


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_each_door_takes_four_mebibytes_and_gives_them_back(http: httpx.AsyncClient, prefix: str) -> None:
    owner = await register(http)
    at = f"http://lockleaf.test{prefix}"
    largest = MAX_PAYLOAD_BYTES - BESIDE
    kept = blob(largest)
    assert (await owner.request("POST", f"{at}/vault/", json=kept)).status_code == 201
    assert (await owner.request("GET", f"{at}/vault/{kept['vault_id']}")).json()["ciphertext"] == kept["ciphertext"]
    body = stored(largest)
    assert (await owner.request("POST", f"{at}/sync/backup", json=body)).status_code == 201
    [found] = (await owner.request("GET", f"{at}/sync/backups")).json()["backups"]
    assert found["encrypted_content"] == body["encrypted_content"]
    made = await owner.request("POST", f"{at}/entries", json=entry(sealed(MAX_PAYLOAD_BYTES - 2)))
    assert made.status_code == 201
    whole = change(payload=sealed(MAX_PAYLOAD_BYTES - 2))
    assert (await owner.results(whole))[0]["status"] == "applied"
    seen: list[Any] = []
    cursor = None
    while len(seen) < 4:
        page = await owner.feed(cursor)
        seen, cursor = [*seen, *page["changes"]], page["cursor"]
    assert [len(each["payload"]) for each in seen[2:]] == [MAX_PAYLOAD_BYTES] * 2


async def test_an_operator_may_set_less_and_each_door_says_how_much(settings: Settings) -> None:
    async with served(limited(settings)) as (_, http):
        owner = await register(http)
        requests = [
            ("/vault", blob(LOW)),
            ("/sync/backup", stored(LOW)),
            ("/entries", entry(sealed(LOW))),
        ]
        for path, body in requests:
            refused = problem(await owner.request("POST", path, json=body), 413, "payload_too_large")
            assert refused["limit_bytes"] == LOW
        for path, body in (("/vault", blob(LOW - BESIDE)), ("/sync/backup", stored(LOW - BESIDE))):
            assert (await owner.request("POST", path, json=body)).status_code == 201
        large, whole = await owner.results(change(payload=sealed(LOW)), change(payload=sealed(LOW - 2)))
        assert (large["status"], large["code"], large["limit_bytes"]) == ("rejected", "payload_too_large", LOW)
        assert (whole["status"], "limit_bytes" in whole) == ("applied", False)


async def test_what_is_there_can_be_edited_under_a_lower_limit_and_does_not_grow(
    settings: Settings, http: httpx.AsyncClient
) -> None:
    owner = await register(http)
    first = change(payload=sealed(3 * LOW), labels=[bytes(16)])
    assert (await owner.results(first))[0]["status"] == "applied"
    async with served(limited(settings)) as (_, lowered):
        same = Owner(lowered, owner.email, owner.password, owner.answer)
        edited = following(first, payload=sealed(3 * LOW))
        deleted = following(edited, payload=sealed(300), deleted=True)
        assert [each["status"] for each in await same.results(edited, deleted)] == ["applied"] * 2
        # What was deleted is small now, so what comes next is new.
        grown = following(edited, payload=sealed(3 * LOW + 64), base_revision=3)
        assert (await same.results(following(deleted, payload=grown["payload"], deleted=False)))[0]["code"] == (
            "payload_too_large"
        )
        other = change(payload=sealed(3 * LOW))
        assert (await owner.results(other))[0]["status"] == "applied"
        [refused] = await same.results(following(other, payload=sealed(3 * LOW + 64)))
        assert (refused["code"], refused["limit_bytes"]) == ("payload_too_large", LOW)
        tagged = following(other, payload=sealed(3 * LOW), labels=[bytes(16), b"x" * 16])
        shorter = following(tagged, payload=sealed(2 * LOW))
        assert [each["status"] for each in await same.results(tagged, shorter)] == ["applied"] * 2


async def test_small_changes_that_meet_large_records_get_an_answer_of_limited_size(http: httpx.AsyncClient) -> None:
    owner = await register(http)
    large = [change(payload=sealed(MAX_PAYLOAD_BYTES - 2)) for _ in range(3)]
    for each in large:
        await owner.results(each)
    results = await owner.results(*({**each, "payload": sealed(), "on_conflict": "keep"} for each in large))
    assert [each["status"] for each in results] == ["conflict"] * 3
    assert [len(each["current"]["payload"]) for each in results[:2]] == [MAX_PAYLOAD_BYTES] * 2
    assert "current" not in results[2]
    # Nor does a list of both versions exceed it, and each page goes on where the last one ended.
    found: list[str] = []
    cursor: str | None = None
    pages = 0
    while True:
        page = (await owner.request("GET", "/sync/conflicts", params={"cursor": cursor} if cursor else {})).json()
        assert page["total_count"] == 3
        sizes = [len(each["remote_version"]["encrypted_content"]) * 3 // 4 for each in page["conflicts"]]
        assert sum(sizes[:-1]) < MAX_BATCH_BYTES
        found += [each["id"] for each in page["conflicts"]]
        pages, cursor = pages + 1, page.get("next_cursor")
        if cursor is None:
            break
    assert sorted(found) == sorted(each["conflict_id"] for each in results)
    assert pages == 2


@pytest.mark.parametrize("value", ["131071", "4194305", "0"])
def test_a_limit_beyond_what_clients_and_server_can_keep_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("LOCKLEAF_LIMITS__RECORD_BYTES", value)
    with pytest.raises(ValueError, match=r"limits\.record_bytes"):
        Settings()
