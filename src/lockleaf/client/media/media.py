"""Attachments of the entries on this device: attached, listed, deleted and brought back without a server."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import AsyncIterable
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from lockleaf.client.errors import AttachmentTooLarge, InvalidAttachment, NoSuchFile, UploadAlreadyRunning
from lockleaf.client.media.file_names import checked_type, clean_name, guessed_type
from lockleaf.client.media.local_attachments import ListedAttachment
from lockleaf.client.media.preparation import drafted, drafted_from
from lockleaf.client.media.server_media import ServerMedia
from lockleaf.client.media.spool import Spool
from lockleaf.client.media.staging import MAX_BYTES
from lockleaf.client.media.staging_folder import staging
from lockleaf.client.media.threads import Beat, in_thread
from lockleaf.client.profile.private_files import make_private_folder
from lockleaf.client.records.attachments import Attachment, MediaObject
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.paths import StrPath

__all__ = ["Media"]


class Media(ServerMedia):
    """The attachments of one profile.

    Ids may be given by their first characters (at least 4, fitting one).
    """

    async def attach(
        self,
        entry_id: str,
        path: StrPath,
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
        path = Path(path)
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

    async def attach_stream(
        self, entry_id: str, pieces: AsyncIterable[bytes], *, name: str, media_type: str | None = None
    ) -> Attachment:
        """Attach what comes piece by piece; on this device it is never in the clear, not even on the way.

        Args:
            pieces: the bytes.
            name, media_type: as for `attach`.

        Raises:
            As `attach` does, and whatever ``pieces`` raises. Whatever fails, nothing is left behind.
        """
        session = self._device.opened
        book, folder = self._book(session), self._folder
        known = await asyncio.to_thread(book.entry_id, entry_id)
        called, kind = _described(Path(name), name, media_type)
        make_private_folder(folder.path)
        with Spool(folder.path) as spool:
            async for piece in pieces:
                await asyncio.to_thread(spool.append, piece)
                if spool.size > MAX_BYTES:
                    raise AttachmentTooLarge

            def enter(beat: Beat) -> Attachment:
                with staging(folder) as begun:
                    draft = drafted_from(
                        cast(IO[bytes], spool), spool.size, begun, entry_id=known, name=called, media_type=kind,
                        key=session.keyring.newest, now=self._device.now(), beat=beat,
                    )  # fmt: skip
                    return book.enter(draft)

            return await in_thread(enter)

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
            AttachmentNotFound: there is no such attachment.
        """
        return await asyncio.to_thread(self._get, media_id)

    async def get_object(self, media_id: str) -> MediaObject:
        """Return an attachment or a thumbnail by its id.

        Raises:
            AttachmentNotFound: there is no such attachment.
        """
        return (await self._find(media_id))[1]

    async def delete(self, media_id: str) -> Attachment:
        """Take an attachment off its entry. The next `Client.sync` deletes it at the server, for good after 30 days.

        Raises:
            AttachmentNotFound: there is no such attachment.
        """
        return await asyncio.to_thread(self._book(self._device.opened).delete, media_id)

    async def delete_for_good(self, media_id: str) -> Attachment:
        """Take an attachment off its entry, or one that was deleted on this device, and let nobody bring it back.

        The next `Client.sync` deletes it at the server, and frees its bytes there. If another device has put it on its
        entry again in the meantime, the entry keeps it.

        Raises:
            AttachmentNotFound: there is no such attachment.
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
            AttachmentNotFound: there is no such attachment.
            EntryNotFound: its entry is deleted.
        """
        return await asyncio.to_thread(self._book(self._device.opened).restore, media_id)

    def _get(self, media_id: str) -> ListedAttachment:
        book = self._book(self._device.opened)
        attachment, _ = book.find(media_id)
        return next(each for each in book.listed(attachment.entry_id) if each.attachment == attachment)


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
