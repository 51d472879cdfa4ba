"""What an import says of an entry, and what the entry here says, brought to digests that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from lockleaf.client.errors import EntryTooLarge
from lockleaf.client.records.entries import EntryDraft, check_size
from lockleaf.client.records.foreign import FOREIGN
from lockleaf.client.store.records import Document, StoredRecord
from lockleaf.crypto.encoding import pack
from lockleaf.crypto.errors import Malformed

__all__ = [
    "COMPARED",
    "REMEMBERED",
    "digest",
    "digest_of",
    "earlier",
    "is_what_was_exported",
    "own",
    "remembering",
    "told",
]

COMPARED = (
    "title",
    "body",
    "mood",
    "weather",
    "location",
    "tags",
    "source",
    "occurred_at",
    "time_zone",
    "metrics",
    FOREIGN,
)
REMEMBERED = "imported"
"""The field of an entry's map that holds the digest of what was imported."""


def told(draft: EntryDraft) -> dict[str, Any]:
    """Return what a draft says, as it stands there."""
    source = draft.source if draft.source or draft.exported is not None else draft.provider
    return {
        "title": draft.title,
        "body": draft.body,
        "mood": draft.mood,
        "weather": draft.weather,
        "location": draft.location,
        "tags": list(draft.tags) or None,
        "source": source,
        "occurred_at": draft.date,
        "time_zone": draft.time_zone,
        "metrics": dict(draft.metrics) or None,
        FOREIGN: draft.foreign,
    }


def own(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an entry's map that an import compares."""
    return {name: value for name in COMPARED if (value := content.get(name)) is not None}


def digest(content: Mapping[str, Any], *, deleted: bool) -> bytes:
    """Return what tells two states of an entry apart; fields that were left empty and that are absent are the same."""
    fields = {name: value for name, value in own(content).items() if value not in ("", [], {})}
    try:
        if "metrics" in fields:
            fields["metrics"] = sorted((name, float(value)) for name, value in fields["metrics"].items())
        if isinstance(foreign := fields.get(FOREIGN), dict):
            fields[FOREIGN] = sorted(foreign.items())
        packed = pack([sorted(fields.items()), deleted])
    except (Malformed, TypeError, ValueError, OverflowError):
        # What no entry can hold; it is compared with what came before it alone.
        packed = repr([sorted(fields.items(), key=str), deleted]).encode("utf-8", "backslashreplace")
    return sha256(packed).digest()


def digest_of(record: StoredRecord) -> bytes:
    """Return the digest of an entry as it stands here, and as its export would say it."""
    assert record.doc is not None or record.deleted
    doc = record.doc or Document({}, "", "")
    return digest({"occurred_at": doc.created_at} | own(doc.content), deleted=record.deleted)


def earlier(record: StoredRecord) -> tuple[bytes, ...]:
    """Return digests of what the entry was before it was edited here: as imported, and as the server has it."""
    doc = record.doc or Document({}, "", "")
    remembered = doc.content.get(REMEMBERED)
    found = [remembered] if isinstance(remembered, bytes) else []
    if record.pending and record.base is not None:
        found.append(digest({"occurred_at": doc.created_at} | own(record.base), deleted=record.base_deleted))
    return tuple(found)


def remembering(content: dict[str, Any], digest: bytes) -> dict[str, Any]:
    """Return an entry's map with the digest of what was imported, where there is room for it."""
    with_digest = content | {REMEMBERED: digest}
    try:
        check_size(with_digest)
    except EntryTooLarge:
        return content
    return with_digest


def is_what_was_exported(draft: EntryDraft, record: StoredRecord) -> bool:
    """Tell whether an entry still is what was exported as ``draft``: what that says otherwise is an edit of it."""
    exported = draft.exported
    if exported is None or record.doc is None:
        return False
    if exported.revision > 0 and exported.revision == record.base_revision and not record.pending:
        return True
    written = exported.updated_at
    return written is not None and datetime.fromisoformat(written) == datetime.fromisoformat(record.doc.updated_at)
