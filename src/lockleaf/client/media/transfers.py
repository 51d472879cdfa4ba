"""Carrying to the server what waits here of attachments: uploads, deletions and restorations, each until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from lockleaf.client.errors import (
    ApiError,
    LockleafError,
    NotFound,
    ObjectStoreRefused,
    ObjectStoreUnreachable,
    TooLargeForProxy,
)
from lockleaf.client.media.attachment_resealing import take_place
from lockleaf.client.media.staging_folder import StagingFolder
from lockleaf.client.media.uploads import Uploader
from lockleaf.client.records.attachment_states import reconcile
from lockleaf.client.records.edits import Edits
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.client.store import LocalStore
from lockleaf.client.store.media_queue import MediaState, QueuedObject
from lockleaf.client.store.records import ENTRIES
from lockleaf.client.transport.http import Transport
from lockleaf.wire.media import Media

__all__ = ["MediaRefusal", "MediaReport", "Transfers"]

LOST = "staged_file_lost"
"""Stands among the codes of refusals for an upload whose sealed file is gone from this device."""

_KEPT = timedelta(days=30)
"""As long as the server keeps what was deleted, this device remembers what it was."""
_PIECES_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class MediaRefusal:
    """An attachment that the server refused, and the code with which it did. It is kept here, and tried again.

    ``needed``, ``used`` and ``limit`` are bytes, where it refused for the quota and told them.
    """

    media_id: str
    code: str
    needed: int | None = None
    used: int | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class MediaReport:
    """What became of the attachments that waited.

    ``uploaded``, ``deleted`` and ``restored`` count media, thumbnails included; ``waiting`` still wait (refused ones
    too); ``trouble`` is why not all of them were tried, such as a store that cannot be reached.
    """

    uploaded: int = 0
    deleted: int = 0
    restored: int = 0
    waiting: int = 0
    refused: tuple[MediaRefusal, ...] = ()
    trouble: LockleafError | None = None


class Transfers:
    """Works off what waits, oldest first.

    Args:
        store, folder: what waits, and its sealed bytes.
        transport: the conversation with the server.
        uploader: sends bytes.
        edits: by which what was sealed anew takes its place in an entry.
        now: gives the present time, with a zone.
    """

    def __init__(
        self,
        store: LocalStore,
        folder: StagingFolder,
        transport: Transport,
        uploader: Uploader,
        edits: Edits,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._folder = folder
        self._edits = edits
        self._transport = transport
        self._uploader = uploader
        self._now = now

    async def carry(self, progress: ProgressCallback | None = None) -> MediaReport:
        """Do what can be done now. It may be killed at any point: run again, it goes on where it was.

        Args:
            progress: told of the stage ``upload``, in bytes over all files that wait.

        Raises:
            UploadAlreadyRunning: another process does it.
            LocalStoreError: the local store refuses.
        """
        with self._folder.alone():
            await asyncio.to_thread(self._clean)
            waiting = await asyncio.to_thread(self._store.media.in_state, "upload", "delete", "restore")
            told = _Told(progress, sum(each.sealed_size for each in waiting if each.state == "upload"))
            counts: dict[str, int] = {"upload": 0, "delete": 0, "restore": 0}
            refused: list[MediaRefusal] = []
            trouble: LockleafError | None = None
            too_large: int | None = None
            for media_object in waiting:
                if too_large is not None and media_object.state == "upload" and media_object.sealed_size >= too_large:
                    continue
                try:
                    counts[media_object.state] += await self._one(media_object, told)
                except ApiError as error:
                    if not _is_final(error):
                        trouble = error
                        break
                    refused.append(_refusal(media_object.media_id, error))
                    await asyncio.to_thread(self._store.media.refuse, media_object.media_id, error.code)
                except _StagedFileLost:
                    refused.append(MediaRefusal(media_object.media_id, LOST))
                    await asyncio.to_thread(self._store.media.refuse, media_object.media_id, LOST)
                except (ObjectStoreRefused, TooLargeForProxy) as error:
                    trouble = error  # of this one; the store takes others
                except ObjectStoreUnreachable as error:
                    if isinstance(trouble, ObjectStoreUnreachable):
                        break
                    # What hangs up on a large file may take a smaller one.
                    trouble, too_large = error, media_object.sealed_size
                except LockleafError as error:
                    trouble = error
                    break
            left = await asyncio.to_thread(self._store.media.count)
        return MediaReport(counts["upload"], counts["delete"], counts["restore"], left, tuple(refused), trouble)

    def _clean(self) -> None:
        now = self._now()
        reconcile(self._store.media, self._store.records, self._store.conflicts, _text(now))
        for media_id in self._store.media.forget_deleted(_text(now - _KEPT)):
            self._folder.remove(media_id)
        self._folder.clean(self._store.media.known, older_than=(now - _PIECES_KEPT).timestamp())
        self._folder.sent.clean(now.timestamp())

    async def _one(self, media_object: QueuedObject, told: _Told) -> bool:
        """Do what waits for one object; return whether it is done."""
        if media_object.state == "delete":
            return await self._delete(media_object)
        if media_object.state == "restore":
            restored = await self._restore(media_object)
            if restored is None:
                return True
            media_object = restored
        return await self._upload(media_object, told)

    async def _upload(self, media_object: QueuedObject, told: _Told) -> bool:
        path = self._folder.of(media_object.media_id)
        if not await asyncio.to_thread(_has_size, path, media_object.sealed_size):
            raise _StagedFileLost
        with told.share():
            await self._uploader.upload(
                media_object, path, told.move, lambda: self._store.media.announce(media_object.media_id, True)
            )
        return await asyncio.to_thread(self._uploaded, media_object)

    def _uploaded(self, media_object: QueuedObject) -> bool:
        """Let the sealed file wait no more, unless its user deleted the attachment in the meantime."""
        with self._store.transaction():
            if not self._store.media.settle(media_object, None, self._time()):
                return False
            forgotten = []
            if media_object.replaces is not None:
                forgotten += take_place(self._store, self._edits, media_object)
        self._folder.sent.keep(media_object.media_id, self._folder.of(media_object.media_id))
        for media_id in forgotten:
            self._folder.remove(media_id)
        return True

    def _entry_waits(self, media_object: QueuedObject) -> bool:
        """Tell whether the server may still have the entry as it was before it named another file in the place of this.

        Until it has, no other device knows that one.
        """
        record = self._store.records.get(ENTRIES, media_object.entry_id)
        return media_object.after_entry and record is not None and record.pending

    async def _delete(self, media_object: QueuedObject) -> bool:
        if await asyncio.to_thread(self._entry_waits, media_object):
            return False
        with suppress(NotFound):  # it never arrived, or is gone already
            await self._transport.command(
                "DELETE",
                f"/media/{media_object.media_id}",
                params={"for_good": True} if media_object.for_good else None,
            )
        if not media_object.for_good:
            return await self._settle(media_object, "deleted")
        done = await self._settle(media_object, None)
        if done:
            self._folder.remove(media_object.media_id)
        return done

    async def _restore(self, media_object: QueuedObject) -> QueuedObject | None:
        """Bring an object back; return what is then still to be uploaded, None if nothing is."""
        here = self._folder.of(media_object.media_id).exists()
        try:
            await self._transport.request("POST", f"/media/{media_object.media_id}/restore", answer=Media)
        except NotFound:
            if not here:
                # It was purged, or had never arrived: nothing is left to be done about it, but to say so once.
                await self._settle(media_object, None)
                raise
            await asyncio.to_thread(self._store.media.announce, media_object.media_id, False)
            media_object = replace(media_object, announced=False)
        await self._settle(media_object, "upload" if here else None)
        return replace(media_object, state="upload") if here else None

    async def _settle(self, media_object: QueuedObject, state: MediaState | None) -> bool:
        return await asyncio.to_thread(self._store.media.settle, media_object, state, self._time())

    def _time(self) -> str:
        return _text(self._now())


class _StagedFileLost(Exception):
    """The sealed file of an upload is not there any more, or not whole."""


class _Told:
    """Adds up what is moved over all uploads."""

    def __init__(self, progress: ProgressCallback | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def move(self, more: int) -> None:
        self._done += more
        if self._progress is not None:
            self._progress(Progress("upload", self._done, self._total))

    @contextmanager
    def share(self) -> Iterator[None]:
        """Take back what was told of an upload that fails."""
        before = self._done
        try:
            yield
        except BaseException:
            self._done = before
            raise


def _refusal(media_id: str, error: ApiError) -> MediaRefusal:
    quota = {name: error.facts.get(name) for name in ("needed", "used", "limit")}
    # What a server says is held to be a number before anybody reckons with it.
    known = all(type(value) is int and value >= 0 for value in quota.values())
    return MediaRefusal(media_id, error.code, **quota) if known else MediaRefusal(media_id, error.code)


def _is_final(error: ApiError) -> bool:
    """Return whether a refusal is for this object alone, and would be the same a moment later."""
    return (400 <= error.status < 500 and error.status not in (401, 403, 429)) or error.code == "quota_exceeded"


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _text(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
