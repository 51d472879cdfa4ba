"""The demonstration: what it says can be looked at is there, and a database in use is never emptied for it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from lockleaf.client import Client
from lockleaf.client.keychain.keychains import FileKeychain
from lockleaf.server.main.app import create_app
from lockleaf.server.platform.db.embedded import EmbeddedPostgres
from lockleaf.server.platform.db.migrate import migrate
from lockleaf.server.platform.settings import Settings
from tests.support import warm_program
from tests.support.command_line import INSTALLED, CommandLine, Outcome
from tests.support.process import running_server
from tests.support.s3_front import running_s3_front

SECONDS = 120
DOCUMENTED = {
    "test@example.com": "testpass123",
    "love@food.com": "foodlover123",
    "cell@apoptosis.com": "researcher123",
    "hike@man.com": "hiker123",
}


@dataclass
class Tour:
    """A running demonstration: what it said when it was ready."""

    said: dict[str, Any]
    home: Path

    def device(self, profile: str) -> CommandLine:
        return CommandLine(self.home, profile)


def environment(**more: str) -> dict[str, str]:
    mine = {k: v for k, v in os.environ.items() if not k.startswith("LOCKLEAF_") and k != "DATABASE_URL"}
    path = {"PATH": f"{INSTALLED.parent}:{mine.get('PATH', '')}"}
    hashing = {"LOCKLEAF_HASHING__MEMORY_KIB": "64", "LOCKLEAF_HASHING__ITERATIONS": "1"}
    return {**mine, **warm_program.LOADED_WITH, **path, **hashing, "LOCKLEAF_LOG__LEVEL": "WARNING", **more}


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    folder = tmp_path_factory.mktemp("demonstration")
    arguments = ["demo", "--json", "--port", "0", "--folder", str(folder)]
    with warm_program.start_command(INSTALLED, arguments, environment(), None) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1].decode()
        try:
            yield Tour(json.loads(line), folder)
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=SECONDS)
            assert process.returncode == 0, said.decode()


def test_every_command_of_the_tour_runs_as_it_stands(tour: Tour, tmp_path: Path) -> None:
    ran = 0
    channel = warm_program.put_on_path(INSTALLED, tmp_path)
    variables = environment()
    variables["PATH"] = f"{tmp_path}:{variables['PATH']}"
    for step in tour.said["steps"]:
        # As in one terminal: what one line sets, the next one uses.
        script = "\n".join(line for line in step["commands"] if not line.startswith("http"))
        if not script:
            continue
        answer = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env=variables,
            pass_fds=[channel],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert answer.returncode == 0, (step["about"], answer.stderr)
        assert answer.stdout.strip(), step["about"]
        ran += 1
    assert ran >= 8


def test_two_devices_share_a_journal_with_a_conflict_and_an_inbox_item(tour: Tour) -> None:
    for profile in ("ada-laptop", "ada-phone"):
        device = tour.device(profile)
        assert len(device.run("--json", "list").values()) == 5
        assert len(device.run("--json", "conflicts").values()) == 1
        assert len(device.run("--json", "inbox").values()) == 1
        assert len(device.run("--json", "tags").values()) == 6


def test_files_and_an_index_are_there_on_another_device(tour: Tour) -> None:
    phone = tour.device("ada-phone")
    files = phone.run("--json", "media", "list").values()
    assert {(each["name"], each["waiting"]) for each in files} == {("herons.png", False), ("letter.txt", False)}
    (found,) = phone.run("--json", "search", "--remote", "heron").values()
    assert found["attachments"][0]["name"] == "herons.png"


def test_each_custody_and_each_tier_is_there(tour: Tour) -> None:
    kinds = set()
    for profile in ("ada-laptop", "ben", "cleo", "dora"):
        status = tour.device(profile).run("--json", "status").value()
        kinds.add((status["custody"] if "custody" in status else status["encryption_tier"], status["privacy_tier"]))
    assert kinds == {("e2e", "full_sync"), ("uce", "full_sync"), ("uce", "analytics_sync"), ("e2e", "local_only")}


def reset(folder: Path, *options: str, **more: str) -> Outcome:
    arguments = ["--json", "admin", "reset", "--data-dir", str(folder), *options]
    code, out, err = warm_program.run(INSTALLED, arguments, environment(**more), None, b"")
    return Outcome(code, out.decode(), err.decode())


async def settle(url: str) -> None:
    """Make an account in a database."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "INSERT INTO accounts (user_id, email, email_shown, custody, privacy_tier, consented_at, verifier_hash)"
            " VALUES (gen_random_uuid(), 'a@example.org', 'a@example.org', 'e2e', 'local_only', now(), 'none')"
        )
    finally:
        await connection.close()


