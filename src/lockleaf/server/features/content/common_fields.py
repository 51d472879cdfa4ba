"""What every entry says of itself as it travels, whatever is in it, and whoever sealed that."""

from __future__ import annotations

from typing import Any

from lockleaf.wire.sync import Record

__all__ = ["common_fields"]


def common_fields(record: Record) -> dict[str, Any]:
    """Return the fields of an answer that every form of an entry has, but for its source."""
    return {
        "id": record.record_id,
        "revision": record.revision,
        "parent": record.parent,
        "seq": record.seq,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "deleted_at": record.updated_at if record.deleted else None,
    }
