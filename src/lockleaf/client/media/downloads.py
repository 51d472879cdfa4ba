"""Fetching an attachment: the sealed bytes piece by piece, checked on their way, opened into a file that is then named.

What the server says of an object counts for nothing here: the entry, which is sealed, says what its bytes must be.
"""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO

from lockleaf.client.errors import (
    AttachmentAwaited,
    MediaDamaged,
    NotFound,
    ObjectStoreRefused,
    ObjectStoreUnreachable,
    UploadIncomplete,
)
from lockleaf.client.media.object_store import AddressExpired, ObjectStoreClient
from lockleaf.client.media.staging_folder import StagingFolder
from lockleaf.client.media.threads import Beat
from lockleaf.client.profile.private_files import full_disk_by_name
from lockleaf.client.records.attachments import MediaObject
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.crypto.errors import SealBroken
from lockleaf.crypto.streams import open_stream
from lockleaf.tasks import raise_if_cancelled
from lockleaf.wire.media import MediaDownload

__all__ = ["Downloader", "opened", "unsealed"]

_ADDRESSES = 4
_BUFFER = 1024 * 1024
_AGE_ADDS_ONE_IN = 2048
_AGE_HEADER = 1024 * 1024
"""Far more than a tag of 16 bytes for each 64 KiB, and a line or two for each recipient."""


class Downloader:
    """Fetches sealed files into the profile's folder, from where an interrupted one goes on.

    Args:
        transport: the conversation with the server.
        objects: that with the store.
        folder: where pieces are kept.
        retry: how often and how fast it is tried again.
    """

    def __init__(
        self, transport: Transport, objects: ObjectStoreClient, folder: StagingFolder, retry: RetryPolicy
    ) -> None:
        self._transport = transport
        self._objects = objects
        self._folder = folder
        self._retry = retry

    @asynccontextmanager
    async def fetched(self, media_object: MediaObject, moved: Callable[[int], None]) -> AsyncIterator[Path]:
        """Give the sealed file of an object, whole and with the digest that its entry names; then it is deleted.

        What had come of it when the line broke, or when the disk refused, stays for the next time.

        Args:
            moved: told how many bytes are here.

        Raises:
            AttachmentAwaited: the server does not have it.
            MediaDamaged: what came is another file, or was altered.
            ObjectStoreUnreachable, ObjectStoreRefused, InsecureObjectStore: of the store.
            ApiError, TransportError: of the server.
        """
        with self._folder.receive(media_object.media_id) as path:
            try:
                await self._fetch(media_object, path, moved)
                yield path
            except MediaDamaged:
                path.unlink(missing_ok=True)
                raise
            path.unlink(missing_ok=True)

    async def _fetch(self, media_object: MediaObject, path: Path, moved: Callable[[int], None]) -> None:
        resumed = await asyncio.to_thread(_size, path) > 0
        try:
            await self._receive(media_object, path, moved)
        except MediaDamaged:
            if not resumed:
                raise
            # The piece of before may be what is wrong: once more from the start.
            await asyncio.to_thread(os.truncate, path, 0)
            await self._receive(media_object, path, moved)

    async def _receive(self, media_object: MediaObject, path: Path, moved: Callable[[int], None]) -> None:
        attempt, addresses = 0, 0
        while True:
            addresses += 1
            signed = await self._address(media_object)
            try:
                while True:
                    before = await asyncio.to_thread(_size, path)
                    try:
                        await self._once(media_object, path, signed, moved)
                    except ObjectStoreUnreachable:
                        raise_if_cancelled()
                        # Whatever came has brought us further: that is no failure of the same place again.
                        attempt = 1 if await asyncio.to_thread(_size, path) > before else attempt + 1
                        if not await self._retry.pause(attempt):
                            raise
                    else:
                        return
            except AddressExpired:
                if addresses >= _ADDRESSES:
                    raise ObjectStoreRefused from None

    async def _address(self, media_object: MediaObject) -> MediaDownload:
        try:
            return await self._transport.request(
                "GET", f"/media/{media_object.media_id}/download", answer=MediaDownload
            )
        except (NotFound, UploadIncomplete):
            raise AttachmentAwaited from None

    async def _once(
        self, media_object: MediaObject, path: Path, signed: MediaDownload, moved: Callable[[int], None]
    ) -> None:
        """Fetch what is missing, and check the whole."""
        with full_disk_by_name(), _opened_for_more(path) as file:
            incoming = _Incoming(file, _most(media_object))
            # Of what has no known end nobody can tell whether a piece of it is the whole: it is fetched at one go.
            await asyncio.to_thread(incoming.restart if media_object.sealed_size is None else incoming.look)
            if incoming.size != media_object.sealed_size:
                address = signed.path or signed.url
                async with self._objects.get(address, signed.headers, incoming.size) as (start, pieces):
                    if start != incoming.size:
                        await asyncio.to_thread(incoming.restart)
                    moved(incoming.size)
                    try:
                        async for piece in pieces:
                            if incoming.hold(piece):
                                await asyncio.to_thread(incoming.keep)
                                moved(incoming.size)
                    finally:
                        # What came before the line broke is not asked for again.
                        await asyncio.to_thread(incoming.keep)
                    moved(incoming.size)
        if media_object.sealed_size not in (None, incoming.size):
            raise MediaDamaged("it is shorter than what was attached")
        if media_object.sealed_sha256 not in (None, incoming.digest.digest()):
            raise MediaDamaged("its bytes are others than those that were sent")


