"""An account on this device while its store is open."""

from __future__ import annotations

from dataclasses import dataclass

from lockleaf.client.profile.profiles import Profile
from lockleaf.client.store import LocalStore
from lockleaf.client.transport.http import Transport
from lockleaf.crypto.keyring import Keyring

__all__ = ["OpenAccount"]


@dataclass(frozen=True)
class OpenAccount:
    """What is there while an account's store is open."""

    profile: Profile
    store: LocalStore
    transport: Transport

    @property
    def keyring(self) -> Keyring:
        """The account's keyring, as this device knows it."""
        return self.store.keyring
