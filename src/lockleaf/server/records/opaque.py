"""Payloads of clients that keep their keys to themselves, in accounts without a keyring: fields as they came.

What is inside a field may be sealed by a scheme of the client's own. The server keeps the fields as one canonical map,
gives them back, and compares them by their bytes.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import asyncpg

from lockleaf.wire.codec import MalformedBody, unpack

__all__ = ["is_sealed", "opaque_label", "opaque_map", "takes_opaque"]

_ENVELOPE = b"\x01"
"""The first byte of a sealed payload, its version; a MessagePack map begins otherwise."""


def is_sealed(payload: bytes) -> bool:
    """Tell whether a payload is an envelope that a client sealed."""
    return payload[:1] == _ENVELOPE


def opaque_map(payload: bytes) -> dict[str, Any] | None:
    """Return the fields that a payload holds as they came; None for one that a client sealed, and for a deletion's."""
    if not payload or is_sealed(payload):
        return None
    try:
        found = unpack(payload)
    except MalformedBody:
        return None
    return found if isinstance(found, dict) else None


def opaque_label(kind: str, value: str) -> bytes:
    """Return the 16-byte label of a value that came as it is: the same value has the same label.

    It is the beginning of a plain hash, which keeps nothing secret that the value itself does not.

    Arguments:
        kind: ``tag``, ``mood``, ``source`` or ``content-hash``.
    """
    return sha256(f"lockleaf/1/{kind}-name".encode() + value.encode()).digest()[:16]


async def takes_opaque(connection: asyncpg.Connection, user_id: Any) -> bool:
    """Tell whether an account takes such payloads where sealed ones stand otherwise: it has no keyring."""
    found: bool | None = await connection.fetchval("SELECT key_id = 0 FROM heads WHERE user_id = $1", user_id)
    return bool(found)
