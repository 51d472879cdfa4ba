"""The SDK's front door: one profile, its account, its journal, and their synchronisation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from lockleaf.client.account.account import AccountService
from lockleaf.client.account.archive import Archive, fetch_archive
from lockleaf.client.account.choices import Choices
from lockleaf.client.account.key_checks import check_keys
from lockleaf.client.account.locking import Locking
from lockleaf.client.device.device import Device, utc_now
from lockleaf.client.journal.drafts import Drafts
from lockleaf.client.journal.export_notes import exports_of
from lockleaf.client.journal.exporters.exports import Exports
from lockleaf.client.journal.inbox import Inbox
from lockleaf.client.journal.journal import Journal
from lockleaf.client.journal.revisions import Revision, fetch_history, fetch_revision, replaced_here
from lockleaf.client.keychain.keychains import Keychain, PasswordKeychain, choose_keychain
from lockleaf.client.keychain.unlocked_key import DEFAULT_IDLE
from lockleaf.client.media.media import Media
from lockleaf.client.metrics import metrics
from lockleaf.client.metrics.summary import By, Stats
from lockleaf.client.metrics.sums import EncryptedSums, MetricsReport
from lockleaf.client.networks import Networks
from lockleaf.client.profile.profiles import Profile, ProfileFolder, default_home
from lockleaf.client.records.entries import ProgressCallback
from lockleaf.client.records.resealing import is_sealed_again
from lockleaf.client.search.indexer import Indexer
from lockleaf.client.search.listing import EntriesPage, fetch_entries
from lockleaf.client.search.selection import Selection
from lockleaf.client.search.server_search import ServerSearch
from lockleaf.client.store import LocalStore
from lockleaf.client.sync.differences import Choose
from lockleaf.client.sync.repair import Confirm, RepairReport, accept_history, repair, take_all
from lockleaf.client.sync.synchroniser import Synchroniser, SyncReport
from lockleaf.client.sync.watch import watch
from lockleaf.client.transport.retries import RetryPolicy

__all__ = ["Client"]


def _unheard(_sentence: str) -> None:
    """Nobody listens."""


class Client(Locking, Choices, Exports):
    """A journal on this device, and the account that carries it to others.

    Made by `Client.open`; closed by ``aclose`` or at the end of ``async with``.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._journal: tuple[LocalStore, Journal] | None = None
        self._inbox: tuple[LocalStore, Inbox] | None = None
        self.account = AccountService(device, sync=self.sync)
        self.media = Media(device, sync=self.sync)
        self.server_search = ServerSearch(device)

    @classmethod
    async def open(
        cls,
        home: Path | None = None,
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
            allow_test_parameters: key derivation may be far too cheap. For tests alone.

        Raises:
            WrongPassword: ``password`` does not open the journal.
            InvalidProfileName, ProfileDamaged: each as its name says. A journal that cannot be opened is told when it
                is asked for, since a login may be the cure.
        """
        folder = ProfileFolder(home or default_home(), profile)
        say = notice or _unheard
        if keychain is None:

            def locked_by_password() -> PasswordKeychain:
                return PasswordKeychain(
                    folder.path,
                    say,
                    idle=unlocked_for,
                    keep_unlocked=keep_unlocked,
                    allow_test_parameters=allow_test_parameters,
                )

            keychain = await asyncio.to_thread(choose_keychain, folder.path, say, locked_by_password)
        device = Device(
            folder,
            keychain,
            say,
            clock=clock,
            http_transport=http_transport,
            retry=retry or RetryPolicy(),
            allow_test_parameters=allow_test_parameters,
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
    def sealed_again(self) -> bool:
        """Whether everything that the server holds is sealed under the newest keys, as far as this device has seen.

        False after a rotation until the syncs behind it are through: until then the server still serves the rest
        under the old keys.

        Raises:
            NotLoggedIn: there is no account here.
        """
        return is_sealed_again(self._device.opened.store)

    @property
    def is_logged_in(self) -> bool:
        """Whether there is a session. Without one the journal still works here, unless its user logged out."""
        return self._device.is_logged_in

    @property
    def is_open(self) -> bool:
        """Whether the journal on this device is open."""
        return self._device.is_open

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
    def inbox(self) -> Inbox:
        """What arrived for the account and waits for a decision; see `journal` for what it raises."""
        store = self._device.opened.store
        if self._inbox is None or self._inbox[0] is not store:
            self._inbox = (store, Inbox(store, clock=self._device.clock))
        return self._inbox[1]

    @property
    def networks(self) -> Networks:
        """The social networks that are connected to the account; NotLoggedIn without a session."""
        return Networks(self._device.session.transport)

    @property
    def drafts(self) -> Drafts:
        """What was typed or piped on this device and is not in the journal; see `journal` for what it raises."""
        return Drafts(self._device.folder.drafts, self._device.opened.store, self._device.clock)

    async def fetch_archive(
        self,
        path: Path,
        progress: ProgressCallback | None = None,
        *,
        overwrite: bool = False,
        files: bool = True,
    ) -> Archive:
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
        return await fetch_archive(self._device.session.transport, path, progress, overwrite=overwrite, fetch=fetch)

    async def entries_page(
        self,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
        tag: str | None = None,
        mood: str | None = None,
        source: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> EntriesPage:
        """Ask the server for entries, newest first by the date that it knows, instead of this device's own.

        For a device that has not fetched everything. The server does not learn what an end-to-end encrypted account
        filters by; what it answers is opened here, and is not verified as `sync` verifies: it can leave entries out.

        Args:
            since, until: days, both inclusive. They are sorted out on this device, so a page can hold few of them.
            tag, mood, source: only entries that have it; case does not matter.
            cursor: where the page before ended.
            limit: at most so many, up to 500.

        Raises:
            NotLoggedIn: there is no session.
            TierRequired: the server holds no entries for this account.
            SealBroken: an entry is not what a device of the account sealed.
        """
        wanted = Selection.of(since=since, until=until, tag=tag, mood=mood, source=source)
        return await fetch_entries(self._device.session, wanted, cursor=cursor, limit=limit)

    async def history(self, entry_id: str, *, limit: int = 20, offline: bool = False) -> tuple[Revision, ...]:
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
        exported = await asyncio.to_thread(exports_of, store, entry.id)
        if offline:
            found = await asyncio.to_thread(replaced_here, store, entry.id)
        else:
            found = await fetch_history(self._device.session, entry.id, limit)
        return tuple(sorted((*found, *exported), key=lambda each: each.at, reverse=True))[:limit]

    async def revision(self, entry_id: str, number: str) -> Revision:
        """Return one state of an entry, as `history` numbers it; `Journal.restore` brings it back.

        Raises:
            EntryNotFound, RevisionMissing: there is no such entry, or no such revision of it any more.
            NotLoggedIn, HistoryForked, SealBroken, TransportError, ApiError: as for `history`.
        """
        entry = await self.journal.get(entry_id)
        for each in await asyncio.to_thread(replaced_here, self._device.opened.store, entry.id):
            if each.number == number:
                return each
        return await fetch_revision(self._device.session, entry.id, number)

    async def stats(
        self,
        metric: str = "word_count",
        *,
        by: By = "month",
        since: date | str | None = None,
        until: date | str | None = None,
        local: bool = False,
    ) -> Stats:
        """Return averages, variances and the trend of a metric, with the count of values behind each.

        The server adds up encrypted numbers of all devices and cannot read them; they are decrypted here, and what
        comes out stays here. It does not vouch for them: a server can answer with a wrong sum, and ``local`` shows it.

        Args:
            metric: ``word_count``, ``characters``, ``mood``, ``sentiment``, or one of the user's own.
            by: periods of a ``week`` (from Monday), a ``month`` or a ``year``.
            since, until: days, both inclusive.
            local: work it out from the entries on this device, without a server.

        Raises:
            NotLoggedIn: there is no account here, or without ``local`` no session.
            InvalidEntry: no metric can be called so, or a day is invalid.
            MetricsOff: no sums are kept for the account; see `count_metrics`.
            MetricsUnreadable: the account's devices cannot have made the server's sums.
        """
        return await metrics.stats(self._device, metric, by, since, until, local=local)

    async def count_metrics(self, on: bool = True, *, again: bool = False) -> MetricsReport:
        """Have the server keep encrypted sums of the account's metrics, or delete them, for all devices.

        What it learns is in which months entries lie, and which changes touched them: no value, count or sum.

        Args:
            on: count every entry from now on, those that are there included; False deletes what the server has.
            again: begin anew under a new key, although there are sums.

        Raises:
            NotLoggedIn: there is no session.
            TierRequired: the privacy tier holds no metrics.
            IntegrityError, TransportError, ApiError, LocalStoreError: as for `sync`, which is part of this.
        """
        return await metrics.count(self._device, self._synchroniser, on=on, again=again)

    async def sync_metrics(self) -> MetricsReport:
        """Send what changed to the account's sums, where the tier is ``analytics_sync`` and entries stay here.

        With ``full_sync`` it is part of each `sync`, which is what this does then.

        Raises:
            NotLoggedIn: there is no session.
            SyncAlreadyRunning: another program syncs this profile.
            IntegrityError, TransportError, ApiError, LocalStoreError: as for `sync`.
        """
        return await metrics.send(self._device, self._synchroniser)

    async def sync(self, progress: ProgressCallback | None = None, *, accept_restore: bool = False) -> SyncReport:
        """Fetch what other devices wrote, verify it, merge, and send what was written here; then its attachments.

        An attachment that cannot be sent now waits for the next sync, and the report says why.

        Args:
            progress: told how far it is.
            accept_restore: go on with a server that was restored from an older state.

        Raises:
            NotLoggedIn: there is no session.
            IntegrityError: its subclass says how the server's answer contradicts what this device knows.
            SyncAlreadyRunning: another program syncs this profile.
            TransportError, ApiError, LocalStoreError: each as its name says.
        """
        tally = metrics.tally(self._device)
        report = await self._synchroniser(tally).run(progress, accept_restore=accept_restore)
        await asyncio.to_thread(self._device.note_history)
        return replace(report, media=await self.media.carried(progress))

    async def repair(
        self,
        password: str | Callable[[], str],
        *,
        confirm: Confirm | None = None,
        choose: Choose | None = None,
        progress: ProgressCallback | None = None,
        again: bool = False,
    ) -> RepairReport:
        """Go on with a server whose history this device refused, and lose nothing.

        The present store is set aside whole, and stays until its user deletes it. A new login fills another one with
        what the server shows now, verified. Then both are compared record by record: what is missing is sent again as
        entries by the next `sync`, what differs is merged or kept as conflicts, and nothing is deleted. Stores that
        were set aside before, by a logout or for damage, are taken in too. Interrupted, it is called again and goes on.

        Args:
            password: the account's, or what gives it; asked for only where a new login is needed.
            confirm: told what the server shows beside what was verified, if it lacks something; False leaves everything
                as it is. Absent: it is accepted, except for `KeyringRolledBack`: the newer keys are written again
                under ``password``, which is an earlier one, and whoever knows it may get them from that server.
            choose: whether a difference is taken in; absent: all are. What is not chosen stays in the store set aside.
            progress: as for `sync`.
            again: set the present store aside although nothing is wrong with it.

        Raises:
            NotLoggedIn: there is no account here.
            WrongPassword: it is not the password.
            IntegrityError: what the server shows now does not verify either; the present store stays as it is.
            ServerRestored: ``confirm`` said no.
            KeyringRolledBack: it did, or is absent; the server has an older keyring.
            TransportError, ApiError, LocalStoreError: each as its name says; nothing was changed.
        """
        return await repair(
            self._device,
            password,
            lambda device: self._synchroniser(metrics.tally(device), device),
            confirm=confirm or accept_history,
            choose=choose or take_all,
            progress=progress,
            again=again,
        )

    async def _catch_up(self) -> None:
        await self._synchroniser(metrics.tally(self._device)).catch_up()

    def _synchroniser(self, tally: EncryptedSums, other: Device | None = None) -> Synchroniser:
        device = other or self._device
        session = device.session

        return Synchroniser(
            session.store,
            session.transport,
            user_id=str(session.profile.user_id),
            device_id=session.profile.device_id,
            check_keys=lambda: check_keys(device),
            # A server that may read has date and source anyway, and lists by them for clients that read through it.
            share_dates=session.profile.share_dates or session.profile.custody == "uce",
            # A server that may read has mood, tags and source anyway.
            hide_labels=session.profile.custody == "e2e",
            server_decides=session.profile.custody == "uce",
            clock=device.clock,
            tally=tally,
            indexing=Indexer(session.store, session.transport, blind=session.profile.custody == "e2e"),
        )

    def watch(self, *, every: float = 15.0) -> AsyncIterator[SyncReport]:
        """Sync, and again whenever there is something new here or on the server, until the caller stops.

        Args:
            every: seconds between two looks at what was written here, and between two polls while live events are
                not to be had.

        Raises:
            LockleafError: whatever waiting does not cure; a server that cannot be reached is waited for.
        """
        session = self._device.session
        return watch(self.sync, session.transport.events, self._pending_count, every=every)

    async def _pending_count(self) -> int:
        return await self.journal.pending_count() + await self.media.pending_count()
