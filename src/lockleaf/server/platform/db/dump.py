"""Dumping a database and loading a dump, with PostgreSQL's own programs.

What they say on standard error is not passed on, since it can quote rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

__all__ = ["DumpError", "Tools", "dump", "load"]

PIECE = 256 * 1024
_SETTINGS_OF_LATER_SERVERS = (b"SET transaction_timeout =",)
"""Lines at the head of a dump that servers before version 17 refuse. They set a limit that is off anyway."""
_HEAD_LINES = 60


class DumpError(Exception):
    """PostgreSQL's programs could not dump a database, or load a dump. The message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The client programs of one PostgreSQL installation."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.folder / name)


@dataclass(frozen=True, slots=True)
class _Address:
    """A database's address without its password, which is no argument that others could see."""

    url: str
    environment: dict[str, str]


def _address_of(url: str) -> _Address:
    """Return the address as PostgreSQL's programs take it, and the environment that they need for it."""
    parts = urlsplit(url)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") or name.startswith("PGSSL")
    }
    environment |= {"LC_ALL": "C", "PGTZ": "UTC", "PGAPPNAME": "lockleaf-admin", "PGCONNECT_TIMEOUT": "20"}
    query = []
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name == "password":
            environment["PGPASSWORD"] = value
        elif name == "ssl":  # SQLAlchemy's name for it
            query.append(("sslmode", value))
        else:
            query.append((name, value))
    place = parts.netloc
    who, at, host = place.rpartition("@")
    if at and ":" in who:
        user, _, password = who.partition(":")
        environment["PGPASSWORD"] = unquote(password)
        place = f"{user}@{host}"
    return _Address(urlunsplit(("postgresql", place, parts.path, urlencode(query, quote_via=quote), "")), environment)


async def dump(
    url: str, tools: Tools, *, snapshot: str | None = None, schema: str = "public"
) -> AsyncGenerator[bytes, None]:
    """Yield the dump of one schema of a database in PostgreSQL's custom format.

    Args:
        snapshot: an exported one, to see the database as of it.

    Raises:
        DumpError: it could not be dumped.
    """
    address = _address_of(url)
    process = await asyncio.create_subprocess_exec(
        tools.program("pg_dump"),
        f"--dbname={address.url}",
        "--format=custom",
        "--compress=gzip:1",  # halves the hexadecimal form of what is sealed; more is not to be had
        f"--schema={schema}",
        "--no-owner",
        "--no-privileges",
        "--lock-wait-timeout=60s",
        *([] if snapshot is None else [f"--snapshot={snapshot}"]),
        env=address.environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        while piece := await process.stdout.read(PIECE):
            yield piece
        code = await process.wait()
    finally:
        await _end(process)
    if code != 0:
        raise DumpError(
            f"pg_dump ended with exit status {code}, so there is no backup. Check that the database is reachable, that "
            "its user may read every table, and that nothing holds a lock on one for longer than a minute."
        )


async def load(
    url: str,
    tools: Tools,
    dumped: AsyncIterator[bytes],
    *,
    schema: str = "public",
    before: Sequence[str] = (),
    after: Sequence[str] = (),
) -> None:
    """Load the dump of a schema into a database, all of it in one transaction, or nothing.

    Args:
        dumped: the dump in custom format. Where it raises, nothing is changed.
        schema: it, which is there.
        before: statements in the same transaction, in front of it.
        after: statements in the same transaction, behind it.

    Raises:
        DumpError: it could not be loaded; nothing was changed.
    """
    address = _address_of(url)
    script = await asyncio.create_subprocess_exec(
        tools.program("pg_restore"),
        "--file=-",
        "--format=custom",
        f"--schema={schema}",
        "--no-owner",
        "--no-privileges",
        env=address.environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    # Whatever ends this process, psql sees the end of its input, and would commit half of it: so there is a statement
    # that fails without the table that is made once all has come.
    commands = [f"--command={each}" for each in before]
    commands += ["--file=-", "--command=SELECT FROM pg_temp.all_has_come"]
    commands += [f"--command={each}" for each in after]
    psql = await asyncio.create_subprocess_exec(
        tools.program("psql"),
        f"--dbname={address.url}",
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        *commands,
        env=address.environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        feeding = asyncio.create_task(_feed(script, dumped))
        try:
            await _pass_on(script, psql)
            await feeding
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        if await script.wait() != 0:
            raise DumpError(_DAMAGED)
        await _write(psql, b"\nCREATE TEMPORARY TABLE all_has_come ON COMMIT DROP AS SELECT 1 AS one;\n")
        assert psql.stdin is not None
        psql.stdin.close()
        if await psql.wait() != 0:
            raise DumpError(_REFUSED)
    finally:
        await _end(script)
        await _end(psql)


_DAMAGED = "The dump of the database does not read: it is damaged. Nothing was changed."
_REFUSED = (
    "The database does not take the dump, and nothing was changed. Check that its disk has space, that its user "
    "owns the database, and that its PostgreSQL is not older than the one the dump comes from."
)


async def _feed(script: asyncio.subprocess.Process, dumped: AsyncIterator[bytes]) -> None:
    assert script.stdin is not None
    try:
        async for piece in dumped:
            script.stdin.write(piece)
            await script.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        # It has seen enough. What is left is read all the same: its reader checks it to the end.
        async for _ in dumped:
            pass
    finally:
        script.stdin.close()


async def _pass_on(script: asyncio.subprocess.Process, psql: asyncio.subprocess.Process) -> None:
    """Hand the script on, but for settings that older servers do not know."""
    assert script.stdout is not None
    for _ in range(_HEAD_LINES):
        line = await script.stdout.readline()
        if not line.startswith(_SETTINGS_OF_LATER_SERVERS):
            await _write(psql, line)
    while piece := await script.stdout.read(PIECE):
        await _write(psql, piece)


async def _write(psql: asyncio.subprocess.Process, piece: bytes) -> None:
    assert psql.stdin is not None
    try:
        psql.stdin.write(piece)
        await psql.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        raise DumpError(_REFUSED) from None


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
