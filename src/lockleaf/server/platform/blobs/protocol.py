"""What an object store does. Two keep to it: a folder of this machine, and whatever speaks S3.

Bytes never pass through the API: the server signs requests, each for one object, one length and, but for clients that
do not name it, one digest, and whoever bears one sends it to the store. The store refuses what was not signed, and an
object exists whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

__all__ = [
    "ObjectStore",
    "PartMissing",
    "SignedRequest",
    "StoreRefusal",
    "StoredObject",
    "StoredPart",
    "UploadGone",
    "WrongPart",
    "require_key",
]

KEY = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that its bearer may send to the store, as it stands, until it expires.

    Attributes:
        url: absolute, or a path of this server (`/api/v1/objects/...`) where the server itself is the store and does
            not know its public address.
        headers: to be sent with just these values. `Content-Length` is among them for an upload.
        expires_at: aware, in UTC.
        path: of this server, where the server itself is the store.
    """

    method: str
    url: str
    headers: dict[str, str]
    expires_at: datetime
    path: str | None = None


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that the store has. A store that cannot tell the digest leaves it out."""

    number: int
    size: int
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that the store has. The digest is absent where it came in parts: each part's own was verified then."""

    size: int
    sha256: bytes | None


class StoreRefusal(Exception):
    """The store cannot make an object of what it was given."""


class PartMissing(StoreRefusal):
    """Parts that make the object are not there. `numbers` tells which, in their order."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = tuple(numbers)
        super().__init__("parts are missing")


class UploadGone(PartMissing):
    """The store knows no such upload: it was completed or aborted, or the store threw it away. All parts are missing.

    Parts for it are refused from now on. Begin another.
    """


class WrongPart(StoreRefusal):
    """A part is not the one that was expected: its size or its digest differs. `number` tells which, if it is known."""

    def __init__(self, number: int | None = None) -> None:
        self.number = number
        super().__init__("a part is not the one that was expected")


def require_key(key: str) -> str:
    """Return ``key`` if it is one: 40 hexadecimal digits, so that no name of a file or of an account can be in it.

    Raises:
        ValueError: it is not.
    """
    if not KEY.fullmatch(key):
        raise ValueError("an object's key is 40 hexadecimal digits in lower case")
    return key


class ObjectStore(Protocol):
    """A place for objects: bytes under a random key of 40 hexadecimal digits.

    All of it can raise StoreUnavailable (errors.py), where the store does not answer or answers what it should not.
    Sizes are in bytes, digests are SHA-256 (32 bytes). An object has at least one byte.
    """

    async def sign_upload(self, key: str, *, size: int, sha256: bytes | None, seconds: int) -> SignedRequest:
        """Return the request that puts an object of just this size and digest there, for so many seconds.

        Without a digest its bearer may put any bytes of this size there, and others in their place: use `copy` before
        relying on what came.
        """
        ...

    async def put(self, key: str, data: bytes, *, sha256: bytes) -> None:
        """Put an object there that the server itself has made. At the end it is as safe as one that was uploaded."""
        ...

    async def begin_parts(self, key: str) -> str:
        """Return the store's word for a new upload in parts: at most 1024 characters, good for this key alone."""
        ...

    async def sign_part(
        self, key: str, upload: str, number: int, *, size: int, sha256: bytes, seconds: int
    ) -> SignedRequest:
        """Return the request that puts one part there (1 to 10,000); the same number again replaces it."""
        ...

    async def parts(self, key: str, upload: str) -> list[StoredPart]:
        """Return the parts that have arrived whole, by number.

        Raises:
            UploadGone: there is no such upload.
        """
        ...

    async def complete_parts(self, key: str, upload: str, parts: Sequence[StoredPart]) -> None:
        """Make the object of ``parts``, all of it, in their order, and forget the upload. Each must have a digest.

        Raises:
            PartMissing: the store does not have them all.
            UploadGone: nor does it know the upload. After a completion whose answer was lost the object is there.
            WrongPart: the store has others than these.
        """
        ...

    async def abort_parts(self, key: str, upload: str) -> None:
        """Throw an upload in parts away; nothing happens if it is gone."""
        ...

    async def copy(self, key: str, to: str) -> StoredObject | None:
        """Copy an object that came whole, and return size and digest of the copy; None if there is no such object.

        What is put under ``key`` meanwhile changes nothing of the copy.
        """
        ...

    async def stat(self, key: str) -> StoredObject | None:
        """Return what the store knows of an object; None if it has no such object."""
        ...

    async def sign_download(self, key: str, *, seconds: int) -> SignedRequest:
        """Return the request that reads an object, whole or by `Range`, for so many seconds.

        It is answered as ``application/octet-stream`` and as an attachment, so that no browser shows it.
        """
        ...

    def download(self, key: str) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of an object, for the server itself; nothing if there is no such object."""
        ...

    async def upload(self, key: str, pieces: AsyncIterator[bytes], *, size: int) -> None:
        """Put an object of any size there for the server itself, also where one of this key was deleted before.

        Where ``pieces`` raises, or gives fewer bytes, nothing is put there.
        """
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; those that are not there are deleted already."""
        ...

    def list_keys(self, *, older_than: datetime) -> AsyncIterator[str]:
        """Yield the keys of all objects that were last written before a time, in no order that can be relied on.

        Files in the store that are no objects of ours are passed over.
        """
        ...

    async def drop_unfinished(self, *, older_than: datetime) -> int:
        """Throw away what was begun before a time and never finished; return how many things that was.

        These are uploads in parts, and pieces that a crash left behind. Give those who upload slowly a week.
        """
        ...

    async def check(self) -> None:
        """Return if the store answers and would take an object.

        Raises:
            StoreUnavailable: it does not.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. The store can be used again afterwards: it opens new ones."""
        ...
