"""Attachments of the entries on this device: everything but fetching works without a server."""

from __future__ import annotations

import asyncio
import builtins
import errno
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import IO

from lockleaf.client.device.device import Device, OpenAccount
from lockleaf.client.errors import InvalidAttachment, NoSuchFile, UploadAlreadyRunning
from lockleaf.client.media.downloads import Downloader, opened, unsealed
from lockleaf.client.media.file_names import checked_type, clean_name, guessed_type, safe_name
from lockleaf.client.media.local_attachments import ListedAttachment, LocalAttachments
from lockleaf.client.media.media_rotation import MediaRotation, Synced, is_unfinished, seal_all_anew
from lockleaf.client.media.object_store import ObjectStoreClient
from lockleaf.client.media.pinned_stores import PinnedStores
from lockleaf.client.media.preparation import drafted
from lockleaf.client.media.sealed_files import Fetcher, KeptMedia
from lockleaf.client.media.staging_folder import StagingFolder
from lockleaf.client.media.threads import Beat, in_thread
from lockleaf.client.media.transfers import MediaReport, Transfers
from lockleaf.client.media.uploads import Uploader
from lockleaf.client.profile.private_files import full_disk_by_name
from lockleaf.client.records.attachments import Attachment, MediaObject
from lockleaf.client.records.edits import Edits
from lockleaf.client.records.progress import Progress, ProgressCallback

__all__ = ["Media"]

_AT_ONCE = 1024 * 1024


