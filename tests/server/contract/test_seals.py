"""An account with a keyring takes nothing unsealed, whoever has its token and whichever door it comes through."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx

from lockleaf.wire.codec import pack
from lockleaf.wire.fields import encode_base64
from tests.server.contract.test_entries import body_of, send
from tests.server.contract.test_sync import after, disputed, resolve
from tests.support.account_holders import Person, problem
from tests.support.accounts import Owner, change, following, register, sealed
from tests.support.contract import Contract, shows
from tests.support.diaries import sealed_body

UNSEALED = (b"", pack({"type": "entry", "body": "not hers"}), b"\x01\x01" + bytes(200), b"\x02\x01" + bytes(300))
"""Nothing, a plain map, less than an envelope, and an unknown version of one."""


async def first_keyring(owner: Owner) -> None:
    """Give an account its first keyring, as a client does that kept its keys to itself so far."""
    answer = await owner.request("GET", "/auth/me")
    person = Person(email=owner.email, secret=owner.password, id=UUID(answer.json()["id"]))
    body = person.keyring_body(person, 0)
    for name in ("password", "key_id", "retired_at", "rotation_signature"):
        body.pop(name)
    answer = await owner.request("PUT", "/auth/keyring", json=body)
    assert answer.status_code == 200, answer.text


@shows(
    "POST /entries 422 seal_required",
    "PUT /entries/{entry_id} 422 seal_required",
    "DELETE /entries/{entry_id} 422 seal_required",
    "POST /entries/{entry_id}/restore 422 seal_required",
    "POST /tags 422 seal_required",
    "PUT /tags/{tag_id} 422 seal_required",
    "DELETE /tags/{tag_id} 422 seal_required",
    "DELETE /tags/cleanup 422 seal_required",
    "POST /sync/conflicts/{conflict_id}/resolve 422 seal_required",
)
async def test_whoever_has_the_token_alone_deletes_and_tags_nothing(contract: Contract) -> None:
    owner = await register(contract.http)
    tag = (await owner.request("POST", "/tags", json={"name": "plain"})).json()["id"]
    one, gone = change(), change()
    await owner.results(one, gone, following(gone, deleted=True))
    present, conflict_id = await disputed(owner)
    await first_keyring(owner)
    before = (await owner.feed())["seq"]
    path, back = f"/entries/{one['record_id']}", following(following(gone))

    async def refused(answer: httpx.Response) -> None:
        problem(answer, 422, "seal_required")

    for payload in UNSEALED:
        await refused(await send(owner, "POST", "/entries", **sealed_body(id=str(uuid4()), payload=payload)))
        await refused(await send(owner, "PUT", path, **body_of(following(one, payload=payload))))
        await refused(await send(owner, "DELETE", path, **body_of(following(one, payload=payload))))
        body = body_of(back | {"payload": payload})
        await refused(await send(owner, "POST", f"/entries/{gone['record_id']}/restore", **body))
        choice = after(present, payload=payload)
        await refused(await resolve(owner, conflict_id, chosen_version="merged", **choice))
    await refused(await owner.request("POST", "/tags", json={"name": "another"}))
    await refused(await owner.request("PUT", f"/tags/{tag}", json={"name": "another"}))
    await refused(await owner.request("DELETE", f"/tags/{tag}"))
    await refused(await owner.request("DELETE", "/tags/cleanup", params={"days": 0}))
    assert (await owner.feed())["seq"] == before
    # A tag that is there is given still.
    assert (await owner.request("POST", "/tags", json={"name": "plain"})).status_code == 200


async def test_a_batch_brings_nothing_unsealed_and_nothing_kept_as_a_conflict(contract: Contract) -> None:
    ada = await Person().sign_up(contract.http)
    owner = Owner(contract.http, ada.email, ada.secret, ada.tokens)
    one = change(payload=sealed(key_id=1))
    await owner.results(one)

    def unsealed(payload: bytes) -> list[dict[str, Any]]:
        return [
            change(payload=payload),
            following(one, payload=payload, deleted=True),
            {**one, "payload": payload, "on_conflict": "keep"},
            change(collection="tags", record_id="a" * 32, payload=payload),
            change(collection="x-lockleaf", record_id="labels", payload=payload),
        ]

    for payload in UNSEALED:
        assert await owner.results(*unsealed(payload)) == [{"status": "rejected", "code": "seal_required"}] * 5
    atomic = await owner.results(change(payload=sealed(key_id=1)), *unsealed(b""), atomic=True)
    assert {each["code"] for each in atomic} == {"batch_refused", "seal_required"}
    # What is no entry, tag or setting of ours may be anything.
    assert (await owner.results(change(collection="x-other", payload=b"anything")))[0]["status"] == "applied"
    assert (await owner.feed())["seq"] == 2
    assert (await owner.request("GET", "/sync/conflicts")).json()["total_count"] == 0


async def test_a_client_that_keeps_its_keys_goes_on_without_seals(contract: Contract) -> None:
    owner = await register(contract.http)
    one = change()
    await owner.results(one)
    body = body_of(following(one, payload=b""))
    answer = await send(owner, "DELETE", f"/entries/{one['record_id']}", **body)
    assert (answer.status_code, answer.json()["payload"]) == (200, encode_base64(b""))
    tag = (await owner.request("POST", "/tags", json={"name": "plain"})).json()["id"]
    assert (await owner.request("DELETE", f"/tags/{tag}")).status_code == 204


async def test_a_deletion_that_comes_together_with_the_first_keyring_is_sealed_or_before_it(contract: Contract) -> None:
    owner = await register(contract.http)
    changes = [change() for _ in range(8)]
    await owner.results(*changes)

    async def delete(one: dict[str, Any]) -> httpx.Response:
        return await send(owner, "DELETE", f"/entries/{one['record_id']}", **body_of(following(one, payload=b"")))

    answers, _ = await asyncio.gather(asyncio.gather(*map(delete, changes)), first_keyring(owner))
    assert {answer.status_code for answer in answers} <= {200, 422}
    problem(await delete(changes[0]), 422, "seal_required")
