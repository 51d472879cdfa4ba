"""The local page as its browser uses it: in the same process, or as the command of another one."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from lockleaf.app.admission import Admission
from lockleaf.app.application import application
from lockleaf.app.desk import Desk
from lockleaf.client import Client, FileKeychain, SecondFactor

__all__ = ["PORT", "Page", "Program", "page_of", "program"]

PORT = 48123
_PATIENCE = 60.0
"""Seconds in which a page comes into step, on a machine with much else to do."""
_BASE = re.compile(r"url=(/[^/\"]+/)")


@dataclass
class Page:
    """A browser on the page."""

    http: httpx.AsyncClient
    base: str
    desk: Desk

    @property
    def origin(self) -> str:
        return str(self.http.base_url).rstrip("/")

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Ask as the page does."""
        headers = {
            "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "X-Idle": "0", **more.pop("headers", {}),
        }  # fmt: skip
        if method != "GET":
            headers = {"Origin": self.origin, "X-Lockleaf": "1", **headers}
        if body is not None:
            more["json"] = body
        return await self.http.request(method, f"{self.base}api{path}", headers=headers, **more)

    async def get(self, path: str) -> Any:
        """Return what a path gives, which must be there."""
        answer = await self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, *, method: str = "POST") -> Any:
        """Return what is answered to a change, which must be made."""
        answer = await self.ask(method, path, {} if body is None else body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def write(self, body: str, **fields: Any) -> Any:
        """Write an entry."""
        return await self.post("/entries", {"body": body, **fields})

    async def synced(self, entries: int) -> None:
        """Wait until so many entries are here and nothing is left to send.

        Raises:
            TimeoutError: it takes too long; it says how the page stands.
        """
        expected, seen = (entries, 0, "idle"), None
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    seen = await self.get("/state")
                    if (seen["counts"]["entries"], seen["sync"]["pending"], seen["sync"]["state"]) == expected:
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            said = f"expected {expected} within {_PATIENCE:.0f} seconds, last seen: {seen}"
            raise TimeoutError(said) from None


@asynccontextmanager
async def page_of(home: Path, *, profile: str = "laptop", **settings: Any) -> AsyncIterator[Page]:
    """The page of a profile, opened by a browser in this process."""
    keychain = FileKeychain(home / "profiles" / profile / "keychain.json")

    async def open_client(second_factor: SecondFactor) -> Client:
        client = await Client.open(
            home, profile, keychain=keychain, second_factor=second_factor, allow_test_parameters=True
        )
        if client.profile is None:  # as the command does before it opens the page
            await client.begin(device_name="laptop")
        return client

    settings.setdefault("folder", home / "profiles" / profile)
    desk = Desk(profile, settings.pop("open_client", open_client), **settings)
    await desk.start()
    admission = Admission()
    transport = httpx.ASGITransport(application(desk, admission, PORT), raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{PORT}") as http:
            opened = await http.get("/open", params={"token": admission.new_token()})
            found = _BASE.search(opened.text)
            assert found, opened.text
            yield Page(http, found[1], desk)
    finally:
        await desk.aclose()


@dataclass
class Program:
    """``lockleaf app`` as a process."""

    process: subprocess.Popen[bytes]
    url: str
    port: int
    elsewhere: bool

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def enter(self, http: httpx.Client) -> str:
        """Open the page; return where it lives."""
        opened = http.get(self.url)
        found = _BASE.search(opened.text)
        assert found, opened.text
        return f"{self.origin}{found[1]}"

    @property
    def changing(self) -> dict[str, str]:
        """The headers of whatever changes something."""
        return {"Origin": self.origin, "X-Lockleaf": "1"}


def start(home: Path, *arguments: str, profile: str = "laptop", **environment: str) -> Program:
    """Start ``lockleaf app``, and wait until it says where it is."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LOCKLEAF_", "DISPLAY", "WAYL", "BROWSER"))
    }
    process = subprocess.Popen(
        [Path(sys.executable).with_name("lockleaf"), "app", "--json", "--home", home, "--profile", profile, *arguments],
        env={**clean, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    told = process.stdout.readline()
    if not told:
        _, said = process.communicate()
        raise RuntimeError(said.decode())
    known = json.loads(told)
    return Program(process, known["url"], known["port"], known["elsewhere"])


@contextmanager
def program(home: Path, *arguments: str, profile: str = "laptop", **environment: str) -> Iterator[Program]:
    """``lockleaf app`` for the length of a ``with``, ended as a service manager does."""
    started = start(home, *arguments, profile=profile, **environment)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.send_signal(signal.SIGTERM)
        started.process.communicate(timeout=30)
