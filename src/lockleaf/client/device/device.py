"""One profile, open: its folder, its keychain, its local store, and the way to its server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lockleaf.client.device.clock import utc_now
from lockleaf.client.device.key_places import Unlocking, keep_keys
from lockleaf.client.device.open_account import Connection, OpenAccount
from lockleaf.client.device.orphans import described, keep_orphan
from lockleaf.client.errors import (
    AlreadyLoggedIn,
    JournalLocked,
    KeychainUnavailable,
    KeyringRolledBack,
    LocalError,
    LocalStoreError,
    NotLoggedIn,
    ProfileNotFound,
    SignedOut,
    StoreDamaged,
)
from lockleaf.client.keychain.keychains import Keychain, pack_local_keys, unpack_local_keys
from lockleaf.client.keychain.password_keychain import PasswordKeychain
from lockleaf.client.profile.profiles import Profile, ProfileFolder
from lockleaf.client.store import LocalStore, local_keys
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.client.transport.second_factor import SecondFactor
from lockleaf.client.transport.tokens import SecretTokens, SessionTokens, TokenStore
from lockleaf.crypto.keyring import Keyring
from lockleaf.lazy import late

if TYPE_CHECKING:
    import httpx

    from lockleaf.client.device import rollback_memory
    from lockleaf.client.transport import http
else:
    # Most that is done on a device is done without a server.
    httpx = late("httpx")
    rollback_memory = late("lockleaf.client.device.rollback_memory")
    http = late("lockleaf.client.transport.http")

__all__ = ["Device"]


@dataclass
class Device:
    """This device, as far as one profile knows it.

    Args:
        folder: where the profile is.
        keychain: where the keys of the local store are.
        notice: told what a person should hear, in sentences.
        clock: gives the present time, in UTC.
        http_transport: replaces the network.
        allow_test_parameters: key derivation may be far too cheap.
        retry: how often and how fast a request is tried again.
        second_factor: answers where a server asks for the account's second factor.
        unlocking: for how long a journal that is put under a password stays open.
    """

    folder: ProfileFolder
    keychain: Keychain
    notice: Callable[[str], None]
    clock: Callable[[], datetime] = utc_now
    http_transport: httpx.AsyncBaseTransport | None = None
    allow_test_parameters: bool = False
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    second_factor: SecondFactor | None = None
    unlocking: Unlocking = field(default_factory=Unlocking)
    profile: Profile | None = None
    _opened: OpenAccount | None = None
    _trouble: LocalError | None = None

    @property
    def memory(self) -> rollback_memory.MemoryFolder:
        """What is remembered of accounts against rollback, whatever becomes of the store."""
        return rollback_memory.MemoryFolder(self.folder.memory)

    def now(self) -> str:
        """Return the present time as RFC 3339 text."""
        return self.clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def connect(self, server: str, tokens: TokenStore, *, allow_insecure: bool = False) -> http.Transport:
        """Return a way to ``server`` for the session whose tokens are in ``tokens``.

        Raises:
            InvalidServerAddress: the URL is invalid.
            InsecureServer: plain http to another machine.
        """
        return http.Transport(
            server,
            tokens=tokens,
            http_transport=self.http_transport,
            allow_insecure=allow_insecure,
            retry=self.retry,
            second_factor=self.second_factor,
        )

    # ---- what is open ----

    async def load(self) -> None:
        """Open what the profile's folder holds, as far as the keychain has its key.

        What cannot be opened or read is told to who asks for it, not here: a login may be just the cure.
        """
        await asyncio.to_thread(self.folder.finish_exchange)
        self.profile, self._trouble = described(self.folder)
        if self.profile is None or not self.folder.store.exists():
            return
        try:
            kept = await asyncio.to_thread(self.keychain.get, self.profile.keychain_entry)
            if kept is not None:
                store = await asyncio.to_thread(LocalStore.open, self.folder.store, unpack_local_keys(kept))
                self._open(self.profile, store)
        except (LocalStoreError, KeychainUnavailable, JournalLocked) as error:
            self._trouble = error

    @property
    def is_locked(self) -> bool:
        """Whether there is a journal here that wants the password before it opens."""
        return isinstance(self._trouble, JournalLocked)

    async def unlock(self, secret: str | bytes, *, idle: float | None = None) -> bool:
        """Open the journal with the account's password, as it was when this device last logged in or changed it.

        Args:
            secret: the account's password, or what the security key gives that may open it, too.
            idle: seconds without a command after which it is locked again.

        Returns:
            Whether it stays open for other programs for a time.

        Raises:
            WrongPassword: it does not open it.
            KeychainUnavailable, LocalStoreError: as for `opened`.
        """
        if not isinstance(self.keychain, PasswordKeychain):
            return False
        kept = await asyncio.to_thread(self.keychain.unlock, secret, idle=idle)
        if not self.is_open:
            self._trouble = None
            await self.load()
        return kept

    async def lock(self) -> None:
        """Close the journal, and forget its key until the password is given."""
        if isinstance(self.keychain, PasswordKeychain):
            await self._close_opened()
            await asyncio.to_thread(self.keychain.lock)
            self._trouble = JournalLocked() if self.folder.store.exists() else None

    @property
    def opened(self) -> OpenAccount:
        """What is open.

        Raises:
            NotLoggedIn: there is no profile, or its user logged out.
            JournalLocked: it wants the password first.
            KeychainUnavailable: there is a journal here whose key is not at hand.
            LocalStoreError, ProfileDamaged: the store or the profile could not be opened.
        """
        if self._opened is None:
            if self._trouble is not None:
                raise self._trouble
            raise NotLoggedIn if self.profile is None or self.profile.logged_out else KeychainUnavailable
        return self._opened

    @property
    def is_open(self) -> bool:
        """Whether the local store is open."""
        return self._opened is not None

    @property
    def is_logged_in(self) -> bool:
        """Whether the store is open and holds a session's tokens."""
        return self._opened is not None and self._opened.tokens.load() is not None

    @property
    def session(self) -> OpenAccount:
        """What is open, with a session.

        Raises:
            NotLoggedIn: there is no session; `SignedOut` where there was one.
            JournalLocked, KeychainUnavailable, LocalStoreError: it is in the journal, which does not open.
        """
        opened = self.opened
        if opened.tokens.load() is None:
            raise SignedOut if self.profile is not None and self.profile.has_account else NotLoggedIn
        return opened

    # ---- changes ----

    def require_vacant(self) -> None:
        """Raise AlreadyLoggedIn where the profile belongs to an account, logged in or not."""
        if self.profile is not None and not self.profile.is_local:
            raise AlreadyLoggedIn

    def begin(self, profile: Profile, store: LocalStore) -> None:
        """Take a new store, whose key is kept, for a journal that has no account yet."""
        self._open(profile, store)
        self.folder.save(profile)
        self.profile = profile

    async def adopt(
        self,
        profile: Profile,
        keyring: Keyring,
        tokens: SessionTokens,
        password: str | None = None,
        *,
        older: bool = False,
    ) -> None:
        """Take over an account that has just logged in.

        A store of the same account that is there already is kept with everything in it, edits that were never sent
        included; the password brings back the keys that open it. A damaged one is put aside, and a new one begun.

        Args:
            profile: what to remember of the account.
            keyring: the account's keyring.
            tokens: the new session's.
            password: what opens the journal from now on, where there is no keychain.
            older: the keyring may be an older one than this device has seen.

        Raises:
            StoreLocked, DiskFull: the local store cannot be used.
            KeyringRolledBack: this device has seen a newer keyring, or the store that is there knows keys that
                ``keyring`` lacks.
            KeychainUnavailable: the keychain does not take the key.
        """
        remembered = await asyncio.to_thread(self.memory.of_account, profile.user_id)
        if not older and remembered is not None and profile.keyring_version < remembered.keyring_version:
            raise KeyringRolledBack
        await self._close_opened()
        self.folder.make()
        if self.profile is None:
            await asyncio.to_thread(keep_orphan, self.folder, self.clock(), self.notice, keyring)
        await keep_keys(self, profile, pack_local_keys(local_keys(keyring)), password)
        store = await asyncio.to_thread(self._reopen, keyring)
        is_new = store is None or (self.profile is not None and self.profile.is_local)
        if store is None:
            store = await asyncio.to_thread(LocalStore.create, self.folder.store, keyring)
        if is_new:
            await asyncio.to_thread(self.memory.seed, profile, store)
        self._open(profile, store)
        self.opened.tokens.save(tokens)
        self.remember(profile)

    async def adopt_keyring(self, keyring: Keyring) -> None:
        """Write under the newest key of ``keyring`` from now on.

        The keychain learns the new key before the store is sealed under it, so that a crash at any point leaves a
        store whose key is at hand.
        """
        store, entry = self.opened.store, self.opened.profile.keychain_entry
        keys = local_keys(store.keyring) | local_keys(keyring)
        await asyncio.to_thread(self.keychain.set, entry, pack_local_keys(keys))
        await asyncio.to_thread(store.rekey, keyring)

    async def change_password(self, password: str) -> None:
        """Have another password open the journal from now on, where there is no keychain."""
        if isinstance(self.keychain, PasswordKeychain):
            await asyncio.to_thread(self.keychain.change_password, password)

    def remember(self, profile: Profile) -> None:
        """Keep ``profile`` in place of the present one."""
        self.folder.save(profile)
        self.memory.note_account(profile)
        self.profile = profile
        if self._opened is not None:
            self._opened = replace(self._opened, profile=profile)

    async def leave(self) -> None:
        """Forget tokens and local key; the sealed store stays for the next login."""
        if self._opened is not None:
            self._opened.tokens.clear()
        if self.profile is not None:
            self.remember(replace(self.profile, logged_out=True))
        await self._close_opened()
        self._trouble = None
        if self.profile is not None:
            await asyncio.to_thread(self.keychain.delete, self.profile.keychain_entry)

    def note_history(self) -> None:
        """Remember, outside the store, where the history ended that was verified last."""
        opened = self.opened
        self.memory.note_history(opened.profile, opened.store)

    async def forget(self, *, keep: bool = False) -> Path | None:
        """Delete everything that this profile holds on this machine, but what it remembers against rollback.

        Args:
            keep: set the store aside instead of deleting it.

        Returns:
            Where the store is that was set aside, if one was.
        """
        with suppress(KeychainUnavailable):
            await self.leave()
        aside = None
        if keep and self.folder.store.exists():
            aside = await asyncio.to_thread(self.folder.set_store_aside, self.clock())
        with suppress(ProfileNotFound):
            self.folder.remove()
        self.profile = self._trouble = None
        return aside

    async def aclose(self) -> None:
        """Close the store and the connections."""
        await self._close_opened()

    def _reopen(self, keyring: Keyring) -> LocalStore | None:
        """Open the account's store that is there under ``keyring``; None where there is none that can be opened."""
        if not self.folder.store.exists():
            return None
        try:
            store = LocalStore.open(self.folder.store, local_keys(keyring))
        except StoreDamaged:
            aside = self.folder.set_store_aside(self.clock(), damaged=True)
            self.notice(
                f"The journal on this device is damaged. It was set aside as {aside}, and is fetched anew. "
                "lockleaf repair takes in what can still be read of it."
            )
            return None
        if not keyring.extends(store.keyring):
            store.close()
            raise KeyringRolledBack
        if store.keyring != keyring:
            store.rekey(keyring)
        return store

    def _open(self, profile: Profile, store: LocalStore) -> None:
        tokens = SecretTokens(store, self.folder.path / "tokens.lock")
        connection = Connection(lambda: self.connect(profile.server, tokens, allow_insecure=profile.allow_insecure))
        self._trouble = None
        self._opened = OpenAccount(profile, store, tokens, connection)

    async def _close_opened(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.connection.aclose()
            opened.store.close()
