"""Sealing all attachments anew after a rotation, a portion after the other, so that it can be interrupted anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from lockleaf.client.errors import AttachmentAwaited, LockleafError, MediaDamaged, MediaDeleted
from lockleaf.client.media.attachment_resealing import MediaResealing, to_seal_anew
from lockleaf.client.media.local_attachments import LocalAttachments
from lockleaf.client.media.sealed_files import Fetcher
from lockleaf.client.media.staging_folder import StagingFolder
from lockleaf.client.media.transfers import MediaRefusal, MediaReport
from lockleaf.client.records.attachments import Attachment, MediaObject
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.client.store import LocalStore

__all__ = ["MediaRotation", "begin_media_rotation", "is_unfinished", "seal_all_anew"]

_BEGUN = "media_rotation"
"""The secret that says that attachments are to be sealed anew, until they are."""
_PORTION_BYTES = 64 * 1024 * 1024
_PORTION_FILES = 50


class Synced(Protocol):
    """What a sync reports of attachments."""

    @property
    def media(self) -> MediaReport:
        """What became of those that waited."""


@dataclass(frozen=True, slots=True)
class MediaRotation:
    """What became of the attachments that retired keys open.

    ``sealed`` counts media that stand in their entries anew, thumbnails included; ``left`` those that do not yet;
    ``missing`` are the ids of media that the server could not give, or not as they were attached: they stay as they
    are. ``refused`` and ``trouble`` say why some are left.
    """

    sealed: int = 0
    left: int = 0
    missing: tuple[str, ...] = ()
    refused: tuple[MediaRefusal, ...] = ()
    trouble: LockleafError | None = None


def begin_media_rotation(store: LocalStore, *, wanted: bool) -> None:
    """Note with a rotation that its user wants attachments sealed anew; one that wanted it before wants it still."""
    if wanted or is_unfinished(store):
        store.set_secret(_BEGUN, b"begun")


def is_unfinished(store: LocalStore) -> bool:
    """Tell whether attachments were to be sealed anew with a rotation, and may not all be."""
    return store.get_secret(_BEGUN) is not None


async def seal_all_anew(
    store: LocalStore,
    folder: StagingFolder,
    book: LocalAttachments,
    fetcher: Fetcher,
    sync: Callable[[ProgressCallback | None], Awaitable[Synced]],
    now: Callable[[], str],
    progress: ProgressCallback | None,
) -> MediaRotation:
    """Seal anew what retired keys open; see `lockleaf.client.media.media.Media.seal_anew`."""
    sealed, done = 0, 0
    missing: list[str] = []

    def remaining() -> list[tuple[Attachment, MediaObject]]:
        return [each for each in to_seal_anew(store, book) if each[1].media_id not in missing]

    async def carry() -> MediaReport:
        report = (await sync(progress)).media
        if report.trouble is None and not report.refused and await asyncio.to_thread(store.media.count) > 0:
            # What took its place just now is named by the entries that are sent next; then the old ones go.
            report = (await sync(progress)).media
        return report

    report = await carry()
    while report.trouble is None and not report.refused:
        waiting = await asyncio.to_thread(remaining)
        if not waiting:
            await asyncio.to_thread(store.set_secret, _BEGUN, None)
            break
        total = done + sum(media_object.size for _, media_object in waiting)
        begun = 0
        for owner, media_object in _portion(waiting):
            resealing = MediaResealing(store, folder, now())
            try:
                await fetcher.open(media_object, partial(resealing.seal, owner, media_object), None)
            except (AttachmentAwaited, MediaDamaged, MediaDeleted):
                missing.append(media_object.media_id)
            else:
                begun += 1
            done += media_object.size
            if progress is not None:
                progress(Progress("media", done, total))
        report = await carry()
        sealed += begun - len(await asyncio.to_thread(_coming, store))
    left = len(await asyncio.to_thread(remaining)) + len(await asyncio.to_thread(_coming, store))
    return MediaRotation(sealed, left, tuple(missing), report.refused, report.trouble)


def _portion(waiting: list[tuple[Attachment, MediaObject]]) -> list[tuple[Attachment, MediaObject]]:
    """Return the first of ``waiting``: so few that their copies take little space, here and at the server."""
    portion, size = waiting[:1], waiting[0][1].size
    for each in waiting[1:_PORTION_FILES]:
        size += each[1].size
        if size > _PORTION_BYTES:
            break
        portion.append(each)
    return portion


def _coming(store: LocalStore) -> list[str]:
    return [row.media_id for row in store.media.in_state("upload") if row.replaces is not None]
