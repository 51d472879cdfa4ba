"""The account in the page: the journal of a first run becomes one, and two pages keep in step."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lockleaf.app.events import Events
from lockleaf.app.in_step import InStep
from tests.support.command_line import PASSWORD, fresh_email
from tests.support.local_page import Page, page_of
from tests.support.process import RunningServer


async def test_what_was_written_before_the_account_comes_to_the_other_device(
    tmp_path: Path, server: RunningServer
) -> None:
    email = fresh_email()
    async with page_of(tmp_path, profile="laptop") as laptop, page_of(tmp_path, profile="phone") as phone:
        await laptop.write("Before the account")
        account = {"server": server.url, "name": email, "password": PASSWORD}
        made = await laptop.post("/account/register", account)
        assert len(made["recovery_codes"]) == 10
        await laptop.synced(1)
        wrong = await phone.ask("POST", "/account/login", {**account, "password": "not this one"})
        assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
        code = await laptop.post("/link-code")
        assert code["svg"].startswith("<svg")
        assert "style=" not in code["svg"]
        link = {"code": code["code"], "name": email, "password": PASSWORD}
        state = await phone.post("/account/login-by-link", link)
        assert state["account"]["name"] == email
        await phone.synced(1)
        await phone.write("From the phone")
        await laptop.synced(2)
        devices = (await laptop.get("/devices"))["devices"]
        assert [each["current"] for each in devices].count(True) == 1
        other = next(each for each in devices if not each["current"])
        assert (await laptop.ask("POST", f"/devices/{other['id']}/revoke")).status_code == 204
        lowered = await laptop.post("/account/tier", {"tier": "local_only", "dry_run": True})
        assert (lowered["tier"], "entries" in lowered["deletes"]) == ("full_sync", True)
        state = await laptop.post("/account/logout")
        assert state["account"]["logged_in"] is False


async def test_without_a_server_everything_is_written_here_and_the_page_says_so(page: Page) -> None:
    await page.write("far from any server")
    while (await page.get("/state"))["sync"]["state"] != "offline":
        await asyncio.sleep(0.05)
    state = await page.get("/state")
    assert (state["sync"]["pending"], state["counts"]["entries"]) == (1, 1)
    await page.post("/sync")
    answer = await page.ask(
        "POST", "/account/login", {"server": "http://127.0.0.1:9", "name": "b@example.org", "password": "x"}
    )
    assert answer.json()["code"] == "already_logged_in"


async def test_a_journal_that_was_begun_here_joins_the_account_that_is_there(
    tmp_path: Path, server: RunningServer
) -> None:
    account = {"server": server.url, "name": fresh_email(), "password": PASSWORD}
    async with page_of(tmp_path, profile="laptop") as laptop, page_of(tmp_path, profile="phone") as phone:
        await phone.post("/account/register", account)
        await phone.write("of the account")
        await phone.synced(1)
        await laptop.write("mine")
        await laptop.post("/account/login", account)
        await laptop.synced(2)
        await phone.synced(2)


async def test_where_syncing_is_left_out_nobody_begins_it(tmp_path: Path, server: RunningServer) -> None:
    async with page_of(tmp_path) as page:
        await page.post("/account/register", {"server": server.url, "name": fresh_email(), "password": PASSWORD})
        await page.write("before")
        await page.synced(1)
        async with page.desk.without_sync():
            async with page.desk.without_sync():  # in another tab
                pass
            await page.write("meanwhile")
            await page.post("/sync")
            sync = (await page.get("/state"))["sync"]
            assert (sync["state"], sync["pending"]) == ("local", 1)
        await page.synced(2)


async def test_what_nobody_foresaw_is_shown_and_does_not_keep_the_journal_from_being_locked(
    tmp_path: Path, server: RunningServer
) -> None:
    told: asyncio.Queue[bool] = asyncio.Queue()

    async def changed(came: bool) -> None:
        await told.put(came)
        if came:
            raise OSError("a folder is gone")

    async with page_of(tmp_path) as page:
        await page.post("/account/register", {"server": server.url, "name": fresh_email(), "password": PASSWORD})
        async with page.desk.without_sync():
            in_step = InStep(Events(), changed)
            in_step.begin(page.desk.client)
            async with asyncio.timeout(60):
                assert [await told.get(), await told.get()] == [True, False]
            assert (in_step.state.state, in_step.state.code) == ("error", "OSError")
            assert "folder" not in str(in_step.state.message)
            await in_step.end()
