"""``lockleaf privacy`` and ``lockleaf inbox`` as people and scripts use them."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI

from lockleaf.exit_codes import ExitCode
from tests.support.command_line import CommandLine, fresh_email
from tests.support.process import RunningServer
from tests.support.senders import POST, put_in


@pytest.fixture
def registered(server: RunningServer, tmp_path: Path) -> tuple[CommandLine, UUID]:
    """A device with a new account, and the account's id."""
    laptop = CommandLine(tmp_path, "laptop")
    made = laptop.run("register", "--server", server.url, "--email", fresh_email(), "--json").value()
    return laptop, UUID(made["user_id"])


def test_lowering_says_what_the_server_will_delete_and_wants_to_be_meant(registered: tuple[CommandLine, UUID]) -> None:
    laptop, _ = registered
    laptop.run("write", "one")
    assert laptop.run("privacy", "--json").value()["current_tier"] == "full_sync"
    shown = laptop.run("privacy").out
    assert "full_sync" in shown
    assert "sync between devices" in shown

    refused = laptop.run("privacy", "set", "local_only", code=ExitCode.USAGE)
    assert "--yes" in refused.err
    assert laptop.run("privacy", "--json").value()["current_tier"] == "full_sync"

    # Before it asked, it sent what was here: nothing that only this device had is missing on the others.
    changed = laptop.run("privacy", "set", "local_only", "--yes", "--json").value()
    assert (changed["current_tier"], changed["deleted"]["backups"]) == ("local_only", 1)
    assert [entry["body"] for entry in laptop.run("list", "--json").values()] == ["one"]


def test_lowering_fetches_attached_files_first_and_says_which_will_be_lost(
    registered: tuple[CommandLine, UUID], server: RunningServer, tmp_path: Path
) -> None:
    laptop, _ = registered
    entry = laptop.run("write", "one").out.strip()
    files = [tmp_path / "kept", tmp_path / "lost"]
    for file in files:
        file.write_text(file.name)
    laptop.run("attach", entry, *map(str, files))
    laptop.run("sync")
    kept, lost = laptop.run("media", "--json").values()
    for stored in (server.data_dir / "blobs").rglob("*"):
        if stored.is_file() and sha256(stored.read_bytes()).hexdigest() == lost["sealed_sha256"]:
            stored.unlink()

    refused = laptop.run("privacy", "set", "local_only", code=ExitCode.USAGE)
    assert "One attached file is at the server alone, could not be fetched" in " ".join(refused.err.split())
    lowered = laptop.run("privacy", "set", "local_only", "--yes")
    assert "will be lost" in lowered.err
    assert "2 attachments," in lowered.out
    laptop.run("open", kept["media_id"], "--output", str(tmp_path / "again"))
    assert (tmp_path / "again").read_text() == "kept"


def test_a_sync_at_a_lower_tier_says_what_is_off_and_how_to_turn_it_on(registered: tuple[CommandLine, UUID]) -> None:
    laptop, _ = registered
    said = laptop.run("privacy", "revoke", "--yes").out
    assert "Deleted on the server: 0 records" in said
    ended = laptop.run("sync", code=ExitCode.CONFLICT)
    assert "kept on this device" in " ".join(ended.err.split())
    assert "lockleaf privacy set full_sync" in ended.err
    error = laptop.run("sync", "--json", code=ExitCode.CONFLICT).error()
    assert (error["code"], error["name"]) == ("tier_required", "TierRequired")
    assert laptop.run("status", "--json").value()["privacy_tier"] == "local_only"
    written = laptop.run("write", "only here").out.strip()
    assert laptop.run("show", written[:8], "--body").out == "only here"


