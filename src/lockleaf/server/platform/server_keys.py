"""The server's own keys: one root secret, and from it a key for each purpose (PROTOCOL section 10)."""

from __future__ import annotations

import binascii
import contextlib
import json
import os
import secrets
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lockleaf.server.platform.settings import Settings

__all__ = ["Purpose", "SecretsDamaged", "SecretsMissing", "ServerKeys", "load_keys"]

KEY_LENGTH = 64  # HMAC-SHA-512 asks for as much, and takes no harm from it in its shorter sisters
ROOT_LENGTH = 48
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
    roots = [root.get_secret_value().encode() for root in settings.secrets.roots]
    prelogin = settings.secrets.prelogin
    if roots and prelogin is not None:
        return ServerKeys(roots, prelogin.get_secret_value().encode())
    if roots or prelogin is not None or settings.database.url is not None:
        raise SecretsMissing
    return _kept_in(settings.data_dir)


def _kept_in(folder: Path) -> ServerKeys:
    path = folder / FILE_NAME
    if not path.exists():
        _create(path)
    try:
        document = json.loads(path.read_bytes())
        roots = [binascii.a2b_base64(root, strict_mode=True) for root in document["roots"]]
        prelogin = binascii.a2b_base64(document["prelogin"], strict_mode=True)
    except (ValueError, KeyError, TypeError):
        raise SecretsDamaged from None
    if not roots or min(map(len, (*roots, prelogin))) < ROOT_LENGTH:
        raise SecretsDamaged
    return ServerKeys(roots, prelogin)


def _create(path: Path) -> None:
    """Make ``path`` with fresh secrets, whole or not at all; where another process was faster, its file stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = {"version": 1, "roots": [_fresh_root()], "prelogin": _fresh_root()}
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(document, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        # A link, since it refuses to replace: after a rename the slower of two processes would go on with secrets
        # that no longer stand in the file.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _fresh_root() -> str:
    return binascii.b2a_base64(secrets.token_bytes(ROOT_LENGTH), newline=False).decode()
