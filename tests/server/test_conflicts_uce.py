"""Conflicts of uce accounts: what a client without keys chooses, the server seals, within the request."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.wire.codec import MSGPACK, pack
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import problem
from tests.support.accounts import Owner, change
from tests.support.feeds import Reader
from tests.support.uce_holders import Thin, opened_entry, parts_of, principal_of, stored, written_entry

FIRST = {"type": "entry", "title": "A day", "body": "first", "mood": "calm", "tags": ["sea"], "future": 7}
SECOND = {**FIRST, "body": "on the server", "mood": "glad"}
KEPT = {**FIRST, "body": "on a device", "tags": ["hill"], "seen": ["epoch", 0, bytes(32)]}


async def sealed_change(app: FastAPI, thin: Thin, record_id: str, base: int, content: dict[str, Any]) -> dict[str, Any]:
    """A change that a full client of the account could have sealed on the first revision."""
    first = await stored(app, thin.id, record_id)
    parts, principal = parts_of(app), await principal_of(app, thin)
    async with (
        parts[Database].transaction() as tx,
        keyrings.opened(parts[Clock], parts[Custodian], tx.connection, principal, purpose="entries.write") as keys,
    ):
        place: dict[str, Any] = {
            "collection": "entries",
            "record_id": record_id,
            "base_revision": base,
            "parent": sha256(first.payload).digest(),
            "labels": [keys.label("tag", tag) for tag in content["tags"]],
            "source": "mobile",
        }
        return change(payload=keys.seal(content=content, **place, device="d", written_at=datetime.now(UTC)), **place)


@pytest.fixture
async def thin(http: httpx.AsyncClient) -> Thin:
    return await Thin().sign_up(http)


@pytest.fixture
async def disputed(app: FastAPI, http: httpx.AsyncClient, thin: Thin) -> tuple[Owner, str, str]:
    """The account over plain HTTP, an entry in its second revision, and a conflict on it."""
    record_id = await written_entry(app, thin, FIRST)
    owner = Owner(http, thin.email, thin.secret, thin.tokens)
    second = await sealed_change(app, thin, record_id, 1, SECOND)
    kept = await sealed_change(app, thin, record_id, 1, KEPT)
    applied, refused = await owner.results(second, {**kept, "on_conflict": "keep"})
    assert applied["status"] == "applied"
    return owner, record_id, refused["conflict_id"]


async def resolve(owner: Owner, conflict_id: str, **body: Any) -> httpx.Response:
    if body["chosen_version"] != "remote":
        body = {"base_revision": 2} | body
    return await owner.request("POST", f"/sync/conflicts/{conflict_id}/resolve", json=body)


async def _decided(app: FastAPI, thin: Thin) -> dict[str, list[bytes]]:
    """What an entry says of the conflict about it, once it was decided."""
    async with parts_of(app)[Database].read_driver() as connection:
        found = await connection.fetch("SELECT payload_hash FROM conflicts WHERE user_id = $1", thin.id)
    return {"resolves": [row["payload_hash"] for row in found]}


async def test_the_kept_version_is_opened_and_sealed_for_the_next_revision(
    app: FastAPI, thin: Thin, disputed: tuple[Owner, str, str]
) -> None:
    owner, record_id, conflict_id = disputed
    answer = await resolve(owner, conflict_id, chosen_version="local")
    assert (answer.status_code, answer.json()["details"]["revision"]) == (200, 3)
    kept = {name: KEPT[name] for name in KEPT if name != "seen"}
    assert await opened_entry(app, thin, record_id) == kept | await _decided(app, thin)
    assert (await stored(app, thin.id, record_id)).source == "mobile"
    assert [leaf.collection for leaf in await Reader(owner).read_all()] == ["entries", "entries", "entries", "tags"]


async def test_a_merged_entry_is_sealed_from_its_fields_and_keeps_the_others(
    app: FastAPI, thin: Thin, disputed: tuple[Owner, str, str]
) -> None:
    owner, record_id, conflict_id = disputed
    problem(await resolve(owner, conflict_id, chosen_version="merged", title="no text"), 422, "content_required")
    merged = {"content": "both", "mood": None, "tags": ["sea", " hill ", "sea"]}
    answer = await resolve(owner, conflict_id, chosen_version="merged", **merged)
    assert (answer.status_code, answer.json()["details"]["revision"]) == (200, 3)
    assert await opened_entry(app, thin, record_id) == {
        "type": "entry",
        "title": "A day",
        "body": "both",
        "tags": ["sea", "hill"],
        "future": 7,
    } | await _decided(app, thin)
    parts, principal = parts_of(app), await principal_of(app, thin)
    async with (
        parts[Database].transaction() as tx,
        keyrings.opened(parts[Clock], parts[Custodian], tx.connection, principal, purpose="entries.read") as keys,
    ):
        expected = sorted(keys.label("tag", tag) for tag in ("sea", "hill"))
    record = await stored(app, thin.id, record_id)
    assert (list(record.labels), record.source) == (expected, "mobile")


async def test_the_opening_is_counted(disputed: tuple[Owner, str, str]) -> None:
    owner, _, conflict_id = disputed
    await resolve(owner, conflict_id, chosen_version="local")
    counted = (await owner.request("GET", "/users/me/access")).json()["items"]
    openings = [(each["openings"], each["records"]) for each in counted if each["purpose"] == "conflicts.resolve"]
    # The kept version opened and sealed again, the present one for what was decided before, and the tag that it brings.
    assert openings == [(1, 4)]


async def test_a_choice_of_the_servers_version_opens_nothing(disputed: tuple[Owner, str, str]) -> None:
    owner, _, conflict_id = disputed
    assert (await resolve(owner, conflict_id, chosen_version="remote")).status_code == 200
    counted = (await owner.request("GET", "/users/me/access")).json()["items"]
    assert "conflicts.resolve" not in {each["purpose"] for each in counted}


async def test_a_client_with_keys_seals_by_itself(app: FastAPI, thin: Thin, disputed: tuple[Owner, str, str]) -> None:
    owner, record_id, conflict_id = disputed
    own = await sealed_change(app, thin, record_id, 2, {**FIRST, "body": "by the client"})
    body = {name: own[name] for name in ("base_revision", "source")}
    body |= {name: encode_base64(own[name]) for name in ("parent", "payload")}
    body["labels"] = [encode_base64(label) for label in own["labels"]]
    answer = await resolve(owner, conflict_id, chosen_version="merged", **body)
    assert (answer.status_code, answer.json()["details"]["revision"]) == (200, 3)
    assert (await opened_entry(app, thin, record_id))["body"] == "by the client"


@pytest.mark.parametrize("choice", ["local", "remote"])
async def test_a_choice_on_an_older_revision_is_refused(disputed: tuple[Owner, str, str], choice: str) -> None:
    owner, _, conflict_id = disputed
    refused = await resolve(owner, conflict_id, chosen_version=choice, base_revision=1)
    assert problem(refused, 409, "revision_conflict")["current_revision"] == 2


@pytest.mark.parametrize("choice", ["local", "merged"])
async def test_a_choice_that_replaces_an_entry_says_which_revision_was_looked_at(
    disputed: tuple[Owner, str, str], choice: str
) -> None:
    owner, _, conflict_id = disputed
    answer = await resolve(owner, conflict_id, chosen_version=choice, content="both", base_revision=None)
    problem(answer, 428, "revision_required")
    assert (await owner.request("GET", "/sync/conflicts")).json()["total_count"] == 1


@pytest.mark.parametrize("wrong", [{"title": "x" * 1001}, {"mood": "x" * 201}, {"tags": ["x" * 201]}], ids=str)
async def test_fields_beyond_their_limits_are_refused(disputed: tuple[Owner, str, str], wrong: dict[str, Any]) -> None:
    owner, _, conflict_id = disputed
    answer = await resolve(owner, conflict_id, chosen_version="merged", content="both", **wrong)
    refused = problem(answer, 422, "invalid_request")
    assert [error["field"] for error in refused["errors"]] == list(wrong)


async def test_a_kept_version_that_does_not_open_changes_nothing(
    app: FastAPI, disputed: tuple[Owner, str, str]
) -> None:
    owner, record_id, _ = disputed
    refused = change(record_id=record_id, base_revision=0, on_conflict="keep")
    [result] = await owner.results(refused)
    problem(await resolve(owner, result["conflict_id"], chosen_version="local"), 409, "content_unreadable")
    assert (await owner.request("GET", "/sync/conflicts")).json()["total_count"] == 2
    assert (await owner.feed())["seq"] == 2


async def test_a_version_that_follows_the_last_of_all_numbers_is_kept_by_nobody(
    app: FastAPI, thin: Thin, http: httpx.AsyncClient
) -> None:
    owner = Owner(http, thin.email, thin.secret, thin.tokens)
    record_id = await written_entry(app, thin, FIRST)
    fields = {"record_id": record_id, "on_conflict": "keep"}
    [kept] = await owner.results(change(base_revision=2**62 - 1, **fields))
    answer = await resolve(owner, kept["conflict_id"], chosen_version="local", base_revision=1)
    problem(answer, 409, "content_unreadable")
    beyond = {"changes": [change(base_revision=2**62, **fields)]}
    answer = await owner.request("POST", "/sync/push", content=pack(beyond), headers={"Content-Type": MSGPACK})
    problem(answer, 422, "invalid_request")
