"""The keychain of a device whose system has none: the key of the local store, sealed under the account's password.

Beside the store lies ``lock.json``: what the password opens (see `lockleaf.crypto.device_lock`). The device key that
is inside stays in memory for a time (`Unlocked`), so that the password is not asked for with every command. Where its
user wants that, it lies in a file beside the store as well, and the journal is open to whoever copies the folder.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lockleaf.client.errors import JournalLocked, KeychainUnavailable, WrongPassword
from lockleaf.client.keychain.lock_file import LOCK_FILE, Lock, UnlockingKey
from lockleaf.client.keychain.unlocked_key import DEFAULT_IDLE, MOST, Unlocked
from lockleaf.client.profile.json_files import InvalidFile
from lockleaf.client.profile.private_files import write_private
from lockleaf.crypto import kdf
from lockleaf.crypto.device_lock import (
    LockContext,
    new_device_key,
    open_kept,
    seal_kept,
    unwrap_by_passkey,
    unwrap_device_key,
    wrap_by_passkey,
    wrap_device_key,
)
from lockleaf.crypto.errors import CryptoError, SealBroken

__all__ = ["OPEN_FILE", "PasswordKeychain"]

OPEN_FILE = "unlocked.key"


class PasswordKeychain:
    """Keeps the keys of one profile under its account's password.

    Args:
        folder: the profile's.
        notice: told, in a sentence for a person, when a lock is made.
        idle: seconds without use after which the journal is locked again; 0: after each command.
        keep_unlocked: leave it open for good when it is made next.
        allow_test_parameters: the derivation may be far too cheap.
    """

    def __init__(
        self,
        folder: Path,
        notice: Callable[[str], None] | None = None,
        *,
        idle: float = DEFAULT_IDLE,
        keep_unlocked: bool = False,
        allow_test_parameters: bool = False,
    ) -> None:
        self._folder = folder
        self._notice = notice
        self._idle = idle
        self._keep_unlocked = keep_unlocked
        self._allow_test_parameters = allow_test_parameters
        self._device_key: bytes | None = None

    # ---- as every keychain ----

    def get(self, profile_key: str) -> str | None:
        """Return the text kept for the profile, or None.

        Raises:
            JournalLocked: there is one, and it needs the password.
            KeychainUnavailable: the lock is damaged.
        """
        del profile_key
        lock = self._load()
        if lock is None:
            return None
        key = self._device_key or self._open_key() or Unlocked(lock.name).use()
        if key is None:
            raise JournalLocked
        try:
            return open_kept(key, lock.kept, lock.context).decode()
        except (CryptoError, UnicodeDecodeError):
            # Left over from an earlier lock.
            self._device_key = None
            Unlocked(lock.name).end()
            raise JournalLocked from None

    def set(self, profile_key: str, value: str) -> None:
        """Keep ``value`` in place of what is kept, under the key that is there.

        Raises:
            JournalLocked: the journal was not unlocked.
        """
        del profile_key
        lock = self._load()
        key = self._key(lock)
        if lock is None or key is None:
            raise JournalLocked
        self._save(replace(lock, kept=seal_kept(key, value.encode(), lock.context)))

    def delete(self, profile_key: str) -> None:
        """Forget the keys, the lock and whatever holds it open."""
        del profile_key
        self.lock()
        self._folder.joinpath(LOCK_FILE).unlink(missing_ok=True)

    # ---- as this one alone ----

    @property
    def is_kept_unlocked(self) -> bool:
        """Whether the key lies beside the store."""
        return self._folder.joinpath(OPEN_FILE).exists()

    def enrol(self, context: LockContext, password: str, value: str) -> None:
        """Keep ``value`` under a new lock that ``password`` opens; what held an earlier one open ends.

        Args:
            context: whose lock it is.
            password: the account's.
            value: what to keep.
        """
        earlier = self._load_or_none()
        kept_unlocked = self._keep_unlocked or self.is_kept_unlocked
        if earlier is not None:
            Unlocked(earlier.name).end()
        key = new_device_key()
        lock = self._wrapped(context, password, key, seal_kept(key, value.encode(), context))
        self._save(lock)
        self._device_key = key
        if earlier is not None and earlier.security_key is not None and self._notice is not None:
            self._notice(
                "Your security key does not open the journal on this device any more, since this login changed its "
                "lock: lockleaf unlock --add-key."
            )
        if kept_unlocked:
            self.keep_unlocked()
            return
        Unlocked(lock.name).begin(key, idle=self._idle)
        if earlier is None and self._notice is not None:
            self._notice(
                "This system has no keychain, so your password opens the journal on this device. It is asked for again "
                f"after {round(self._idle / 60)} minutes without a command: see lockleaf unlock --help."
            )

    def change_password(self, password: str) -> None:
        """Have another password open the lock.

        Raises:
            JournalLocked: the journal was not unlocked.
        """
        lock = self._load()
        key = self._key(lock)
        if lock is None or key is None:
            raise JournalLocked
        left = Unlocked(lock.name).left()
        Unlocked(lock.name).end()
        changed = self._wrapped(lock.context, password, key, lock.kept)
        changed = replace(changed, security_key=lock.security_key)
        self._save(changed)
        if left is not None:
            Unlocked(changed.name).begin(key, idle=self._idle)

    def unlock(self, secret: str | bytes, *, idle: float | None = None) -> bool:
        """Open the lock for this program, and for a time for others.

        Args:
            secret: the account's password, or what the security key gives for its salt.
            idle: seconds without use after which it is locked again.

        Returns:
            Whether other programs find it open, too.

        Raises:
            WrongPassword: it does not open the lock.
            KeychainUnavailable: there is no lock, or it is damaged.
        """
        lock = self._load()
        if lock is None:
            raise KeychainUnavailable
        try:
            self._device_key = self._opened(lock, secret)
        except SealBroken:
            raise WrongPassword from None
        except CryptoError:
            raise KeychainUnavailable from None
        idle = self._idle if idle is None else idle
        return Unlocked(lock.name).begin(self._device_key, idle=idle, most=max(MOST, idle))

    @property
    def security_key(self) -> UnlockingKey | None:
        """The security key that opens the lock too, if there is one."""
        lock = self._load_or_none()
        return None if lock is None else lock.security_key

    def let_unlock(self, credential_id: bytes, salt: bytes, prf_output: bytes) -> None:
        """Have a security key open the lock beside the password, in place of one that did.

        It stays through a change of password or keys, which leave the device key alone; a new login draws that anew,
        and the security key has to be added again.

        Args:
            prf_output: what it gives for the salt; 32 bytes each.

        Raises:
            JournalLocked: the journal was not unlocked.
        """
        lock = self._load()
        key = self._key(lock)
        if lock is None or key is None:
            raise JournalLocked
        wrapped = wrap_by_passkey(key, prf_output, lock.context)
        by_key = UnlockingKey(credential_id=credential_id, salt=salt, wrapped=wrapped)
        self._save(replace(lock, security_key=by_key))

    def forget_security_key(self) -> None:
        """Have no security key open the lock any more."""
        lock = self._load()
        if lock is not None:
            self._save(replace(lock, security_key=None))

    def keep_unlocked(self) -> None:
        """Leave the key beside the store, until `lock`.

        Raises:
            JournalLocked: the journal was not unlocked.
        """
        key = self._key(self._load())
        if key is None:
            raise JournalLocked
        write_private(self._folder / OPEN_FILE, key)

    def lock(self) -> None:
        """Forget the key wherever it is, in this program too. The sealed one stays for the password."""
        lock = self._load_or_none()
        if lock is not None:
            Unlocked(lock.name).end()
        self._folder.joinpath(OPEN_FILE).unlink(missing_ok=True)
        self._device_key = None

    def left(self) -> float | None:
        """Return for how many seconds other programs find the journal open if nothing more is done."""
        lock = self._load_or_none()
        return None if lock is None else Unlocked(lock.name).left()

    def _wrapped(self, context: LockContext, password: str, key: bytes, kept: bytes) -> Lock:
        params = (kdf.CHEAPEST if self._allow_test_parameters else kdf.DEFAULT).new()
        wrapped = wrap_device_key(key, password, params, context, allow_test_parameters=self._allow_test_parameters)
        return Lock(
            name=secrets.token_hex(16),
            email=context.email,
            user_id=context.user_id,
            device_id=context.device_id,
            kdf=params,
            wrapped=wrapped,
            kept=kept,
        )

    def _opened(self, lock: Lock, secret: str | bytes) -> bytes:
        if isinstance(secret, bytes):
            if lock.security_key is None:
                raise SealBroken("no security key opens the lock")
            return unwrap_by_passkey(lock.security_key.wrapped, secret, lock.context)
        return unwrap_device_key(
            lock.wrapped,
            secret,
            lock.kdf,
            lock.context,
            allow_test_parameters=self._allow_test_parameters,
        )

    def _key(self, lock: Lock | None) -> bytes | None:
        if lock is None:
            return None
        return self._device_key or self._open_key() or Unlocked(lock.name).use()

    def _open_key(self) -> bytes | None:
        with contextlib.suppress(OSError):
            key = self._folder.joinpath(OPEN_FILE).read_bytes()
            return key if len(key) == 32 else None
        return None

    def _load(self) -> Lock | None:
        try:
            return Lock.read(self._folder.joinpath(LOCK_FILE).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, InvalidFile):
            raise KeychainUnavailable from None

    def _load_or_none(self) -> Lock | None:
        with contextlib.suppress(KeychainUnavailable):
            return self._load()
        return None

    def _save(self, lock: Lock) -> None:
        write_private(self._folder / LOCK_FILE, lock.written())