async def accounts(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        found: int = await connection.fetchval("SELECT count(*) FROM accounts")
        return found
    finally:
        await connection.close()


def test_a_database_in_which_somebody_has_an_account_is_not_touched(tmp_path: Path) -> None:
    unmarked = tmp_path / "server"
    with EmbeddedPostgres(unmarked) as postgres:
        asyncio.run(migrate(postgres.dsn()))
        asyncio.run(settle(postgres.dsn()))
    for more in ({}, {"LOCKLEAF_ENVIRONMENT": "development"}):
        refused = reset(unmarked, "--no-confirm", **more)
        assert (refused.code, refused.error()["name"]) == (5, "NotForDevelopment")
    with EmbeddedPostgres(unmarked) as postgres:
        assert asyncio.run(accounts(postgres.dsn())) == 1


def test_a_development_database_is_made_new_as_often_as_one_likes(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    with running_s3_front() as front:  # the profiles' files go to the bucket, though no server listens
        first = reset(folder, "--no-confirm", LOCKLEAF_ENVIRONMENT="development", **front.environment())
    assert (first.code, first.value()["deleted_accounts"]) == (0, 0), first.err
    furnished = CommandLine(Path(first.value()["home"]), "ada-phone")
    assert [each["waiting"] for each in furnished.run("--json", "media", "list").values()] == [False, False]
    asked = reset(folder, LOCKLEAF_ENVIRONMENT="development")
    assert asked.code == 2
    # What was begun for development may be in use by now.
    in_use = reset(folder, "--no-confirm")
    assert (in_use.code, in_use.error()["name"]) == (5, "NotForDevelopment")
    second = reset(folder, "--no-confirm", "--users-only", LOCKLEAF_ENVIRONMENT="development")
    assert (second.code, second.value()["deleted_accounts"]) == (0, 8), second.err
    device = CommandLine(Path(second.value()["home"]), "ada-phone")
    assert device.run("--json", "list").values() == []
    asyncio.run(visit(folder, second.value()["documented"], tmp_path / "ours"))
    # Who goes on with it for real is told that there are accounts which anybody can enter.
    with running_server({"LOCKLEAF_DATA_DIR": str(folder)}, log=tmp_path / "log") as served:
        assert '"event": "development_database"' in served.log.read_text()


async def visit(folder: Path, documented: list[dict[str, str]], home: Path) -> None:
    """Log in to each documented account as its own client does, and to the one that opens anywhere with the SDK."""
    assert {(each["custody"], each["privacy_tier"]) for each in documented} == {
        ("e2e", "local_only"), ("e2e", "analytics_sync"), ("e2e", "full_sync"), ("uce", "full_sync")
    }  # fmt: skip
    with EmbeddedPostgres(folder) as postgres:
        app = create_app(Settings(data_dir=folder), database_url=postgres.dsn())
        inside = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app):
            async with httpx.AsyncClient(transport=inside, base_url="http://lockleaf.test/api") as http:
                for email, password in DOCUMENTED.items():
                    form = await http.post("/auth/token/", data={"username": email, "password": password})
                    assert form.status_code == 200, email
                    headers = {"Authorization": f"Bearer {form.json()['access_token']}"}
                    told = (await http.get("/auth/me", headers=headers)).json()
                    [named] = [each for each in documented if each["email"] == email]
                    assert (told["encryption_tier"], told["privacy_tier"]) == (named["custody"], named["privacy_tier"])
                    stored = await http.get("/sync/backups", headers=headers)
                    assert stored.status_code == (200 if told["privacy_tier"] == "full_sync" else 403)
                    if told["encryption_tier"] == "e2e":
                        # Such a client has no secret to send with it but its token.
                        lowered = await http.delete("/users/me/privacy/revoke", headers=headers)
                        assert (lowered.status_code, lowered.json()["new_tier"]) == (200, "local_only")
            keychain = FileKeychain(home / "keychain.json")
            async with await Client.open(home, http_transport=inside, keychain=keychain) as client:
                await client.account.login(
                    "http://localhost", "hike@man.com", DOCUMENTED["hike@man.com"], device_name="d", custody="uce"
                )
                await client.journal.write(body="over the hills")
                assert (await client.sync()).pushed == 1
