"""Staying in step with the other devices, as a user asks for it: once, again and again, or after a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from lockleaf.client.account.key_checks import check_keys
from lockleaf.client.device.device import Device
from lockleaf.client.errors import LockleafError
from lockleaf.client.media.transfers import MediaReport
from lockleaf.client.metrics.metrics import encrypted_sums
from lockleaf.client.metrics.sums import EncryptedSums, MetricsReport
from lockleaf.client.records.progress import ProgressCallback
from lockleaf.client.records.resealing import is_sealed_again
from lockleaf.client.search.indexer import Indexer
from lockleaf.client.sync.differences import Choose
from lockleaf.client.sync.repair import Confirm, RepairReport, accept_history, repair, take_all
from lockleaf.client.sync.synchroniser import Synchroniser, SyncReport
from lockleaf.client.sync.watch import watch

__all__ = ["Sync", "sync_sums", "synchroniser_of"]


class Sync:
    """Synchronisation of one profile: called, it syncs once.

    Args:
        carry_media: sends what waits of attachments, behind a sync; told the epoch of the server's history.
        pending_count: counts the edits and attachments that wait to be sent.
    """

    def __init__(
        self,
        device: Device,
        *,
        carry_media: Callable[[ProgressCallback | None, str], Awaitable[MediaReport]],
        pending_count: Callable[[], Awaitable[int]],
    ) -> None:
        self._device = device
        self._carry_media = carry_media
        self._pending_count = pending_count

    async def __call__(self, progress: ProgressCallback | None = None, *, accept_restore: bool = False) -> SyncReport:
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
        sums = encrypted_sums(self._device)
        report = await synchroniser_of(self._device, sums).run(progress, accept_restore=accept_restore)
        await asyncio.to_thread(self._device.note_history)
        return replace(report, media=await self._carry_media(progress, report.epoch))

    async def catch_up(self) -> None:
        """Fetch and verify what is new at the server, and send nothing.

        Raises:
            NotLoggedIn: there is no session.
            IntegrityError, SyncAlreadyRunning, TransportError, ApiError, LocalStoreError: as for a sync.
        """
        await synchroniser_of(self._device, encrypted_sums(self._device)).catch_up()

    @property
    def sealed_again(self) -> bool:
        """Whether everything that the server holds is sealed under the newest keys, as far as this device has seen.

        False after a rotation until the syncs behind it are through: until then the server still serves the rest
        under the old keys.

        Raises:
            NotLoggedIn: there is no account here.
        """
        return is_sealed_again(self._device.opened.store)

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
        entries by the next sync, what differs is merged or kept as conflicts, and nothing is deleted. Stores that
        were set aside before, by a logout or for damage, are taken in too. Interrupted, it is called again and goes on.

        Args:
            password: the account's, or what gives it; asked for only where a new login is needed.
            confirm: told what the server shows beside what was verified, if it lacks something; False leaves everything
                as it is. Absent: it is accepted, except for `KeyringRolledBack`: the newer keys are written again
                under ``password``, which is an earlier one, and whoever knows it may get them from that server.
            choose: whether a difference is taken in; absent: all are. What is not chosen stays in the store set aside.
            progress: as for a sync.
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
            lambda device: synchroniser_of(device, encrypted_sums(device)),
            confirm=confirm or accept_history,
            choose=choose or take_all,
            progress=progress,
            again=again,
        )

    def watch(
        self,
        *,
        every: float = 15.0,
        told: Callable[[LockleafError | None], None] | None = None,
        now: asyncio.Event | None = None,
    ) -> AsyncIterator[SyncReport]:
        """Sync, and again whenever there is something new here or on the server, until the caller stops.

        Args:
            every: seconds between two looks at what was written here, and between two polls while live events are
                not to be had.
            told: called with None when a sync begins, and with the error where one fails.
            now: an event that the caller sets to have a sync at once; it is cleared when that begins.

        Raises:
            LockleafError: whatever waiting does not cure; a server that cannot be reached is waited for.
        """
        session = self._device.session

        async def sync() -> SyncReport:
            if told is not None:
                told(None)
            try:
                return await self()
            except LockleafError as error:
                if told is not None:
                    told(error)
                raise

        return watch(sync, session.transport.events, self._pending_count, every=every, now=now)


async def sync_sums(device: Device, sums: EncryptedSums) -> MetricsReport:
    """Sync with ``sums`` in place of those that are kept otherwise; see `Metrics`."""
    return (await synchroniser_of(device, sums).run()).metrics


def synchroniser_of(device: Device, sums: EncryptedSums | None) -> Synchroniser:
    """Return what synchronises a device that is logged in, and ``sums`` with it; None leaves them alone."""
    session = device.session
    opened_by_server = session.profile.opened_by_server
    return Synchroniser(
        session.store,
        session.transport,
        user_id=str(session.profile.user_id),
        device_id=session.profile.device_id,
        check_keys=lambda: check_keys(device),
        # A server that may read has date, source, mood and tags anyway, and lists by them for clients that read
        # through it.
        share_dates=session.profile.share_dates or opened_by_server,
        hide_labels=not opened_by_server,
        server_decides=opened_by_server,
        clock=device.clock,
        sums=sums,
        indexing=Indexer(session.store, session.transport, blind=not opened_by_server),
    )
