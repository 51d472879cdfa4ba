"""Identifiers that the server makes: UUIDs of version 7, which sort by the time of their making (RFC 9562)."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

__all__ = ["uuid7"]


def uuid7(now: datetime) -> UUID:
    """Return a new UUIDv7 of the millisecond ``now``, with 74 random bits."""
    milliseconds = int(now.timestamp() * 1000) & (2**48 - 1)
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)
