"""People with accounts, and their devices: the whole SDK against a real server."""

from __future__ import annotations

import secrets
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from lockleaf.client import Client, FileKeychain, RetryPolicy
from lockleaf.crypto.kdf import CHEAPEST

__all__ = ["AT_ONCE", "NEW_PASSWORD", "PASSWORD", "Person", "UcePerson"]

PASSWORD = "six herons over a cold dyke"
NEW_PASSWORD = "a quite different one"
AT_ONCE = RetryPolicy(attempts=3, base=0.0, cap=0.0)


class Person:
    """Somebody with an email address and any number of devices, each a profile with a keychain of its own."""

    def __init__(self, home: Path, server: str, stack: AsyncExitStack) -> None:
        self.home, self.server, self._stack = home, server, stack
        self.email = f"{secrets.token_hex(6)}@example.org"
        self.heard: list[str] = []

    async def device(self, name: str, *, network: httpx.AsyncBaseTransport | None = None) -> Client:
        client = await Client.open(
            self.home,
            name,
            keychain=FileKeychain(self.home / f"{name}.keychain"),
            http_transport=network,
            notice=self.heard.append,
            retry=AT_ONCE,
            allow_test_parameters=True,
        )
        self._stack.push_async_callback(client.aclose)
        return client

    async def register(self, client: Client) -> tuple[str, ...]:
        codes = await client.account.register(
            self.server, self.email, PASSWORD, device_name="first", kdf_profile=CHEAPEST
        )
        return codes.codes

    async def login(self, client: Client, password: str = PASSWORD) -> None:
        await client.account.login(self.server, self.email, password, device_name="second")


class UcePerson(Person):
    """Somebody whose server may read while a session is in use."""

    async def register(self, client: Client) -> tuple[str, ...]:
        codes = await client.account.register(self.server, self.email, PASSWORD, device_name="first", custody="uce")
        return codes.codes

    async def login(self, client: Client, password: str = PASSWORD) -> None:
        await client.account.login(self.server, self.email, password, device_name="second", custody="uce")
