"""Every remedy that the program prints for an error about a journal, followed to the letter on two devices."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from lockleaf.client import Client, errors
from lockleaf.server.records.restores import declare_restored
from tests.support.backups import Backup, WholeBackup
from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.process import RunningServer

NEW_PASSWORD = "quite another heron over the dyke"


@dataclass
class Device(CommandLine):
    """A device of a person whose password may change."""

    password: str = PASSWORD

    def variables(self) -> dict[str, str]:
        return super().variables() | {"LOCKLEAF_PASSWORD": self.password}

    def do(self, *arguments: str, **environment: str) -> str:
        """Run a command that has to succeed, and return what it wrote."""
        return self.run(*arguments, environment=environment).out

    def texts(self) -> set[str]:
        """Every text that is reachable here."""

        async def read() -> set[str]:
            async with await Client.open(self.home, self.profile, password=self.password) as client:
                entries = await client.journal.list(include_deleted=True)
                conflicts = await client.journal.conflicts()
            return {entry.body for entry in entries} | {each.local.body for each in conflicts if each.local is not None}

        return asyncio.run(read())


@dataclass
class Pair:
    """Two devices of one account, and the server's database behind them."""

    one: Device
    two: Device
    server: str
    email: str
    database: str

    def put_back(self, *, declare: bool, lost: Callable[[], None], kind: type[Backup] = Backup) -> None:
        """Take a copy, let ``lost`` happen, and go back to the copy."""

        async def story() -> None:
            async with await Client.open(self.one.home, self.one.profile, password=self.one.password) as client:
                assert client.profile is not None
                user_id = client.profile.user_id
            connection = await asyncpg.connect(self.database)
            try:
                backup = kind(connection, user_id)
                await backup.take()
                await asyncio.to_thread(lost)
                await backup.restore(None)
            finally:
                await connection.close()
            if declare:
                await declare_restored(self.database)

        asyncio.run(story())


def forked(pair: Pair) -> None:
    pair.put_back(declare=False, lost=lambda: _write_and_sync(pair.one, "confirmed after the copy"))


def restored(pair: Pair) -> None:
    pair.put_back(declare=True, lost=lambda: _write_and_sync(pair.one, "confirmed after the copy"))


def emptied(pair: Pair) -> None:
    pair.two.do("privacy", "set", "local_only", "--yes")
    pair.two.do("privacy", "set", "full_sync")


def not_held(pair: Pair) -> None:
    pair.two.do("privacy", "set", "local_only", "--yes")


def password_changed(pair: Pair) -> None:
    pair.two.do("password", LOCKLEAF_NEW_PASSWORD=NEW_PASSWORD)
    pair.two.password = pair.one.password = NEW_PASSWORD


def signed_out(pair: Pair) -> None:
    _revoke_others(pair.two)


def logged_out(pair: Pair) -> None:
    pair.one.do("logout")


def damaged(pair: Pair) -> None:
    pair.one.do("sync")
    store = pair.one.home / "profiles" / pair.one.profile / "store.sqlite3"
    data = bytearray(store.read_bytes())
    data[:100] = bytes(100)
    store.write_bytes(bytes(data))


FOLLOWED: dict[str, tuple[Callable[[Pair], None], tuple[str, ...]]] = {
    "HistoryForked": (forked, ("repair --yes", "sync")),
    "KeyringRolledBack": (forked, ("repair --yes", "sync")),
    "UnsealedChange": (forked, ("repair --yes", "sync")),
    "ServerRestored": (restored, ("sync --accept-restore",)),
    "ServerEmptied": (emptied, ("sync --accept-restore",)),
    "TierRequired": (not_held, ("privacy", "privacy set full_sync", "sync --accept-restore")),
    "KeysChangedElsewhere": (password_changed, ("logout", "login", "sync")),
    "SessionRevoked": (signed_out, ("login", "sync")),
    "NotLoggedIn": (logged_out, ("login --server URL --email EMAIL", "sync")),
    "StoreDamaged": (damaged, ("login", "repair --yes", "sync")),
    # the same words as for one above, or nothing but giving the password
    "KeyRetired": (signed_out, ("logout", "login", "sync")),
    "NotAuthenticated": (signed_out, ("login", "sync")),
    "SignedOut": (signed_out, ("login", "sync")),
    "HeldHereAlone": (signed_out, ("login", "sync")),
    "TokenExpired": (signed_out, ("login", "sync")),
    "TokenInvalid": (signed_out, ("login", "sync")),
    "RefreshTokenReused": (signed_out, ("login", "sync")),
    "AlreadyLoggedIn": (lambda pair: None, ("logout", "login --server URL --email EMAIL", "sync")),
    "ProfileDamaged": (lambda pair: None, ("logout", "login --server URL --email EMAIL", "sync")),
    "KeychainUnavailable": (lambda pair: None, ("logout", "login --server URL --email EMAIL", "sync")),
    "JournalLocked": (lambda pair: pair.one.do("lock"), ("unlock", "sync")),
}
"""By the name of an error: what brings it about, and the commands of the printed remedy."""

PLAYED = (
    *(
        (name, FOLLOWED[name][0])
        for name in (
            "HistoryForked",
            "ServerRestored",
            "ServerEmptied",
            "TierRequired",
            "SessionRevoked",
            "NotLoggedIn",
            "StoreDamaged",
            "JournalLocked",
        )
    ),
    # A changed password signs all other devices out, so that they hear of that first.
    ("SessionRevoked", password_changed),
)
"""Those that are brought about; the others print the same commands."""


