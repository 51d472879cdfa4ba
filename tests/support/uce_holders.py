"""People with accounts in user-controlled encryption, and entries written for them by their server."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI

from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.principal import Principal, authenticate
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.parts import Parts
from lockleaf.server.records import service as records
from lockleaf.wire.codec import unpack
from lockleaf.wire.sync import Change, Record
from tests.support.account_holders import Person

__all__ = ["Thin", "opened_entry", "parts_of", "principal_of", "stored", "written_entry"]


@dataclass
class Thin(Person):
    """Somebody whose client only has a password: the server makes the keys, and opens them in a session."""

    secret: str = field(default_factory=lambda: f"Päßwort {secrets.token_hex(8)}")

    def signup_body(self, **more: Any) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "email": self.email,
            "password": self.secret,
            "encryption_tier": "uce",
            "device_name": "first device",
            **more,
        }

    @property
    def shown_codes(self) -> list[str]:
        """The recovery codes that the sign-up showed."""
        shown: list[str] = self.tokens["recovery_codes"]
        return shown

    async def change_password(self, http: httpx.AsyncClient, password: str) -> httpx.Response:
        """The answer to a change of the password."""
        body = {"current_password": self.secret, "password": password}
        return await http.put("/auth/password", json=body, headers=self.headers)


def parts_of(app: FastAPI) -> Parts:
    """The parts of the server."""
    found: Parts = app.state.parts
    return found


async def principal_of(app: FastAPI, person: Person) -> Principal:
    """Whom the server takes the person's access token to speak for."""
    parts = parts_of(app)
    async with parts[Database].read_driver() as connection:
        return await authenticate(connection, parts[TokenCodec], person.tokens["access_token"])


async def written_entry(app: FastAPI, person: Person, content: dict[str, Any]) -> str:
    """The id of a new entry with ``content``, sealed by the server in the person's session."""
    parts, principal, record_id = parts_of(app), await principal_of(app, person), str(uuid4())
    async with parts[Database].transaction() as transaction:
        async with keyrings.opened(
            parts[Clock], parts[Custodian], transaction.connection, principal, purpose="entries.write"
        ) as keys:
            labels = tuple(sorted(keys.label("tag", tag) for tag in content.get("tags", ())))
            place: dict[str, Any] = {"collection": "entries", "record_id": record_id, "base_revision": 0}
            place |= {"parent": bytes(32), "labels": labels}
            payload = keys.seal(content=content, **place, device="server", written_at=parts[Clock]())
        change = Change(payload=payload, device_id="server", client_updated_at=datetime.now(UTC), **place)
        pushed = await records.push(transaction.connection, person.id, [change], now=parts[Clock]())
    assert [outcome.status for outcome in pushed.outcomes] == ["applied"]
    return record_id


async def stored(app: FastAPI, user_id: UUID, record_id: str) -> Record:
    """A record as the server keeps it."""
    async with parts_of(app)[Database].read_driver() as connection:
        packed = await connection.fetchval(
            "SELECT packed FROM records WHERE user_id = $1 AND collection = 'entries' AND record_id = $2",
            user_id,
            record_id,
        )
    return Record.model_validate(unpack(packed))


async def opened_entry(app: FastAPI, person: Person, record_id: str) -> dict[str, Any]:
    """What an entry holds, opened by the server in the person's session."""
    parts, principal = parts_of(app), await principal_of(app, person)
    record = await stored(app, person.id, record_id)
    async with (
        parts[Database].transaction() as transaction,
        keyrings.opened(
            parts[Clock], parts[Custodian], transaction.connection, principal, purpose="entries.read"
        ) as keys,
    ):
        content = keys.open(record)
    # Who wrote it, and when, is within each seal that the server makes.
    assert content.pop("device")
    assert datetime.fromisoformat(content.pop("written_at")).tzinfo is not None
    return content
