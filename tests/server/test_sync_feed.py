"""The feed: whole records and bare leaves, pages, cursors and epochs."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from lockleaf.crypto import history
from lockleaf.server.platform.db.engine import Database
from lockleaf.wire.fields import encode_base64
from tests.support.accounts import ZERO, Owner, change, following, register


@pytest.fixture
async def owner(http: httpx.AsyncClient) -> Owner:
    return await register(http)


async def test_the_latest_revision_comes_whole_and_an_earlier_one_as_its_leaf(owner: Owner) -> None:
    first = change(labels=[bytes(16), b"\1" * 16], source="cli", occurred_at="1660-01-11T00:00:00.50+01:00")
    second = following(first, deleted=True)
    await owner.push(first, second)
    leaf, record = (await owner.feed())["changes"]
    assert leaf == {
        "superseded": True,
        "seq": 1,
        "collection": "entries",
        "record_id": first["record_id"],
        "revision": 1,
        "parent": ZERO,
        "meta": history.meta(first["labels"], "cli", "1660-01-11T00:00:00.50+01:00"),
        "payload_hash": sha256(first["payload"]).digest(),
        "deleted": False,
    }
    assert (record["superseded"], record["seq"], record["revision"], record["deleted"]) == (False, 2, 2, True)
    assert (record["payload"], record["parent"]) == (second["payload"], sha256(first["payload"]).digest())
    assert record["occurred_at"] == "1660-01-11T00:00:00.50+01:00"


async def test_the_chain_of_the_feed_is_the_head_that_it_tells(owner: Owner) -> None:
    first = change()
    await owner.push(first, change(), following(first))
    page = await owner.feed()
    [epoch] = page["epochs"]
    head = history.epoch_head(epoch["epoch"], epoch["from_seq"], epoch["from_head"])
    for each in page["changes"]:
        meta = each["meta"] if each["superseded"] else history.meta(each["labels"], None, None)
        payload_hash = each["payload_hash"] if each["superseded"] else sha256(each["payload"]).digest()
        leaf = history.leaf(
            each["seq"],
            each["collection"],
            each["record_id"],
            each["revision"],
            each["parent"],
            meta,
            payload_hash,
            each["deleted"],
        )
        head = history.next_head(head, leaf)
    assert head == page["head"]


async def test_pages_follow_each_other_without_gap_or_overlap(owner: Owner) -> None:
    await owner.push(*(change() for _ in range(7)))
    seen, cursor, more = [], None, True
    while more:
        page = await owner.feed(cursor, limit=3)
        seen.append([each["seq"] for each in page["changes"]])
        cursor, more = page["cursor"], page["has_more"]
    assert seen == [[1, 2, 3], [4, 5, 6], [7]]
    again = await owner.feed(cursor)
    assert (again["changes"], again["has_more"], again["seq"]) == ([], False, 7)
    await owner.push(change())
    assert [each["seq"] for each in (await owner.feed(cursor))["changes"]] == [8]


async def test_the_cursor_of_a_push_goes_on_behind_it(owner: Owner) -> None:
    pushed = await owner.push(change(), change())
    await owner.push(change())
    assert [each["seq"] for each in (await owner.feed(pushed["cursor"]))["changes"]] == [3]


async def test_a_feed_of_one_collection_says_that_it_cannot_be_verified(owner: Owner) -> None:
    mood = change(collection="x-moods", record_id="a", payload=b"calm")
    await owner.push(change(), mood, change(), following(mood, payload=b"glad"))
    page = await owner.feed(collection="x-moods")
    assert [(each["seq"], each["superseded"]) for each in page["changes"]] == [(2, True), (4, False)]
    assert page["verifiable"] is False
    assert (await owner.feed())["verifiable"] is True


async def test_a_list_has_fifty_at_first_and_never_more_than_five_hundred(owner: Owner) -> None:
    await owner.push(*(change() for _ in range(60)))
    page = (await owner.request("GET", "/sync/changes")).json()
    assert (len(page["changes"]), page["has_more"]) == (50, True)
    for limit in (0, 501, "many"):
        answer = await owner.request("GET", "/sync/changes", params={"limit": limit})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_a_cursor_is_good_for_its_account_and_its_list_alone(owner: Owner, http: httpx.AsyncClient) -> None:
    cursor = (await owner.push(change()))["cursor"]
    other = await register(http)
    for who, path, sent in (
        (other, "/sync/changes", {"after": cursor}),
        *(
            (owner, "/sync/changes", {"after": cursor[:-1] + last})
            for last in "AEIMQUYcgkosw048BF"
            if last != cursor[-1]
        ),
        (owner, "/sync/changes", {"after": f"{cursor[:9]}.{cursor[9:]}"}),
        (owner, "/sync/changes", {"after": "no cursor at all"}),
        (owner, "/sync/changes", {"after": "ÄÖ"}),
        (owner, "/sync/conflicts", {"cursor": cursor}),
    ):
        answer = await who.request("GET", path, params=sent)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


async def _begin_epoch(app: FastAPI, owner: Owner, name: str, *, keeps_leaves: bool) -> bytes:
    """Begin a new epoch where the history ends, as a restore or a lowered tier does; return the head before it."""
    user_id = UUID(owner.answer["id"])
    async with app.state.parts[Database].transaction() as tx:
        seq, head = (
            await tx.session.execute(text("SELECT seq, head FROM heads WHERE user_id = :u FOR UPDATE"), {"u": user_id})
        ).one()
        if not keeps_leaves:
            for table in ("changes", "records", "epochs"):
                await tx.session.execute(text(f"DELETE FROM {table} WHERE user_id = :u"), {"u": user_id})
        values = {"u": user_id, "e": name, "k": seq, "h": head, "n": history.epoch_head(name, seq, head)}
        await tx.session.execute(
            text("INSERT INTO epochs (user_id, epoch, from_seq, from_head) VALUES (:u, :e, :k, :h)"), values
        )
        await tx.session.execute(text("UPDATE heads SET epoch = :e, head = :n WHERE user_id = :u"), values)
    return bytes(head)


async def test_a_cursor_of_an_earlier_epoch_is_told_where_the_new_one_begins(app: FastAPI, owner: Owner) -> None:
    cursor = (await owner.push(change(), change()))["cursor"]
    before = await _begin_epoch(app, owner, "second", keeps_leaves=True)
    answer = await owner.request("GET", "/sync/changes", params={"after": cursor})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "epoch_changed")
    assert (problem["epoch"], problem["from_seq"], problem["from_head"]) == ("second", 2, encode_base64(before))
    await owner.push(change())
    page = await owner.feed()
    assert [each["seq"] for each in page["changes"]] == [1, 2, 3]
    assert [epoch["from_seq"] for epoch in page["epochs"]] == [0, 2]


async def test_where_the_leaves_before_are_gone_the_feed_begins_with_the_epoch(app: FastAPI, owner: Owner) -> None:
    await owner.push(change(), change())
    await _begin_epoch(app, owner, "emptied", keeps_leaves=False)
    page = await owner.feed()
    assert (page["changes"], page["has_more"], page["seq"]) == ([], False, 2)
    await owner.push(change())
    page = await owner.feed(limit=1)
    assert [each["seq"] for each in page["changes"]] == [3]
    assert page["has_more"] is False


async def _at_once(*asking: tuple[Owner, str]) -> list[tuple[int, Any]]:
    """Poll at the same moment: pages with nothing on them are told together then, and kept at hand."""
    answers = await asyncio.gather(
        *(who.request("GET", "/sync/changes", params={"after": cursor}) for who, cursor in asking)
    )
    return [(each.status_code, each.json().get("code", each.json())) for each in answers]


async def test_a_page_that_is_at_hand_is_told_only_to_whom_and_while_it_is_true(
    app: FastAPI, owner: Owner, http: httpx.AsyncClient
) -> None:
    other, leaving = await register(http), await register(http)
    mine, theirs, old = [(await each.push(change()))["cursor"] for each in (owner, other, leaving)]
    everybody = [(owner, mine), (other, theirs), (leaving, old)] * 2
    first = await _at_once(*everybody)
    assert [(status, page["cursor"]) for status, page in first] == [(200, cursor) for _, cursor in everybody]
    assert len({page["head"] for _, page in first}) == 3
    assert await _at_once(*everybody) == first
    # A session that ended meanwhile, and another account's cursor, which was read before.
    await leaving.request("POST", "/auth/logout")
    found = await _at_once(*everybody, (owner, theirs), (other, mine))
    assert [each for each in found if each[0] == 200] == [first[n] for n in (0, 1, 3, 4)]
    assert [each for each in found if each[0] != 200] == [(401, "session_revoked")] * 2 + [(422, "invalid_cursor")] * 2
    # Something new, and a new epoch.
    await other.push(change())
    await _begin_epoch(app, owner, "next", keeps_leaves=True)
    (status, code), (_, page), again, (_, same) = await _at_once(*everybody[:2], *everybody[:2])
    assert (status, code) == again == (409, "epoch_changed")
    assert [each["seq"] for each in page["changes"]] == [2]
    assert same == page
