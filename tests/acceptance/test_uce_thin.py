"""A uce account with two kinds of client: the SDK with its own keys, and plain HTTP that the server reads for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from lockleaf.client import Client
from lockleaf.wire.palette import color_of
from tests.support.people import PASSWORD, Person
from tests.support.process import RunningServer


@dataclass
class Thin:
    """A session over plain HTTP, which does no cryptography."""

    http: httpx.AsyncClient
    token: str

    async def ask(self, method: str, path: str, *, status: int = 200, **options: Any) -> Any:
        answer = await self.http.request(
            method, path, headers={"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}, **options
        )
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


@dataclass
class Household:
    """An account, a device with the SDK, and a thin client."""

    ada: Person
    laptop: Client
    thin: Thin

    async def another(self) -> Client:
        phone = await self.ada.device("phone")
        await phone.account.login(self.ada.server, self.ada.email, PASSWORD, device_name="phone", custody="uce")
        return phone


@pytest.fixture
async def home(tmp_path: Path, server: RunningServer) -> AsyncIterator[Household]:
    async with AsyncExitStack() as stack:
        ada = Person(tmp_path / "home", server.url, stack)
        laptop = await ada.device("laptop")
        await laptop.account.register(server.url, ada.email, PASSWORD, device_name="laptop", custody="uce")
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=f"{server.url}/api/v1", trust_env=False))
        entered = await http.post("/auth/login", json={"email": ada.email, "password": PASSWORD, "device_name": "web"})
        assert entered.status_code == 200, entered.text
        yield Household(ada, laptop, Thin(http, entered.json()["access_token"]))


async def test_a_thin_client_reads_what_the_sdk_wrote(home: Household) -> None:
    written = await home.laptop.journal.write(
        body="It rained.",
        title="Monday",
        mood="calm",
        tags=["weather"],
        date="2026-01-02T10:00:00",
        time_zone="Europe/Paris",
    )
    await home.laptop.sync()
    read = await home.thin.ask("GET", f"/entries/{written.id}")
    assert (read["content"], read["title"], read["mood"], read["tags"]) == ("It rained.", "Monday", "calm", ["weather"])
    assert (read["occurred_at"], read["time_zone"], read["revision"]) == ("2026-01-02T10:00:00", "Europe/Paris", 1)
    listed = await home.thin.ask("GET", "/entries", params={"tag": "WEATHER", "from": "2026-01-02", "to": "2026-01-02"})
    assert [item["id"] for item in listed["items"]] == [written.id]


async def test_the_sdk_reads_and_verifies_what_a_thin_client_wrote_and_edits_it(home: Household) -> None:
    made = await home.thin.ask(
        "POST",
        "/entries",
        status=201,
        json={"content": "From the web.", "title": "T", "mood": "glad", "tags": ["Web"], "source": "web"},
    )
    report = await home.laptop.sync()
    assert (report.pulled, report.conflicts) == (1, 0)
    read = await home.laptop.journal.get(made["id"])
    assert (read.body, read.title, read.mood, read.tags, read.source) == ("From the web.", "T", "glad", ("Web",), "web")
    assert [(tag.name, tag.color) for tag in await home.laptop.journal.tags()] == [("Web", color_of("web"))]

    await home.laptop.journal.edit(made["id"], body="From the web, and the laptop.")
    await home.laptop.sync()
    again = await home.thin.ask("GET", f"/entries/{made['id']}")
    assert (again["content"], again["title"], again["revision"]) == ("From the web, and the laptop.", "T", 2)


async def test_an_edit_made_offline_merges_with_one_of_a_thin_client(home: Household) -> None:
    entry = await home.laptop.journal.write(body="a\nb\nc", tags=["x"])
    await home.laptop.sync()
    await home.laptop.journal.edit(entry.id, body="A\nb\nc")
    await home.thin.ask("PUT", f"/entries/{entry.id}", json={"content": "a\nb\nC", "mood": "glad", "revision": 2})
    assert (await home.laptop.sync()).merged == 1
    merged = await home.laptop.journal.get(entry.id)
    assert (merged.body, merged.mood, merged.tags) == ("A\nb\nC", "glad", ("x",))
    assert (await home.thin.ask("GET", f"/entries/{entry.id}"))["content"] == "A\nb\nC"


async def test_edits_of_the_same_words_become_a_conflict_that_the_sdk_decides(home: Household) -> None:
    entry = await home.laptop.journal.write(body="one")
    await home.laptop.sync()
    await home.laptop.journal.edit(entry.id, body="the laptop's")
    await home.thin.ask("PUT", f"/entries/{entry.id}", json={"content": "the web's", "revision": 2})
    assert (await home.laptop.sync()).conflicts == 1
    (conflict,) = await home.laptop.journal.conflicts()
    await home.laptop.journal.resolve(conflict.id, "local")
    await home.laptop.sync()
    assert (await home.thin.ask("GET", f"/entries/{entry.id}"))["content"] == "the laptop's"


async def test_deletions_and_restorations_go_both_ways_with_their_seal(home: Household) -> None:
    one, two = [await home.laptop.journal.write(body=body) for body in ("one", "two")]
    await home.laptop.sync()
    await home.thin.ask("DELETE", f"/entries/{one.id}")
    await home.laptop.journal.delete(two.id)
    await home.laptop.sync()
    assert await home.laptop.journal.list() == []
    await home.thin.ask("POST", f"/entries/{two.id}/restore")
    await home.laptop.journal.restore(one.id)
    await home.laptop.sync()
    assert {entry.body for entry in await home.laptop.journal.list()} == {"one", "two"}
    listed = await home.thin.ask("GET", "/entries")
    assert {item["content"] for item in listed["items"]} == {"one", "two"}


async def test_colours_of_tags_are_the_same_for_both(home: Household) -> None:
    await home.laptop.journal.write(body="x", tags=["Work"])
    await home.laptop.journal.recolor_tag("work", "#123456")
    await home.laptop.sync()
    (tag,) = await home.thin.ask("GET", "/tags")
    assert (tag["name"], tag["color"]) == ("Work", "#123456")
    await home.thin.ask("PUT", f"/tags/{tag['id']}", json={"color": "#654321"})
    await home.laptop.sync()
    assert [(tag.name, tag.color) for tag in await home.laptop.journal.tags()] == [("Work", "#654321")]


async def test_entries_are_asked_of_the_server_by_what_they_have(home: Household) -> None:
    await home.laptop.journal.write(body="calm and at work", mood="calm", tags=["work"], date="2026-01-02")
    await home.laptop.journal.write(body="glad", mood="glad", date="2026-02-02")
    await home.laptop.sync()
    phone = await home.another()
    page = await phone.search.entries_page(tag="WORK", mood="calm")
    assert [entry.body for entry in page.entries] == ["calm and at work"]
    assert [entry.body for entry in (await phone.search.entries_page(since="2026-02-01")).entries] == ["glad"]
    assert await phone.journal.count() == 0


async def test_the_history_of_access_tells_what_was_opened_for_whom(home: Household) -> None:
    entry = await home.laptop.journal.write(body="x")
    await home.laptop.sync()
    assert await home.laptop.account.access() == ()
    await home.thin.ask("GET", f"/entries/{entry.id}")
    (access,) = await home.laptop.account.access()
    assert (access.device_name, access.openings >= 1) == ("web", True)


async def test_the_password_of_a_keyboard_that_composes_otherwise_opens_the_same_account(
    tmp_path: Path, server: RunningServer
) -> None:
    async with AsyncExitStack() as stack:
        ada = Person(tmp_path / "home", server.url, stack)
        laptop = await ada.device("laptop")
        await laptop.account.register(server.url, ada.email, "caf\u00e9 au lait", device_name="laptop", custody="uce")
        async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", trust_env=False) as http:
            for password in ("caf\u00e9 au lait", "cafe\u0301 au lait"):
                answer = await http.post("/auth/login", json={"email": ada.email, "password": password})
                assert answer.status_code == 200, password