def _most(media_object: MediaObject) -> int:
    """Return how long a sealed file can be. Where its entry does not say, age makes a file little longer."""
    if media_object.sealed_size is not None:
        return media_object.sealed_size
    return media_object.size + media_object.size // _AGE_ADDS_ONE_IN + _AGE_HEADER


class _Incoming:
    """Sealed bytes as they come into their file, hashed on the way.

    Args:
        file: open for reading and writing; what is there already is the beginning.
        limit: how many there are to be, at most.
    """

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file = file
        self._limit = limit
        self._held = bytearray()
        self.size = 0
        self.digest = sha256()

    def look(self) -> None:
        """Count and hash what is there; if that is too much, it is not the beginning of this."""
        while piece := self._file.read(_BUFFER):
            self.digest.update(piece)
            self.size += len(piece)
        if self.size > self._limit:
            self.restart()

    def restart(self) -> None:
        """Forget what is there."""
        self._file.seek(0)
        self._file.truncate()
        self.digest, self.size = sha256(), 0

    def hold(self, piece: bytes) -> bool:
        """Take a piece; tell whether it is time to keep what was taken.

        Raises:
            MediaDamaged: there is more than there is to be.
        """
        self._held += piece
        if self.size + len(self._held) > self._limit:
            raise MediaDamaged("it is longer than what was attached")
        return len(self._held) >= _BUFFER

    def keep(self) -> None:
        """Write and hash what was taken; blocks."""
        self._file.write(self._held)
        self.digest.update(self._held)
        self.size += len(self._held)
        self._held.clear()
        self._file.flush()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _opened_for_more(path: Path) -> IO[bytes]:
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    return os.fdopen(handle, "r+b", buffering=_BUFFER)


class _Checked:
    """Takes plain bytes, no more than there are to be, and hashes them."""

    def __init__(self, file: IO[bytes], size: int, beat: Beat) -> None:
        self._file, self._expected, self._beat = file, size, beat
        self._told = 0
        self.size = 0
        self.digest = sha256()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        if self.size > self._expected:
            raise MediaDamaged("it is longer than what was attached")
        self.digest.update(data)
        if self.size - self._told >= _BUFFER:
            self._told = self.size
            self._beat(self.size)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def opened(
    media_object: MediaObject,
    sealed: Path,
    identities: Sequence[str],
    destination: Path,
    *,
    overwrite: bool,
    beat: Beat,
) -> None:
    """Write what a sealed file holds to ``destination``, which has its name only when all is right; blocks.

    Args:
        media_object: what the plain bytes must be.
        identities: age identities of the account.
        overwrite: replace a file that is there.

    Raises:
        MediaDamaged: age or a digest says that it is not what was attached.
        FileExistsError: a file is there, or came to be there meanwhile.
        DiskFull: there is no space.
        OSError: the folder takes no file.
    """
    with full_disk_by_name():
        handle, name = tempfile.mkstemp(dir=destination.parent, prefix=".lockleaf-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb", buffering=_BUFFER) as file:
                unsealed(media_object, sealed, identities, file, beat)
                file.flush()
                os.fsync(file.fileno())
            _name(temporary, destination, overwrite)
        finally:
            temporary.unlink(missing_ok=True)


def unsealed(media_object: MediaObject, sealed: Path, identities: Sequence[str], file: IO[bytes], beat: Beat) -> None:
    """Write what a sealed file holds to ``file``, which nobody may use unless this returns; blocks.

    Raises:
        MediaDamaged: as for `opened`.
    """
    if media_object.sha256 is None and media_object.sealed_sha256 is None:
        # Anybody can seal a file to the account's recipient: without a digest it could be anybody's.
        raise MediaDamaged("its entry names no digest to know it by")
    with sealed.open("rb", buffering=_BUFFER) as source:
        checked = _Checked(file, media_object.size, beat)
        try:
            open_stream(identities, source, checked)
        except SealBroken:
            raise MediaDamaged("age does not open it") from None
    if checked.size != media_object.size or media_object.sha256 not in (None, checked.digest.digest()):
        raise MediaDamaged("what is inside is not what was attached")


def _name(temporary: Path, destination: Path, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(destination)
        return
    try:
        os.link(temporary, destination)
    except OSError as error:
        if error.errno == errno.EEXIST:
            raise
        # A file system without links: the name is taken first, so that nobody else's file is replaced.
        os.close(os.open(destination, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            temporary.replace(destination)
        except BaseException:
            destination.unlink(missing_ok=True)
            raise
