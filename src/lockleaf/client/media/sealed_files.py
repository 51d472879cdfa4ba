"""Sealed files at hand: those that wait here for their upload, those that are fetched, those that are to stay."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from lockleaf.client.errors import AttachmentAwaited, MediaDamaged, MediaDeleted, ObjectStoreRefused
from lockleaf.client.media.downloads import Downloader
from lockleaf.client.media.local_attachments import LocalAttachments
from lockleaf.client.media.staging import ONE_PART, PART_BYTES, Part
from lockleaf.client.media.staging_folder import StagingFolder
from lockleaf.client.media.threads import Beat, in_thread
from lockleaf.client.records.attachments import Attachment, MediaObject, described
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.client.store import LocalStore
from lockleaf.client.store.media_queue import QueuedObject

__all__ = ["Fetcher", "KeptMedia"]

_BUFFER = 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeptMedia:
    """What is on this device now: files that are here, and the ids of those that the server could not give."""

    kept: int
    missing: tuple[str, ...]


class Fetcher:
    """Gives the sealed files of media.

    Args:
        store, folder, book: what is on this device.
        downloads: opens a way to the server's store.
        now: gives the present time as RFC 3339 text.
    """

    def __init__(
        self,
        store: LocalStore,
        folder: StagingFolder,
        book: LocalAttachments,
        downloads: Callable[[], contextlib.AbstractAsyncContextManager[Downloader]],
        now: Callable[[], str],
    ) -> None:
        self._store = store
        self._folder = folder
        self._book = book
        self._downloads = downloads
        self._now = now

    async def open(
        self, media_object: MediaObject, take: Callable[[Path, Beat], None], progress: ProgressCallback | None
    ) -> None:
        """Have ``take`` open the sealed file of an object in a thread, which is here or is fetched and then not needed.

        Args:
            progress: told of the stages ``fetch`` and ``open``, in bytes.
        """
        async with self.sealed(media_object, _telling(progress, "fetch", media_object.sealed_size)) as sealed:
            await in_thread(partial(take, sealed), _telling(progress, "open", media_object.size))

    def is_here(self, media_object: MediaObject) -> bool:
        """Return whether the sealed file of an object is on this device; blocks."""
        return self._staged(media_object) is not None

    async def keep_all(self, progress: ProgressCallback | None) -> KeptMedia:
        """Fetch what only the server has, and have it wait here as if it were to be sent.

        Args:
            progress: told of the stage ``fetch``, in bytes over all files.
        """
        named = await asyncio.to_thread(lambda: list(self._book.media()))
        absent = [
            (owner, media_object)
            for owner, media_object in named
            if await asyncio.to_thread(self._staged, media_object) is None
        ]
        total = sum(media_object.sealed_size or 0 for _, media_object in absent)
        done, missing = 0, []
        with self._folder.alone():
            for owner, media_object in absent:
                told = _telling(progress, "fetch", total, done)
                try:
                    async with self._downloads() as downloads, downloads.fetched(media_object, told) as sealed:
                        await in_thread(partial(self._keep, owner, media_object, sealed))
                except (AttachmentAwaited, MediaDamaged, MediaDeleted, ObjectStoreRefused):
                    missing.append(media_object.media_id)
                done += media_object.sealed_size or 0
        return KeptMedia(len(named) - len(missing), tuple(missing))

    async def queue_sent(self) -> None:
        """Have everything wait again that was sent from here and is still here: the server may lack it by now.

        What it has is told by the first request of each upload, and not sent.
        """
        named = await asyncio.to_thread(lambda: list(self._book.media()))
        with self._folder.alone():
            for owner, media_object in named:
                sent = await asyncio.to_thread(self._folder.sent.of, media_object.media_id)
                if sent is not None and await asyncio.to_thread(self._store.media.get, media_object.media_id) is None:
                    await in_thread(partial(self._keep, owner, media_object, sent))

    @asynccontextmanager
    async def sealed(self, media_object: MediaObject, came: Callable[[int], None]) -> AsyncIterator[Path]:
        """Give the sealed file of an object, which is here, or is fetched and then deleted.

        Args:
            came: told how many bytes of it are here.
        """
        staged = await asyncio.to_thread(self._staged, media_object)
        if staged is not None:
            yield staged
            return
        async with self._downloads() as downloads, downloads.fetched(media_object, came) as fetched:
            yield fetched

    def _staged(self, media_object: MediaObject) -> Path | None:
        """Return the sealed file of an object that waits here for its upload."""
        path = self._folder.of(media_object.media_id)
        return path if self._book.staged(media_object.media_id) is not None and path.exists() else None

    def _keep(self, owner: Attachment, media_object: MediaObject, sealed: Path, beat: Beat) -> None:
        """Let a sealed file that was fetched wait for its upload."""
        digest, parts = _measured(sealed, in_parts=media_object.size > ONE_PART, beat=beat)
        row = QueuedObject(
            media_object.media_id,
            owner.entry_id,
            "upload",
            self._now(),
            media_object.media_type,
            sealed.stat().st_size,
            digest,
            parts,
            described(owner) if media_object is owner else None,
            recipient=media_object.recipient,
        )
        sealed.replace(self._folder.of(media_object.media_id))
        known = self._store.media.get(media_object.media_id)
        self._store.media.put([row if known is None else replace(row, announced=known.announced)])


def _telling(
    progress: ProgressCallback | None, stage: str, total: int | None, before: int = 0
) -> Callable[[int], None]:
    def moved(done: int) -> None:
        if progress is not None:
            progress(Progress(stage, before + done, total))

    return moved


def _measured(sealed: Path, *, in_parts: bool, beat: Beat) -> tuple[bytes, tuple[Part, ...]]:
    """Return the digest of a sealed file, and the parts in which it is sent, as when it was sealed."""
    whole, part = sha256(), sha256()
    size = done = 0
    parts: list[Part] = []
    with sealed.open("rb") as file:
        while piece := file.read(min(_BUFFER, PART_BYTES - size)):
            whole.update(piece)
            part.update(piece)
            size, done = size + len(piece), done + len(piece)
            if size == PART_BYTES:
                parts.append((size, part.digest()))
                size, part = 0, sha256()
            beat(done)
    if size:
        parts.append((size, part.digest()))
    return whole.digest(), tuple(parts) if in_parts else ()
