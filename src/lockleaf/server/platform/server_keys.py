"""The server's own keys: one root secret, and from it a key for each purpose (PROTOCOL section 10)."""

from __future__ import annotations

import binascii
import contextlib
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lockleaf.server.platform.settings import Settings

__all__ = [
    "FILE_NAME",
    "Purpose",
    "RootSecrets",
    "SecretsDamaged",
    "SecretsMissing",
    "ServerKeys",
    "are_kept_in_file",
    "fresh_root",
    "load_keys",
    "root_secrets",
    "write_secrets",
]

KEY_LENGTH = 64  # HMAC-SHA-512 asks for as much, and takes no harm from it in its shorter sisters
ROOT_LENGTH = 48
SHORTEST_ROOT = 32
FILE_NAME = "secrets.json"


class Purpose(StrEnum):
    """What a key is for. A token or seal made for one purpose is nothing for another."""

    ACCESS = "access"
    REFRESH = "refresh"
    RECOVERY = "recovery"
    CURSOR = "cursor"
    OBJECT_URL = "object-url"
    OAUTH_STATE = "oauth-state"
    PRELOGIN = "prelogin"
    INTEGRATION = "integration"
    INBOX = "inbox"
    RATES = "rates"
    FACTOR = "factor"


class SecretsMissing(RuntimeError):
    """The server has no root secrets, or not all of them.

    Set SECRET_KEY to 32 or more random characters, for instance from `openssl rand -base64 48`, and keep it: with
    another one every session ends. Or set LOCKLEAF_SECRETS__ROOTS and LOCKLEAF_SECRETS__PRELOGIN, both of them. Only a
    server with its own embedded database makes secrets itself.
    """

    def __init__(self) -> None:
        super().__init__(" ".join((type(self).__doc__ or "").split()))


class SecretsDamaged(RuntimeError):
    """The file secrets.json in the data folder cannot be read. Restore it from a backup.

    If there is none, remove it: new secrets are made, and every device has to log in again.
    """

    def __init__(self) -> None:
        super().__init__(" ".join((type(self).__doc__ or "").split()))


class ServerKeys:
    """The keys of a server.

    Args:
        roots: root secrets, newest first; the newest makes, all verify.
        prelogin_root: decides what is shown for unknown emails. Rotated, it would tell which emails are unknown: their
            parameters alone would change.
    """

    def __init__(self, roots: Sequence[bytes], prelogin_root: bytes) -> None:
        if not roots:
            raise SecretsMissing
        self._keys: dict[Purpose, tuple[bytes, ...]] = {
            purpose: tuple(_derive(root, purpose) for root in roots)
            for purpose in Purpose
            if purpose is not Purpose.PRELOGIN
        }
        self.prelogin = _derive(prelogin_root, Purpose.PRELOGIN)

    def signing(self, purpose: str) -> bytes:
        """Return the 64-byte key that makes what is made for ``purpose``."""
        return self._keys[Purpose(purpose)][0]

    def accepted(self, purpose: str) -> tuple[bytes, ...]:
        """Return the 64-byte keys that verify what was made for ``purpose``, newest first."""
        return self._keys[Purpose(purpose)]


def _derive(root: bytes, purpose: Purpose) -> bytes:
    return HKDF(SHA256(), KEY_LENGTH, None, f"lockleaf/1/server/{purpose}".encode()).derive(root)


def load_keys(settings: Settings) -> ServerKeys:
    """Return the keys of the server that ``settings`` describe.

    With an embedded database and no secrets set, they are made once and kept in the data folder: whoever can read that
    folder has the database anyway.

    Raises:
        SecretsMissing: they are missing, or some of them, and they must not be made up.
        SecretsDamaged: the file that keeps them cannot be understood.
    """
    found = root_secrets(settings)
    return ServerKeys(found.roots, found.prelogin)


@dataclass(frozen=True, slots=True)
class RootSecrets:
    """Root secrets, newest first, and the one that decides what is shown for unknown emails.

    Attributes:
        since: when the newest was made, RFC 3339, where an earlier one stands behind it.
    """

    roots: tuple[bytes, ...] = field(repr=False)
    prelogin: bytes = field(repr=False)
    since: str | None = None

    def written(self) -> bytes:
        """Return them as the file that keeps them has them."""
        document: dict[str, object] = {"version": 1, "roots": [_text(root) for root in self.roots]}
        document |= {"prelogin": _text(self.prelogin)} | ({} if self.since is None else {"since": self.since})
        return json.dumps(document, indent=2).encode()

    @classmethod
    def read(cls, written: bytes) -> RootSecrets:
        """Return what `written` gave.

        Raises:
            SecretsDamaged: it cannot be understood.
        """
        try:
            document = json.loads(written)
            roots = tuple(binascii.a2b_base64(root, strict_mode=True) for root in document["roots"])
            prelogin = binascii.a2b_base64(document["prelogin"], strict_mode=True)
            since = document.get("since")
            if since is not None:
                datetime.fromisoformat(since)
        except (ValueError, KeyError, TypeError):
            raise SecretsDamaged from None
        if not roots or min(map(len, (*roots, prelogin))) < SHORTEST_ROOT:
            raise SecretsDamaged
        return cls(roots, prelogin, since)


def are_kept_in_file(settings: Settings) -> bool:
    """Tell whether the server's secrets are those that it keeps in its data folder."""
    return not settings.secrets.roots and settings.secrets.prelogin is None and settings.database.url is None


def root_secrets(settings: Settings) -> RootSecrets:
    """Return the root secrets; made and kept where `load_keys` says.

    Raises:
        SecretsMissing, SecretsDamaged: as `load_keys`.
    """
    roots = tuple(root.get_secret_value().encode() for root in settings.secrets.roots)
    prelogin = settings.secrets.prelogin
    if roots and prelogin is not None:
        return RootSecrets(roots, prelogin.get_secret_value().encode())
    if not are_kept_in_file(settings):
        raise SecretsMissing
    path = settings.data_dir / FILE_NAME
    if not path.exists():
        write_secrets(path, RootSecrets((fresh_root(),), fresh_root()), replace=False)
    return RootSecrets.read(path.read_bytes())


def write_secrets(path: Path, root_secrets: RootSecrets, *, replace: bool) -> None:
    """Write the file of secrets, whole or not at all.

    Args:
        replace: whether what is there goes; otherwise, where another process was faster, its file stays.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(root_secrets.written())
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            # A link, since it refuses to replace: after a rename the slower of two processes would go on with secrets
            # that no longer stand in the file.
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def fresh_root() -> bytes:
    """Return a new root secret."""
    return secrets.token_bytes(ROOT_LENGTH)


def _text(secret: bytes) -> str:
    return binascii.b2a_base64(secret, newline=False).decode()
