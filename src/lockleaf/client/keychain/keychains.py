"""Where the keys of the local store are kept: in the system's keychain, or sealed under the password."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from lockleaf.client.errors import KeychainSilent, KeychainUnavailable
from lockleaf.client.keychain.lock_file import LOCK_FILE
from lockleaf.client.keychain.password_keychain import PasswordKeychain
from lockleaf.client.profile.private_files import write_private
from lockleaf.crypto.encoding import decode_base64, encode_base64
from lockleaf.crypto.errors import Malformed
from lockleaf.paths import StrPath

__all__ = [
    "KEYCHAIN_FILE",
    "FileKeychain",
    "Keychain",
    "KeysIn",
    "PasswordKeychain",
    "SilentKeychain",
    "SystemKeychain",
    "choose_keychain",
    "keys_in",
    "pack_local_keys",
    "unpack_local_keys",
    "within",
]

T = TypeVar("T")

_SERVICE = "lockleaf"
_FOUND_WITHIN = 10.0
"""Seconds in which a keychain must say that it is there."""

_ANSWERED_WITHIN = 60.0
"""Seconds in which it must answer: it may be asking its user for a password meanwhile."""

KEYCHAIN_FILE = "keychain.json"
"""The file keychain of a profile, where somebody chose one."""


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, or raise what it raises, if that takes no longer.

    A session bus that accepts and never answers would hold the caller for ever. It is left behind in a thread that
    does not keep the program from ending.

    Raises:
        KeychainSilent: it takes longer.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="keychain", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise KeychainSilent
    return results[0]


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
        """Return whether the system has a keychain that keeps things.

        Raises:
            KeychainSilent: it does not say so in ten seconds.
        """
        return within(_FOUND_WITHIN, _has_backend)

    def get(self, profile_key: str) -> str | None:
        """Return the text kept for the profile, or None."""
        kept: str | None = _ask(lambda keyring: keyring.get_password(_SERVICE, profile_key))
        return kept

    def set(self, profile_key: str, value: str) -> None:
        """Keep ``value`` for the profile, and read it back: some backends accept and keep nothing."""
        _ask(lambda keyring: keyring.set_password(_SERVICE, profile_key, value))
        if self.get(profile_key) != value:
            raise KeychainUnavailable

    def delete(self, profile_key: str) -> None:
        """Forget what is kept for the profile."""

        def forget(keyring: Any) -> None:
            with suppress(keyring.errors.PasswordDeleteError):
                keyring.delete_password(_SERVICE, profile_key)

        _ask(forget)


def _has_backend() -> bool:
    import keyring  # noqa: PLC0415  (looking for backends takes a tenth of a second: only who asks pays)
    from keyring.backends import chainer, fail, null  # noqa: PLC0415

    backend = keyring.get_keyring()
    if isinstance(backend, chainer.ChainerBackend):
        return bool(list(backend.backends))
    return not isinstance(backend, (fail.Keyring, null.Keyring))


def _ask(question: Callable[[Any], T]) -> T:
    """Return what the keyring library answers.

    Raises:
        KeychainUnavailable: it cannot answer.
        KeychainSilent: it does not answer in time.
    """

    def work() -> T:
        import keyring  # noqa: PLC0415
        import keyring.errors  # noqa: PLC0415

        try:
            return question(keyring)
        except (keyring.errors.KeyringError, RuntimeError, OSError):
            raise KeychainUnavailable from None

    return within(_ANSWERED_WITHIN, work)


class FileKeychain:
    """A file beside the local store, readable by its owner alone.

    It protects the journal from other users of the machine and from a copy of the store without it; not from somebody
    who has the whole disk.

    Args:
        file: where it is, or will be.
        notice: told, in a sentence for a person, when a key is put there and the file is made for it.
    """

    def __init__(self, file: StrPath, notice: Callable[[str], None] | None = None) -> None:
        self.file = Path(file)
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


class SilentKeychain:
    """Stands for a system's keychain that does not answer, and holds the keys of this profile."""

    def get(self, profile_key: str) -> str | None:
        """Say that it does not answer."""
        raise KeychainSilent

    def set(self, profile_key: str, value: str) -> None:
        """Say that it does not answer."""
        raise KeychainSilent

    def delete(self, profile_key: str) -> None:
        """Say that it does not answer."""
        raise KeychainSilent


def choose_keychain(
    folder: Path, notice: Callable[[str], None], locked_by_password: Callable[[], PasswordKeychain]
) -> Keychain:
    """Return where the keys of a profile are, or will be: in the system's keychain, or where it has none under a lock.

    Args:
        folder: the profile's.
        notice: told, in a sentence for a person, when the system's keychain is passed over.
        locked_by_password: makes the lock of this profile.
    """
    if (folder / LOCK_FILE).exists():
        # A keychain that appears later does not have these keys.
        return locked_by_password()
    if (folder / KEYCHAIN_FILE).exists():
        return FileKeychain(folder / KEYCHAIN_FILE)
    try:
        return SystemKeychain() if SystemKeychain.usable() else locked_by_password()
    except KeychainSilent:
        if (folder / "profile.json").exists():
            return SilentKeychain()
        notice("The system's keychain does not answer, so it is not used for this profile.")
        return locked_by_password()


KeysIn = Literal["keychain", "password", "file", "elsewhere"]
"""Where a local key is: in the system's keychain, sealed under the password, in a file, or where a program put it."""


def keys_in(keychain: Keychain) -> KeysIn:
    """Return where a keychain keeps its keys."""
    if isinstance(keychain, PasswordKeychain):
        return "file" if keychain.is_kept_unlocked else "password"
    if isinstance(keychain, (SystemKeychain, SilentKeychain)):
        return "keychain"
    return "file" if isinstance(keychain, FileKeychain) else "elsewhere"


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
    except (Malformed, ValueError, KeyError, TypeError, AttributeError):
        raise KeychainUnavailable from None
    if not local_keys or any(len(key) != 32 for key in local_keys.values()):
        raise KeychainUnavailable
    return local_keys
