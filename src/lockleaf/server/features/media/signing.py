"""Requests that clients send to the store themselves, as they travel."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from lockleaf.server.features.media.parts import DeclaredPart
from lockleaf.server.features.media.repository import StoredMedia
from lockleaf.server.platform.blobs.protocol import ObjectStore, SignedRequest
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.media import MediaDownload, SignedPart, SignedUpload

__all__ = ["Signer"]


class Signer:
    """Has the store sign requests, each for one object, its length and its digest.

    Args:
        settings: how long what is signed is good.
        objects: the store.
        base: of the server's own addresses (``https://host``), where the store is the server itself.
    """

    def __init__(self, settings: Settings, objects: ObjectStore, base: str) -> None:
        self._store = objects
        self._settings = settings.media
        self._base = base.rstrip("/")

    def _told(self, signed: SignedRequest) -> dict[str, Any]:
        """Return what a client is told of a signed request, with an address that is whole."""
        return {
            "method": signed.method,
            "url": self._base + signed.url if signed.url.startswith("/") else signed.url,
            "path": signed.path,
            "headers": signed.headers,
            "expires_at": signed.expires_at,
        }

    async def upload(self, media: StoredMedia) -> SignedUpload:
        """Return the request that uploads a whole file."""
        signed = await self._store.sign_upload(
            media.object_key, size=media.size, sha256=media.sha256, seconds=self._settings.upload_seconds
        )
        return SignedUpload(**self._told(signed))

    async def parts(self, media: StoredMedia, upload_id: str, parts: Iterable[DeclaredPart]) -> tuple[SignedPart, ...]:
        """Return the requests that upload parts."""
        found = []
        for part in parts:
            # Signing for S3 is a millisecond of computing: a hundred are too much for one turn of the event loop.
            await asyncio.sleep(0)
            signed = await self._store.sign_part(
                media.object_key,
                upload_id,
                part.number,
                size=part.size,
                sha256=part.sha256,
                seconds=self._settings.upload_seconds,
            )
            found.append(SignedPart(number=part.number, **self._told(signed)))
        return tuple(found)

    async def download(self, media: StoredMedia) -> MediaDownload:
        """Return the request that downloads a file."""
        signed = await self._store.sign_download(media.object_key, seconds=self._settings.download_seconds)
        return MediaDownload(**self._told(signed), size=media.size, sha256=media.sha256)
