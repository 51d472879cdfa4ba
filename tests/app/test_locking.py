"""The page forgets the keys when nobody uses it, and asks before it shows anything again."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from lockleaf.app.routes.state import events
from lockleaf.app.routing import Call
from lockleaf.client import Client, FileKeychain, SecondFactor
from tests.support.command_line import PASSWORD
from tests.support.local_page import Page, page_of


async def under_a_password(home: Path) -> None:
    async with await Client.open(home, "laptop", allow_test_parameters=True) as client:
        await client.begin(device_name="laptop", password=PASSWORD)
        await client.journal.write(body="mine")


def opener(home: Path) -> object:
    async def open_client(second_factor: SecondFactor) -> Client:
        return await Client.open(home, "laptop", second_factor=second_factor, allow_test_parameters=True)

    return open_client


async def test_a_locked_page_shows_nothing_and_the_password_opens_it(tmp_path: Path) -> None:
    await under_a_password(tmp_path)
    async with page_of(tmp_path, open_client=opener(tmp_path)) as page:
        await page.post("/unlock", {"password": PASSWORD})
        assert (await page.get("/state"))["counts"]["entries"] == 1
        assert (await page.post("/lock"))["locked"]
        state = await page.get("/state")
        assert (state["locked"], state["can_lock"], state["counts"]["entries"], state["first_run"]) == (
            True, True, 0, False,
        )  # fmt: skip
        answer = await page.ask("POST", "/entries/find", {})
        assert (answer.status_code, answer.json()["code"]) == (423, "locked")
        wrong = await page.ask("POST", "/unlock", {"password": "not it"})
        assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
        assert (await page.get("/state"))["locked"]
        await page.post("/unlock", {"password": PASSWORD})
        assert len((await page.post("/entries/find", {}))["entries"]) == 1


async def test_what_nobody_uses_is_locked_and_every_page_is_told(tmp_path: Path) -> None:
    await under_a_password(tmp_path)
    async with page_of(tmp_path, open_client=opener(tmp_path), lock_after=0.5) as page:
        await page.post("/unlock", {"password": PASSWORD})
        told = [asyncio.create_task(heard(page, "locked")) for _ in range(2)]
        assert await asyncio.gather(*told) == [{}, {}]
        assert (await page.get("/state"))["locked"]


async def test_what_a_page_asks_by_itself_does_not_keep_the_journal_open(tmp_path: Path) -> None:
    await under_a_password(tmp_path)
    async with page_of(tmp_path, open_client=opener(tmp_path), lock_after=0.5) as page:
        await page.post("/unlock", {"password": PASSWORD})
        told = asyncio.create_task(heard(page, "locked"))
        for idle in itertools.cycle(("3600", "", "-1", "now")):
            answer = await page.ask("POST", "/entries/find", {}, headers={"X-Idle": idle})
            if answer.status_code == 423:
                break
        assert await told == {}


async def test_who_did_something_since_the_last_request_is_there(tmp_path: Path) -> None:
    await under_a_password(tmp_path)
    async with page_of(tmp_path, open_client=opener(tmp_path), lock_after=3600) as page:
        await page.post("/unlock", {"password": PASSWORD})
        unlocked = page.desk.attendance.used
        await page.ask("POST", "/entries/find", {}, headers={"X-Idle": "600"})
        assert page.desk.attendance.used == unlocked
        await page.ask("POST", "/present", headers={"X-Idle": "0"})
        assert page.desk.attendance.used > unlocked


async def test_all_pages_hear_what_one_of_them_writes(page: Page) -> None:
    told = [asyncio.create_task(heard(page, "entries")) for _ in range(2)]
    while len(page.desk.events._pages) < 2:
        await asyncio.sleep(0)
    written = await page.write("news")
    for each in await asyncio.gather(*told):
        assert each == {"ids": [written["id"]]} or each == {"all": True}


async def test_pages_hear_how_it_stands_once_another_program_wrote(tmp_path: Path) -> None:
    async with page_of(tmp_path) as page:
        assert (await page.get("/state"))["first_run"] is True
        told = asyncio.create_task(heard(page, "state"))
        while not page.desk.events.is_heard:
            await asyncio.sleep(0)
        keychain = FileKeychain(tmp_path / "profiles/laptop/keychain.json")
        async with await Client.open(tmp_path, "laptop", keychain=keychain) as other:
            await other.journal.write(body="From the command line.")
        state: Any = await told
    assert (state["first_run"], state["counts"]["entries"]) == (False, 1)


async def test_what_changes_while_a_page_begins_to_listen_is_told_too(page: Page) -> None:
    request = Request({"type": "http", "method": "GET", "path": "/api/events", "headers": []})
    response = await events(Call(page.desk, {}, None, request))
    assert isinstance(response, StreamingResponse)
    await page.write("meanwhile")
    async with asyncio.timeout(30):
        async for said in response.body_iterator:
            assert isinstance(said, bytes)
            event, _, data = said.decode().partition("\ndata: ")
            if event == "event: state" and json.loads(data)["counts"]["entries"] == 1:
                return
    raise AssertionError("the stream ended")


async def heard(page: Page, wanted: str) -> object:
    """What the next event of a kind says."""
    async for said in page.desk.events.stream():
        event, _, data = said.decode().partition("\ndata: ")
        if event == f"event: {wanted}":
            return json.loads(data)
    raise AssertionError("the stream ended")
