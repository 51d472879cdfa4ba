"""Where the keys of the local store are kept: the system's keychain, or a private file where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from lockleaf.client.errors import KeychainUnavailable
from lockleaf.client.files import write_private
from lockleaf.wire.fields import decode_base64, encode_base64

__all__ = ["FileKeychain", "Keychain", "SystemKeychain", "choose_keychain", "pack_local_keys", "unpack_local_keys"]

_SERVICE = "lockleaf"


class Keychain(Protocol):
    """Keeps one text for each profile. Every method raises `KeychainUnavailable` where it cannot do its work."""

    def get(self, profile_key: str) -> str | None:
        """Return the text kept for the profile, or None."""
        ...

    def set(self, profile_key: str, value: str) -> None:
        """Keep ``value`` for the profile."""
        ...

    def delete(self, profile_key: str) -> None:
        """Forget what is kept for the profile; nothing is fine too."""
        ...


class SystemKeychain:
    """The keychain of the operating system, through the ``keyring`` library."""

    @staticmethod
    def usable() -> bool:
        """Return whether the system has a keychain that keeps things."""
        import keyring  # noqa: PLC0415  (looking for backends takes a tenth of a second: only who asks pays)
        from keyring.backends import chainer, fail, null  # noqa: PLC0415

        backend = keyring.get_keyring()
        if isinstance(backend, chainer.ChainerBackend):
            return bool(list(backend.backends))
        return not isinstance(backend, (fail.Keyring, null.Keyring))

    def get(self, profile_key: str) -> str | None:
        """Return the text kept for the profile, or None."""
        import keyring  # noqa: PLC0415
        from keyring.errors import KeyringError  # noqa: PLC0415

        try:
            return keyring.get_password(_SERVICE, profile_key)
        except (KeyringError, RuntimeError, OSError):
            raise KeychainUnavailable from None

    def set(self, profile_key: str, value: str) -> None:
        """Keep ``value`` for the profile, and read it back: some backends accept and keep nothing."""
        import keyring  # noqa: PLC0415
        from keyring.errors import KeyringError  # noqa: PLC0415

        try:
            keyring.set_password(_SERVICE, profile_key, value)
        except (KeyringError, RuntimeError, OSError):
            raise KeychainUnavailable from None
        if self.get(profile_key) != value:
            raise KeychainUnavailable

    def delete(self, profile_key: str) -> None:
        """Forget what is kept for the profile."""
        import keyring  # noqa: PLC0415
        from keyring.errors import KeyringError, PasswordDeleteError  # noqa: PLC0415

        try:
            keyring.delete_password(_SERVICE, profile_key)
        except PasswordDeleteError:
            return
        except (KeyringError, RuntimeError, OSError):
            raise KeychainUnavailable from None


class FileKeychain:
    """A file beside the local store, readable by its owner alone.

    It protects the journal from other users of the machine and from a copy of the store without it; not from somebody
    who has the whole disk.

    Args:
        file: where it is, or will be.
        notice: told, in a sentence for a person, when a key is put there and the file is made for it.
    """

    def __init__(self, file: Path, notice: Callable[[str], None] | None = None) -> None:
        self.file = file
        self._notice = notice

    def get(self, profile_key: str) -> str | None:
        """Return the text kept for the profile, or None."""
        value = self._load().get(profile_key)
        return value if isinstance(value, str) else None

    def set(self, profile_key: str, value: str) -> None:
        """Keep ``value`` for the profile."""
        begun = self.file.exists()
        self._save(self._load() | {profile_key: value})
        if not begun and self._notice is not None:
            self._notice(
                "This system has no keychain, so the key of the local journal is kept in a file that only you can "
                f"read: {self.file}"
            )

    def delete(self, profile_key: str) -> None:
        """Forget what is kept for the profile."""
        kept = self._load()
        if profile_key in kept:
            del kept[profile_key]
            self._save(kept)

    def _load(self) -> dict[str, object]:
        try:
            kept = json.loads(self.file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            raise KeychainUnavailable from None
        if not isinstance(kept, dict):
            raise KeychainUnavailable
        return kept

    def _save(self, kept: dict[str, object]) -> None:
        if kept:
            write_private(self.file, json.dumps(kept, sort_keys=True).encode())
        else:
            self.file.unlink(missing_ok=True)


def choose_keychain(file: Path, notice: Callable[[str], None]) -> Keychain:
    """Return the system's keychain, or a file keychain where the system has none or one was begun already.

    Args:
        file: where the file keychain is, or would be.
        notice: told, in a sentence for a person, when the file is made.
    """
    if file.exists():
        return FileKeychain(file)
    if SystemKeychain.usable():
        return SystemKeychain()
    return FileKeychain(file, notice)


def pack_local_keys(local_keys: Mapping[int, bytes]) -> str:
    """Return the keychain's text for the keys of the local store, by key id."""
    return json.dumps({"local_keys": {str(key_id): encode_base64(key) for key_id, key in sorted(local_keys.items())}})


def unpack_local_keys(text: str) -> dict[int, bytes]:
    """Return the keys of the local store that `pack_local_keys` wrote.

    Raises:
        KeychainUnavailable: the text is something else.
    """
    try:
        local_keys = {int(key_id): decode_base64(key) for key_id, key in json.loads(text)["local_keys"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeychainUnavailable from None
    if not local_keys or any(len(key) != 32 for key in local_keys.values()):
        raise KeychainUnavailable
    return local_keys