def test_going_up_again_sends_what_is_here_and_says_so(registered: tuple[CommandLine, UUID]) -> None:
    laptop, _ = registered
    laptop.run("write", "one")
    laptop.run("privacy", "set", "local_only", "--yes")
    raised = laptop.run("privacy", "set", "full_sync")
    assert "The tier is full_sync" in raised.out
    assert "Next: lockleaf sync" in raised.err
    synced = laptop.run("sync")
    assert "1 sent" in synced.out
    assert "is sent again" in " ".join(synced.err.split())
    assert laptop.run("sync", "--json").value()["emptied"] is False
    assert laptop.run("privacy", "--json").value()["he_public_key_registered"] is True


async def test_an_inbox_is_listed_shown_accepted_and_refused(
    app: FastAPI, registered: tuple[CommandLine, UUID]
) -> None:
    laptop, user_id = registered

    async def run(*arguments: str, code: int = 0) -> tuple[str, str]:
        outcome = await asyncio.to_thread(laptop.run, *arguments, code=code)
        return outcome.out, outcome.err

    assert await run("inbox", "--json") == ("", "")
    first = str(await put_in(app, user_id, "1"))
    await put_in(app, user_id, "2", {**POST, "title": "second [bold]\x1b[31m\u202e"})
    await put_in(app, user_id, "3", {**POST, "title": "third"})
    assert "3 items wait in the inbox: lockleaf inbox." in (await run("sync"))[1]
    listed = await asyncio.to_thread(lambda: laptop.run("inbox", "--json").values())
    assert {item["title"] for item in listed} == {"A picture", "second [bold]\x1b[31m\u202e", "third"}
    assert not any(item["authenticated"] for item in listed)
    table, note = await run("inbox")
    assert "second [bold][31m" in table
    assert "\x1b" not in table
    assert "Nobody vouches" in note
    shown, _ = await run("inbox", "show", first[:8])
    assert "The sea at noon." in shown
    assert "unauthenticated" in shown

    await run("inbox", "accept", code=ExitCode.USAGE)
    await run("inbox", "accept", first, "--all", code=ExitCode.USAGE)
    await run("inbox", "accept", first, "ffff0000", code=ExitCode.NOT_FOUND)  # and nothing is done with the other
    assert (await asyncio.to_thread(lambda: laptop.run("status", "--json").value()))["inbox"] == 3
    entry, _ = await run("inbox", "accept", first[:8])
    assert "The sea at noon." in (await run("show", entry.strip()))[0]
    assert len((await run("inbox", "refuse", "--all", "--json"))[0].splitlines()) == 2
    await run("sync")
    assert await run("inbox", "--json") == ("", "")
    assert "Nothing waits" in (await run("inbox", "refuse", "--all"))[1]


def test_what_the_server_sees_is_told_beside_what_its_user_sees(registered: tuple[CommandLine, UUID]) -> None:
    laptop, _ = registered
    laptop.run("write", "-", "--title", "The weir", "--tag", "walks", stdin=b"A heron stood there.")
    laptop.run("sync")
    told = laptop.run("privacy", "seen", "--json").value()
    [entry] = told["entries"]
    assert (entry["title"], entry["verified"], entry["opened"]) == ("The weir", True, None)
    assert entry["size"] >= len(bytes.fromhex(entry["beginning"])) == 96
    assert ("tag", "walks") in {(each["kind"], each["value"]) for each in entry["labels"]}
    never = {each["what"]: each["seen"] for each in told["visibility"]}
    assert never["Your password"] == "never"
    shown = laptop.run("privacy", "seen").out
    assert "It cannot read" in shown
    assert entry["beginning"][:2] in shown
    assert laptop.run("privacy", "seen", "--entries", "0", "--json").value()["entries"] == []

    changed = laptop.run("privacy", "set", "local_only", "--yes", "--json").value()
    assert changed["current_tier"] == "local_only"
    shown = laptop.run("privacy", "seen").out
    assert "Not at the server" in shown
    assert "It cannot read" in shown


def test_without_an_account_no_server_sees_anything(tmp_path: Path) -> None:
    alone = CommandLine(tmp_path, "alone")
    alone.run("write", "Alone.")
    assert "no server sees anything of it" in alone.run("privacy", "seen").out
    assert alone.run("privacy", "seen", "--json").value() == {"server": None}
