"""Checkpoints: kept if this account's key signed them, and if they are of the history that is here."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from lockleaf.crypto import identity
from lockleaf.wire.codec import MSGPACK, pack, unpack
from tests.support.account_holders import Person
from tests.support.accounts import Owner, change

TIME = "2026-11-21T05:00:00Z"


@pytest.fixture
async def ada(http: httpx.AsyncClient) -> Person:
    return await Person().sign_up(http)


async def _history(http: httpx.AsyncClient, ada: Person) -> Any:
    owner = Owner(http, ada.email, ada.secret, ada.tokens)
    await owner.push(change(), change())
    return await owner.feed()


async def _post(http: httpx.AsyncClient, ada: Person, **fields: Any) -> httpx.Response:
    body = {"device_id": "one", "time": TIME, **fields}
    message = identity.checkpoint_message(
        str(ada.id), body["epoch"], body["seq"], body["head"], body["device_id"], body["time"]
    )
    body.setdefault("signature", identity.sign(ada.signing_seed, message))
    headers = {**ada.headers, "Content-Type": MSGPACK}
    return await http.post("/sync/checkpoints", content=pack(body), headers=headers)


async def _listed(http: httpx.AsyncClient, ada: Person) -> list[dict[str, Any]]:
    answer = await http.get("/sync/checkpoints", headers={**ada.headers, "Accept": MSGPACK})
    items: list[dict[str, Any]] = unpack(answer.content)["items"]
    return items


async def test_the_latest_checkpoint_of_each_device_is_kept(http: httpx.AsyncClient, ada: Person) -> None:
    page = await _history(http, ada)
    for device, seq in (("one", 1), ("two", 2), ("one", 2)):
        posted = await _post(http, ada, epoch=page["epoch"], seq=seq, head=page["head"], device_id=device)
        assert posted.status_code == 204, posted.text
    assert {(item["device_id"], item["seq"]) for item in await _listed(http, ada)} == {("one", 2), ("two", 2)}


async def test_a_checkpoint_of_another_epoch_is_refused(http: httpx.AsyncClient, ada: Person) -> None:
    page = await _history(http, ada)
    answer = await _post(http, ada, epoch="another-epoch", seq=2, head=page["head"])
    assert (answer.status_code, answer.json()["code"]) == (409, "checkpoint_outdated")
    assert await _listed(http, ada) == []


async def test_a_checkpoint_beyond_the_end_is_kept_for_the_other_devices(http: httpx.AsyncClient, ada: Person) -> None:
    page = await _history(http, ada)
    answer = await _post(http, ada, epoch=page["epoch"], seq=3, head=page["head"])
    assert answer.status_code == 204
    assert [item["seq"] for item in await _listed(http, ada)] == [3]


async def test_a_checkpoint_that_another_key_signed_is_refused(http: httpx.AsyncClient, ada: Person) -> None:
    page = await _history(http, ada)
    answer = await _post(http, ada, epoch=page["epoch"], seq=2, head=page["head"], signature=bytes(64))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_signature")
    assert await _listed(http, ada) == []
