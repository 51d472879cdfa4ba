"""Entries as the server lists them: filtered by what it cannot read, and opened on the device."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lockleaf.client.errors import SealBroken
from lockleaf.crypto.labels import label
from tests.support.command_line import CommandLine
from tests.support.diarist import Diarist, caught
from tests.support.lying_server import Answer, Honest, Lie, LyingServer, Request


class Moves(Lie):
    """Gives the payload of one entry as that of another."""

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        answer = await honest(request)
        if request.path != "/entries":
            return answer
        said = answer.read()
        first, second = said["items"][:2]
        first["payload"], second["payload"] = second["payload"], first["payload"]
        return answer.saying(said)


async def test_a_device_that_fetched_nothing_lists_what_it_asks_for_and_the_server_learns_no_word(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop = await ada.first()
    await laptop.journal.write(body="at work", mood="calm", tags=["Work", "river"], date="2026-01-02")
    await laptop.journal.write(body="at home", mood="calm", tags=["home"], date="2026-01-03")
    await laptop.journal.write(body="glad at work", mood="glad", tags=["work"], date="2026-01-04", source="web")
    gone = await laptop.journal.write(body="gone", mood="calm", tags=["work"])
    await laptop.journal.delete(gone.id)
    await laptop.sync()

    phone = await ada.another(at=liar.url)
    liar.seen.clear()
    pages = {
        "both": await phone.search.entries_page(tag="work", mood="CALM"),
        "tag": await phone.search.entries_page(tag="WORK"),
        "source": await phone.search.entries_page(source="web"),
        "days": await phone.search.entries_page(since="2026-01-03", until="2026-01-03"),
        "nothing": await phone.search.entries_page(mood="unheard-of"),
    }
    assert {name: sorted(entry.body for entry in page.entries) for name, page in pages.items()} == {
        "both": ["at work"],
        "tag": ["at work", "glad at work"],
        "source": ["glad at work"],
        "days": ["at home"],
        "nothing": [],
    }
    assert await phone.journal.count() == 0
    asked = [request for request in liar.seen if request.path == "/entries"]
    assert len(asked) == len(pages)
    # A device that has not synced cannot know whether the account sends labels, and asks by none.
    assert all(set(request.query) == {"limit"} for request in asked)

    await phone.sync()
    liar.seen.clear()
    again = await phone.search.entries_page(tag="WORK")
    assert sorted(entry.body for entry in again.entries) == ["at work", "glad at work"]
    (asked_now,) = [request for request in liar.seen if request.path == "/entries"]
    assert asked_now.query["label"] == label(phone._device.opened.keyring.index_key, "tag", "work").hex()
    assert set(asked_now.query) == {"label", "limit"}
    assert not {"work", "calm", "web"} & set(asked_now.query.values())


async def test_pages_follow_each_other_to_the_end(ada: Diarist) -> None:
    laptop = await ada.first()
    for number in range(5):
        await laptop.journal.write(body=f"entry {number}", tags=["x"])
    await laptop.sync()
    found: list[str] = []
    cursor = None
    for _ in range(3):
        page = await laptop.search.entries_page(tag="x", cursor=cursor, limit=2)
        found += [entry.body for entry in page.entries]
        cursor = page.next_cursor
    assert cursor is None
    assert sorted(found) == [f"entry {number}" for number in range(5)]


async def test_an_entry_that_stands_in_the_place_of_another_does_not_open(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first(at=liar.url)
    await laptop.journal.write(body="one")
    await laptop.journal.write(body="two")
    await laptop.sync()
    liar.tell(Moves())
    await caught(laptop.search.entries_page(), SealBroken)


async def test_the_command_line_lists_from_the_server(liar: LyingServer, tmp_path: Path) -> None:
    laptop, phone = CommandLine(tmp_path, "laptop"), CommandLine(tmp_path, "phone")
    where = ("--server", liar.url, "--email", "remote-" + tmp_path.name + "@example.org")

    def story() -> tuple[list[str], list[str], str, int]:
        laptop.run("register", *where, "--device-name", "laptop")
        laptop.run("write", "at work", "--tag", "work")
        laptop.run("write", "at home", "--tag", "home")
        laptop.run("sync")
        phone.run("login", *where, "--device-name", "phone")
        listed = phone.run("list", "--remote", "--tag", "work", "--json").values()
        one = phone.run("list", "--remote", "--limit", "1", "--json").values()
        told = phone.run("list", "--remote").err
        refused = phone.run("list", "--remote", "--deleted", code=2).code
        return [item["body"] for item in listed], [item["body"] for item in one], told, refused

    listed, one, told, refused = await asyncio.to_thread(story)
    assert listed == ["at work"]
    assert len(one) == 1
    assert "lockleaf sync" in told
    assert refused == 2
