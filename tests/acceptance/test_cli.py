"""The command line as people and scripts use it: real processes, two devices, a running server."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import signal
import stat
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.conftest import fresh_database
from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.process import RunningServer

BODY = 'Up betimes.\n\n  Then to "White Hall" — é, 日本語, 🌿\r\nand so to bed.\n'


@dataclass
class Household:
    """An account with two devices that are logged in."""

    email: str
    laptop: CommandLine
    phone: CommandLine


def register(server: RunningServer, home: Path, *more: str) -> tuple[CommandLine, str, dict[str, object]]:
    """Make an account on a fresh device."""
    email = fresh_email()
    device = CommandLine(home, "laptop")
    made = device.run(
        "register", "--server", server.url, "--email", email, "--device-name", "laptop", "--json", *more
    ).value()
    return device, email, made


@pytest.fixture(scope="module")
def household(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Household:
    home = tmp_path_factory.mktemp("home")
    laptop, email, _ = register(server, home)
    phone = CommandLine(home, "phone")
    phone.run("login", "--server", server.url, "--email", email, "--device-name", "phone")
    return Household(email, laptop, phone)


SURROUNDINGS = ("mood", "weather", "location")


def test_what_one_device_writes_another_lists_to_the_letter(household: Household) -> None:
    written = household.laptop.run(
        *("write", "--date", "1660-01-01", "--title", "A [bold]day[/bold]", "--mood", "glad"),
        *("--weather", "light rain", "--location", "Tower Hill", "--tag", "home", "--tag", "two words", "-"),
        stdin=BODY.encode(),
    )
    sent = household.laptop.run("sync", "--json").value()
    received = household.phone.run("--json", "sync").value()
    listed = {entry["id"]: entry for entry in household.phone.run("list", "--json", "--all").values()}
    alone = household.phone.run("show", written.out[:8], "--body")
    shown = household.phone.run("show", written.out[:8])

    entry = listed[written.out.strip()]
    assert {name: entry[name] for name in ("date", "title", "body", *SURROUNDINGS, "tags", "revision")} == {
        "date": "1660-01-01",
        "title": "A [bold]day[/bold]",
        "body": BODY,
        "mood": "glad",
        "weather": "light rain",
        "location": "Tower Hill",
        "tags": ["home", "two words"],
        "revision": 1,
    }
    assert sent["pushed"] == received["pulled"] == 1
    assert (sent["seq"], sent["epoch"], sent["head"]) == (received["seq"], received["epoch"], received["head"])
    assert alone.out == BODY
    assert "mood: glad · weather: light rain · location: Tower Hill" in " ".join(shown.out.split())
    household.phone.run("edit", written.out[:8], "--weather", "", "--location", "Thames Street")
    changed = household.phone.run("show", written.out[:8], "--json").value()
    assert tuple(changed[name] for name in SURROUNDINGS) == ("glad", None, "Thames Street")


def test_a_table_shows_the_beginning_of_the_id_and_brackets_as_they_are(household: Household) -> None:
    entry_id = household.laptop.run("write", "--title", "in [red]brackets", "text").out.strip()
    table = household.laptop.run("list", "--limit", "3").out
    assert entry_id[:8] in table
    assert "in [red]brackets" in table
    assert "not synced" in table


async def test_overlapping_edits_become_a_conflict_that_a_merged_text_resolves(household: Household) -> None:
    async with await household.laptop.client() as laptop, await household.phone.client() as phone:
        entry = (await laptop.journal.write(body="the first line")).id
        await laptop.sync()
        await phone.sync()
        await laptop.journal.edit(entry, body="the laptop's line")
        await laptop.sync()
    household.phone.run("edit", entry, "the phone's line")
    assert household.phone.run("sync", "--json").value()["conflicts"] == 1

    [conflict] = household.phone.run("conflicts", "--json").values()
    assert (conflict["local"]["body"], conflict["remote"]["body"]) == ("the phone's line", "the laptop's line")
    shown = household.phone.run("conflicts", "show", conflict["id"][:6]).out
    assert "-the laptop's line" in shown
    assert "+the phone's line" in shown

    household.phone.run("resolve", conflict["id"][:6], "merged", "--body-file", "-", stdin=b"both lines")
    async with await household.laptop.client() as laptop, await household.phone.client() as phone:
        await phone.sync()
        await laptop.sync()
        assert (await laptop.journal.get(entry)).body == "both lines"
        assert await phone.journal.conflicts() == []
    assert (
        household.phone.run("resolve", conflict["id"], "local", "--json", code=4).error()["code"]
        == "conflict_not_found"
    )


def test_an_import_that_is_run_twice_adds_nothing_twice_and_a_closed_pipe_is_quiet(
    household: Household, tmp_path: Path
) -> None:
    file = tmp_path / "old.jsonl"
    file.write_text(
        "".join(json.dumps({"date": "1661-02-03", "text": f"{n} " + "word " * 100}) + "\n" for n in range(400))
    )
    assert household.laptop.run("import", str(file), "--json").value()["added"] == 400
    again = household.laptop.run("import", str(file), "--json").value()
    assert (again["added"], again["present"], again["skipped"]) == (0, 400, [])

    with household.laptop.start("list", "--all", "--json") as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        first = json.loads(listing.stdout.readline())
        listing.stdout.close()  # far more than a pipe holds is still to come
        errors = listing.stderr.read()
    assert first["id"]
    assert (listing.returncode, errors) == (0, b"")


def test_a_line_that_is_no_entry_costs_one_line_and_is_named(household: Household, tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    lines = ['{"date": "1661-02-03", "text": "fine"}', '{"date": "the third", "text": "not"}']
    file.write_text("\n".join([*lines, '{"date": "1661-02-04", "text": "fine too"}']))
    report = household.laptop.run("import", str(file), "--json", code=9).value()
    assert (report["added"], [each["place"] for each in report["skipped"]]) == (2, ["line 2"])
    assert "line 2: invalid date" in household.laptop.run("import", str(file), "-q", code=9).err


def test_the_editor_works_on_a_private_file_that_is_removed(household: Household, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text(
        '#!/bin/sh\nset -e\ncp -p "$1" "$SEEN/before"\ncp -rp "$(dirname "$1")" "$SEEN/folder"\n'
        'echo "$1" > "$SEEN/name"\nprintf "typed by hand\\n" > "$1"\n'
    )
    editor.chmod(0o700)
    environment = {"VISUAL": str(editor), "SEEN": str(tmp_path)}

    entry = household.laptop.run("write", environment=environment).out.strip()
    assert household.laptop.run("show", entry, "--json").value()["body"] == "typed by hand"
    assert stat.S_IMODE((tmp_path / "before").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o700
    name = Path((tmp_path / "name").read_text().strip())
    assert not name.exists()
    assert not name.parent.exists()

    shutil.rmtree(tmp_path / "folder")
    again = household.laptop.run("edit", entry, environment=environment)
    assert (tmp_path / "before").read_text() == "typed by hand\n"
    assert (again.out, "Nothing was changed" in again.err) == ("", True)


def test_what_was_typed_stays_when_it_cannot_be_saved(household: Household, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nhead -c 5000000 /dev/zero | tr "\\0" x > "$1"\n')
    editor.chmod(0o700)
    failed = household.laptop.run(
        "write", environment={"EDITOR": str(editor), "XDG_RUNTIME_DIR": str(tmp_path)}, code=9
    )
    [kept] = tmp_path.glob("lockleaf-*/entry.md")
    assert str(kept) in failed.err
    assert kept.stat().st_size == 5_000_000


def test_a_deleted_entry_is_restored_with_its_text(household: Household) -> None:
    entry = household.laptop.run("write", "soon gone").out.strip()
    assert household.laptop.run("delete", entry[:8], "--json").value()["deleted"] is True
    assert entry not in {item["id"] for item in household.laptop.run("list", "--json", "--all").values()}
    restored = household.laptop.run("restore", entry[:8], "--json").value()
    assert (restored["deleted"], restored["body"]) == (False, "soon gone")


async def test_watching_shows_what_another_device_wrote_and_ends_quietly(household: Household) -> None:
    with household.laptop.start("sync", "--watch", "--json") as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        before = json.loads(watching.stdout.readline())
        async with await household.phone.client() as phone:
            entry = (await phone.journal.write(body="news")).id
            await phone.sync()
        news = json.loads(watching.stdout.readline())
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 130
        assert b"Traceback" not in watching.stderr.read()
    assert news["seq"] > before["seq"]
    async with await household.laptop.client() as laptop:
        assert (await laptop.journal.get(entry)).body == "news"


def test_status_tells_who_where_and_what_waits(household: Household) -> None:
    household.phone.run("write", "one more")
    status = household.phone.run("status", "--json").value()
    assert status["email"] == household.email
    assert status["logged_in"] is True
    assert (status["encryption_tier"], status["privacy_tier"], status["keys_in"]) == ("e2e", "full_sync", "password")
    assert (status["server_answers"], status["pending"] >= 1) == (True, True)
    assert status["storage"]["used_bytes"] > 0
    assert "taken" in household.phone.run("status").out


def test_a_device_that_is_signed_out_syncs_no_more_and_writes_on(server: RunningServer, household: Household) -> None:
    tablet = CommandLine(household.laptop.home, "tablet")
    tablet.run("login", "--server", server.url, "--email", household.email, "--device-name", "tablet")
    [session] = [item for item in household.laptop.run("devices", "--json").values() if item["device_name"] == "tablet"]
    household.laptop.run("devices", "--revoke", session["id"])
    assert tablet.run("sync", "--json", code=3).error()["code"] == "session_revoked"
    assert tablet.run("write", "still mine").out.strip()


async def test_a_recovery_code_brings_the_journal_back_on_a_third_device(server: RunningServer, tmp_path: Path) -> None:
    laptop, email, made = register(server, tmp_path)
    codes = made["recovery_codes"]
    assert isinstance(codes, list)
    assert len(codes) == 10
    async with await laptop.client() as before:
        entry = (await before.journal.write(body="before the password was lost")).id
        await before.sync()

    third = CommandLine(
        tmp_path, "third", {"LOCKLEAF_RECOVERY_CODE": codes[4], "LOCKLEAF_NEW_PASSWORD": "a fresh password"}
    )
    third.run("recovery", "use", "--server", server.url, "--email", email, "--device-name", "third")
    async with await third.client() as after:
        await after.sync()
        assert (await after.journal.get(entry)).body == "before the password was lost"
    assert third.run("recovery", "--json").value() == {"remaining": 9}
    spent = CommandLine(tmp_path, "fourth", third.environment).run(
        "recovery", "use", "--server", server.url, "--email", email, "--json", code=3
    )
    assert spent.error()["code"] == "invalid_recovery_code"


def test_after_a_change_of_password_and_keys_the_new_ones_hold(server: RunningServer, tmp_path: Path) -> None:
    laptop, email, made = register(server, tmp_path)
    new = {"LOCKLEAF_PASSWORD": "a fresh password"}
    laptop.run("password", environment={"LOCKLEAF_NEW_PASSWORD": new["LOCKLEAF_PASSWORD"]})
    rotated = laptop.run("keys", "rotate", "--keep-password", "--json", environment=new).value()
    assert rotated["sealed_again"] is True
    assert set(rotated["recovery_codes"]).isdisjoint(made["recovery_codes"])  # type: ignore[call-overload]
    laptop.run("write", "under the new key")
    laptop.run("logout")
    assert laptop.run("list", "--json", code=3).error()["code"] == "not_logged_in"
    wrong = laptop.run("login", "--json", code=3)
    assert wrong.error()["code"] == "wrong_password"
    assert email not in wrong.err
    assert PASSWORD not in wrong.err
    laptop.run("login", environment=new)
    assert [entry["body"] for entry in laptop.run("list", "--json").values()] == ["under the new key"]
    kept = laptop.run("logout", "--forget", code=2)
    assert "set aside and not deleted: 1 entry or tag." in kept.err
    aside = Path(laptop.run("logout", "--forget", "--yes", "--json").value()["set_aside"])
    assert [path.name for path in (tmp_path / "profiles" / "laptop").iterdir()] == [aside.name]
    assert (aside / "store.sqlite3").exists()


def test_recovery_codes_are_shown_plainly_once(server: RunningServer, tmp_path: Path) -> None:
    shown = CommandLine(tmp_path).run(
        "register", "--server", server.url, "--email", fresh_email(), "--privacy", "local_only", "--quiet"
    )
    codes = [line.strip() for line in shown.out.splitlines() if line.count("-") == 3]
    assert len(codes) == 10
    assert shown.err == ""


def test_a_server_that_cannot_be_reached_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    # Port 9 of the loopback: nobody listens there.
    unreachable = CommandLine(tmp_path).run(
        "login", "--server", "http://127.0.0.1:9", "--email", fresh_email(), "--json", code=6
    )
    assert unreachable.error()["code"] == "server_unreachable"


def test_serve_says_where_it_runs_and_stops_when_told(tmp_path: Path) -> None:
    command = CommandLine(tmp_path)
    with command.start("serve", "--port", "0", "--data-dir", str(tmp_path / "data"), "--json") as serving:
        assert serving.stdout is not None
        told = json.loads(serving.stdout.readline())
        with urllib.request.urlopen(f"{told['url']}/health") as answer:
            assert answer.status == 200
        port = told["url"].rpartition(":")[2]
        taken = command.run("serve", "--port", port, "--data-dir", str(tmp_path / "other"), "--json", code=8)
        used = command.run("serve", "--port", "0", "--data-dir", str(tmp_path / "data"), "--json", code=8)
        serving.send_signal(signal.SIGTERM)
        serving.communicate(timeout=30)
    assert serving.returncode == 0
    assert (told["database"], told["workers"]) == ("embedded", 1)
    assert taken.error()["name"] == "PortUnavailable"
    assert used.error()["name"] == "DataFolderInUseError"


def test_a_file_is_enough_to_serve_from_and_a_word_lets_pages_call(database_url: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        f"SECRET_KEY={secrets.token_urlsafe(48)}\nDATABASE_URL={database_url}\nACCESS_TOKEN_EXPIRE_MINUTES=7\n"
        "LOCKLEAF_HASHING__MEMORY_KIB=64\nLOCKLEAF_HASHING__ITERATIONS=1\n"
    )
    command = CommandLine(tmp_path, folder=tmp_path)
    with command.start("serve", "--dev", "--port", "0", "--data-dir", str(tmp_path / "data"), "--json") as serving:
        assert serving.stdout is not None
        told = json.loads(serving.stdout.readline())
        with httpx.Client(base_url=f"{told['url']}/api", headers={"Origin": "http://localhost:3000"}) as http:
            body = {"email": fresh_email(), "password": "of an older client"}
            made = http.post("/auth/register", json=body)
            form = http.post("/auth/token", data={"username": body["email"], "password": body["password"]})
        serving.send_signal(signal.SIGTERM)
        serving.communicate(timeout=30)
    assert serving.returncode == 0
    assert (told["database"], made.status_code) == ("external", 201)
    assert 415 < made.json()["expires_in"] <= form.json()["expires_in"] + 5 <= 425
    assert made.headers["access-control-allow-origin"] == "*"
    assert not (tmp_path / "data" / "secrets.json").exists()


def test_a_file_of_settings_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"SECRET_KEY=\xff\xfe\n")
    refused = CommandLine(tmp_path, folder=tmp_path).run("serve", "--port", "0", "--json", code=2).error()
    assert (refused["name"], ".env" in refused["message"]) == ("InvalidSettings", True)


def test_a_schema_is_brought_forth_and_back_and_nothing_is_lost_unasked(tmp_path: Path, worker_id: str) -> None:
    url = fresh_database(f"lockleaf_cli_{worker_id}_{secrets.token_hex(4)}")
    command = CommandLine(tmp_path, environment={"DATABASE_URL": url})
    assert command.run("admin", "migrate", "--to", "0006", "--json").value() == {"schema": "0006"}
    assert "CREATE TABLE epoch_statements" in command.run("admin", "migrate", "--sql").out
    command.run("admin", "downgrade", "--to", "0005", code=2)
    assert command.run("admin", "migrate", "--to", "0006", "--json").value() == {"schema": "0006"}
    refused = command.run("admin", "migrate", "--to", "0001", "--json", code=5).error()
    assert (refused["name"], "0006" in refused["message"]) == ("WrongDirection", True)
    told = command.run("admin", "downgrade", "--to", "0005", "--yes", "--json").value()
    assert told == {"schema": "0005"}


def test_a_schema_that_has_no_place_for_something_says_so_with_numbers_first(tmp_path: Path, worker_id: str) -> None:
    url = fresh_database(f"lockleaf_cli_{worker_id}_{secrets.token_hex(4)}")
    command = CommandLine(tmp_path, environment={"DATABASE_URL": url})
    command.run("admin", "migrate")

    async def staged() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.executemany("INSERT INTO media_removals (object_key) VALUES ($1)", [("a",), ("b",)])
        finally:
            await connection.close()

    asyncio.run(staged())
    refused = command.run("admin", "downgrade", "--to", "0004", "--json", code=2).error()["message"]
    assert "deletions that the store still has to do: 2" in refused
    assert "Nothing was changed" in refused
    assert command.run("admin", "migrate", "--json").value() == {"schema": "0007"}
    done = command.run("admin", "downgrade", "--to", "0004", "--yes")
    assert "deletions that the store still has to do: 2" in done.err
    assert "schema 0004" in done.out
    nothing = command.run("admin", "downgrade", "--to", "0004", "--json", code=2).error()["message"]
    assert "that is nothing" in nothing
