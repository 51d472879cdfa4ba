"""Pictures of posts that come in: fetched, sealed to the account, and put into the store like any attachment.

The server holds a picture in memory while it seals it. What lies in the store opens with the account's keys alone. A
file is declared before its bytes are sent, and exists only with the post that it belongs to: what a crash leaves behind
is an unfinished upload, which is forgotten like every other.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import asyncpg

from lockleaf.crypto import identity
from lockleaf.server.features.integrations.failures import Throttled, Unintelligible, WorthRetrying
from lockleaf.server.features.integrations.networks import Networks
from lockleaf.server.features.integrations.outbound import UnsafeAddress
from lockleaf.server.features.integrations.providers.protocol import PictureLink, Post
from lockleaf.server.features.media.repository import MediaRepository
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.platform.settings import IntegrationSettings
from lockleaf.server.records import service as records
from lockleaf.server.records.quota import Quota

__all__ = ["PostPictures", "Taken"]

MOST_PICTURES = 20
_PAUSE_SECONDS = 300
_SIGNATURES = {
    b"\xff\xd8\xff": ("image/jpeg", ".jpg"),
    b"\x89PNG\r\n\x1a\n": ("image/png", ".png"),
    b"GIF8": ("image/gif", ".gif"),
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture whose sealed bytes are in the store.

    Attributes:
        described: as an entry's map names an attachment.
    """

    media_id: UUID
    object_key: str
    described: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PostPictures:
    """Brings the pictures of posts into the store."""

    database: Database
    clock: Clock
    networks: Networks
    store: ObjectStore
    removals: Removals
    quota: Quota
    settings: IntegrationSettings

    async def take(self, user_id: UUID, recipient: str, post: Post) -> tuple[list[Taken], int]:
        """Fetch and store the pictures of a post; return them, and how many could not be had.

        A picture that is gone, too large or not a picture is left out, and counted. One for which there is no answer is
        not: the post waits for it.

        Raises:
            NetworkFailure: whoever has a picture does not answer; or wants fewer calls.
            QuotaExceeded: the account would hold more than it may.
            StoreUnavailable: the store does not answer.
        """
        taken: list[Taken] = []
        missing = max(0, len(post.pictures) - MOST_PICTURES)
        for number, link in enumerate(post.pictures[:MOST_PICTURES], start=1):
            data = await self._fetched(link)
            kind = None if data is None else _kind(data)
            if data is None or kind is None:
                missing += 1
                continue
            taken.append(await self._stored(user_id, recipient, data, _name(link, number, kind[1]), kind[0]))
        return taken, missing

    async def _fetched(self, link: PictureLink) -> bytes | None:
        try:
            reply = await self.networks.outbound.send("GET", link.url, most_bytes=self.settings.picture_bytes)
        except (UnsafeAddress, Unintelligible):
            return None  # asking again would change nothing
        if reply.status == 429:
            raise Throttled(_PAUSE_SECONDS)
        if reply.status >= 500:
            raise WorthRetrying(in_doubt=False)
        return reply.body if reply.status == 200 and reply.body else None

    async def _stored(self, user_id: UUID, recipient: str, data: bytes, name: str, media_type: str) -> Taken:
        sealed = await asyncio.to_thread(identity.seal_to, recipient, data)
        digest = hashlib.sha256(sealed).digest()
        media_id = uuid7(self.clock())
        async with self.database.transaction() as tx:
            await records.lock(tx.connection, user_id)
            await self.quota.require(tx.connection, user_id, len(sealed))
            declared = await MediaRepository(tx.connection, user_id).add(
                media_id,
                key=secrets.token_hex(16),
                media_type=media_type,
                size=len(sealed),
                sha256=digest,
                parts=None,
                entry_id=None,
                file_name=None,
                now=self.clock(),
            )
        await self.store.put(declared.object_key, sealed, sha256=digest)
        described = {
            "media_id": str(media_id),
            "name": name,
            "media_type": media_type,
            "size": len(data),
            "sha256": hashlib.sha256(data).digest(),
            "sealed_size": len(sealed),
            "sealed_sha256": digest,
            "recipient": recipient,
        }
        return Taken(media_id, declared.object_key, described)

    async def complete(self, connection: asyncpg.Connection, user_id: UUID, taken: Sequence[Taken]) -> None:
        """Let pictures exist, in the transaction that brings their post."""
        for each in taken:
            await MediaRepository(connection, user_id).complete(each.media_id, each.object_key, self.clock())

    async def forget(self, user_id: UUID, taken: Sequence[Taken]) -> None:
        """Drop pictures whose post came by another way meanwhile."""
        if not taken:
            return
        async with self.database.transaction() as tx:
            for each in taken:
                await MediaRepository(tx.connection, user_id).drop(each.media_id)
            tx.after_commit(self.removals.soon)


def _kind(data: bytes) -> tuple[str, str] | None:
    """Return media type and suffix by what the bytes are: whoever sends them may call them anything."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp", ".webp"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif", ".avif"
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return "image/heic", ".heic"
    return next((kind for begin, kind in _SIGNATURES.items() if data.startswith(begin)), None)


def _name(link: PictureLink, number: int, suffix: str) -> str:
    stem = PurePosixPath(unquote(urlsplit(link.url).path)).stem
    clean = "".join(each for each in stem if each.isalnum() or each in "-_ ")[:60].strip()
    return f"{clean or f'picture-{number}'}{suffix}"
