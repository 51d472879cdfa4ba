"""What is refused after a rotation, at every door that takes sealed changes."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from tests.server.contract.test_entries import body_of, send
from tests.server.contract.test_sync import after, disputed, resolve
from tests.support.account_holders import Person, problem
from tests.support.accounts import Owner, change, following, sealed
from tests.support.contract import Contract, shows
from tests.support.diaries import sealed_body
from tests.support.uce_holders import Thin


async def rotated(contract: Contract, ada: Person) -> Owner:
    """A session of somebody whose account writes under key 2."""
    body = await Person(id=ada.id, email=ada.email).rotation_body(contract.http, ada, 1)
    answer = await contract.http.put("/auth/keyring", json=body, headers=ada.headers)
    return Owner(contract.http, ada.email, body["password"], answer.json()["tokens"])


@shows("POST /sync/reseal 403 custody_required", "POST /sync/reseal 200")
async def test_the_server_seals_again_what_it_can_open_alone(contract: Contract) -> None:
    ada = await Person().sign_up(contract.http)
    owner = Owner(contract.http, ada.email, ada.secret, ada.tokens)
    problem(await owner.request("POST", "/sync/reseal"), 403, "custody_required")
    thin = await Thin().sign_up(contract.http)
    owner = Owner(contract.http, thin.email, thin.secret, thin.tokens)
    await owner.request("POST", "/entries", json={"content": "text", "mood": "calm"})
    rotated = await contract.http.put("/auth/keyring", json={"current_password": thin.secret}, headers=thin.headers)
    owner = Owner(contract.http, thin.email, thin.secret, rotated.json()["tokens"])
    told = (await owner.request("POST", "/sync/reseal")).json()
    assert (told["records"], told["conflicts"], told["job"]["state"]) == (1, 0, "succeeded")


@shows(
    "POST /entries 409 key_retired",
    "PUT /entries/{entry_id} 409 key_retired",
    "DELETE /entries/{entry_id} 409 key_retired",
    "POST /entries/{entry_id}/restore 409 key_retired",
    "POST /sync/conflicts/{conflict_id}/resolve 409 key_retired",
    "POST /sync/purge 200",
)
async def test_a_retired_key_seals_nothing_at_any_door(contract: Contract) -> None:
    ada = await Person().sign_up(contract.http)
    before = Owner(contract.http, ada.email, ada.secret, ada.tokens)
    one, gone = change(payload=sealed(key_id=1)), change(payload=sealed(key_id=1))
    await before.results(one, gone, following(gone, payload=sealed(key_id=1), deleted=True))
    present, conflict_id = await disputed(before)
    owner = await rotated(contract, ada)
    path, old = f"/entries/{one['record_id']}", sealed(key_id=1)

    async def refused(method: str, at: str, **body: Any) -> None:
        answer: httpx.Response = await send(owner, method, at, **body)
        problem(answer, 409, "key_retired")

    await refused("POST", "/entries", **sealed_body(id=str(uuid4()), payload=old))
    await refused("PUT", path, **body_of(following(one, payload=old)))
    await refused("DELETE", path, **body_of(following(one, payload=old)))
    back = following(following(gone, payload=sealed(key_id=1)), payload=old)
    await refused("POST", f"/entries/{gone['record_id']}/restore", **body_of(back))
    merged = after(present, payload=old)
    problem(await resolve(owner, conflict_id, chosen_version="merged", **merged), 409, "key_retired")
    dropped = (await owner.request("POST", "/sync/purge")).json()
    assert dropped == {"revisions": 1, "conflicts": 0, "has_more": False}
