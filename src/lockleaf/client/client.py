"""The client that a program opens: one profile, its account, its journal, and their synchronisation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lockleaf.client.account.locking import Locking
from lockleaf.client.device.clock import utc_now
from lockleaf.client.device.device import Device
from lockleaf.client.device.joining import finish_joining, has_moved
from lockleaf.client.device.key_places import Unlocking
from lockleaf.client.journal.drafts import Drafts
from lockleaf.client.journal.exporters.exports import Exports
from lockleaf.client.journal.journal import Journal
from lockleaf.client.keychain.keychains import Keychain, choose_keychain
from lockleaf.client.keychain.unlocked_key import DEFAULT_IDLE
from lockleaf.client.profile.profiles import Profile, ProfileFolder, default_home
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.progress import ProgressCallback
from lockleaf.client.store import LocalStore
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.client.transport.second_factor import SecondFactor
from lockleaf.lazy import late
from lockleaf.paths import StrPath
from lockleaf.wire.tiers import PrivacyTier

if TYPE_CHECKING:
    import httpx

    from lockleaf.client.account import account as accounts
    from lockleaf.client.account import archive, beginning, factors, networks, privacy
    from lockleaf.client.journal import export_notes, inbox, revisions
    from lockleaf.client.media import media, transfers
    from lockleaf.client.metrics import metrics
    from lockleaf.client.search import server_search
    from lockleaf.client.sync import sync, synchroniser
else:
    # To read and write the journal on this device takes none of these: each is loaded for who asks for it.
    httpx = late("httpx")
    accounts = late("lockleaf.client.account.account")
    archive = late("lockleaf.client.account.archive")
    beginning = late("lockleaf.client.account.beginning")
    factors = late("lockleaf.client.account.factors")
    networks = late("lockleaf.client.account.networks")
    privacy = late("lockleaf.client.account.privacy")
    export_notes = late("lockleaf.client.journal.export_notes")
    inbox = late("lockleaf.client.journal.inbox")
    revisions = late("lockleaf.client.journal.revisions")
    media = late("lockleaf.client.media.media")
    transfers = late("lockleaf.client.media.transfers")
    metrics = late("lockleaf.client.metrics.metrics")
    server_search = late("lockleaf.client.search.server_search")
    sync = late("lockleaf.client.sync.sync")

__all__ = ["Client"]


def _unheard(_sentence: str) -> None:
    """Nobody listens."""


class Client(Locking, Exports):
    """A journal on this device, and the account that carries it to others.

    Made by `Client.open`; closed by ``aclose`` or at the end of ``async with``.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._journal: tuple[LocalStore, Journal] | None = None
        self._inbox: tuple[LocalStore, inbox.Inbox] | None = None

    @classmethod
    async def open(
        cls,
        home: StrPath | None = None,
        profile: str = "default",
        *,
        keychain: Keychain | None = None,
        http_transport: httpx.AsyncBaseTransport | None = None,
        notice: Callable[[str], None] | None = None,
        clock: Callable[[], datetime] = utc_now,
        retry: RetryPolicy | None = None,
        password: str | Callable[[], str] | None = None,
        unlocked_for: float = DEFAULT_IDLE,
        keep_unlocked: bool = False,
        second_factor: SecondFactor | None = None,
        allow_test_parameters: bool = False,
    ) -> Client:
        """Open a profile; one that does not exist yet is empty until an account is registered or logged in.

        Args:
            home: the folder of all profiles; `default_home` if absent.
            profile: its name; profiles stand side by side, as devices do.
            keychain: where the local key is kept; if absent, in the system's, or sealed under the password.
            http_transport: replaces the network, for a server in the same process.
            notice: told, in sentences, what a person should hear.
            clock: gives the present time, with a zone.
            retry: how often and how fast a request is tried again.
            password: opens a journal that is locked, or is called to give the password, only where it is needed.
            unlocked_for: seconds without use after which a journal without a keychain is locked again.
            keep_unlocked: from the next login on, leave the key beside the journal instead: whoever copies the folder
                can read it.
            second_factor: answers where the server asks for the account's second factor, with the text of a code.
            allow_test_parameters: key derivation may be far too cheap. For tests alone.

        Raises:
            WrongPassword: ``password`` does not open the journal.
            InvalidProfileName: as its name says. A journal or profile that cannot be opened is told when it is asked
                for, since a login may be the cure.
        """
        folder = ProfileFolder(Path(home) if home else default_home(), profile)
        say = notice or _unheard
        await asyncio.to_thread(finish_joining, folder)
        unlocking = Unlocking(unlocked_for, keep_unlocked, allow_test_parameters)
        if keychain is None:
            keychain = await asyncio.to_thread(
                choose_keychain, folder.path, say, partial(unlocking.keychain, folder.path, say)
            )
        device = Device(
            folder,
            keychain,
            say,
            clock=clock,
            http_transport=http_transport,
            retry=retry or RetryPolicy(),
            second_factor=second_factor,
            allow_test_parameters=allow_test_parameters,
            unlocking=unlocking,
        )
        await device.load()
        client = cls(device)
        if password is not None and client.is_locked:
            try:
                await client.unlock(password if isinstance(password, str) else await asyncio.to_thread(password))
            except BaseException:
                await client.aclose()
                raise
        return client

    async def begin(self, *, device_name: str, password: str | None = None) -> None:
        """Begin a journal that has no account: it is sealed on this device, and nothing leaves it.

        `AccountService.register` makes it an account's later, with all that is in it.

        Args:
            device_name: how this device will be shown among the account's devices.
            password: opens the journal, where the system has no keychain. Without one its key then lies in a file
                beside it, which only its user can read, until there is an account.

        Raises:
            AlreadyLoggedIn: there is a journal here.
            DiskFull, KeychainUnavailable: as their names say.
        """
        await beginning.begin(self._device, device_name, password)

    async def aclose(self) -> None:
        """Close the store and the connections."""
        await self._device.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def profile(self) -> Profile | None:
        """What this device remembers of its account; None before the first login."""
        return self._device.profile

    @property
    def is_logged_in(self) -> bool:
        """Whether there is a session. Without one the journal still works here, unless its user logged out."""
        return self._device.is_logged_in

    @property
    def is_open(self) -> bool:
        """Whether the journal on this device is open."""
        return self._device.is_open

    @property
    def has_moved(self) -> bool:
        """Whether another program gave this journal an account since it was opened here: then open it anew.

        False for as long as that program, or this one, is not done with it.
        """
        return has_moved(self._device)

    @cached_property
    def sync(self) -> sync.Sync:
        """Synchronisation with the other devices."""
        return sync.Sync(self._device, carry_media=self._carry_media, pending_count=self._pending_count)

    @cached_property
    def account(self) -> accounts.AccountService:
        """The account: sign-up, login, password, recovery codes, devices."""
        return accounts.AccountService(self._device, sync=self.sync)

    @cached_property
    def factors(self) -> factors.Factors:
        """The second factors of the account."""
        return factors.Factors(self._device)

    @cached_property
    def privacy(self) -> privacy.PrivacyChoices:
        """What may leave this device."""
        return privacy.PrivacyChoices(self._device, catch_up=self.sync.catch_up, newest=self._newest)

    @cached_property
    def media(self) -> media.Media:
        """Files attached to entries."""
        return media.Media(self._device, sync=self._synced)

    @cached_property
    def metrics(self) -> metrics.Metrics:
        """Numbers of the journal, which a server adds up without reading them."""
        device = self._device
        return metrics.Metrics(device, sync=lambda sums: sync.sync_sums(device, sums), tier=self._tier)

    @cached_property
    def search(self) -> server_search.ServerSearch:
        """Search at the server."""
        return server_search.ServerSearch(self._device)

    @property
    def journal(self) -> Journal:
        """The entries on this device.

        Raises:
            JournalLocked: it wants the password first; see `unlock`.
            NotLoggedIn: there is no account here, or its user logged out.
            KeychainUnavailable: the key of the journal is not at hand.
            LocalStoreError: its subclass says why the journal could not be opened.
        """
        store = self._device.opened.store
        if self._journal is None or self._journal[0] is not store:
            self._journal = (store, Journal(store, clock=self._device.clock, media=self._device.folder.media))
        return self._journal[1]

    @property
    def inbox(self) -> inbox.Inbox:
        """What arrived for the account and waits for a decision; see `journal` for what it raises."""
        store = self._device.opened.store
        if self._inbox is None or self._inbox[0] is not store:
            self._inbox = (store, inbox.Inbox(store, clock=self._device.clock))
        return self._inbox[1]

    @property
    def networks(self) -> networks.Networks:
        """The social networks that are connected to the account; NotLoggedIn without a session."""
        return networks.Networks(self._device.session.transport)

    @property
    def drafts(self) -> Drafts:
        """What was typed or piped on this device and is not in the journal; see `journal` for what it raises."""
        return Drafts(self._device.folder.drafts, self._device.opened.store, self._device.clock)

    async def fetch_archive(
        self,
        path: StrPath,
        progress: ProgressCallback | None = None,
        *,
        overwrite: bool = False,
        files: bool = True,
    ) -> archive.Archive:
        """Write everything that the server holds of the account, as it holds it, to a ZIP file.

        What is sealed there is sealed in it; what is in it is described in the documentation, under archives.
        `lockleaf.client.export_archive` reads it without a server.

        Args:
            path: the file; written whole or not at all.
            progress: told how far the server is ("archive") and this device ("download", then "fetch" for files).
            overwrite: replace a file that is there.
            files: with the sealed bytes of attached files; those that the server cannot give are named.

        Raises:
            NotLoggedIn: there is no session.
            FileExistsError: a file is there.
            ArchiveNotBegun, DiskFull, InvalidAnswer, ApiError, TransportError: each as its name says.
        """
        fetch = self.media.sealed_file if files else None
        return await archive.fetch_archive(
            self._device.session.transport, Path(path), progress, overwrite=overwrite, fetch=fetch
        )

    async def history(self, entry_id: str, *, limit: int = 20, offline: bool = False) -> tuple[revisions.Revision, ...]:
        """Return what an entry held before and holds now, newest first: whatever was overwritten can be read again.

        Revisions come from the server, are opened here, and are compared with the history that this device verified.
        Texts that were replaced on this device before they were sent are among them, and exports that were noted.

        Args:
            entry_id: the entry's id, or its first characters.
            limit: at most so many.
            offline: only what is on this device.

        Raises:
            EntryNotFound: there is no such entry.
            NotLoggedIn: there is no session.
            HistoryForked, SealBroken: the server shows revisions that are not those of the account.
            TransportError, ApiError: it cannot be reached, or refuses.
        """
        entry = await self.journal.get(entry_id)
        store = self._device.opened.store
        exported = await asyncio.to_thread(export_notes.exports_of, store, entry.id)
        if offline:
            found = await asyncio.to_thread(revisions.replaced_here, store, entry.id)
        else:
            found = await revisions.fetch_history(self._device.session, entry.id, limit)
        return tuple(sorted((*found, *exported), key=lambda each: each.at, reverse=True))[:limit]

    async def revision(self, entry_id: str, number: str) -> revisions.Revision:
        """Return one state of an entry, as `history` numbers it; `Journal.restore` brings it back.

        Raises:
            EntryNotFound, RevisionMissing: there is no such entry, or no such revision of it any more.
            NotLoggedIn, HistoryForked, SealBroken, TransportError, ApiError: as for `history`.
        """
        entry = await self.journal.get(entry_id)
        for each in await asyncio.to_thread(revisions.replaced_here, self._device.opened.store, entry.id):
            if each.number == number:
                return each
        return await revisions.fetch_revision(self._device.session, entry.id, number)

    async def _pending_count(self) -> int:
        return await self.journal.pending_count() + await self.media.pending_count()

    async def _synced(self, progress: ProgressCallback | None) -> synchroniser.SyncReport:
        return await self.sync(progress)

    async def _carry_media(self, progress: ProgressCallback | None, epoch: str) -> transfers.MediaReport:
        return await self.media.carried(progress, epoch=epoch)

    async def _newest(self, count: int) -> list[Entry]:
        return await self.journal.list(limit=count)

    async def _tier(self) -> PrivacyTier:
        return (await self.privacy.tier()).current_tier
