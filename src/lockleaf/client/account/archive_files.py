"""The sealed bytes of attached files, put into an archive that the server made: they come from its object store."""

from __future__ import annotations

import asyncio
import json
import shutil
import zipfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lockleaf.client.errors import (
    ApiError,
    AttachmentAwaited,
    InvalidAnswer,
    MediaDamaged,
    ObjectStoreRefused,
)
from lockleaf.client.records.attachments import MediaObject
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.wire.fields import decode_base64
from lockleaf.zips import DAMAGED_ZIP, open_zip

__all__ = ["AddedFiles", "FetchSealed", "add_sealed_files"]

FetchSealed = Callable[[MediaObject, Callable[[int], None]], AbstractAsyncContextManager[Path]]
"""Gives the sealed file of an object within an ``async with``, and tells how many bytes of it are here."""

_LIST = "media.jsonl"
_BUFFER = 1024 * 1024
_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class AddedFiles:
    """How many files are in an archive, and the ids of those that the server could not give."""

    count: int
    missing: tuple[str, ...]


async def add_sealed_files(archive: IO[bytes], fetch: FetchSealed, progress: ProgressCallback | None) -> AddedFiles:
    """Put what the server's store holds of each file that an archive lists into it, as ``media/ID.age``.

    Args:
        archive: open for reading and writing, whole.
        progress: told of the stage ``fetch``, in bytes over all files.

    Raises:
        InvalidAnswer: it is not an archive.
        ObjectStoreUnreachable, TransportError, DiskFull: each as its name says.
    """
    listed = await asyncio.to_thread(_listed, archive)
    total, done, count = sum(media_object.sealed_size or 0 for media_object in listed), 0, 0
    missing = []

    def moved(of_this: int) -> None:
        if progress is not None:
            progress(Progress("fetch", done + of_this, total))

    for media_object in listed:
        try:
            async with fetch(media_object, moved) as sealed:
                await asyncio.to_thread(_add, archive, media_object.media_id, sealed)
            count += 1
        except (ApiError, AttachmentAwaited, MediaDamaged, ObjectStoreRefused):
            missing.append(media_object.media_id)
        done += media_object.sealed_size or 0
    return AddedFiles(count, tuple(missing))


def _listed(archive: IO[bytes]) -> list[MediaObject]:
    try:
        with open_zip(archive) as read:
            if _LIST not in read.namelist():
                return []
            with read.open(_LIST) as lines:
                found = [_medium(json.loads(line)) for line in lines]
    except (*DAMAGED_ZIP, KeyError, TypeError, ValueError):
        raise InvalidAnswer from None
    return [media_object for media_object in found if media_object is not None]


def _medium(line: dict[str, Any]) -> MediaObject | None:
    """Return a file whose bytes the store has; None for one that is not sent yet, or deleted."""
    if line["state"] != "stored" or line.get("deleted_at") is not None:
        return None
    size, digest = int(line["size"]), decode_base64(line["sha256"])
    return MediaObject(str(line["id"]), str(line["media_type"]), size, None, size, digest, None)


def _add(archive: IO[bytes], media_id: str, sealed: Path) -> None:
    info = zipfile.ZipInfo(f"media/{media_id}.age", _TIME)
    info.external_attr = 0o600 << 16
    info.file_size = sealed.stat().st_size
    archive.seek(0)
    large = info.file_size >= zipfile.ZIP64_LIMIT
    with (
        sealed.open("rb") as file,
        zipfile.ZipFile(archive, "a", zipfile.ZIP_STORED) as into,
        into.open(info, "w", force_zip64=large) as member,
    ):
        shutil.copyfileobj(file, member, _BUFFER)
