"""The part of `Media` that needs the server, or a file that may be there alone: sending, fetching, sealing anew."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lockleaf.client.device.device import Device
from lockleaf.client.device.open_account import OpenAccount
from lockleaf.client.errors import UploadAlreadyRunning
from lockleaf.client.media.file_names import safe_name
from lockleaf.client.media.local_attachments import LocalAttachments
from lockleaf.client.media.pinned_stores import PinnedStores
from lockleaf.client.media.staging_folder import StagingFolder
from lockleaf.client.media.threads import Beat
from lockleaf.client.profile.private_files import full_disk_by_name
from lockleaf.client.records.attachments import Attachment, MediaObject
from lockleaf.client.records.edits import Edits
from lockleaf.client.records.progress import ProgressCallback
from lockleaf.lazy import late
from lockleaf.paths import StrPath

if TYPE_CHECKING:
    from lockleaf.client.media import downloads, media_rotation, object_store, sealed_files, transfers, uploads
else:
    # What is attached, listed and counted here needs no way to a server.
    downloads = late("lockleaf.client.media.downloads")
    media_rotation = late("lockleaf.client.media.media_rotation")
    object_store = late("lockleaf.client.media.object_store")
    sealed_files = late("lockleaf.client.media.sealed_files")
    transfers = late("lockleaf.client.media.transfers")
    uploads = late("lockleaf.client.media.uploads")

__all__ = ["ServerMedia"]

_AT_ONCE = 1024 * 1024


class ServerMedia(PinnedStores):
    """Attachments on their way to the server and back.

    Args:
        device: this device.
        sync: brings entries and attachments to the server.
    """

    def __init__(
        self, device: Device, *, sync: Callable[[ProgressCallback | None], Awaitable[media_rotation.Synced]]
    ) -> None:
        super().__init__(device)
        self._sync = sync

    async def pending_count(self) -> int:
        """Return how many files, thumbnails included, wait for the server to hear of them."""
        return await asyncio.to_thread(self._device.opened.store.media.count)

    async def resume(self, progress: ProgressCallback | None = None) -> transfers.MediaReport:
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
            return transfers.MediaReport()
        async with self._objects(session) as objects:
            uploader = uploads.Uploader(session.transport, objects, self._device.retry)
            edits = Edits(session.store, self._device.clock)
            carrier = transfers.Transfers(
                session.store, self._folder, session.transport, uploader, edits, self._device.clock
            )
            return await carrier.carry(progress)

    async def carried(self, progress: ProgressCallback | None = None, *, epoch: str) -> transfers.MediaReport:
        """Send what waits, as part of a sync; another program that does it already is left to it.

        Args:
            epoch: of the server's history. In another one than before the server may lack what it had.
        """
        sent = self._folder.sent
        try:
            if await asyncio.to_thread(sent.were_sent_before, epoch):
                await self._fetcher().queue_sent()
            report = await self.resume(progress)
        except UploadAlreadyRunning:
            return transfers.MediaReport(waiting=await self.pending_count())
        await asyncio.to_thread(sent.note_epoch, epoch)
        return report

    async def download(
        self,
        media: str | MediaObject,
        destination: StrPath | None = None,
        *,
        overwrite: bool = False,
        progress: ProgressCallback | None = None,
    ) -> Path:
        """Write an attachment, or its thumbnail, to a file, once age and both digests agree; return its path.

        Args:
            media: an object, or its id.
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
        attachment, media_object = await self._find(media)
        path = await asyncio.to_thread(
            _placed, None if destination is None else Path(destination), _file_name(attachment, media_object), overwrite
        )
        identities = self._device.opened.keyring.identities

        def place(sealed: Path, beat: Beat) -> None:
            downloads.opened(media_object, sealed, identities, path, overwrite=overwrite, beat=beat)

        await self._fetcher().open(media_object, place, progress)
        return path

    async def copy(
        self, media: str | MediaObject, file: IO[bytes], *, progress: ProgressCallback | None = None
    ) -> None:
        """Write an attachment, or its thumbnail, to an open file once it is known to be right: before that, no byte.

        Args:
            media: an object, or its id.
            file: takes the bytes, such as standard output.
            progress: as for `download`.

        Raises:
            As for `download`, and whatever ``file`` raises.
        """
        # As an entry names it: looking for it would open every entry.
        media_object = media if isinstance(media, MediaObject) else (await self._find(media))[1]
        identities = self._device.opened.keyring.identities

        def pass_on(sealed: Path, beat: Beat) -> None:
            # A file without a name: nothing of it stays, however this ends.
            with full_disk_by_name(), tempfile.TemporaryFile(dir=self._folder.path) as whole:
                downloads.unsealed(media_object, sealed, identities, whole, beat)
                whole.seek(0)
                shutil.copyfileobj(whole, file, _AT_ONCE)
                file.flush()

        await self._fetcher().open(media_object, pass_on, progress)

    async def keep_all(self, progress: ProgressCallback | None = None) -> sealed_files.KeptMedia:
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

    async def seal_anew(self, progress: ProgressCallback | None = None) -> media_rotation.MediaRotation:
        """Seal all attachments of the entries here anew that keys of before a rotation open.

        Each is fetched, sealed under the newest key, and sent under a new id; then its entry names it, and the old one
        is deleted at the server for good. It may be killed at any point: run again, it goes on where it was. It syncs
        on its way, and needs space for a portion of 64 MiB twice, or for the largest file.

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
        return await media_rotation.seal_all_anew(
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
        return await asyncio.to_thread(media_rotation.is_unfinished, self._device.opened.store)

    def sealed_file(self, media_object: MediaObject, came: Callable[[int], None]) -> AbstractAsyncContextManager[Path]:
        """Give the sealed file of an object within an ``async with``: the one that is here, or one that is fetched.

        Args:
            media_object: as an entry names it, or as the server lists it.
            came: told how many bytes of it are here.

        Raises:
            AttachmentAwaited, MediaDamaged, NotLoggedIn, ObjectStoreUnreachable, ObjectStoreRefused,
                InsecureObjectStore, StoreNotPinned, TransportError, ApiError, DiskFull: as for `download`.
        """
        return self._fetcher().sealed(media_object, came)

    async def is_here(self, media_object: MediaObject) -> bool:
        """Return whether the sealed file of an object is on this device, so that it opens without a server."""
        return await asyncio.to_thread(self._fetcher().is_here, media_object)

    async def _find(self, media: str | MediaObject) -> tuple[Attachment, MediaObject]:
        if isinstance(media, Attachment):
            return media, media  # as an entry names it; looking for it would open every entry
        given = media if isinstance(media, str) else media.media_id
        return await asyncio.to_thread(self._book(self._device.opened).find, given)

    # ---- what it stands on ----

    @property
    def _folder(self) -> StagingFolder:
        return StagingFolder(self._device.folder.media)

    def _fetcher(self) -> sealed_files.Fetcher:
        session = self._device.opened
        return sealed_files.Fetcher(session.store, self._folder, self._book(session), self._downloads, self._device.now)

    @asynccontextmanager
    async def _downloads(self) -> AsyncIterator[downloads.Downloader]:
        session = self._device.session
        async with self._objects(session) as objects:
            yield downloads.Downloader(session.transport, objects, self._folder, self._device.retry)

    def _book(self, session: OpenAccount) -> LocalAttachments:
        return LocalAttachments(session.store, Edits(session.store, self._device.clock))

    @asynccontextmanager
    async def _objects(self, session: OpenAccount) -> AsyncIterator[object_store.ObjectStoreClient]:
        objects = object_store.ObjectStoreClient(
            session.transport.server,
            origins=await asyncio.to_thread(self._device.memory.store_origins, session.profile.user_id),
            allow_insecure=session.profile.allow_insecure,
            http_transport=self._device.http_transport,
        )
        try:
            yield objects
        finally:
            await objects.aclose()


def _file_name(attachment: Attachment, media_object: MediaObject) -> str:
    name = safe_name(attachment.name, attachment.media_type)
    return name if media_object is attachment else f"{Path(name).stem}.thumbnail.webp"


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
