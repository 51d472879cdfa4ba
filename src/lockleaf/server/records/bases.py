"""What a change to a record follows."""

from __future__ import annotations

from lockleaf.crypto.history import ZERO, payload_hash
from lockleaf.wire.sync import Record

__all__ = ["base_of"]


def base_of(held: Record | None) -> tuple[int, bytes]:
    """Return ``base_revision`` and ``parent`` of what follows a record: 0 and zeros where there is no record."""
    return (0, ZERO) if held is None else (held.revision, payload_hash(held.payload))
