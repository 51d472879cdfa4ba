"""Encrypted files as clients send them: declared, put into the store by signed requests, completed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx

from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.parts import Parts
from lockleaf.wire.media import MIN_PART_BYTES
from tests.support.accounts import Owner

__all__ = [
    "attach",
    "complete",
    "declaration",
    "declare",
    "fetch",
    "in_parts",
    "keys_in_store",
    "object_key",
    "send",
    "sent",
    "two_parts",
]


def declaration(data: bytes, **fields: Any) -> dict[str, Any]:
    """What is said of a file before it is uploaded."""
    return {
        "media_type": "application/octet-stream",
        "size": len(data),
        "sha256": sha256(data).hexdigest(),
        **fields,
    }


def two_parts(last: int = 10) -> list[bytes]:
    """A file of two parts, the first as small as a part may be."""
    return [secrets.token_bytes(1024) * (MIN_PART_BYTES // 1024), secrets.token_bytes(last)]


def in_parts(parts: Iterable[bytes], **fields: Any) -> dict[str, Any]:
    """What is said of a file that comes in parts."""
    parts = list(parts)
    told = [{"size": len(part), "sha256": sha256(part).hexdigest()} for part in parts]
    return declaration(b"".join(parts), parts=told, **fields)


async def declare(owner: Owner, body: dict[str, Any]) -> Any:
    """Declare a file, and return where its bytes go."""
    answer = await owner.request("POST", "/media/upload", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def send(http: httpx.AsyncClient, signed: dict[str, Any], data: bytes) -> httpx.Response:
    """Send bytes by a signed request, and nothing else of the account."""
    return await http.request(signed["method"], signed["url"], headers=signed["headers"], content=data)


async def sent(http: httpx.AsyncClient, signed: dict[str, Any], data: bytes) -> None:
    """Send bytes by a signed request, which the store takes."""
    answer = await send(http, signed, data)
    assert answer.status_code in (200, 201, 204), answer.text


async def complete(owner: Owner, media_id: str) -> httpx.Response:
    """Ask for a file to exist."""
    return await owner.request("POST", f"/media/{media_id}/complete")


async def attach(owner: Owner, data: bytes, *, over: httpx.AsyncClient | None = None, **fields: Any) -> str:
    """Upload a file, and return its id.

    Arguments:
        over: speaks to the store; the owner's own client where the server is the store.
    """
    declared = await declare(owner, declaration(data, **fields))
    await sent(over or owner.http, declared["upload"], data)
    answer = await complete(owner, declared["id"])
    assert answer.status_code == 200, answer.text
    media_id: str = declared["id"]
    return media_id


async def fetch(owner: Owner, media_id: str, *, over: httpx.AsyncClient | None = None) -> bytes:
    """Download a file."""
    signed = await owner.request("GET", f"/media/{media_id}/download")
    assert signed.status_code == 200, signed.text
    told = signed.json()
    answer = await (over or owner.http).request(told["method"], told["url"], headers=told["headers"])
    assert answer.status_code == 200, answer.text
    return answer.content


async def object_key(running: Parts, owner: Owner, media_id: str) -> str:
    """Where in the store a file lies."""
    async with running[Database].read_driver() as connection:
        key: str = await connection.fetchval(
            "SELECT object_key FROM media WHERE user_id = $1 AND media_id = $2",
            UUID(owner.answer["id"]),
            UUID(media_id),
        )
    return key


async def keys_in_store(running: Parts) -> set[str]:
    """The keys of everything that lies in the store."""
    later = running[Clock]().replace(year=2100)
    return {key async for key in running[ObjectStore].list_keys(older_than=later)}