@pytest.fixture
def pair(server: RunningServer, tmp_path: Path, database_url: str) -> Iterator[Pair]:
    email = fresh_email()
    one, two = Device(tmp_path / "one", "one"), Device(tmp_path / "two", "two")
    one.do("register", "--server", server.url, "--email", email, "--device-name", "one")
    _write_and_sync(one, "on both")
    two.do("login", "--server", server.url, "--email", email, "--device-name", "two")
    two.do("sync")
    two.do("write", "not sent by two")
    yield Pair(one, two, server.url, email, database_url)


@pytest.mark.parametrize(("name", "provoke"), PLAYED)
def test_the_printed_remedy_loses_no_text(pair: Pair, name: str, provoke: Callable[[Pair], None]) -> None:
    remedy = FOLLOWED[name][1]
    provoke(pair)
    if name not in ("NotLoggedIn", "StoreDamaged", "JournalLocked"):
        pair.one.do("write", "written in the trouble")
    held = set() if name in ("NotLoggedIn", "StoreDamaged") else pair.one.texts()
    if name != "JournalLocked":
        told = pair.one.run("sync", "--json", code=None)
        assert told.code != 0
        assert f'"name": "{name}"' in told.err
        for command in remedy:
            verb = command.split()[0]
            hint = getattr(errors, name).hint
            assert verb in hint or verb == "sync", (command, hint)
    for command in remedy:
        filled = command.replace("URL", pair.server).replace("EMAIL", pair.email)
        pair.one.do(*filled.split())
    # Another device is asked as well, and follows what it is told.
    while (refused := pair.two.run("sync", "--json", code=None)).code != 0:
        (named,) = re.findall(r'"name": "(\w+)"', refused.err)
        for command in FOLLOWED[named][1]:
            pair.two.do(*command.replace("URL", pair.server).replace("EMAIL", pair.email).split())
    pair.one.do("sync")
    pair.two.do("sync")
    wanted = held | {"on both", "not sent by two"}
    assert pair.one.texts() >= wanted
    assert pair.two.texts() >= wanted


def test_keys_that_a_uce_server_lost_cost_no_text_and_no_file(
    server: RunningServer, tmp_path: Path, database_url: str
) -> None:
    email, photo = fresh_email(), tmp_path / "heron.jpg"
    photo.write_bytes(b"a picture of a heron" * 1000)
    one, two = Device(tmp_path / "one", "one"), Device(tmp_path / "two", "two")
    one.do("register", "--server", server.url, "--email", email, "--device-name", "one", "--custody", "uce")
    _write_and_sync(one, "before the copy")

    def lost() -> None:
        one.do("keys", "rotate", LOCKLEAF_NEW_PASSWORD=PASSWORD)
        entry = one.do("write", "after the rotation").strip()
        one.do("edit", entry, "after the rotation, and more")
        one.do("sync")
        two.do("login", "--server", server.url, "--email", email, "--device-name", "two", "--custody", "uce")
        two.do("sync")
        two.do("write", "not sent by two")

    Pair(one, two, server.url, email, database_url).put_back(declare=True, lost=lost, kind=WholeBackup)
    one.do("attach", one.do("write", "written in the trouble").strip(), str(photo))
    told = ""
    for command in (["sync"], ["repair", "--yes"], ["login"], ["repair", "--yes"]):
        ended = one.run(*command, code=None)
        told = ended.err
        if "keys were lost" in told:
            break
        assert ended.code != 0, (command, told)
    exported = re.search(r"lockleaf (export) FOLDER (--revisions) (--deleted)", told)
    assert exported, told
    anew = []
    for device in (one, two):
        folder = tmp_path / f"journal of {device.profile}"
        ended = device.run("export", str(folder), "--revisions", "--deleted", code=None)
        assert ended.code == 0 or re.findall("Missing: (.*) of entry", ended.err) == ["earlier revisions"], ended
        new = Device(device.home, f"{device.profile}-anew")
        new.do("login", "--server", server.url, "--email", email, "--device-name", new.profile, "--custody", "uce")
        new.do("sync", "--accept-restore")
        new.do("import", str(folder))
        new.do("sync")
        anew.append(new)
    anew[0].do("sync")
    for new in anew:
        assert new.texts() == {
            "before the copy",
            "after the rotation, and more",
            "not sent by two",
            "written in the trouble",
        }
        entries = json.loads(f"[{','.join(new.do('list', '--json', '--all').splitlines())}]")
        (held,) = [entry for entry in entries if entry["body"] == "written in the trouble"]
        (file,) = held["attachments"]
        saved = tmp_path / f"{new.profile}.jpg"
        new.do("open", file["media_id"], "--output", str(saved))
        assert saved.read_bytes() == photo.read_bytes()


def _write_and_sync(device: Device, text: str) -> None:
    device.do("write", text)
    device.do("sync")


def _revoke_others(device: Device) -> None:
    async def revoke() -> None:
        async with await Client.open(device.home, device.profile, password=device.password) as client:
            assert client.profile is not None
            for session in await client.account.sessions():
                if session.device_id != client.profile.device_id:
                    await client.account.revoke(session.id)

    asyncio.run(revoke())
