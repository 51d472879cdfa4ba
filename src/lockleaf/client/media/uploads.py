"""Sending sealed files to the store: each in the pieces that were declared, and only those that the store lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from lockleaf.client.errors import (
    InvalidAnswer,
    NotFound,
    ObjectStoreRefused,
    ObjectStoreUnreachable,
    UploadDamaged,
    UploadIncomplete,
)
from lockleaf.client.media.object_store import AddressExpired, ObjectStoreClient
from lockleaf.client.store.media_queue import QueuedObject
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.tasks import raise_if_cancelled
from lockleaf.wire.media import (
    Media,
    MediaDeclaration,
    MediaDeclared,
    MediaParts,
    MediaPartsWanted,
    Part,
    SignedPart,
    SignedUpload,
)

__all__ = ["AT_ONCE", "Uploader"]

AT_ONCE = 3
"""Parts on their way at the same time."""

_ASKED = 12
"""Parts for which addresses are asked at a time: they expire, and a slow line takes long over many."""
_ADDRESSES = 4
"""Addresses that are tried for one piece, before the store is believed that it does not want it."""
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the sealed file; ``number`` counts from 1."""

    number: int
    offset: int
    size: int


class Uploader:
    """Sends one object after the other.

    Args:
        transport: the conversation with the server.
        objects: that with the store.
        retry: how often and how fast a piece is tried again.
    """

    def __init__(self, transport: Transport, objects: ObjectStoreClient, retry: RetryPolicy) -> None:
        self._transport = transport
        self._objects = objects
        self._retry = retry

    async def upload(
        self, media_object: QueuedObject, path: Path, moved: Callable[[int], None], announce: Callable[[], None]
    ) -> None:
        """Have the server hold an object, whatever of it is there already.

        Args:
            media_object: what is to be there.
            path: its sealed file.
            moved: told how many more bytes are there; negative where some have to be sent once more.
            announce: called (it may block) before the server first hears of the object.

        Raises:
            ApiError: the server refuses it; ``QuotaExceeded`` and ``StoreUnavailable`` among others.
            ObjectStoreUnreachable, ObjectStoreRefused, InsecureObjectStore: so does the store.
            TransportError: the server cannot be reached.
        """
        if not media_object.announced:
            await asyncio.to_thread(announce)
        declared = await self._declare(media_object)
        if declared.state == "stored":
            moved(media_object.sealed_size)
        elif media_object.parts:
            await self._send_parts(media_object, path, declared, moved)
        else:
            await self._send_whole(media_object, path, declared, moved)

    async def _declare(self, media_object: QueuedObject) -> MediaDeclared:
        body = MediaDeclaration(
            id=UUID(media_object.media_id),
            media_type=media_object.media_type,
            size=media_object.sealed_size,
            sha256=media_object.sealed_sha256,
            entry_id=UUID(media_object.entry_id),
            parts=tuple(Part(size=size, sha256=digest) for size, digest in media_object.parts) or None,
        )
        declared = await self._transport.request("POST", "/media/upload", body=body, answer=MediaDeclared)
        if str(declared.id) != media_object.media_id:
            raise InvalidAnswer
        return declared

    async def _complete(self, media_object: QueuedObject) -> None:
        done = await self._transport.request("POST", f"/media/{media_object.media_id}/complete", answer=Media)
        if str(done.id) != media_object.media_id or done.state != "stored":
            raise InvalidAnswer

    # ---- in one piece ----

    async def _send_whole(
        self, media_object: QueuedObject, path: Path, declared: MediaDeclared, moved: Callable[[int], None]
    ) -> None:
        piece = _Piece(1, 0, media_object.sealed_size)
        if media_object.announced and await self._is_there(media_object):
            moved(piece.size)
            return
        if declared.upload is None:
            raise InvalidAnswer
        signed: SignedUpload = declared.upload

        async def another() -> SignedUpload:
            again = await self._declare(media_object)
            if again.upload is None:
                raise InvalidAnswer
            return again.upload

        await self._put(piece, path, signed, another, moved)
        await self._complete(media_object)

    async def _is_there(self, media_object: QueuedObject) -> bool:
        """Ask whether the store had it all, when we were interrupted."""
        try:
            await self._complete(media_object)
        except (UploadIncomplete, UploadDamaged, NotFound):
            return False
        return True

    # ---- in parts ----

    async def _send_parts(
        self, media_object: QueuedObject, path: Path, declared: MediaDeclared, moved: Callable[[int], None]
    ) -> None:
        pieces = _pieces(media_object)
        stored: set[int] = set()
        signed = {part.number: part for part in declared.parts or ()}
        if media_object.announced:
            stored, signed = await self._look(media_object, None)
        moved(sum(pieces[number].size for number in stored & pieces.keys()))
        waiting = [number for number in pieces if number not in stored]
        for _ in range(_ROUNDS):
            await self._send_all(media_object, path, [pieces[number] for number in waiting], signed, moved)
            try:
                await self._complete(media_object)
            except UploadIncomplete as error:
                # What the store lost, or never had, is sent again.
                missing = {number for number in _numbers(error.facts.get("missing")) if number in pieces}
                if not missing:
                    raise
                moved(-sum(pieces[number].size for number in missing))
                waiting, signed = sorted(missing), {}
                continue
            return
        raise ObjectStoreRefused

    async def _send_all(
        self,
        media_object: QueuedObject,
        path: Path,
        pieces: list[_Piece],
        signed: Mapping[int, SignedPart],
        moved: Callable[[int], None],
    ) -> None:
        """Send pieces, a few at a time; the first that fails for good ends the others."""
        addresses = dict(signed)
        waiting = list(reversed(pieces))
        asking = asyncio.Lock()

        async def address(number: int) -> SignedUpload:
            async with asking:
                if number not in addresses:
                    ahead = [number, *(piece.number for piece in waiting[: -_ASKED - 1 : -1])]
                    _, fresh = await self._look(media_object, ahead[:_ASKED])
                    addresses.update(fresh)
                if number not in addresses:
                    raise InvalidAnswer
                return addresses.pop(number)

        async def send() -> None:
            while waiting:
                piece = waiting.pop()
                another = partial(address, piece.number)
                await self._put(piece, path, await another(), another, moved)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(pieces))):
                    group.create_task(send())
        except BaseExceptionGroup as failed:
            raise_if_cancelled()  # a piece that failed in the same moment is not why this ends
            # One error for one upload: the first is the cause, the others were cancelled or failed likewise.
            raise failed.exceptions[0] from None

    async def _look(
        self, media_object: QueuedObject, numbers: list[int] | None
    ) -> tuple[set[int], dict[int, SignedPart]]:
        """Ask which parts the store has, and for addresses of ``numbers``, or of those that it lacks."""
        body = MediaPartsWanted(numbers=None if numbers is None else tuple(numbers))
        answer = await self._transport.request(
            "POST", f"/media/{media_object.media_id}/parts", body=body, answer=MediaParts
        )
        return set(answer.stored), {part.number: part for part in answer.parts}

    # ---- one piece ----

    async def _put(
        self,
        piece: _Piece,
        path: Path,
        signed: SignedUpload,
        another: Callable[[], Awaitable[SignedUpload]],
        moved: Callable[[int], None],
    ) -> None:
        """Send a piece until the store has it, by other addresses where one has expired."""
        attempt, addresses = 0, 1
        while True:
            sent = 0

            def count(more: int) -> None:
                nonlocal sent
                sent += more
                moved(more)

            try:
                await self._objects.put(
                    signed.path or signed.url, signed.headers, path, offset=piece.offset, size=piece.size, moved=count
                )
            except AddressExpired:
                moved(-sent)
                addresses += 1
                if addresses > _ADDRESSES:
                    raise ObjectStoreRefused from None
                signed = await another()
            except ObjectStoreUnreachable:
                raise_if_cancelled()
                moved(-sent)
                attempt += 1
                if not await self._retry.pause(attempt):
                    raise
            else:
                return


def _pieces(media_object: QueuedObject) -> dict[int, _Piece]:
    pieces: dict[int, _Piece] = {}
    offset = 0
    for number, (size, _) in enumerate(media_object.parts, start=1):
        pieces[number] = _Piece(number, offset, size)
        offset += size
    return pieces


def _numbers(value: object) -> list[int]:
    return [each for each in value if isinstance(each, int)] if isinstance(value, list) else []
