"""Accounts and changes as a plain HTTP client makes them: opaque bytes in the shape of what the SDK seals."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx

from lockleaf.wire.codec import MSGPACK, pack, unpack

ZERO = bytes(32)


def sealed(size: int = 300, *, key_id: int | None = None) -> bytes:
    """Bytes with the frame of an envelope, sealed under some key or that of ``key_id``."""
    under = secrets.token_bytes(4) if key_id is None else key_id.to_bytes(4, "big")
    return b"\x01\x01" + under + secrets.token_bytes(size - 4)


def change(**fields: Any) -> dict[str, Any]:
    """A change that makes a new entry, unless ``fields`` say otherwise."""
    return {
        "collection": "entries",
        "record_id": str(uuid4()),
        "base_revision": 0,
        "parent": ZERO,
        "payload": sealed(),
        "device_id": "device-one",
        "client_updated_at": datetime.now(UTC),
        **fields,
    }


def following(earlier: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A change that follows an accepted one."""
    return {
        **earlier,
        "base_revision": earlier["base_revision"] + 1,
        "parent": sha256(earlier["payload"]).digest(),
        "payload": sealed(),
        **fields,
    }


@dataclass
class Owner:
    """An account and a session of it, over plain HTTP."""

    http: httpx.AsyncClient
    email: str
    password: str
    answer: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """The access token."""
        token: str = self.answer["access_token"]
        return token

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request in the account's name."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **options)

    async def push(self, *changes: dict[str, Any], **options: Any) -> Any:
        """Push changes as MessagePack, and return the whole answer."""
        answer = await self.request(
            "POST",
            "/sync/push",
            content=pack({"changes": list(changes), **options}),
            headers={"Content-Type": MSGPACK, "Accept": MSGPACK},
        )
        assert answer.status_code == 200, answer.text
        return unpack(answer.content)

    async def results(self, *changes: dict[str, Any], **options: Any) -> Any:
        """Push changes, and return what became of each."""
        return (await self.push(*changes, **options))["results"]

    async def feed(self, after: str | None = None, limit: int = 500, **params: Any) -> Any:
        """Read a page of the feed."""
        params = {"limit": limit, **params, **({"after": after} if after else {})}
        answer = await self.request("GET", "/sync/changes", params=params, headers={"Accept": MSGPACK})
        assert answer.status_code == 200, answer.text
        return unpack(answer.content)


async def register(http: httpx.AsyncClient, *, privacy_tier: str = "full_sync", **fields: Any) -> Owner:
    """Register an account as an older client does, with email and password alone."""
    email, password = f"{uuid4().hex}@example.org", secrets.token_urlsafe(32)
    body = {"email": email, "password": password, "privacy_tier": privacy_tier, **fields}
    answer = await http.post("/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    return Owner(http, body["email"], body["password"], answer.json())
