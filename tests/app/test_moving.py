"""A journal that was begun here joins an account: by the page whole, and under a page that runs."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from lockleaf.client import Client, FileKeychain, SecondFactor
from tests.support.begun_journals import MINE, Begun, account_at, opened
from tests.support.command_line import PASSWORD, fresh_email
from tests.support.local_page import Page, page_of
from tests.support.process import RunningServer


def page_at(home: Path) -> AbstractAsyncContextManager[Page]:
    """The page of the profile ``MINE``, whose key is where the SDK puts it without a keychain."""

    async def open_client(second_factor: SecondFactor) -> Client:
        return await opened(home, second_factor=second_factor)

    return page_of(home, profile=MINE, open_client=open_client)


class HeldKeychain(FileKeychain):
    """A keychain that is as slow to take a key as the test wants."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.asked, self.may = threading.Event(), threading.Event()

    def set(self, profile_key: str, value: str) -> None:
        self.asked.set()
        assert self.may.wait(60)
        super().set(profile_key, value)


async def with_keychain(home: Path, keychain: FileKeychain | None = None) -> Client:
    """Open the profile ``MINE``, whose key is in a keychain."""
    return await opened(home, keychain=keychain or FileKeychain(home / "keys.json"))


async def texts(page: Page) -> set[str]:
    return {each["excerpt"] for each in (await page.post("/entries/find", {}))["entries"]}


async def test_a_link_code_brings_everything_that_was_begun_here_into_the_account(
    tmp_path: Path, server: RunningServer
) -> None:
    account = {"server": server.url, "name": fresh_email(), "password": PASSWORD}
    async with page_of(tmp_path, profile="phone") as phone:
        await phone.post("/account/register", account)
        await phone.write("of the account")
        await phone.synced(1)
        begun = await Begun.at(tmp_path)
        async with page_at(tmp_path) as laptop:
            link = {**account, "code": (await phone.post("/link-code"))["code"]}
            del link["server"]
            state = await laptop.post("/account/login-by-link", link)
            assert (state["account"]["name"], state["counts"]["drafts"]) == (account["name"], 1)
            await begun.check(laptop.desk.client, tmp_path / "before")
            await laptop.synced(3)
            await begun.check(laptop.desk.client, tmp_path / "after")
            await phone.synced(3)
            entry = await phone.get(f"/entries/{begun.kept}")
            assert (entry["body"], entry["tags"]) == ("other words", ["Home", "sea"])
            [file] = [each for each in entry["attachments"] if each["id"] == begun.attachment]
            sent = await phone.ask("GET", f"/entries/{begun.kept}/attachments/{file['id']}")
            assert len(sent.content) == file["size"]


async def another_joins(home: Path, server: RunningServer, name: str, *, by: str = "login", **settings: object) -> None:
    """Give the journal of a page an account, as a command in a terminal does."""
    async with await opened(home, **settings) as other:
        join = other.account.login if by == "login" else other.account.register
        await join(server.url, name, PASSWORD, device_name=MINE)


async def begin(home: Path, password: str | None = None) -> None:
    async with await opened(home) as begun:
        await begun.begin(device_name=MINE, password=password)


async def test_a_running_page_goes_on_when_another_program_logs_its_journal_in(
    tmp_path: Path, server: RunningServer
) -> None:
    email, _ = await account_at(server, tmp_path, "of the account")
    await begin(tmp_path)
    async with page_at(tmp_path) as page:
        written = await page.write("before")
        await page.post("/drafts/0a1b2c3d", {"fields": {"title": "half", "body": "a thought"}}, method="PUT")
        await another_joins(tmp_path, server, email)
        await page.post("/drafts/0a1b2c3d", {"fields": {"title": "whole", "body": "a thought"}}, method="PUT")
        await page.write("after")
        changed = {"body": "before, and more", "base": written["version"]}
        await page.post(f"/entries/{written['id']}", changed, method="PUT")
        await page.synced(3)
        assert await texts(page) == {"of the account", "before, and more", "after"}
        state = await page.get("/state")
        assert (state["account"]["name"], state["counts"]["conflicts"], state["counts"]["drafts"]) == (email, 0, 1)
        assert (await page.get("/drafts/0a1b2c3d"))["fields"]["title"] == "whole"


@pytest.mark.parametrize("by", ["login", "register"])
async def test_a_page_that_nobody_asks_anything_learns_of_the_account_by_itself(
    tmp_path: Path, server: RunningServer, by: str
) -> None:
    name = (await account_at(server, tmp_path))[0] if by == "login" else fresh_email()
    await begin(tmp_path)
    async with page_at(tmp_path) as page:
        await page.write("mine")
        await another_joins(tmp_path, server, name, by=by)
        await page.synced(1)  # which asks how it stands, and nothing else
        assert await texts(page) == {"mine"}


async def test_where_only_the_accounts_password_opens_it_now_the_page_asks_for_that(
    tmp_path: Path, server: RunningServer
) -> None:
    before = "quite another heron"
    email, _ = await account_at(server, tmp_path)
    await begin(tmp_path, before)
    async with page_at(tmp_path) as page:
        await page.post("/unlock", {"password": before})
        written = await page.write("mine")
        await another_joins(tmp_path, server, email, password=before, unlocked_for=0)
        path, changed = f"/entries/{written['id']}", {"body": "mine, and more", "base": written["version"]}
        refused = await page.ask("PUT", path, changed)
        assert (refused.status_code, refused.json()["code"]) == (423, "locked")
        assert (await page.get("/state"))["locked"]
        wrong = await page.ask("POST", "/unlock", {"password": before})
        assert wrong.json()["code"] == "wrong_password"
        await page.post("/unlock", {"password": PASSWORD})
        await page.post(path, changed, method="PUT")
        await page.synced(1)
        assert await texts(page) == {"mine, and more"}


async def test_a_page_that_logs_in_itself_goes_on_with_what_it_has_open(tmp_path: Path, server: RunningServer) -> None:
    account = {"server": server.url, "name": fresh_email(), "password": PASSWORD}
    async with page_of(tmp_path, profile="phone") as phone:
        await phone.post("/account/register", account)
        await phone.write("of the account")
        await phone.synced(1)
    async with await with_keychain(tmp_path) as begun:
        await begun.begin(device_name=MINE)
    held = HeldKeychain(tmp_path / "keys.json")
    async with page_of(tmp_path, profile=MINE, open_client=lambda _: with_keychain(tmp_path, held)) as page:
        client = page.desk.client
        entering = asyncio.create_task(page.post("/account/login", account))
        await asyncio.to_thread(held.asked.wait)
        await page.desk.moves.look()
        held.may.set()
        await entering
        assert page.desk.client is client
        await page.synced(1)


async def test_a_page_goes_on_only_when_the_other_program_is_done(tmp_path: Path, server: RunningServer) -> None:
    email, _ = await account_at(server, tmp_path, "of the account")
    async with await with_keychain(tmp_path) as begun:
        await begun.begin(device_name=MINE)
    held = HeldKeychain(tmp_path / "keys.json")
    async with (
        page_of(tmp_path, profile=MINE, open_client=lambda _: with_keychain(tmp_path)) as page,
        await with_keychain(tmp_path, held) as other,
    ):
        before = page.desk.client
        joining = asyncio.create_task(other.account.login(server.url, email, PASSWORD, device_name=MINE))
        await asyncio.to_thread(held.asked.wait)
        await page.desk.moves.look()
        meanwhile = page.desk.client
        held.may.set()
        await joining
        assert meanwhile is before
        await page.synced(1)
        assert await texts(page) == {"of the account"}
