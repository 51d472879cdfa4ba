"""Taking over entries from elsewhere, in portions, so that a run that was killed is simply run again."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lockleaf.client.entries import EntryDraft, draft_content
from lockleaf.client.metrics.readings import changed_metrics
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import ENTRIES, Document, StoredRecord
from lockleaf.crypto.encoding import lp

__all__ = ["ImportReport", "import_portion", "imported_id", "portions"]

_IMPORT = b"lockleaf/1/import"
_PORTION = 1000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: entries that are new, and entries that were there already."""

    added: int
    present: int


def imported_id(index_key: bytes, provider: str, external_id: str) -> str:
    """Return the id of an imported entry: the same for the same thing on every device, and telling nothing.

    A UUIDv8 from HMAC-SHA-256(index key, "lockleaf/1/import" ‖ lp(provider) ‖ lp(external_id)) (PROTOCOL section 8).
    """
    digest = bytearray(hmac.digest(index_key, _IMPORT + lp(provider) + lp(external_id), "sha256")[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def portions(drafts: Iterable[EntryDraft]) -> Iterator[tuple[EntryDraft, ...]]:
    """Yield drafts in portions of a thousand. What stands before a malformed one comes before its error."""
    portion: list[EntryDraft] = []
    try:
        for draft in drafts:
            portion.append(draft)
            if len(portion) == _PORTION:
                yield tuple(portion)
                portion.clear()
    except Exception:
        if portion:
            yield tuple(portion)
        raise
    if portion:
        yield tuple(portion)


def import_portion(store: LocalStore, portion: Sequence[EntryDraft], now: str) -> ImportReport:
    """Keep those of ``portion`` that are not there yet, in one transaction.

    Raises:
        InvalidEntry, EntryTooLarge: a draft is none; nothing of the portion is kept.
    """
    index_key = store.keyring.index_key
    records: dict[str, StoredRecord] = {}
    for draft in portion:
        content = draft_content(
            body=draft.body,
            title=draft.title,
            mood=draft.mood,
            tags=draft.tags,
            date=draft.date,
            time_zone=draft.time_zone,
            source=draft.provider,
            metrics=changed_metrics({}, draft.metrics),
        )
        entry_id = imported_id(index_key, draft.provider, draft.external_id)
        records.setdefault(
            entry_id,
            StoredRecord(
                ENTRIES, entry_id, pending=True, generation=1, doc=Document(content, created_at=now, updated_at=now)
            ),
        )
    with store.transaction():
        present = store.records.existing(tuple(records))
        new = [record for entry_id, record in records.items() if entry_id not in present]
        store.records.put_many(new)
    return ImportReport(len(new), len(portion) - len(new))
