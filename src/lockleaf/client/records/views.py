"""What the store holds, as a user sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lockleaf.client.records.attachments import attachments_of
from lockleaf.client.records.bases import Base
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.foreign import foreign_fields
from lockleaf.client.records.readings import own_metrics
from lockleaf.client.store.records import Document, StoredRecord

__all__ = ["Conflict", "base_of", "entry_of"]

_NEVER = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two versions of an entry that wait for a decision.

    ``local`` is the version that could not be merged, None if it is a deletion; ``remote`` is the entry as it stands.
    ``own`` tells whether ``local`` was written on this device. ``first_id`` is the id that it had here before a sync
    carried it to the server, if another one; it stays good. Not ``authentic`` is what a retired key sealed and this
    device had not seen before: whoever has an old keyring, such as that of a lost device, can have made it up.
    """

    id: str
    entry_id: str
    local: Entry | None
    remote: Entry | None
    device_id: str
    detected_at: datetime
    own: bool
    first_id: str | None = None
    authentic: bool = True


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def base_of(record: StoredRecord) -> Base:
    """Return what somebody sees to whom a record is shown now."""
    return Base(
        record.record_id,
        record.doc.content if record.doc is not None else {},
        record.deleted,
        max(record.base_revision, 0),
        record.base_hash,
    )


def entry_of(record: StoredRecord, *, conflict: bool, merged: bool = False, whole: bool = True) -> Entry:
    """Return a record as an entry.

    Args:
        conflict: whether another version of it waits.
        merged: whether an edit was merged with what it did not know of.
        whole: whether the record's map is all that the entry holds.
    """
    doc = record.doc or Document({}, _NEVER, _NEVER)
    content = doc.content
    tags = content.get("tags")
    return Entry(
        id=record.record_id,
        date=_text(content.get("occurred_at")) or doc.created_at,
        title=_text(content.get("title")),
        body=_text(content.get("body")) or "",
        mood=_text(content.get("mood")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        revision=record.base_revision if record.base_revision > 0 else 0,
        created_at=datetime.fromisoformat(doc.created_at),
        updated_at=datetime.fromisoformat(doc.updated_at),
        deleted=record.deleted,
        pending=record.pending,
        conflict=conflict,
        rejected=record.rejected,
        time_zone=_text(content.get("time_zone")),
        source=_text(content.get("source")),
        weather=_text(content.get("weather")),
        location=_text(content.get("location")),
        metrics=own_metrics(content),
        attachments=attachments_of(record.record_id, content),
        foreign=foreign_fields(content),
        merged=merged,
        shown_as=base_of(record) if whole else replace(base_of(record), whole=False),
    )
