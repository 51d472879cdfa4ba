"""Killed at any point of a rotation, the command brings it to its end when it is run again, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lockleaf.client import Client
from lockleaf.client.errors import SessionRevoked
from lockleaf.client.records.entries import EntryDraft
from lockleaf.wire.sync import MAX_BATCH_CHANGES
from tests.acceptance.test_media_rotation import held
from tests.acceptance.test_rotation import open_under
from tests.support.command_line import CommandLine, Outcome
from tests.support.derivations import LEAST
from tests.support.diarist import PASSWORD, Diarist, diarist
from tests.support.process import RunningServer
from tests.support.storage_proxy import Passing, StorageProxy, storage_proxy

NUMBERED = [f"number {each}" for each in range(MAX_BATCH_CHANGES + 10)]
"""More than one batch holds."""


@dataclass
class Scene:
    """A device that a command uses, another one of the same account, and the wire between them and the server."""

    eve: Diarist
    wire: StorageProxy
    phone: Client
    password: str = PASSWORD
    number: int = 1
    seen: list[Passing] = field(default_factory=list)

    @property
    def command(self) -> CommandLine:
        return CommandLine(self.eve.home, "laptop")

    @property
    def next_password(self) -> str:
        return f"a quite different one, the {self.number}th of them"

    def environment(self) -> dict[str, str]:
        return {"LOCKLEAF_PASSWORD": self.password, "LOCKLEAF_NEW_PASSWORD": self.next_password}

    async def kill(self, *arguments: str, when: asyncio.Event) -> None:
        """Start a command, and end it at once when it has come so far."""
        process = self.command.start(*arguments, environment=self.environment())
        try:
            async with asyncio.timeout(60):
                await when.wait()
        finally:
            process.kill()
            await asyncio.to_thread(process.communicate)

    async def run(self, *arguments: str, code: int = 0, environment: dict[str, str] | None = None) -> Outcome:
        return await asyncio.to_thread(
            self.command.run, *arguments, environment=self.environment() | (environment or {}), code=code
        )


@pytest.fixture
async def scene(server: RunningServer, tmp_path: Path) -> AsyncIterator[Scene]:
    async with storage_proxy(server.port) as wire, diarist(tmp_path / "home", wire.url) as eve:
        laptop = await eve.open("laptop", strict=True)
        # The command finds the keys where it looks for them.
        laptop._device.keychain.file = eve.home / "profiles" / "laptop" / "keychain.json"  # type: ignore[attr-defined]
        await eve.register(laptop, kdf_profile=LEAST)
        await laptop.journal.import_entries(
            EntryDraft(body=body, date="2020-01-01", external_id=body, provider="test") for body in NUMBERED
        )
        await laptop.sync()
        phone = await eve.another()
        await phone.sync()
        await laptop.aclose()
        yield Scene(eve, wire, phone)


def nth(count: int, which: Callable[[Passing], bool]) -> Callable[[Passing], bool]:
    """The ``count``-th request of this kind."""
    seen: list[Passing] = []

    def is_it(passing: Passing) -> bool:
        if which(passing) and passing not in seen:
            seen.append(passing)
        return len(seen) == count and passing is seen[-1]

    return is_it


def keys(passing: Passing) -> bool:
    return passing.asks("PUT", "/auth/keyring")


def push(passing: Passing) -> bool:
    return passing.asks("POST", "/sync/push")


@dataclass(frozen=True)
class Point:
    """Where the command is killed: before a request is carried out, or once it is, with its answer on the way."""

    which: Callable[[Passing], bool]
    carried_out: bool
    shown: bool = True
    """Whether the codes were shown by then."""
    signed_out: bool = False
    """Whether its session is over when it is run again."""


POINTS = {
    "before the keys are changed": Point(keys, carried_out=False, shown=False),
    "the keys are changed, the answer is lost": Point(keys, carried_out=True, shown=False),
    "the answer is lost, and the session over": Point(keys, carried_out=True, shown=False, signed_out=True),
    "in the middle of sealing records again": Point(nth(1, push), carried_out=True),
    "before the last records are sealed again": Point(nth(2, push), carried_out=False),
}


async def test_a_rotation_that_was_killed_is_finished_and_loses_nothing(scene: Scene) -> None:
    bodies = set(NUMBERED)
    for name, point in POINTS.items():
        (entry,) = [each.id for each in await scene.phone.journal.list() if each.body == NUMBERED[0]]
        written = await scene.phone.journal.write(body=name)  # waits on the phone while the keys change
        await scene.phone.journal.edit(entry, title=name)
        bodies.add(name)
        setattr(scene.wire, "hold_answers" if point.carried_out else "hold", point.which)
        await scene.kill("keys", "rotate", when=scene.wire.held)
        scene.wire.behave()

        if point.signed_out:
            await scene.eve.login(scene.phone, password=scene.next_password)
            (laptop,) = [each for each in await scene.phone.account.sessions() if not each.current]
            await scene.phone.account.revoke(laptop.id)
            told = await scene.run("keys", "rotate", code=3)
            assert "Log in again with the new password" in told.err, name
            in_force = {"LOCKLEAF_PASSWORD": scene.next_password}
            await scene.run("login", "--server", scene.wire.url, "--email", scene.eve.email, environment=in_force)
        if point.shown:
            # It said with the codes how to go on.
            await scene.run("sync")
        else:
            told = await scene.run("keys", "rotate")
            assert told.out.count("-") >= 30, "the codes are shown"
        scene.password = scene.next_password
        scene.number += 1

        if not point.signed_out:
            with pytest.raises(SessionRevoked):
                await scene.phone.sync()
            await scene.eve.login(scene.phone, password=scene.password)
        await scene.phone.sync()
        assert (await scene.phone.sync()).conflicts == 0, name
        assert scene.phone.sync.sealed_again, name
        assert len(scene.phone._device.opened.keyring) == scene.number, name
        assert {key for *_, key, deleted in await open_under(scene.phone) if not deleted} == {scene.number}, name
        assert {each.body for each in await scene.phone.journal.list()} == bodies, name
        assert (await scene.phone.journal.get(entry)).title == name
        assert (await scene.phone.journal.get(written.id)).body == name
    await scene.run("sync")
    listed = (await scene.run("--json", "list", "--all")).values()
    assert {each["body"] for each in listed} == bodies


FILE_POINTS: dict[str, tuple[str, Callable[[Passing], bool]]] = {
    "before the new file's bytes are sent": ("hold", lambda each: each.to_store and each.method == "PUT"),
    "the new file is there, its answer is lost": ("hold_answers", lambda each: each.asks("POST", "/complete")),
    "before the entry that names it is sent": ("hold", push),
    "that entry is there, its answer is lost": ("hold_answers", push),
    "before the old file is deleted": ("hold", lambda each: each.method == "DELETE" and "/media/" in each.path),
}


async def test_sealing_files_anew_that_was_killed_goes_on_without_another_change_of_keys(
    server: RunningServer, tmp_path: Path
) -> None:
    async with storage_proxy(server.port) as wire, diarist(tmp_path / "home", wire.url) as eve:
        laptop = await eve.open("laptop", strict=True)
        laptop._device.keychain.file = eve.home / "profiles" / "laptop" / "keychain.json"  # type: ignore[attr-defined]
        await eve.register(laptop, kdf_profile=LEAST)
        (tmp_path / "letter").write_bytes(b"a letter, " * 5000)
        entry = await laptop.journal.write(body="with a letter")
        made = await laptop.media.attach(entry.id, tmp_path / "letter")
        await laptop.sync()
        await laptop.aclose()
        phone = await eve.another()
        scene = Scene(eve, wire, phone)
        for name, (where, which) in FILE_POINTS.items():
            setattr(wire, where, which)
            await scene.kill("keys", "rotate", "--media", when=wire.held)
            wire.behave()
            if scene.number == 1:
                scene.password, scene.number = scene.next_password, 2
                await eve.login(phone, password=scene.password)
            await phone.sync()
            [shown] = [each.attachment for each in await phone.media.list()]
            saved = await phone.media.download(shown, tmp_path / name.replace(" ", "-"))
            assert saved.read_bytes() == (tmp_path / "letter").read_bytes(), name
        told = (await scene.run("--json", "keys", "rotate", "--media")).value()
        assert (told["rotated"], told["media"]["left"], told["media"]["missing"]) == (False, 0, [])
        await phone.sync()
        assert len(phone._device.opened.keyring) == 2
        [shown] = [each.attachment for each in await phone.media.list()]
        assert shown.recipient == phone._device.opened.keyring.newest.recipient
        assert shown.media_id != made.media_id
        assert set(await held(phone)) == {shown.media_id}
