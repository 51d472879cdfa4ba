"""Somebody who keeps a journal on several devices: the whole SDK, one profile a device, one account."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from lockleaf.client import Client, FileKeychain, RetryPolicy
from lockleaf.client.device.device import utc_now
from lockleaf.client.errors import LockleafError
from lockleaf.crypto.kdf import CHEAPEST, KdfProfile
from tests.support.sentences import tells_what_to_do

__all__ = ["AT_ONCE", "NEW_PASSWORD", "PASSWORD", "Diarist", "caught", "diarist", "write"]

PASSWORD = "six herons over a cold dyke"
NEW_PASSWORD = "a quite different one"
AT_ONCE = RetryPolicy(attempts=3, base=0.0, cap=0.0)


class Diarist:
    """One account at ``server``; devices may reach it by another address."""

    def __init__(self, home: Path, server: str, stack: AsyncExitStack) -> None:
        self.home = home
        self.server = server
        self.email = f"{secrets.token_hex(8)}@example.org"
        self.heard: list[str] = []
        self.retry = AT_ONCE
        self._stack = stack

    async def open(
        self,
        name: str,
        *,
        clock: Callable[[], datetime] = utc_now,
        strict: bool = False,
    ) -> Client:
        """Open the device ``name`` as it is; ``strict`` refuses key derivation that is only good for tests."""
        client = await Client.open(
            self.home,
            name,
            keychain=FileKeychain(self.home / f"{name}.keychain"),
            notice=self.heard.append,
            clock=clock,
            retry=self.retry,
            allow_test_parameters=not strict,
        )
        self._stack.push_async_callback(client.aclose)
        return client

    async def register(self, client: Client, *, at: str | None = None, kdf_profile: KdfProfile = CHEAPEST) -> list[str]:
        """Make the account; its recovery codes."""
        codes = await client.account.register(
            at or self.server, self.email, PASSWORD, device_name="first", kdf_profile=kdf_profile
        )
        return list(codes.codes)

    async def login(self, client: Client, *, at: str | None = None, password: str = PASSWORD) -> None:
        """Log in, by the address ``at``."""
        await client.account.login(at or self.server, self.email, password, device_name="another")

    async def first(self, name: str = "laptop", *, at: str | None = None) -> Client:
        """A new device with a new account."""
        client = await self.open(name)
        await self.register(client, at=at)
        return client

    async def another(self, name: str = "phone", *, at: str | None = None) -> Client:
        """Another device of the account."""
        client = await self.open(name)
        await self.login(client, at=at)
        return client


@asynccontextmanager
async def diarist(home: Path, server: str) -> AsyncIterator[Diarist]:
    """Somebody whose devices are all closed at the end."""
    async with AsyncExitStack() as stack:
        yield Diarist(home, server, stack)


async def write(client: Client, *bodies: str) -> list[str]:
    """Write entries, each carried to the server before the next; their ids."""
    ids = []
    for body in bodies:
        ids.append((await client.journal.write(body=body)).id)
        await client.sync()
    return ids


async def caught(doing: Awaitable[object], error: type[LockleafError]) -> LockleafError:
    """Do it, and make sure that it ends with this very error, in words for a person."""
    with pytest.raises(LockleafError) as told:
        await doing
    assert type(told.value) is error, f"{type(told.value).__name__}: {told.value}"
    tells_what_to_do(told.value)
    return told.value
