"""Bodies of requests and answers, in both encodings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import ormsgpack
from pydantic import ValidationError

import lockleaf.wire
from lockleaf.client.errors import LockleafError
from lockleaf.client.transport.answers import Answer, failure_of
from lockleaf.wire.base import Body, Listed
from lockleaf.wire.codec import JSON, MSGPACK, MalformedBody, decode, encode, unpack
from tests.fuzz.target import Target

__all__ = ["EXAMPLE", "TARGETS", "bodies"]

_REFUSALS = (ValidationError, MalformedBody)
EXAMPLE = {
    "collection": "entries",
    "record_id": "0190a3a0-0000-7000-8000-0000000000a1",
    "id": "0190a3a0-0000-7000-8000-0000000000a1",
    "email": "you@example.org",
    "password": "QSBkYXk=",
    "base_revision": 0,
    "parent": "A" * 43 + "=",
    "payload": "QSBkYXk=",
    "device_id": "0190a3a0-0000-7000-8000-0000000000a2",
    "client_updated_at": "2026-03-01T12:00:00Z",
    "occurred_at": "2026-03-01T12:00:00+02:00",
    "labels": ["A" * 22 + "=="],
    "deleted": False,
    "tags": ["sea", "été"],
    "title": "A day",
    "body": "It rained.",
    "content": "It rained.",
    "mood": "calm",
    "time_zone": "Europe/Vienna",
    "privacy_tier": "full_sync",
    "kdf": {"algorithm": "argon2id", "salt": "A" * 22 + "==", "memory_kib": 65536, "iterations": 3, "parallelism": 1},
    "query": "tag:sea rain",
    "limit": 50,
    "cursor": None,
    "changes": [{"collection": "entries", "record_id": "x", "payload": "QQ==", "base_revision": 1}],
    "metrics": [{"type": "words", "ciphertext": "QQ==", "recorded_at": "2026-03-01T12:00:00Z"}],
}


def _subclasses(body: type[Body]) -> Iterator[type[Body]]:
    for each in body.__subclasses__():
        yield each
        yield from _subclasses(each)


def bodies() -> list[type[Body]]:
    """Return every body that travels, by name."""
    for module in iter_modules(lockleaf.wire.__path__, "lockleaf.wire."):
        import_module(module.name)
    found = {each for each in _subclasses(Body) if each.__module__.startswith("lockleaf.wire.")}
    return sorted((each for each in found if not issubclass(each, Listed)), key=lambda each: each.__qualname__)


def _decoded(media_type: str, data: bytes) -> None:
    """Read what the bytes say as the body that their first byte chooses; what is taken is said again alike."""
    known = bodies()
    model = known[data[0] % len(known)] if data else known[0]
    body = decode(model, data[1:], media_type, forbid_unknown=True)
    encode(body, MSGPACK)
    encode(body, JSON)


def _of_each(dump: Any) -> Iterable[bytes]:
    for number, model in enumerate(bodies()):
        fields = {name: EXAMPLE[name] for name in model.model_fields if name in EXAMPLE}
        yield bytes([number % 256]) + dump(fields)


def _problem(data: bytes) -> None:
    for status in (400, 401, 413, 429, 503):
        error = failure_of(Answer(status, "application/problem+json", None, data), None)
        assert isinstance(error, LockleafError)
        assert str(error).isprintable() or "\n" in str(error)


def _problems() -> Iterable[bytes]:
    yield json.dumps({"type": "/problems/rate_limited", "title": "x", "status": 429, "code": "rate_limited"}).encode()
    yield json.dumps({"code": "epoch_changed", "detail": "a\x1b[31m", "epoch": {"x": []}, "status": "9"}).encode()


TARGETS = (
    Target(
        "body-json", lambda data: _decoded(JSON, data), _REFUSALS, lambda: _of_each(lambda x: json.dumps(x).encode())
    ),
    Target("body-messagepack", lambda data: _decoded(MSGPACK, data), _REFUSALS, lambda: _of_each(ormsgpack.packb)),
    Target("wire-messagepack", unpack, (MalformedBody,), lambda: [ormsgpack.packb(EXAMPLE)]),
    Target("problem", _problem, (), _problems),
)
