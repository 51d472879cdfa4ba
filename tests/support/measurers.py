"""People whose metrics a server adds up, over plain HTTP, with real keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from lockleaf.he import codec, decrypt
from lockleaf.wire.codec import MSGPACK, pack, unpack
from lockleaf.wire.fields import encode_base64
from tests.support.accounts import Owner, register
from tests.support.metrics import Holder, holder

__all__ = ["Measurer", "measurer", "register_key"]

SMALL = "ckks-4096"


@dataclass
class Measurer:
    """An account, and the keys of its metrics."""

    owner: Owner
    keys: Holder

    @property
    def parameter_set(self) -> str:
        return self.keys.parameters.name

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Send a request as MessagePack, and ask for an answer in it."""
        headers = {"Accept": MSGPACK}
        if body is not None:
            options["content"] = pack(body)
            headers["Content-Type"] = MSGPACK
        return await self.owner.request(method, f"/encryption{path}", headers=headers, **options)

    def value(self, number: float, at: str | datetime, metric_type: str = "words", **fields: Any) -> dict[str, Any]:
        """A single value as it is uploaded."""
        return {
            "metric_type": metric_type,
            "encrypted_value": self.keys.blob(number),
            "timestamp": at,
            "parameter_set": self.parameter_set,
            "id": str(uuid4()),
            **fields,
        }

    def delta(self, layout: str, slots: list[float], at: str, **fields: Any) -> dict[str, Any]:
        """A delta as it is uploaded."""
        return {
            "encrypted_value": self.keys.blob(*slots, largest=self.keys.parameters.largest_sum),
            "timestamp": at,
            "parameter_set": self.parameter_set,
            "layout": layout,
            "id": str(uuid4()),
            **fields,
        }

    async def send(self, *metrics: dict[str, Any]) -> httpx.Response:
        """Upload metrics."""
        return await self.ask("POST", "/metrics", {"metrics": list(metrics)})

    async def sent(self, *metrics: dict[str, Any]) -> dict[str, Any]:
        """Upload metrics that are counted."""
        answer = await self.send(*metrics)
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = unpack(answer.content)
        return body

    async def aggregate(
        self, operation: str = "sum", metric_type: str | None = "words", **fields: Any
    ) -> httpx.Response:
        """Ask for a result."""
        question = {"operation": operation, "metric_type": metric_type, "parameter_set": self.parameter_set, **fields}
        return await self.ask(
            "POST", "/aggregate", {name: value for name, value in question.items() if value is not None}
        )

    async def result(self, operation: str = "sum", metric_type: str | None = "words", **fields: Any) -> dict[str, Any]:
        """Ask for a result that there is."""
        answer = await self.aggregate(operation, metric_type, **fields)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = unpack(answer.content)
        return body

    def read(self, data: bytes, *, largest: float = 2.0**80) -> float:
        """The number in the first slot of a ciphertext."""
        return self.slots(data, largest=largest)[0]

    def slots(self, data: bytes, *, largest: float = 2.0**80) -> list[float]:
        """The numbers in a ciphertext."""
        sent = codec.read_ciphertext(data, self.keys.parameters, level=None)
        return decrypt.decrypt_slots(self.keys.key, data, largest=largest, scale=sent.scale, level=sent.level)

    async def total(self, operation: str = "sum", metric_type: str = "words", **fields: Any) -> float:
        """A result, decrypted."""
        result = await self.result(operation, metric_type, **fields)
        return self.read(result["encrypted_result"]) / result["divisor"]


async def measurer(
    http: httpx.AsyncClient,
    *,
    parameter_set: str = SMALL,
    privacy_tier: str = "analytics_sync",
    public: bytes | None = None,
) -> Measurer:
    """An account of that tier, with a public key registered."""
    owner = await register(http, privacy_tier=privacy_tier)
    keys = holder(parameter_set)
    await register_key(owner, public or keys.public, privacy_tier=privacy_tier)
    return Measurer(owner, keys)


async def register_key(owner: Owner, public: bytes, *, privacy_tier: str) -> None:
    """Register a public key of an account."""
    answer = await owner.request(
        "PUT",
        "/users/me/privacy",
        json={
            "privacy_tier": privacy_tier,
            "consent_timestamp": datetime.now(UTC).isoformat(),
            "he_public_key": encode_base64(public),
        },
    )
    assert answer.status_code == 200, answer.text