class Media(PinnedStores):
    """The attachments of one profile.

    Ids may be given by their first characters (at least 4, fitting one).

    Args:
        device: whose they are.
        sync: brings entries and attachments to the server.
    """

    def __init__(self, device: Device, *, sync: Callable[[ProgressCallback | None], Awaitable[Synced]]) -> None:
        super().__init__(device)
        self._sync = sync

    # ---- on this device ----

    async def attach(
        self,
        entry_id: str,
        path: Path,
        *,
        name: str | None = None,
        media_type: str | None = None,
        progress: ProgressCallback | None = None,
    ) -> Attachment:
        """Attach a file to an entry: sealed here, in the entry at once, and sent by the next `Client.sync`.

        The file is read as a stream, and not needed any more when this returns.

        Args:
            entry_id: of the entry.
            path: of the file.
            name: how it shall be called in the entry; as the file is, if absent.
            media_type: such as ``image/jpeg``; what its name stands for, if absent.
            progress: told of the stage ``seal``, in bytes.

        Raises:
            NotLoggedIn: there is no account here.
            EntryNotFound: there is no such entry.
            NoSuchFile, FileChanged, AttachmentTooLarge, TooManyAttachments: each as its name says.
            InvalidAttachment: name or type is invalid.
            EntryTooLarge: the entry has no room for it.
            DiskFull, StoreLocked, StoreDamaged: this device refused. Whatever fails, nothing is left behind.
        """
        session = self._device.opened
        book = self._book(session)
        known = await asyncio.to_thread(book.entry_id, entry_id)
        called, kind = _described(path, name, media_type)
        size = await asyncio.to_thread(_size, path)

        def moved(done: int) -> None:
            if progress is not None:
                progress(Progress("seal", done, size))

        return await in_thread(
            lambda beat: drafted(
                path,
                entry_id=known,
                name=called,
                media_type=kind,
                key=session.keyring.newest,
                folder=self._folder,
                now=self._device.now(),
                beat=beat,
                keep=book.enter,
            ),
            moved,
        )

    async def list(self, entry_id: str | None = None, *, deleted: bool = False) -> builtins.list[ListedAttachment]:
        """Return the attachments of an entry, or of all entries.

        Args:
            entry_id: of the entry.
            deleted: return instead those that were deleted on this device and can be restored.

        Raises:
            EntryNotFound: there is no such entry.
        """
        book = self._book(self._device.opened)
        if deleted:
            return await asyncio.to_thread(book.deleted)
        return await asyncio.to_thread(book.listed, entry_id)

    async def get(self, media_id: str) -> ListedAttachment:
        """Return an attachment by its id, or by that of its thumbnail.

        Raises:
            AttachmentNotFound: there is none.
        """
        return await asyncio.to_thread(self._get, media_id)

    async def medium(self, media_id: str) -> MediaObject:
        """Return an attachment or a thumbnail by its id.

        Raises:
            AttachmentNotFound: there is none.
        """
        return (await self._find(media_id))[1]

    async def delete(self, media_id: str) -> Attachment:
        """Take an attachment off its entry. The next `Client.sync` deletes it at the server, for good after 30 days.

        Raises:
            AttachmentNotFound: there is none.
        """
        return await asyncio.to_thread(self._book(self._device.opened).delete, media_id)

    async def delete_for_good(self, media_id: str) -> Attachment:
        """Take an attachment off its entry, or one that was deleted on this device, and let nobody bring it back.

        The next `Client.sync` deletes it at the server, and its room there is free. If another device has put it on its
        entry again in the meantime, the entry keeps it.

        Raises:
            AttachmentNotFound: there is none.
        """
        return await asyncio.to_thread(self._delete_for_good, media_id)

    def _delete_for_good(self, media_id: str) -> Attachment:
        book = self._book(self._device.opened)
        attachment = book.delete_for_good(media_id)
        # Another program that is sending it just now is about to tell the server of it; then the next sync deletes it.
        with suppress(UploadAlreadyRunning), self._folder.alone():
            for unsent in book.forget_unsent(attachment):
                self._folder.remove(unsent)
        return attachment

    async def restore(self, media_id: str) -> Attachment:
        """Bring back an attachment that was deleted on this device within the last 30 days.

        Raises:
            AttachmentNotFound: there is none.
            EntryNotFound: its entry is deleted.
        """
        return await asyncio.to_thread(self._book(self._device.opened).restore, media_id)

    async def pending_count(self) -> int:
        """Return how many files, thumbnails included, wait for the server to hear of them."""
        return await asyncio.to_thread(self._device.opened.store.media.count)

    # ---- with the server ----

    async def resume(self, progress: ProgressCallback | None = None) -> MediaReport:
        """Send what waits, as `Client.sync` does when the entries are in step.

        It may be killed at any point: run again, it sends what the store lacks of the very same bytes.

        Args:
            progress: told of the stage ``upload``, in bytes.

        Raises:
            NotLoggedIn: there is no session.
            UploadAlreadyRunning: another program does it.
            LocalStoreError: the local store refuses.
        """
        session = self._device.session
        if await asyncio.to_thread(session.store.media.is_empty):
            return MediaReport()
        async with self._objects(session) as objects:
            uploader = Uploader(session.transport, objects, self._device.retry)
            edits = Edits(session.store, self._device.clock)
            carrier = Transfers(session.store, self._folder, session.transport, uploader, edits, self._device.clock)
            return await carrier.carry(progress)

    async def carried(self, progress: ProgressCallback | None = None) -> MediaReport:
        """Send what waits, as part of a sync; another program that does it already is left to it."""
        try:
            return await self.resume(progress)
        except UploadAlreadyRunning:
            return MediaReport(waiting=await self.pending_count())

    async def download(
        self,
        media: str | MediaObject,
        destination: Path | None = None,
        *,
        overwrite: bool = False,
        progress: ProgressCallback | None = None,
    ) -> Path:
        """Write an attachment, or its thumbnail, to a file, once age and both digests agree; return its path.

        Args:
            media: a medium, or its id.
            destination: a file, or a folder in which the file gets a safe form of the attachment's name; the working
                folder if absent.
            overwrite: replace a file that is there.
            progress: told of the stages ``fetch`` and ``open``, in bytes.

        Raises:
            AttachmentNotFound: no entry here has it.
            AttachmentAwaited: the server does not have it.
            MediaDamaged: what the server has is not what was attached. Nothing was written.
            FileExistsError, FileNotFoundError: a file is there, or its folder is not.
            NotLoggedIn: it is not on this device, and there is no session.
            ObjectStoreUnreachable, ObjectStoreRefused, InsecureObjectStore, StoreNotPinned, TransportError,
                ApiError, DiskFull: each as its name says.
        """
        attachment, medium = await self._find(media)
        path = await asyncio.to_thread(_placed, destination, _file_name(attachment, medium), overwrite)
        identities = self._device.opened.keyring.identities

        def place(sealed: Path, beat: Beat) -> None:
            opened(medium, sealed, identities, path, overwrite=overwrite, beat=beat)

        await self._fetcher().open(medium, place, progress)
        return path

    async def copy(
        self, media: str | MediaObject, file: IO[bytes], *, progress: ProgressCallback | None = None
    ) -> None:
        """Write an attachment, or its thumbnail, to an open file once it is known to be right: before that, no byte.

        Args:
            media: a medium, or its id.
            file: takes the bytes, such as standard output.
            progress: as for `download`.

        Raises:
            As for `download`, and whatever ``file`` raises.
        """
        _, medium = await self._find(media)
        identities = self._device.opened.keyring.identities

        def pass_on(sealed: Path, beat: Beat) -> None:
            # A file without a name: nothing of it stays, however this ends.
            with full_disk_by_name(), tempfile.TemporaryFile(dir=self._folder.path) as whole:
                unsealed(medium, sealed, identities, whole, beat)
                whole.seek(0)
                shutil.copyfileobj(whole, file, _AT_ONCE)
                file.flush()

        await self._fetcher().open(medium, pass_on, progress)

    async def keep_all(self, progress: ProgressCallback | None = None) -> KeptMedia:
        """Fetch all files that only the server has, sealed as they are, to stay on this device.

        For when the server is about to give up what it holds. They open here as before, and the next `Client.sync`
        sends them again, if the server then wants them.

        Args:
            progress: told of the stage ``fetch``, in bytes.

        Raises:
            NotLoggedIn: there is no session.
            UploadAlreadyRunning: another program sends attachments of this profile.
            ObjectStoreUnreachable, ObjectStoreRefused, InsecureObjectStore, StoreNotPinned, TransportError,
                ApiError, DiskFull: each as its name says. What was fetched before stays.
        """
        return await self._fetcher().keep_all(progress)

    async def seal_anew(self, progress: ProgressCallback | None = None) -> MediaRotation:
        """Seal all attachments of the entries here anew that keys of before a rotation open.

        Each is fetched, sealed under the newest key, and sent under a new id; then its entry names it, and the old one
        is deleted at the server for good. It may be killed at any point: run again, it goes on where it was. It syncs
        on its way, and needs room for a portion of 64 MiB twice, or for the largest file.

        Files of deleted entries, and those that were taken off an entry, stay as they are until the server deletes
        them, at most 30 days later.

        Args:
            progress: told of the stage ``media``, in bytes, beside those of `Client.sync`.

        Raises:
            NotLoggedIn: there is no session.
            ObjectStoreUnreachable, ObjectStoreRefused, InsecureObjectStore, StoreNotPinned, DiskFull: each as its name
                says. What was sealed anew before stays so.
            IntegrityError, TransportError, ApiError, LocalStoreError: as for `Client.sync`.
        """
        session = self._device.session
        return await seal_all_anew(
            session.store,
            self._folder,
            self._book(session),
            self._fetcher(),
            self._sync,
            self._device.now,
            progress,
        )

    async def is_rotation_unfinished(self) -> bool:
        """Return whether a rotation on this device was to seal attachments anew, and may not have come to its end."""
        return await asyncio.to_thread(is_unfinished, self._device.opened.store)

    def sealed_file(self, medium: MediaObject, came: Callable[[int], None]) -> AbstractAsyncContextManager[Path]:
        """Give the sealed file of a medium within an ``async with``: the one that is here, or one that is fetched.

        Args:
            medium: as an entry names it, or as the server lists it.
            came: told how many bytes of it are here.

        Raises:
            AttachmentAwaited, MediaDamaged, NotLoggedIn, ObjectStoreUnreachable, ObjectStoreRefused,
                InsecureObjectStore, StoreNotPinned, TransportError, ApiError, DiskFull: as for `download`.
        """
        return self._fetcher().sealed(medium, came)

    async def is_here(self, medium: MediaObject) -> bool:
        """Return whether the sealed file of a medium is on this device, so that it opens without a server."""
        return await asyncio.to_thread(self._fetcher().is_here, medium)

    async def _find(self, media: str | MediaObject) -> tuple[Attachment, MediaObject]:
        if isinstance(media, Attachment):
            return media, media  # as an entry names it; looking for it would open every entry
        given = media if isinstance(media, str) else media.media_id
        return await asyncio.to_thread(self._book(self._device.opened).find, given)

    # ---- what it stands on ----

    @property
    def _folder(self) -> StagingFolder:
        return StagingFolder(self._device.folder.media)

    def _fetcher(self) -> Fetcher:
        session = self._device.opened
        return Fetcher(session.store, self._folder, self._book(session), self._downloads, self._device.now)

    @asynccontextmanager
    async def _downloads(self) -> AsyncIterator[Downloader]:
        session = self._device.session
        async with self._objects(session) as objects:
            yield Downloader(session.transport, objects, self._folder, self._device.retry)

    def _book(self, session: OpenAccount) -> LocalAttachments:
        return LocalAttachments(session.store, Edits(session.store, self._device.clock))

    def _get(self, media_id: str) -> ListedAttachment:
        book = self._book(self._device.opened)
        attachment, _ = book.find(media_id)
        return next(each for each in book.listed(attachment.entry_id) if each.attachment == attachment)

    @asynccontextmanager
    async def _objects(self, session: OpenAccount) -> AsyncIterator[ObjectStoreClient]:
        objects = ObjectStoreClient(
            session.transport.server,
            origins=await asyncio.to_thread(self._device.memory.store_origins, session.profile.user_id),
            allow_insecure=session.profile.allow_insecure,
            http_transport=self._device.http_transport,
        )
        try:
            yield objects
        finally:
            await objects.aclose()


def _described(path: Path, name: str | None, media_type: str | None) -> tuple[str, str]:
    try:
        called = clean_name(path.name if name is None else name)
        return called, guessed_type(called) if media_type is None else checked_type(media_type)
    except ValueError:
        raise InvalidAttachment from None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        raise NoSuchFile from None


def _file_name(attachment: Attachment, medium: MediaObject) -> str:
    name = safe_name(attachment.name, attachment.media_type)
    return name if medium is attachment else f"{Path(name).stem}.thumbnail.webp"


def _placed(destination: Path | None, name: str, overwrite: bool) -> Path:
    """Return the path of the file to write, once it is known that it can be one."""
    path = destination if destination is not None else Path()
    if path.is_dir():
        path = path / name
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    if path.is_dir() or (os.path.lexists(path) and not overwrite):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    return path
