"""The object store that speaks S3: AWS, MinIO, R2 and others.

Bearers of signed requests talk to it themselves. A signature covers the length and the SHA-256 of what may be sent, and
the store holds both against what arrives: it must know ``x-amz-checksum-sha256``, as all of these do.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

from lockleaf.server.platform.blobs.errors import StoreUnavailable
from lockleaf.server.platform.blobs.protocol import (
    KEY,
    PartMissing,
    SignedRequest,
    StoredObject,
    StoredPart,
    UploadGone,
    WrongPart,
    require_key,
)
from lockleaf.server.platform.blobs.s3_forms import digest_of, in_base64, in_parts, part_of, style_of
from lockleaf.server.platform.blobs.s3_refusals import Refused, answering
from lockleaf.server.platform.settings import BlobSettings

__all__ = ["S3Store"]

ATTEMPTS = 3
CONNECT_SECONDS = 3.0
CONNECTIONS = 50
DELETED_AT_ONCE = 1000
PIECE = 256 * 1024
OCTETS = "application/octet-stream"
_GONE = frozenset({"NoSuchUpload", "NoSuchKey"})
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
_WRONG = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "BadDigest"})


@dataclass(frozen=True, slots=True)
class _Clients:
    """One talks to the store; the other only signs, for the address by which clients reach it."""

    calls: Any
    signs: Any
    closing: AsyncExitStack


class S3Store:
    """Keeps objects in a bucket. Connections are made when they are first needed, in the event loop that needs them.

    Args:
        settings: where the bucket is, and what opens it.
        clock: gives the present time, aware, in UTC.
    """

    def __init__(self, settings: BlobSettings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._clients: _Clients | None = None
        self._connecting = asyncio.Lock()

    # ---- what is signed ----

    async def sign_upload(self, key: str, *, size: int, sha256: bytes | None, seconds: int) -> SignedRequest:
        """Return the request that puts an object there."""
        return await self._sign_put("put_object", self._named(key), size, sha256, seconds)

    async def sign_part(
        self, key: str, upload: str, number: int, *, size: int, sha256: bytes, seconds: int
    ) -> SignedRequest:
        """Return the request that puts a part there."""
        named = {**self._named(key), "UploadId": upload, "PartNumber": number}
        return await self._sign_put("upload_part", named, size, sha256, seconds)

    async def _sign_put(
        self, method: str, named: dict[str, Any], size: int, sha256: bytes | None, seconds: int
    ) -> SignedRequest:
        if size < 1:
            raise ValueError("an object has at least one byte")
        signed = {**named, "ContentLength": size}
        headers = {"Content-Length": str(size)}
        if sha256 is not None:
            signed["ChecksumSHA256"] = headers["x-amz-checksum-sha256"] = in_base64(sha256)
        return await self._sign("PUT", method, signed, headers, seconds)

    async def sign_download(self, key: str, *, seconds: int) -> SignedRequest:
        """Return the request that reads an object."""
        answered = {
            "ResponseContentType": OCTETS,
            "ResponseContentDisposition": "attachment",
            "ResponseCacheControl": "private, no-store",
        }
        return await self._sign("GET", "get_object", {**self._named(key), **answered}, {}, seconds)

    async def _sign(
        self, verb: str, method: str, parameters: dict[str, Any], headers: dict[str, str], seconds: int
    ) -> SignedRequest:
        clients = await self._connected()
        expires_at = self._clock() + timedelta(seconds=seconds)
        with answering(method):
            url = await clients.signs.generate_presigned_url(method, Params=parameters, ExpiresIn=seconds)
        return SignedRequest(verb, url, headers, expires_at)

    async def put(self, key: str, data: bytes, *, sha256: bytes) -> None:
        """Put an object into the bucket."""
        named = {**self._named(key), "ContentType": OCTETS, "ContentLength": len(data)}
        await self._call("put_object", {**named, "Body": data, "ChecksumSHA256": in_base64(sha256)})

    # ---- parts ----

    async def begin_parts(self, key: str) -> str:
        """Begin an upload in parts, whose digests the store is to verify."""
        named = {**self._named(key), "ChecksumAlgorithm": "SHA256", "ContentType": OCTETS}
        upload: str = (await self._call("create_multipart_upload", named))["UploadId"]
        return upload

    async def parts(self, key: str, upload: str) -> list[StoredPart]:
        """Return the parts that have arrived."""
        return [part for part, _ in await self._parts(key, upload)]

    async def _parts(self, key: str, upload: str) -> list[tuple[StoredPart, str]]:
        """Return the parts with the store's words for their content."""
        found: list[tuple[StoredPart, str]] = []
        named = {**self._named(key), "UploadId": upload}
        try:
            async for page in self._pages("list_parts", named, known=_GONE):
                found.extend((part_of(each), each["ETag"]) for each in page.get("Parts", ()))
        except Refused:
            raise UploadGone(()) from None
        return found

    async def complete_parts(self, key: str, upload: str, parts: Sequence[StoredPart]) -> None:
        """Make an object of parts, each held to its digest once more."""
        listed = []
        numbers = [part.number for part in parts]
        try:
            found = {part.number: (part, tag) for part, tag in await self._parts(key, upload)}
        except UploadGone:
            raise UploadGone(numbers) from None
        if missing := [number for number in numbers if number not in found]:
            raise PartMissing(missing)
        for part in parts:
            there, tag = found[part.number]
            if there.size != part.size or there.sha256 not in (None, part.sha256):
                raise WrongPart(part.number)
            listed.append({"PartNumber": part.number, "ETag": tag, "ChecksumSHA256": in_base64(part.sha256)})
        named = {**self._named(key), "UploadId": upload, "MultipartUpload": {"Parts": listed}}
        try:
            await self._call("complete_multipart_upload", named, known=_GONE | _WRONG)
        except Refused as error:
            if error.code in _GONE:
                raise UploadGone(numbers) from None
            raise WrongPart from None

    async def abort_parts(self, key: str, upload: str) -> None:
        """Throw an upload in parts away."""
        with suppress(Refused):
            await self._call("abort_multipart_upload", {**self._named(key), "UploadId": upload}, known=_GONE)

    # ---- objects ----

    async def copy(self, key: str, to: str) -> StoredObject | None:
        """Copy an object, and read the copy for its digest: not every store computes one where none was sent."""
        source = {"CopySource": self._named(key), "MetadataDirective": "REPLACE", "ContentType": OCTETS}
        try:
            await self._call("copy_object", {**self._named(to), **source}, known=_ABSENT)
        except Refused:
            return None
        digest, size = hashlib.sha256(), 0
        with answering("get_object"):
            answer = await self._call("get_object", self._named(to))
            async with answer["Body"] as body:
                async for piece in body.iter_chunks(PIECE):
                    digest.update(piece)
                    size += len(piece)
        return StoredObject(size, digest.digest())

    async def download(self, key: str) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of an object."""
        try:
            answer = await self._call("get_object", self._named(key), known=_ABSENT)
        except Refused:
            return
        with answering("get_object"):
            async with answer["Body"] as body:
                async for piece in body.iter_chunks(PIECE):
                    yield piece

    async def upload(self, key: str, pieces: AsyncIterator[bytes], *, size: int) -> None:
        """Put an object of any size into the bucket, in parts where it is large."""
        parts = in_parts(pieces)
        first: bytes = await anext(parts, b"")
        if size <= len(first):
            if len(first) != size or [each async for each in parts]:
                raise ValueError("an object is not as large as it was said to be")
            await self.put(key, first, sha256=hashlib.sha256(first).digest())
            return
        upload = await self.begin_parts(key)
        try:
            sent = await self._send_part(key, upload, 1, first)
            listed = [sent]
            async for part in parts:
                listed.append(await self._send_part(key, upload, len(listed) + 1, part))
            if sum(part.size for part in listed) != size:
                raise ValueError("an object is not as large as it was said to be")
            await self.complete_parts(key, upload, listed)
        except BaseException:
            await self.abort_parts(key, upload)
            raise

    async def _send_part(self, key: str, upload: str, number: int, part: bytes) -> StoredPart:
        digest = hashlib.sha256(part).digest()
        named = {**self._named(key), "UploadId": upload, "PartNumber": number, "ContentLength": len(part)}
        await self._call("upload_part", {**named, "Body": part, "ChecksumSHA256": in_base64(digest)})
        return StoredPart(number, len(part), digest)

    async def stat(self, key: str) -> StoredObject | None:
        """Return size and digest of an object."""
        try:
            found = await self._call("head_object", {**self._named(key), "ChecksumMode": "ENABLED"}, known=_ABSENT)
        except Refused:
            return None
        return StoredObject(found["ContentLength"], digest_of(found.get("ChecksumSHA256")))

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects, a thousand at a time."""
        waiting = iter(keys)
        while some := [{"Key": self._named(key)["Key"]} for key in islice(waiting, DELETED_AT_ONCE)]:
            wanted = {"Bucket": self._settings.bucket, "Delete": {"Objects": some, "Quiet": True}}
            answer = await self._call("delete_objects", {**wanted, "ChecksumAlgorithm": "SHA256"})
            for error in answer.get("Errors", ()):
                if error.get("Code") != "NoSuchKey":
                    raise StoreUnavailable

    async def list_keys(self, *, older_than: datetime) -> AsyncIterator[str]:
        """Yield the keys of objects, a page of the bucket in memory at a time."""
        async for page in self._pages("list_objects_v2", self._all()):
            for each in page.get("Contents", ()):
                if (key := self._key(each["Key"])) and each["LastModified"] < older_than:
                    yield key

    async def drop_unfinished(self, *, older_than: datetime) -> int:
        """Throw away uploads in parts that were begun before a time."""
        dropped = 0
        async for page in self._pages("list_multipart_uploads", self._all()):
            for each in page.get("Uploads", ()):
                if (key := self._key(each["Key"])) and each["Initiated"] < older_than:
                    await self.abort_parts(key, each["UploadId"])
                    dropped += 1
        return dropped

    async def check(self) -> None:
        """Ask for the bucket."""
        await self._call("head_bucket", {"Bucket": self._settings.bucket})

    async def close(self) -> None:
        """Close the connections."""
        clients, self._clients = self._clients, None
        if clients is not None:
            await clients.closing.aclose()

    # ---- calls ----

    def _named(self, key: str) -> dict[str, Any]:
        return {"Bucket": self._settings.bucket, "Key": self._settings.prefix + require_key(key)}

    def _all(self) -> dict[str, Any]:
        return {"Bucket": self._settings.bucket, "Prefix": self._settings.prefix}

    def _key(self, name: str) -> str | None:
        """Return the key of an object by its name in the bucket; None if it is not one of ours."""
        key = name.removeprefix(self._settings.prefix)
        return key if KEY.fullmatch(key) else None

    async def _call(
        self, method: str, parameters: Mapping[str, Any], known: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        clients = await self._connected()
        with answering(method, known):
            answer: dict[str, Any] = await getattr(clients.calls, method)(**parameters)
            return answer

    async def _pages(
        self, method: str, parameters: Mapping[str, Any], known: frozenset[str] = frozenset()
    ) -> AsyncIterator[dict[str, Any]]:
        clients = await self._connected()
        with answering(method, known):
            pages = clients.calls.get_paginator(method).paginate(**parameters)
            async for page in pages:
                yield page

    async def _connected(self) -> _Clients:
        async with self._connecting:
            if self._clients is None:
                with answering("connect"):
                    self._clients = await self._connect()
            return self._clients

    async def _connect(self) -> _Clients:
        settings = self._settings
        session = AioSession()
        # Descriptions of the service are megabytes of JSON.
        await asyncio.to_thread(session.warm_up_loader_caches, "s3")
        config = AioConfig(
            signature_version="s3v4",
            s3={"addressing_style": style_of(settings)},
            connect_timeout=min(CONNECT_SECONDS, settings.timeout_seconds),
            read_timeout=settings.timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=CONNECTIONS,
            # Checksums of other kinds than the one that we ask for are not known to every store.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        opened_by = {
            "aws_access_key_id": settings.access_key and settings.access_key.get_secret_value(),
            "aws_secret_access_key": settings.secret_key and settings.secret_key.get_secret_value(),
        }

        async def client(endpoint: str | None) -> Any:
            return await closing.enter_async_context(
                session.create_client(
                    "s3", region_name=settings.region, endpoint_url=endpoint, config=config, **opened_by
                )
            )

        async with AsyncExitStack() as closing:
            calls = await client(settings.endpoint)
            signs = await client(settings.public_endpoint) if settings.public_endpoint else calls
            return _Clients(calls, signs, closing.pop_all())
        raise AssertionError
