"""Digests, parts and names of a bucket, in the forms of S3."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from lockleaf.server.platform.blobs.protocol import StoredPart
from lockleaf.server.platform.settings import BlobSettings

__all__ = ["digest_of", "in_base64", "in_parts", "part_of", "style_of"]

DIGEST_LENGTH = 32
PART = 16 * 1024 * 1024
"""Of what the server itself puts there; a bucket takes 10,000 of an object."""


def style_of(settings: BlobSettings) -> str:
    """Return where the bucket's name stands: in the host's name at AWS, which asks for that, and else in the path."""
    if settings.style != "auto":
        return settings.style
    # The certificate of AWS is for one label before its own names.
    return "virtual" if settings.endpoint is None and "." not in str(settings.bucket) else "path"


def part_of(listed: Mapping[str, Any]) -> StoredPart:
    """Return a part as the bucket lists it."""
    return StoredPart(listed["PartNumber"], listed["Size"], digest_of(listed.get("ChecksumSHA256")))


def in_base64(digest: bytes | None) -> str:
    """Return a SHA-256 as the bucket takes it."""
    if digest is None or len(digest) != DIGEST_LENGTH:
        raise ValueError("a SHA-256 has 32 bytes")
    return base64.b64encode(digest).decode()


def digest_of(text: str | None) -> bytes | None:
    """Return a digest as the store tells it; None if it is not one of the whole, but of all the parts' digests."""
    try:
        found = binascii.a2b_base64(text or "", strict_mode=True)
    except ValueError:
        return None
    return found if len(found) == DIGEST_LENGTH else None


async def in_parts(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield what comes in ``pieces`` in parts of one size, the last of which may be smaller."""
    gathered = bytearray()
    async for piece in pieces:
        gathered += piece
        while len(gathered) > PART:
            yield bytes(gathered[:PART])
            del gathered[:PART]
    if gathered:
        yield bytes(gathered)
