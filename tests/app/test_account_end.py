"""A lost device, a lost password and the end of an account, in the page."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.command_line import PASSWORD, fresh_email
from tests.support.local_page import Page, page_of
from tests.support.process import RunningServer

OTHER = "quite another heron over the dyke"


async def attach(page: Page, entry: str, data: bytes) -> str:
    """Attach a file to an entry; return where it is had."""
    path = f"/entries/{entry}/attachments"
    answer = await page.ask("POST", path, content=data, headers={"X-File-Name": "note.txt"})
    assert answer.status_code == 201, answer.text
    return f"{path}/{answer.json()['id']}"


async def test_after_the_loss_of_a_device_keys_and_files_are_new_and_it_is_out(
    tmp_path: Path, server: RunningServer
) -> None:
    account = {"server": server.url, "name": fresh_email(), "password": PASSWORD}
    async with page_of(tmp_path, profile="laptop") as laptop, page_of(tmp_path, profile="lost") as lost:
        await laptop.post("/account/register", account)
        entry = await laptop.write("with a file")
        await attach(laptop, entry["id"], b"attached")
        await laptop.synced(1)
        await lost.post("/account/login", account)
        assert (await laptop.get("/keys"))["files_unfinished"] is False
        wrong = await laptop.ask("POST", "/keys/rotate", {"password": "not this one"})
        assert wrong.json()["code"] == "wrong_password"
        rotated = await laptop.post("/keys/rotate", {"password": PASSWORD, "new_password": OTHER, "files": True})
        assert len(rotated["recovery_codes"]) == 10
        assert (await laptop.get("/keys"))["files_unfinished"] is True
        assert await laptop.post("/keys/files") == {"sealed": 1, "left": 0, "missing": 0}
        await laptop.synced(1)
        assert await laptop.get("/keys") == {"sealed_again": True, "files_unfinished": False}
        while (await lost.get("/state"))["sync"]["state"] != "error":
            await lost.post("/sync")
            await asyncio.sleep(0.05)
        again = await lost.ask("POST", "/account/login", account)
        assert again.json()["code"] == "wrong_password"


async def test_a_recovery_code_sets_a_password_and_takes_along_what_was_written_here(
    tmp_path: Path, server: RunningServer
) -> None:
    name = fresh_email()
    account = {"server": server.url, "name": name, "password": PASSWORD}
    async with page_of(tmp_path, profile="laptop") as laptop, page_of(tmp_path, profile="phone") as phone:
        codes = (await laptop.post("/account/register", account))["recovery_codes"]
        await laptop.write("of the account")
        await laptop.synced(1)
        await phone.write("of the phone")
        recovery = {"server": server.url, "name": name, "code": codes[0], "new_password": OTHER}
        weak = await phone.ask("POST", "/account/recover", {**recovery, "new_password": "password1"})
        assert weak.json()["code"] == "password_too_weak"
        wrong = await phone.ask("POST", "/account/recover", {**recovery, "code": codes[1][:-1]})
        assert wrong.status_code >= 400
        assert (await phone.get("/state"))["account"] is None
        await phone.post("/account/recover", recovery)
        await phone.synced(2)


async def test_the_end_of_an_account_is_told_in_numbers_and_leaves_the_journal_here(
    tmp_path: Path, server: RunningServer
) -> None:
    account = {"server": server.url, "name": fresh_email(), "password": PASSWORD}
    async with page_of(tmp_path, profile="laptop") as laptop, page_of(tmp_path, profile="phone") as phone:
        await laptop.post("/account/register", account)
        entry = await laptop.write("with a file")
        file = await attach(laptop, entry["id"], b"attached")
        await laptop.write("without")
        await laptop.synced(2)
        await phone.post("/account/login", account)
        told = await phone.post("/account/holdings")
        assert told == {
            "holds_journal": True, "entries": 2, "files": 1, "conflicts": 0, "inbox": 0, "lost": 0, "complete": True,
        }  # fmt: skip
        # Before its reader has made up their mind, a sync sends again what was fetched.
        await phone.post("/sync")
        await phone.synced(2)
        wrong = await phone.ask("POST", "/account/delete", {"password": "not this one"})
        assert wrong.json()["code"] == "wrong_password"
        state = await phone.post("/account/delete", {"password": PASSWORD})
        assert (state["account"]["deleted"], state["account"]["logged_in"]) == (True, False)
        assert state["counts"]["entries"] == 2
        assert (await phone.ask("GET", file)).content == b"attached"
        await phone.write("written on")
        assert (await phone.get("/state"))["counts"]["entries"] == 3


async def test_a_lower_tier_takes_nothing_that_another_device_has_just_sent(
    tmp_path: Path, server: RunningServer
) -> None:
    account = {"server": server.url, "name": fresh_email(), "password": PASSWORD}
    async with page_of(tmp_path, profile="laptop") as laptop, page_of(tmp_path, profile="phone") as phone:
        await laptop.post("/account/register", account)
        await phone.post("/account/login", account)
        # The laptop hears of nothing meanwhile.
        async with laptop.desk.without_sync():
            entry = await phone.write("with a file")
            file = await attach(phone, entry["id"], b"attached")
            await phone.synced(1)
            lowered = await laptop.post("/account/tier", {"tier": "local_only", "password": PASSWORD})
        assert (lowered["tier"], lowered["deletes"]["media"], lowered["lost"]) == ("local_only", 1, 0)
        assert (await laptop.ask("GET", file)).content == b"attached"
