"""Which exports somebody wanted to see on all devices: one sealed record of the account, and no change of any entry.

It names the entries by the first bytes of their ids, so that each one's history can say when it was exported. It is
kept only where it was asked for: a record of every export would tell the server when somebody takes the journal out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from lockleaf.client.journal.revisions import Revision
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import SETTINGS, Document, StoredRecord

__all__ = ["exports_of", "note_export"]

_RECORD: Final = "exports"
_PREFIX: Final = 8
_MOST: Final = 20
_MOST_BYTES: Final = 1024 * 1024
"""Of the ids in it: with them a record stays far below what it may hold."""


def note_export(store: LocalStore, entry_ids: Iterable[str], *, form: str, device_id: str, now: str) -> None:
    """Note an export, as a change that the next sync carries. The oldest notes give way to new ones.

    Args:
        form: the format.
        device_id: of this device.
        now: the present time, RFC 3339.
    """
    note = {"at": now, "device": device_id, "as": form, "entries": b"".join(sorted(map(_prefix, entry_ids)))}
    with store.transaction():
        record = store.records.get(SETTINGS, _RECORD) or StoredRecord(SETTINGS, _RECORD)
        kept = [note, *reversed(_notes(record))][:_MOST]
        while len(kept) > 1 and sum(len(each["entries"]) for each in kept) > _MOST_BYTES:
            kept.pop()
        record.send_as_it_is()
        content = {"type": "setting", "value": kept[::-1]}
        record.doc, record.deleted = Document(content, now, now), False
        store.records.put(record)


def exports_of(store: LocalStore, entry_id: str) -> tuple[Revision, ...]:
    """Return the noted exports of an entry, newest first, as events of its history: without a number and a text."""
    record = store.records.get(SETTINGS, _RECORD)
    wanted = _prefix(entry_id)
    return tuple(
        Revision("", "exported", datetime.fromisoformat(note["at"]), note["device"], None, verified=True)
        for note in reversed(_notes(record))
        if wanted in {note["entries"][at : at + _PREFIX] for at in range(0, len(note["entries"]), _PREFIX)}
    )


def _prefix(entry_id: str) -> bytes:
    try:
        return UUID(entry_id).bytes[-_PREFIX:]
    except ValueError:
        return entry_id.encode()[-_PREFIX:].rjust(_PREFIX, b"\0")


def _notes(record: StoredRecord | None) -> list[dict[str, Any]]:
    """Return the notes in the record, oldest first; what another program put there and is not a note is left out."""
    value = None if record is None or record.doc is None or record.deleted else record.doc.content.get("value")
    return [each for each in value if _is_note(each)] if isinstance(value, list) else []


def _is_note(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("device"), str):
        return False
    try:
        return isinstance(value.get("entries"), bytes) and datetime.fromisoformat(value["at"]).tzinfo is not None
    except (KeyError, TypeError, ValueError):
        return False
