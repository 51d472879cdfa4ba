"""The object store of a server that has no other: a folder of its own machine, behind addresses of its own."""

from __future__ import annotations

import asyncio
import errno
import hmac
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import ParamSpec, TypeVar

from lockleaf.server.platform.blobs.errors import DigestMismatch, SizeMismatch, StoreUnavailable, UploadNotFound
from lockleaf.server.platform.blobs.folder import ObjectFolder
from lockleaf.server.platform.blobs.open_files import Draft, Reader, Segment
from lockleaf.server.platform.blobs.protocol import SignedRequest, StoredObject, StoredPart, UploadGone, require_key
from lockleaf.server.platform.blobs.signing import Grant, ObjectUrls
from lockleaf.server.platform.db.errors import StorageFull
from lockleaf.server.platform.http.errors import BodyTooLarge

__all__ = ["FileStore", "OpenObject"]

THREADS = 8
PIECE = 1024 * 1024
"""How many bytes are written, or read, at a time; a transfer holds twice as many in memory."""
CHECK_SECONDS = 5
AT_ONCE = 8
"""How often the same may be on its way at the same time: no quota counts what is not there yet."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class OpenObject:
    """An object that is about to be read. ``etag`` changes whenever its bytes may have."""

    segments: Sequence[Segment]
    size: int
    etag: str


class FileStore:
    """Keeps objects in a folder (see folder.py). Files are read and written in threads of its own.

    Args:
        folder: where they lie.
        urls: signs the addresses that lead here, and checks them.
        public_url: of this server, as clients reach it, without a slash at its end; empty for addresses without host.
    """

    def __init__(self, folder: ObjectFolder, urls: ObjectUrls, public_url: str = "") -> None:
        self.urls = urls
        self._folder = folder
        self._public_url = public_url
        self._threads: ThreadPoolExecutor | None = None
        self._receiving: Counter[Grant] = Counter()

    # ---- what is signed ----

    async def sign_upload(self, key: str, *, size: int, sha256: bytes | None, seconds: int) -> SignedRequest:
        """Return the request that puts an object there."""
        digest = "" if sha256 is None else _hex(sha256)
        return self._signed(Grant("PUT", require_key(key), size=_size(size), sha256=digest), seconds)

    async def sign_part(
        self, key: str, upload: str, number: int, *, size: int, sha256: bytes, seconds: int
    ) -> SignedRequest:
        """Return the request that puts a part there."""
        grant = Grant("PUT", require_key(key), upload, number, _size(size), _hex(sha256))
        return self._signed(grant, seconds)

    async def sign_download(self, key: str, *, seconds: int) -> SignedRequest:
        """Return the request that reads an object."""
        return self._signed(Grant("GET", require_key(key)), seconds)

    def _signed(self, grant: Grant, seconds: int) -> SignedRequest:
        path, expires_at = self.urls.sign(grant, seconds)
        headers = {"Content-Length": str(grant.size)} if grant.method == "PUT" else {}
        return SignedRequest(grant.method, self._public_url + path, headers, expires_at, path)

    # ---- what the server does itself ----

    async def put(self, key: str, data: bytes, *, sha256: bytes) -> None:
        """Write an object."""
        grant = Grant("PUT", require_key(key), size=_size(len(data)), sha256=_hex(sha256))
        await self._receive(grant, _whole(data))

    async def begin_parts(self, key: str) -> str:
        """Begin an upload in parts."""
        return await self._run(self._folder.begin, key)

    async def parts(self, key: str, upload: str) -> list[StoredPart]:
        """Return the parts that have arrived."""
        return await self._run(self._folder.parts, key, upload)

    async def complete_parts(self, key: str, upload: str, parts: Sequence[StoredPart]) -> None:
        """Make an object of parts, without copying them."""
        for part in parts:
            _hex(part.sha256)
        await self._run(self._folder.complete, key, upload, parts)

    async def abort_parts(self, key: str, upload: str) -> None:
        """Throw an upload in parts away."""
        await self._run(self._folder.abort, key, upload)

    async def copy(self, key: str, to: str) -> StoredObject | None:
        """Copy an object, and take the digest of what was copied."""
        opened = await self.open(key)
        if opened is None:
            return None
        draft = await self._run(self._folder.draft)
        try:
            async with aclosing(self.read(opened, 0, opened.size)) as pieces:
                await self._write(draft, opened.size, pieces)
            await self._run(self._folder.install, draft, require_key(to))
        except StoreUnavailable:
            if await self.open(key) is None:  # deleted in this moment
                return None
            raise
        finally:
            self._pool().submit(draft.discard)
        return StoredObject(opened.size, draft.digest())

    async def download(self, key: str) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of an object."""
        opened = await self.open(key)
        if opened is not None:
            async with aclosing(self.read(opened, 0, opened.size)) as pieces:
                async for piece in pieces:
                    yield piece

    async def upload(self, key: str, pieces: AsyncIterator[bytes], *, size: int) -> None:
        """Write an object of any size."""
        await self._run(self._folder.let_return, require_key(key))
        await self._receive(Grant("PUT", key, size=_size(size), sha256=""), pieces)

    async def stat(self, key: str) -> StoredObject | None:
        """Return size and digest of an object, from the bytes that are there."""
        return await self._run(self._folder.stat, key)

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects."""
        for key in keys:
            await self._run(self._folder.delete, key)

    async def list_keys(self, *, older_than: datetime) -> AsyncIterator[str]:
        """Yield the keys of objects, those of one folder in memory at a time."""
        for shelf in await self._run(self._folder.shelves):
            for key in await self._run(self._folder.keys, shelf, older_than.timestamp()):
                yield key

    async def drop_unfinished(self, *, older_than: datetime) -> int:
        """Throw away uploads, and pieces of them, that nobody has touched since a time."""
        return await self._run(self._folder.drop_unfinished, older_than.timestamp())

    async def check(self) -> None:
        """Write a byte."""
        draft: Draft | None = None
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                draft = await self._run(self._folder.draft)
                await self._run(draft.write, [b"\0"])
        except TimeoutError:
            raise StoreUnavailable from None
        finally:
            if draft is not None:
                self._pool().submit(draft.discard)

    async def close(self) -> None:
        """Let the threads finish."""
        threads, self._threads = self._threads, None
        if threads is not None:
            await asyncio.to_thread(threads.shutdown)

    # ---- what bearers of addresses do ----

    async def require_upload(self, grant: Grant) -> None:
        """Return if what an address is for is still wanted.

        Raises:
            UploadNotFound: the object was deleted, or there is no such upload in parts any more.
        """
        if await self._run(self._folder.is_gone, grant.key):
            raise UploadNotFound
        if grant.upload and not await self._run(self._folder.has_upload, grant.key, grant.upload):
            raise UploadNotFound

    async def receive(self, grant: Grant, body: AsyncIterator[bytes]) -> None:
        """Keep what arrives, once it is all there and is what was signed. At the end it is on the disk.

        Raises:
            BodyTooLarge, SizeMismatch, DigestMismatch: it is something else, and nothing of it is kept.
            UploadNotFound: the upload ended meanwhile.
            StoreUnavailable: the disk does not take it, or the same comes too often at the same time.
            StorageFull: the disk is full.
        """
        if self._receiving[grant] >= AT_ONCE:
            raise StoreUnavailable
        self._receiving[grant] += 1
        try:
            await self._receive(grant, body)
        finally:
            self._receiving[grant] -= 1
            if not self._receiving[grant]:
                del self._receiving[grant]

    async def _receive(self, grant: Grant, body: AsyncIterator[bytes]) -> None:
        draft = await self._run(self._folder.draft)
        try:
            await self._write(draft, grant.size, body)
            if grant.sha256 and not hmac.compare_digest(draft.digest().hex(), grant.sha256):
                raise DigestMismatch
            await self._run(self._install, draft, grant)
        except UploadGone:
            raise UploadNotFound from None
        finally:
            # Not waited for: the request may have been given up, and has nothing more to say.
            self._pool().submit(draft.discard)

    def _install(self, draft: Draft, grant: Grant) -> None:
        if not grant.upload:
            self._folder.install(draft, grant.key)
            return
        self._folder.install_part(draft, grant.key, grant.upload, grant.number, size=grant.size, sha256=grant.sha256)

    async def _write(self, draft: Draft, size: int, body: AsyncIterator[bytes]) -> None:
        """Write one piece while the next arrives; count before anything is written."""
        received = 0
        pieces: list[bytes] = []
        gathered = 0
        writing: asyncio.Task[None] | None = None
        try:
            async for piece in body:
                received += len(piece)
                if received > size:
                    raise BodyTooLarge(limit_bytes=size)
                pieces.append(piece)
                gathered += len(piece)
                if gathered >= PIECE:
                    if writing is not None:
                        await writing
                    writing = asyncio.create_task(self._run(draft.write, pieces))
                    pieces, gathered = [], 0
            if received < size:
                raise SizeMismatch
        except BaseException:
            if writing is not None:
                # It has the draft open. What it raises does not take the place of why this ends.
                await asyncio.wait((writing,))
                if not writing.cancelled():
                    writing.exception()
            raise
        if writing is not None:
            await writing
        await self._run(draft.write, pieces)

    async def open(self, key: str) -> OpenObject | None:
        """Return an object to be read; None if there is no such object."""
        found = await self._run(self._folder.find, key)
        if found is None:
            return None
        segments, version = found
        return OpenObject(segments, sum(segment.size for segment in segments), f'"{version}"')

    async def read(self, opened: OpenObject, first: int, end: int) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of an object from ``first`` to before ``end``, the next piece read while one is sent."""
        position = 0
        for segment in opened.segments:
            begin, stop = max(first - position, 0), min(end - position, segment.size)
            position += segment.size
            if begin < stop:
                async with aclosing(self._read_file(segment, begin, stop)) as pieces:
                    async for piece in pieces:
                        yield piece

    async def _read_file(self, segment: Segment, begin: int, stop: int) -> AsyncGenerator[bytes, None]:
        reader = Reader(segment.path)

        def piece_at(offset: int) -> asyncio.Task[bytes]:
            return asyncio.create_task(self._run(reader.read, offset, min(PIECE, stop - offset)))

        ahead: asyncio.Task[bytes] | None = piece_at(begin)
        try:
            while ahead is not None:
                piece = await ahead
                if not piece:
                    raise StoreUnavailable  # shorter than it was: the answer breaks off, and its bearer asks again
                begin += len(piece)
                ahead = piece_at(begin) if begin < stop else None
                yield piece
        finally:
            # Nothing is waited for here: in a request that is given up, no wait comes to its end.
            if ahead is not None:
                ahead.cancel()
            reader.close()

    # ---- threads ----

    def _pool(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="lockleaf-objects")
        return self._threads

    async def _run(self, work: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        """Do in a thread what blocks; what the disk refuses is said in the words of the store."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool(), lambda: work(*arguments, **named))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull from None
            raise StoreUnavailable from None


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _size(size: int) -> int:
    if size < 1:
        raise ValueError("an object has at least one byte")
    return size


def _hex(sha256: bytes | None) -> str:
    if sha256 is None or len(sha256) != 32:
        raise ValueError("a SHA-256 has 32 bytes")
    return sha256.hex()
