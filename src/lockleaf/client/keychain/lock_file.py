"""``lock.json``: the lock of a journal whose system has no keychain, as it lies beside the store."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lockleaf.client.profile.json_files import Fields, InvalidFile, as_json
from lockleaf.crypto.device_lock import LockContext
from lockleaf.crypto.kdf import KdfParameters

__all__ = ["LOCK_FILE", "Lock", "UnlockingKey"]

LOCK_FILE = "lock.json"

_VERSION = 1
_NAME = re.compile("[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class UnlockingKey:
    """A security key that opens a lock beside its password: which credential of it, for which salt (32 bytes)."""

    credential_id: bytes
    salt: bytes
    wrapped: bytes


@dataclass(frozen=True, kw_only=True)
class Lock:
    """What ``lock.json`` holds; nothing in it is secret without the password."""

    name: str
    email: str
    user_id: str
    device_id: str
    kdf: KdfParameters
    wrapped: bytes
    kept: bytes
    security_key: UnlockingKey | None = None

    @classmethod
    def read(cls, data: bytes) -> Lock:
        """Return the lock that a file holds.

        Raises:
            InvalidFile: it holds none, or one of another version.
        """
        fields = Fields.read(data)
        if fields.number("version") != _VERSION:
            raise InvalidFile("version is another one")
        return cls(
            name=fields.text("name", _NAME),
            email=fields.text("email"),
            user_id=fields.text("user_id"),
            device_id=fields.text("device_id"),
            kdf=fields.kdf("kdf"),
            wrapped=fields.data("wrapped"),
            kept=fields.data("kept"),
            security_key=fields.optional("security_key", lambda name: _unlocking_key(fields.fields(name))),
        )

    def written(self) -> bytes:
        """Return the file that `read` reads."""
        by_key = None if self.security_key is None else vars(self.security_key)
        return as_json({"version": _VERSION, **vars(self), "kdf": self.kdf.to_wire(), "security_key": by_key})

    @property
    def context(self) -> LockContext:
        """Whose lock it is."""
        return LockContext(self.email, self.user_id, self.device_id)


def _unlocking_key(fields: Fields) -> UnlockingKey:
    return UnlockingKey(
        credential_id=fields.data("credential_id"), salt=fields.data("salt"), wrapped=fields.data("wrapped")
    )
