"""Statements about epochs: kept if this account's keys signed them, and shown with the epoch that they are about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from lockleaf.crypto.history import epoch_head
from lockleaf.server.records.statements import MOST_OF_EPOCH
from lockleaf.wire.codec import MSGPACK, pack, unpack
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import Person
from tests.support.accounts import Owner, change
from tests.support.metric_contexts import contexts
from tests.support.statements import signed_statement


@pytest.fixture
async def ada(http: httpx.AsyncClient) -> Person:
    return await Person().sign_up(http)


@pytest.fixture
def owner(http: httpx.AsyncClient, ada: Person) -> Owner:
    return Owner(http, ada.email, ada.secret, ada.tokens)


async def _post(http: httpx.AsyncClient, ada: Person, *statements: dict[str, Any]) -> httpx.Response:
    headers = {**ada.headers, "Content-Type": MSGPACK}
    return await http.post("/sync/epochs/statements", content=pack({"statements": statements}), headers=headers)


async def _lower(http: httpx.AsyncClient, ada: Person, end: dict[str, Any] | None) -> httpx.Response:
    # As a device does it: this body travels as JSON.
    body: dict[str, Any] = {"privacy_tier": "local_only", "current_password": ada.secret}
    if end is not None:
        body["epoch_end"] = end | {name: encode_base64(end[name]) for name in ("head", "signature")}
    return await http.put("/users/me/privacy", json=body, headers=ada.headers)


async def test_a_statement_is_shown_with_its_epoch_on_every_page(
    http: httpx.AsyncClient, ada: Person, owner: Owner
) -> None:
    await owner.push(change(), change())
    epoch = (await owner.feed())["epoch"]
    said = signed_statement(ada.signing_seed, str(ada.id), new_epoch=epoch)
    of_an_epoch_that_is_gone = signed_statement(ada.signing_seed, str(ada.id), n=2, new_epoch="elsewhere")
    answer = await _post(http, ada, said, of_an_epoch_that_is_gone)
    assert answer.status_code == 204, answer.text
    first = await http.get("/sync/changes?limit=1", headers={**ada.headers, "Accept": MSGPACK})
    for page in (unpack(first.content), await owner.feed(unpack(first.content)["cursor"])):
        (shown,) = page["epochs"]
        assert shown["statements"] == [said]


async def test_statements_that_differ_in_device_and_time_alone_are_one(
    http: httpx.AsyncClient, ada: Person, owner: Owner
) -> None:
    epoch = (await owner.feed())["epoch"]
    seed, user_id = ada.signing_seed, str(ada.id)
    first = signed_statement(seed, user_id, new_epoch=epoch)
    for again in (
        first,
        signed_statement(seed, user_id, new_epoch=epoch, device_id="phone", time="2027-01-01T00:00:00Z"),
    ):
        assert (await _post(http, ada, again)).status_code == 204
    assert (await owner.feed())["epochs"][0]["statements"] == [first]


async def test_what_nobody_of_the_account_signed_is_refused(http: httpx.AsyncClient, ada: Person, owner: Owner) -> None:
    good = signed_statement(ada.signing_seed, str(ada.id))
    other = await Person().sign_up(http)
    for bad in (
        good | {"n": 2},
        good | {"signature": bytes(64)},
        signed_statement(other.signing_seed, str(ada.id)),
        signed_statement(ada.signing_seed, str(other.id)),
    ):
        answer = await _post(http, ada, good, bad)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_signature")
    assert (await _post(http, ada)).status_code == 422


async def test_an_epoch_has_no_more_statements_than_devices_have_reason_to_make(
    http: httpx.AsyncClient, ada: Person, owner: Owner
) -> None:
    epoch = (await owner.feed())["epoch"]
    many = [signed_statement(ada.signing_seed, str(ada.id), n=n, new_epoch=epoch) for n in range(1, MOST_OF_EPOCH + 2)]
    assert (await _post(http, ada, *many[:-1])).status_code == 204
    answer = await _post(http, ada, many[-1])
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_statements")
    assert len((await owner.feed())["epochs"][0]["statements"]) == MOST_OF_EPOCH


async def test_a_lowered_tier_ends_the_epoch_as_its_device_signed(
    http: httpx.AsyncClient, ada: Person, owner: Owner
) -> None:
    told = await owner.push(change(), change())
    place = {"kind": "end", "old_epoch": told["epoch"], "seq": told["seq"], "head": told["head"]}
    end = signed_statement(ada.signing_seed, str(ada.id), new_epoch="the-next", **place)
    answer = await _lower(http, ada, end)
    assert (answer.status_code, answer.json()["deleted"]["backups"]) == (200, 2)
    assert (await _lower(http, ada, end)).status_code == 200  # asked again, after a lost answer
    consent = {
        "privacy_tier": "full_sync",
        "consent_timestamp": datetime.now(UTC).isoformat(),
        "he_public_key": encode_base64(contexts().public),
    }
    assert (await owner.request("PUT", "/users/me/privacy", json=consent)).status_code == 200
    page = await owner.feed()
    ended, present = page["epochs"]
    assert (ended["epoch"], ended["ended"]) == (told["epoch"], True)
    assert (present["epoch"], present["statements"]) == ("the-next", [end])
    assert page["head"] == epoch_head("the-next", told["seq"], told["head"])


@pytest.mark.parametrize("wrong", ["seq", "head", "old_epoch", "new_epoch", "kind", "signature"])
async def test_an_end_of_another_history_deletes_nothing(
    http: httpx.AsyncClient, ada: Person, owner: Owner, wrong: str
) -> None:
    told = await owner.push(change(), change())
    place: dict[str, Any] = {"kind": "end", "old_epoch": told["epoch"], "seq": told["seq"], "head": told["head"]}
    other = {
        "seq": told["seq"] - 1,
        "head": bytes(32),
        "old_epoch": "another",
        "new_epoch": told["epoch"],
        "kind": "accepted",
        "signature": bytes(64),
    }
    end = signed_statement(ada.signing_seed, str(ada.id), **{"new_epoch": "the-next", **place, wrong: other[wrong]})
    answer = await _lower(http, ada, end)
    if wrong == "signature":
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_signature")
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "epoch_end_outdated")
        assert (answer.json()["epoch"], answer.json()["seq"]) == (told["epoch"], told["seq"])
    page = await owner.feed()
    assert (page["epoch"], page["seq"], len(page["changes"])) == (told["epoch"], 2, 2)


async def test_statements_go_with_their_account(http: httpx.AsyncClient, ada: Person, owner: Owner) -> None:
    epoch = (await owner.feed())["epoch"]
    other = await Person().sign_up(http)
    await _post(http, ada, signed_statement(ada.signing_seed, str(ada.id), new_epoch=epoch))
    theirs = Owner(http, other.email, other.secret, other.tokens)
    assert (await theirs.feed())["epochs"][0]["statements"] == []
