"""People with accounts: what a client holds of one, made with real keys, and spoken over plain HTTP."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI

from lockleaf.crypto import identity, recovery
from lockleaf.server.main.app import create_app
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.fields import encode_base64

__all__ = ["Clock", "Clocked", "Person", "new_email", "new_kdf", "problem", "sealed", "served"]


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, **duration: float) -> None:
        """Move forward by ``timedelta(**duration)``."""
        self.offset += timedelta(**duration)


class Clocked(NamedTuple):
    """The application with a clock that moves when it is told to, and a client of it."""

    app: FastAPI
    http: httpx.AsyncClient
    clock: Clock


@asynccontextmanager
async def served(
    settings: Settings, *, address: str = "127.0.0.1", **options: Any
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """The real application with settings or a clock of its own, and a client of it, which calls from ``address``."""
    app = create_app(settings, **options)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, client=(address, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://lockleaf.test/api/v1") as client:
            yield app, client


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of ``answer``, once it is the one that was expected."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code), answer.text
    return body


def new_email() -> str:
    """An email that nobody has."""
    return f"{secrets.token_hex(8)}@example.org"


def new_kdf() -> dict[str, Any]:
    """Key derivation parameters with a fresh salt."""
    return {
        "algorithm": "argon2id",
        "salt": encode_base64(secrets.token_bytes(16)),
        "memory_kib": 65536,
        "iterations": 4,
        "parallelism": 1,
    }


def sealed() -> str:
    """A sealed keyring, as a server sees one: bytes."""
    return encode_base64(secrets.token_bytes(120))


@dataclass
class Person:
    """Somebody with an end-to-end encrypted account. The server opens no keyring, so any bytes are one."""

    email: str = field(default_factory=new_email)
    id: UUID = field(default_factory=uuid4)
    secret: str = field(default_factory=lambda: encode_base64(secrets.token_bytes(32)))
    kdf: dict[str, Any] = field(default_factory=new_kdf)
    keyring: str = field(default_factory=sealed)
    identity_seed: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    signing_seed: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    codes: list[str] = field(default_factory=lambda: [recovery.new_code() for _ in range(3)])
    tokens: dict[str, Any] = field(default_factory=dict)

    @property
    def recipient(self) -> str:
        return identity.recipient_from_seed(self.identity_seed)

    @property
    def signing_key(self) -> bytes:
        return identity.public_signing_key(self.signing_seed)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    def recovery_set(self) -> list[dict[str, str]]:
        """The recovery set of the person's codes."""
        return [
            {"verifier_hash": encode_base64(recovery.verifier_hash(recovery.verifier(code))), "keyring": sealed()}
            for code in self.codes
        ]

    def signup_body(self, **more: Any) -> dict[str, Any]:
        """A sign-up with everything that belongs to it."""
        return {
            "email": self.email,
            "password": self.secret,
            "encryption_tier": "e2e",
            "id": str(self.id),
            "kdf": self.kdf,
            "keyring": self.keyring,
            "recipient": self.recipient,
            "signing_key": encode_base64(self.signing_key),
            "recovery": self.recovery_set(),
            "device_name": "first device",
            **more,
        }

    async def rotation_body(self, http: httpx.AsyncClient, previous: Person, base: int, **more: Any) -> dict[str, Any]:
        """A replacement of the keyring by this person's keys, where the history ends now."""
        answer = await http.get("/sync/changes", headers=previous.headers)
        assert answer.status_code == 200, answer.text
        return self.keyring_body(previous, base, answer.json(), **more)

    def keyring_body(
        self, previous: Person, base: int, end: dict[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        """A replacement of the keyring by this person's keys, signed by the ``previous`` ones.

        ``end`` of the history is where the ``previous`` key ends: some end if absent.
        """
        end = end or {"epoch": "unknown", "seq": 0, "head": encode_base64(bytes(32))}
        message = identity.rotation_message(str(previous.id), base + 1, self.recipient, self.signing_key)
        return {
            "current_password": previous.secret,
            "password": self.secret,
            "kdf": self.kdf,
            "keyring": self.keyring,
            "base_keyring_version": base,
            "key_id": base + 1,
            "retired_at": {name: end[name] for name in ("epoch", "seq", "head")},
            "recipient": self.recipient,
            "signing_key": encode_base64(self.signing_key),
            "rotation_signature": encode_base64(identity.sign(previous.signing_seed, message)),
            "recovery": self.recovery_set(),
            **more,
        }

    async def sign_up(self, http: httpx.AsyncClient, **more: Any) -> Person:
        """Make the account, and keep its first session's tokens."""
        answer = await http.post("/auth/signup", json=self.signup_body(**more))
        assert answer.status_code == 201, answer.text
        self.tokens = answer.json()
        return self

    async def log_in(self, http: httpx.AsyncClient, **more: Any) -> Person:
        """The same person on another device."""
        answer = await http.post("/auth/login", json={"email": self.email, "password": self.secret, **more})
        assert answer.status_code == 200, answer.text
        return replace(self, tokens=answer.json())

    async def refresh(self, http: httpx.AsyncClient, **more: Any) -> httpx.Response:
        """The answer to the use of the session's refresh token."""
        return await http.post("/auth/refresh", json={"refresh_token": self.tokens["refresh_token"], **more})

    async def is_signed_in(self, http: httpx.AsyncClient) -> bool:
        """Whether the server still takes the session's access token."""
        answer = await http.get("/auth/sessions", headers=self.headers)
        if answer.status_code == 401:
            problem(answer, 401, "session_revoked")
            return False
        assert answer.status_code == 200, answer.text
        return True
