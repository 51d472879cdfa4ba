"""An account on this device while its store is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lockleaf.client.profile.profiles import Profile
from lockleaf.client.store import LocalStore
from lockleaf.client.transport.tokens import TokenStore
from lockleaf.crypto.keyring import Keyring

if TYPE_CHECKING:
    from lockleaf.client.transport.http import Transport

__all__ = ["Connection", "OpenAccount"]


class Connection:
    """The way to the account's server, which is made when something is to be sent.

    Args:
        connect: makes it; raises what `Device.connect` does.
    """

    def __init__(self, connect: Callable[[], Transport]) -> None:
        self._connect = connect

    @cached_property
    def transport(self) -> Transport:
        """Requests to the server."""
        return self._connect()

    async def aclose(self) -> None:
        """Close what was opened."""
        if "transport" in vars(self):
            await self.transport.aclose()


@dataclass(frozen=True)
class OpenAccount:
    """What is there while an account's store is open."""

    profile: Profile
    store: LocalStore
    tokens: TokenStore
    connection: Connection

    @property
    def transport(self) -> Transport:
        """Requests to the account's server."""
        return self.connection.transport

    @property
    def keyring(self) -> Keyring:
        """The account's keyring, as this device knows it."""
        return self.store.keyring
