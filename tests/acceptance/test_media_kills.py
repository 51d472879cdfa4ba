"""Killed at any point of an upload, it goes on with what the store lacks of the same bytes, in little memory."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from lockleaf.client import Attachment, Client, MediaReport
from lockleaf.client.media.staging import ONE_PART, PART_BYTES
from tests.support.command_line import CommandLine
from tests.support.diarist import Diarist, diarist
from tests.support.process import RunningServer
from tests.support.storage_proxy import Passing, StorageProxy, storage_proxy

SMALL = bytes(range(256)) * 4000


@dataclass
class Scene:
    """A device whose profile a command and the SDK open by turns."""

    eve: Diarist
    wire: StorageProxy
    client: Client

    @property
    def command(self) -> CommandLine:
        return CommandLine(self.eve.home, "laptop")

    @property
    def folder(self) -> Path:
        return self.eve.home / "profiles" / "laptop" / "media"

    async def attached(self, path: Path) -> Attachment:
        entry = await self.client.journal.write(body="with a file")
        made = await self.client.media.attach(entry.id, path)
        self.wire.behave()
        return made

    async def kill(self, *arguments: str, when: asyncio.Event) -> None:
        """Start a command, and end it at once when it has come so far."""
        process = self.command.start(*arguments)
        try:
            async with asyncio.timeout(30):
                await when.wait()
        finally:
            process.kill()
            await asyncio.to_thread(process.communicate)

    async def go_on(self) -> MediaReport:
        self.wire.behave()
        return await self.client.media.resume()


@pytest.fixture
async def scene(server: RunningServer, tmp_path: Path) -> AsyncIterator[Scene]:
    async with storage_proxy(server.port) as wire, diarist(tmp_path / "home", wire.url) as eve:
        client = await eve.open("laptop")
        # The command finds the keys where it looks for them.
        client._device.keychain.file = eve.home / "profiles" / "laptop" / "keychain.json"  # type: ignore[attr-defined]
        await eve.register(client)
        yield Scene(eve, wire, client)


def set_hold_answers(wire: StorageProxy, which: Callable[[Passing], bool]) -> None:
    wire.hold_answers = which


POINTS: dict[str, tuple[Callable[[StorageProxy], None], bool]] = {
    "the declaration's answer lost": (lambda w: set_hold_answers(w, lambda p: p.asks("POST", "/media/upload")), True),
    "in the middle of the bytes": (lambda w: setattr(w, "hold_at", len(SMALL) // 2), True),
    "the store's answer lost": (lambda w: set_hold_answers(w, lambda p: p.to_store), False),
    "the completion's answer lost": (lambda w: set_hold_answers(w, lambda p: p.asks("POST", "/complete")), False),
}


async def test_an_upload_that_was_killed_goes_on_with_the_same_bytes(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(SMALL)
    for name, (hold, sent_again) in POINTS.items():
        made = await scene.attached(path)
        sealed = (scene.folder / f"{made.media_id}.age").read_bytes()
        hold(scene.wire)
        await scene.kill("media", "resume", when=scene.wire.held)
        assert (await scene.client.media.get(made.media_id)).waiting, name
        assert (scene.folder / f"{made.media_id}.age").read_bytes() == sealed
        report = await scene.go_on()
        assert (report.uploaded, report.waiting, report.trouble) == (1, 0, None), name
        assert scene.wire.uploaded == (len(sealed) if sent_again else 0), name
        assert (await scene.client.media.download(made, tmp_path / name)).read_bytes() == SMALL
        await scene.client.media.delete(made.media_id)
        await scene.go_on()


async def test_of_parts_only_those_that_had_not_arrived_are_sent_again(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(ONE_PART + 100)
    made = await scene.attached(path)
    assert made.sealed_size is not None
    scene.wire.hold = lambda each: each.to_store and "/2?" in each.path
    arrived = asyncio.Event()

    def first_and_last(each: Passing) -> bool:
        if [p.status // 100 for p in scene.wire.uploads].count(2) == 2 and scene.wire.held.is_set():
            arrived.set()
        return False

    scene.wire.hold_answers = first_and_last
    await scene.kill("media", "resume", when=arrived)
    report = await scene.go_on()
    assert (report.uploaded, report.waiting) == (1, 0)
    assert [each.sent for each in scene.wire.uploads] == [PART_BYTES]
    saved = await scene.client.media.download(made, tmp_path / "again")
    assert sha256(saved.read_bytes()).digest() == made.sha256


async def test_an_attachment_that_was_killed_while_it_was_sealed_was_never_begun(scene: Scene, tmp_path: Path) -> None:
    entry = await scene.client.journal.write(body="text")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2_000_000_000)
    sealing = asyncio.Event()

    async def look() -> None:
        while not any(scene.folder.glob("*.age")):
            await asyncio.sleep(0.01)
        sealing.set()

    looking = asyncio.create_task(look())
    await scene.kill("attach", entry.id, str(tmp_path / "large"), when=sealing)
    await looking
    assert len(list(scene.folder.glob("*.age"))) == 1
    assert (await scene.client.journal.get(entry.id)).attachments == ()
    (tmp_path / "small").write_bytes(SMALL)
    made = await scene.client.media.attach(entry.id, tmp_path / "small")
    assert (await scene.go_on()).uploaded == 1
    assert list(scene.folder.glob("*.age")) == []
    assert (await scene.client.media.list(entry.id))[0].attachment == made


MEASURED = """
import asyncio, json, re, sys
from pathlib import Path
from lockleaf.client import Client, FileKeychain

def peak():
    # getrusage would count what the process that started this one had.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

async def main(home, keychain, file, out):
    async with await Client.open(home, "laptop", keychain=FileKeychain(keychain), allow_test_parameters=True) as client:
        entry = await client.journal.write(body="text")
        await client.sync()
        before = peak()
        made = await client.media.attach(entry.id, file)
        report = await client.media.resume()
        assert report.uploaded == 1, report
        saved = await client.media.download(made, out)
        print(json.dumps([before, peak(), saved.stat().st_size]))

asyncio.run(main(*map(Path, sys.argv[1:])))
"""


async def test_a_file_is_never_whole_in_memory(scene: Scene, tmp_path: Path) -> None:
    size = 40 * 1024 * 1024
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    await scene.client.aclose()
    keychain = scene.folder.with_name("keychain.json")
    paths = [scene.eve.home, keychain, tmp_path / "large", tmp_path / "again"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MEASURED, *map(str, paths), stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    before, peak, saved = json.loads(out)
    assert saved == size
    assert peak - before < 18 * 1024 * 1024
    assert peak < 100 * 1024 * 1024
