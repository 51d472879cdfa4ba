"""A sealed entry as it travels."""

from __future__ import annotations

from lockleaf.server.features.content.common_fields import common_fields
from lockleaf.wire.entries import SealedEntry
from lockleaf.wire.sync import Record

__all__ = ["shown"]


def shown(record: Record) -> SealedEntry:
    """Return an entry as it travels."""
    return SealedEntry(
        **common_fields(record),
        source=record.source,
        occurred_at=record.occurred_at,
        payload=record.payload,
        labels=record.labels,
    )
