"""Edits while the journal moves on underneath, on real devices: merged, or kept as conflicts; and what came before."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI

from lockleaf.client import Client
from lockleaf.client.errors import EditConflict, HistoryForked, RevisionMissing, SealBroken
from tests.support.command_line import CommandLine, fresh_email
from tests.support.diarist import Diarist, caught
from tests.support.lying_server import Answer, Honest, Lie, LyingServer, Request
from tests.support.process import RunningServer
from tests.support.senders import POST, put_in


@pytest.fixture(scope="module")
def devices(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[CommandLine, CommandLine]:
    """A laptop and a phone of one account, as command lines."""
    home, email = tmp_path_factory.mktemp("home"), fresh_email()
    laptop, phone = CommandLine(home, "laptop"), CommandLine(home, "phone")
    laptop.run("register", "--server", server.url, "--email", email, "--device-name", "laptop", "-q")
    phone.run("login", "--server", server.url, "--email", email, "--device-name", "phone", "-q")
    return laptop, phone


def editor(folder: Path) -> tuple[dict[str, str], Path]:
    """The environment of a command whose editor is open until somebody writes to a pipe what it is to leave."""
    pipe, program = folder / "typed", folder / "editor"
    os.mkfifo(pipe)
    program.write_text(f'#!/bin/sh\nexec cat {pipe} > "$1"\n')
    program.chmod(0o755)
    return {"EDITOR": str(program)}, pipe


async def edited(
    laptop: CommandLine, phone: CommandLine, folder: Path, arrives: str, typed: str, *more: str
) -> tuple[str, int, str]:
    """Let the phone's words arrive while the laptop's editor is open: the entry, the exit code, and what was said."""
    async with await laptop.client() as client, await phone.client() as other:
        entry = (await client.journal.write(body="Milk.\n\nBread.")).id
        await client.sync()
        await other.sync()
        await other.journal.edit(entry, body=arrives)
        await other.sync()
        environment, pipe = editor(folder)
        # A pipe at standard input would be the text itself.
        with subprocess.Popen(
            [str(laptop.program), "edit", entry, *more],
            env=laptop.variables() | environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:
            opened = asyncio.create_task(asyncio.to_thread(pipe.open, "w"))  # ends when the editor reads
            ended = asyncio.create_task(asyncio.to_thread(process.wait))
            await asyncio.wait({opened, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not opened.done():
                os.close(
                    os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
                )  # let go of what waits for an editor that never came
            with await opened as keyboard:
                await client.sync()
                keyboard.write(typed)
            await ended
            assert process.stderr is not None
            told = process.stderr.read()
        await client.sync()
        await other.sync()
        return entry, process.returncode, told.decode()


async def test_words_that_arrive_while_an_editor_is_open_are_merged_with_what_is_saved(
    devices: tuple[CommandLine, CommandLine], tmp_path: Path
) -> None:
    arrives, typed = "Milk. Doctor on Tuesday.\n\nBread.", "Milk.\n\nBread and butter.\n"
    entry, code, told = await edited(*devices, tmp_path, arrives, typed)
    assert code == 0
    assert "Both changes are in it" in told
    for device in devices:
        async with await device.client() as client:
            assert (await client.journal.get(entry)).body == "Milk. Doctor on Tuesday.\n\nBread and butter."


async def test_words_that_do_not_merge_are_both_kept_on_both_devices(
    devices: tuple[CommandLine, CommandLine], tmp_path: Path
) -> None:
    laptop, phone = devices
    entry, code, told = await edited(laptop, phone, tmp_path, "Milk. Doctor on Tuesday.", "Butter.\n", "--json")
    refused = json.loads(told.splitlines()[-1])["error"]
    assert (code, refused["name"], refused["entry_id"]) == (5, "EditConflict", entry)
    assert refused["hint"].startswith("lockleaf conflicts")
    for device in devices:
        async with await device.client() as client:
            assert (await client.journal.get(entry)).body == "Milk. Doctor on Tuesday."
            (conflict,) = await client.journal.conflicts()
            assert conflict.local is not None
            assert (conflict.entry_id, conflict.local.body) == (entry, "Butter.")
    # By the id that was told before the sync.
    laptop.run("resolve", refused["conflict_id"], "merged", "--body-file", "-", stdin=b"Both.")
    async with await laptop.client() as client, await phone.client() as other:
        await client.sync()
        await other.sync()
        assert (await other.journal.get(entry)).body == "Both."
    assert [each["local"]["body"] for each in laptop.run("conflicts", "--decided", "--json").values()] == ["Butter."]


async def test_a_script_says_what_it_saw(devices: tuple[CommandLine, CommandLine]) -> None:
    laptop, _ = devices
    async with await laptop.client() as client:
        entry = (await client.journal.write(body="one")).id
        seen = laptop.run("show", entry, "--json").value()["version"]
        await client.journal.edit(entry, body="two")
        refused = laptop.run("delete", entry, "--base", seen, "--json", code=5).error()
        assert refused["code"] == "entry_changed"
        laptop.run("edit", entry, "three", "--base", seen, "-q", code=5)
        assert (await client.journal.get(entry)).body == "two"


async def test_what_was_overwritten_on_purpose_is_listed_read_and_brought_back(
    devices: tuple[CommandLine, CommandLine],
) -> None:
    laptop, _ = devices
    async with await laptop.client() as client:
        entry = (await client.journal.write(body="never sent")).id
        for body in ("first", "second"):
            await client.journal.edit(entry, body=body)
            await client.sync()
        told = [(each["revision"], each["entry"]["body"]) for each in laptop.run("history", entry, "--json").values()]
        assert told == [("2", "second"), ("1", "first"), ("u1", "never sent")]
        assert "never sent" in laptop.run("history", entry).out
        assert laptop.run("show", entry, "--revision", "u1", "--body").out == "never sent"
        refused = laptop.run("show", entry, "--revision", "9", "--json", code=4).error()
        assert refused["code"] == "revision_missing"
        laptop.run("restore", entry, "--revision", "1", "-q")
        assert (await client.journal.get(entry)).body == "first"


async def two_devices_in_conflict(ada: Diarist, url: str) -> tuple[Client, str]:
    """A laptop with an entry in its second revision, of which the phone has written another second one."""
    laptop, phone = await ada.first("laptop", at=url), await ada.another("phone", at=url)
    entry = (await laptop.journal.write(body="one", tags=["sea"])).id
    await laptop.sync()
    await phone.sync()
    await laptop.journal.edit(entry, body="two")
    await laptop.sync()
    await phone.journal.edit(entry, body="another two")
    await phone.sync()
    await laptop.sync()
    return laptop, entry


class ShowsTheConflictAsARevision(Lie):
    """What was refused as revision 2, validly sealed for that place, in place of what was accepted there."""

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        answer = await honest(request)
        if not request.path.endswith("/revisions/2"):
            return answer
        listed = (await honest(Request("GET", "/sync/conflicts", {}, request.headers, b""))).read()
        kept = listed["conflicts"][0]["local_version"]
        return answer.saying(answer.read() | {"payload": kept["encrypted_content"], "labels": kept["labels"]})


class ShowsAnotherRevision(Lie):
    """The first revision as the second."""

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        if not request.path.endswith("/revisions/2"):
            return await honest(request)
        first = Request(request.method, request.path[:-1] + "1", request.query, request.headers, request.body)
        answer = await honest(first)
        return answer.saying(answer.read() | {"revision": 2})


async def test_an_earlier_revision_is_what_the_verified_history_has(ada: Diarist, liar: LyingServer) -> None:
    laptop, entry = await two_devices_in_conflict(ada, liar.url)
    listed = await laptop.history(entry)
    assert [(each.number, each.event, each.verified) for each in listed] == [
        ("2", "updated", True),
        ("1", "created", True),
    ]
    assert (await laptop.revision(entry, "1")).verified
    await caught(laptop.revision(entry, "3"), RevisionMissing)
    liar.tell(ShowsTheConflictAsARevision())
    await caught(laptop.history(entry), HistoryForked)
    liar.tell(ShowsAnotherRevision())
    await caught(laptop.history(entry), SealBroken)


async def test_a_revision_that_this_device_has_not_synced_is_marked(ada: Diarist) -> None:
    laptop, phone = await ada.first("laptop"), await ada.another("phone")
    entry = (await laptop.journal.write(body="one")).id
    await laptop.sync()
    await phone.sync()
    await phone.journal.delete(entry)
    await phone.sync()
    assert [(each.event, each.verified, each.entry and each.entry.body) for each in await laptop.history(entry)] == [
        ("deleted", False, None),
        ("created", True, "one"),
    ]


async def test_an_edit_on_what_the_server_listed_is_merged_with_what_the_device_has(ada: Diarist) -> None:
    laptop, phone = await ada.first("laptop"), await ada.another("phone")
    entry = (await laptop.journal.write(body="one")).id
    await laptop.sync()
    await phone.sync()
    (shown,) = (await phone.search.entries_page()).entries
    assert shown.version == (await phone.journal.get(entry)).version
    await laptop.journal.edit(entry, mood="calm")
    await laptop.sync()
    await phone.sync()
    saved = await phone.journal.edit(entry, base=shown, body="two")
    assert (saved.body, saved.mood, saved.merged) == ("two", "calm", True)


async def test_an_item_that_has_other_words_than_its_entry_becomes_a_conflict(app: FastAPI, ada: Diarist) -> None:
    laptop = await ada.first("laptop")
    assert laptop.profile is not None
    user_id: UUID = laptop.profile.user_id
    for content in (POST, POST, {**POST, "body": "The sea in the evening."}):
        await put_in(app, user_id, content=content)
        await laptop.sync()
        for item in await laptop.inbox.list():
            entry = await laptop.inbox.accept(item.id)
        await laptop.sync()
    (conflict,) = await laptop.journal.conflicts()
    assert (entry.body, entry.conflict) == (POST["body"], True)
    assert conflict.local is not None
    assert conflict.local.body == "The sea in the evening."


async def test_a_conflict_found_on_a_device_is_kept_by_the_server_and_changes_nothing(ada: Diarist) -> None:
    laptop, phone = await ada.first("laptop"), await ada.another("phone")
    seen = await laptop.journal.write(body="one")
    await laptop.sync()
    # On what is in step with the server, and beside an edit that still waits.
    for body in ("two", "three"):
        await laptop.journal.edit(seen.id, body=body)
        await laptop.sync()
    with pytest.raises(EditConflict):
        await laptop.journal.edit(seen.id, base=seen, body="mine")
    await laptop.journal.edit(seen.id, body="four")
    with pytest.raises(EditConflict):
        await laptop.journal.edit(seen.id, base=seen, body="mine too")
    with pytest.raises(EditConflict):
        await laptop.journal.edit(seen.id, base="0" * 32, body="mine as well")
    await laptop.sync()
    await phone.sync()
    for device in (laptop, phone):
        assert (await device.journal.get(seen.id)).body == "four"
        conflicts = await device.journal.conflicts()
        assert sorted(each.local.body for each in conflicts if each.local) == ["mine", "mine as well", "mine too"]
    assert {each.device_id for each in await laptop.journal.conflicts()} == {
        laptop.profile and laptop.profile.device_id
    }
