"""What the page shows of what the server sees: its own answers, held against what the database has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from lockleaf.wire.codec import unpack
from lockleaf.wire.sync import Record
from tests.support.command_line import PASSWORD, fresh_email
from tests.support.local_page import Page, page_of
from tests.support.process import RunningServer

BODY = "Zirkonwalfisch by the weir."
TITLE = "The laterne"


async def registered(page: Page, server: RunningServer, **more: Any) -> str:
    """Make the journal of a page an account's, and return its email."""
    email = fresh_email()
    await page.post("/account/register", {"server": server.url, "name": email, "password": PASSWORD, **more})
    return email


async def stored(database_url: str, entry_id: str) -> Record:
    """The row of an entry in the server's database."""
    connection = await asyncpg.connect(database_url)
    try:
        packed = await connection.fetchval("SELECT packed FROM records WHERE record_id = $1", entry_id)
    finally:
        await connection.close()
    return Record.model_validate(unpack(packed))


def facts(view: Any) -> dict[str, Any]:
    """Every fact by its name."""
    return {fact["what"]: fact["value"] for group in view["groups"] for fact in group["facts"]}


def seen(view: Any) -> dict[str, set[str]]:
    """What the server can see, by when."""
    sights: dict[str, set[str]] = {"always": set(), "in_use": set(), "never": set(), "here": set()}
    for each in view["visibility"]:
        sights[each["seen"]].add(each["what"])
    return sights


CONTENT = "Text, title, mood, weather, place and tags of your entries, and the names of attached files"
JOURNAL = "Your entries, tags, attached files and conflicts"
NUMBERS = "Numbers of your journal, one by one or summed up"


async def test_of_a_sealed_entry_it_shows_the_bytes_that_the_database_has(
    tmp_path: Path, server: RunningServer, database_url: str
) -> None:
    async with page_of(tmp_path) as page:
        email = await registered(page, server)
        entry = await page.write(BODY, title=TITLE, mood="calm", tags=["walks"])
        await page.synced(1)
        view = await page.get("/server-view")
        row = await stored(database_url, entry["id"])
    assert (view["state"], view["custody"], view["tier"]) == ("shown", "e2e", "full_sync")
    [shown] = view["entries"]
    assert shown["here"] == {"title": TITLE, "excerpt": BODY}
    assert (shown["size"], shown["revision"], shown["seq"]) == (len(row.payload), 1, row.seq)
    assert bytes.fromhex(shown["beginning"]) == row.payload[:96]
    assert shown["verified"] is True
    assert shown["opened"] is None
    assert {each["digest"] for each in shown["labels"]} == {label.hex() for label in row.labels}
    assert {(each["kind"], each["value"]) for each in shown["labels"]} >= {("mood", "calm"), ("tag", "walks")}
    assert (shown["source"], shown["occurred_at"]) == (None, None)
    assert shown["device"]

    known = facts(view)
    assert known["Email address"] == email
    assert (known["Entries"], known["Tags"], known["Attached files"]) == (1, 1, 0)
    assert known["Recovery codes that are left, as hashes"] == 10
    assert known["Stored, all in all"] >= len(row.payload)
    sights = seen(view)
    assert {CONTENT, "Your password", NUMBERS, "Date and source of your entries"} <= sights["never"]
    assert "Which entries share a mood, a tag or a source, and how many" in sights["always"]
    assert sights["here"] == set()
    told = str({**view, "entries": [{**shown, "here": None, "labels": None, "mood": None, "tags": None}]})
    assert "irkonwalfisch" not in told


async def test_with_uce_it_shows_what_the_server_reads_beside_what_it_keeps(
    tmp_path: Path, server: RunningServer, database_url: str
) -> None:
    async with page_of(tmp_path) as page:
        await registered(page, server, custody="uce")
        entry = await page.write(BODY, title=TITLE, tags=["walks"])
        await page.synced(1)
        view = await page.get("/server-view")
        again = await page.get("/server-view")
        row = await stored(database_url, entry["id"])
    [shown] = view["entries"]
    assert bytes.fromhex(shown["beginning"]) == row.payload[:96]
    assert shown["size"] == len(row.payload)
    assert shown["verified"] is True
    assert shown["opened"] == {"title": TITLE, "excerpt": BODY}
    sights = seen(view)
    assert {CONTENT, "Your password", "What you search for"} <= sights["in_use"]
    assert "Date and source of your entries" in sights["always"]
    assert NUMBERS in sights["never"]
    # The server says of each view what it had it open.
    opened = "Times that it opened your keys for a request"
    assert 0 < facts(view)[opened] < facts(again)[opened]


@pytest.mark.parametrize(
    ("tier", "here", "never"),
    [("local_only", {JOURNAL, NUMBERS}, set()), ("analytics_sync", {JOURNAL}, {NUMBERS})],
)
async def test_below_full_sync_it_shows_what_stays_on_the_device(
    tmp_path: Path, server: RunningServer, tier: str, here: set[str], never: set[str]
) -> None:
    async with page_of(tmp_path) as page:
        email = await registered(page, server, tier=tier)
        await page.write(BODY)
        view = await page.get("/server-view")
    assert (view["tier"], view["entries"]) == (tier, [])
    assert facts(view)["Email address"] == email
    assert "Entries" not in facts(view)
    assert ("Encrypted numbers (ciphertexts)" in facts(view)) is (tier == "analytics_sync")
    sights = seen(view)
    assert sights["here"] == here
    assert never <= sights["never"]
    assert CONTENT not in sights["never"]


async def test_an_edit_that_was_not_sent_stands_beside_the_revision_that_the_server_has(
    tmp_path: Path, server: RunningServer
) -> None:
    async with page_of(tmp_path) as page:
        await registered(page, server)
        entry = await page.write(BODY)
        await page.synced(1)
        async with page.desk.without_sync():
            await page.desk.journal.edit(entry["id"], body="Only here.")
            await page.desk.journal.write(body="Never sent.")
            view = await page.get("/server-view")
    [shown] = view["entries"]
    assert (shown["here"]["excerpt"], shown["pending"], shown["revision"]) == ("Only here.", True, 1)
    assert shown["verified"] is True


async def test_without_an_account_no_server_is_asked_and_none_sees_anything(tmp_path: Path) -> None:
    async with page_of(tmp_path) as page:
        await page.write(BODY)
        view = await page.get("/server-view")
    assert (view["state"], view["server"], view["entries"], view["groups"]) == ("no_account", "", [], [])


async def test_what_the_server_cannot_be_asked_is_not_made_up(
    tmp_path: Path, server: RunningServer, page: Page
) -> None:
    answer = await page.ask("GET", "/server-view")
    assert (answer.status_code, answer.json()["code"]) == (503, "server_unreachable")
    async with page_of(tmp_path / "other") as laptop:
        await registered(laptop, server)
        await laptop.post("/account/logout")
        assert (await laptop.get("/server-view"))["state"] == "logged_out"
