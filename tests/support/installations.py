"""A server as its operator has it: with a command line, and devices that come to it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from lockleaf.client import Client
from lockleaf.client.errors import NotLoggedIn, ServerRestored, SessionRevoked
from tests.support.command_line import CommandLine
from tests.support.diarist import Diarist, diarist
from tests.support.process import RunningServer, running_server

__all__ = ["Installation", "attach", "bodies", "synced"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Installation:
    """A server which is started and stopped, and the operator's command line.

    Arguments:
        environment: settings besides; with none, database and files are its own.
        port: where it listens; a free one by default.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, port: int | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.data = folder / "data"
        self.backups = folder / "backups"
        self.port = port or _free_port()
        self._folder = folder
        self.settings = {"LOCKLEAF_HASHING__MEMORY_KIB": "64", "LOCKLEAF_HASHING__ITERATIONS": "1"}
        self.settings |= environment or {}
        self.operator = CommandLine(folder / "operator")

    @contextmanager
    def running(self) -> Iterator[RunningServer]:
        """The server, running on its data folder."""
        environment = {"LOCKLEAF_DATA_DIR": str(self.data), **self.settings}
        with running_server(environment, log=self._folder / "log", port=self.port) as server:
            yield server

    @asynccontextmanager
    async def people(self) -> AsyncIterator[Diarist]:
        """Somebody with devices."""
        async with diarist(self._folder / "devices", f"http://127.0.0.1:{self.port}") as someone:
            yield someone

    def admin(self, *arguments: str, code: int = 0) -> dict[str, object]:
        """Run a command of the operator's; return its result, or its error."""
        outcome = self.operator.run(
            "--json", "admin", *arguments, "--data-dir", str(self.data), code=code, environment=self.settings
        )
        found: dict[str, object] = outcome.error() if code else outcome.value()
        return found


async def attach(client: Client, folder: Path, text: str, content: bytes) -> str:
    """Write an entry with a file, and synchronise; the file's id."""
    file = folder / f"{text}.bin"
    file.write_bytes(content)
    entry = await client.journal.write(body=text)
    made = await client.media.attach(entry.id, file)
    report = await client.sync()
    assert report.media.waiting == 0
    return made.media_id


async def bodies(client: Client) -> list[str]:
    return sorted(entry.body for entry in await client.journal.list())


async def synced(client: Client, someone: Diarist) -> None:
    """Synchronise as the program advises: log in where a session has ended, accept the restore where it is asked."""
    for _ in range(3):
        try:
            await client.sync()
        except (SessionRevoked, NotLoggedIn):
            await someone.login(client)
        except ServerRestored:
            await client.sync(accept_restore=True)
        else:
            return
    raise AssertionError("it still asks")
