"""Earlier texts of imported entries, as this device keeps texts that were replaced on it."""

from __future__ import annotations

from collections.abc import Iterator

from lockleaf.client.errors import EntryTooLarge, InvalidEntry
from lockleaf.client.records.entries import EntryDraft, draft_content
from lockleaf.client.records.readings import changed_metrics
from lockleaf.client.store.records import Document
from lockleaf.client.store.replaced_texts import EarlierText

__all__ = ["earlier_texts"]


def earlier_texts(draft: EntryDraft, entry_id: str, *, now: str) -> Iterator[EarlierText]:
    """Yield what a draft said before, oldest first; what no entry can hold is left out.

    Args:
        entry_id: under which the draft is kept.
        now: the present time, RFC 3339, for texts of which nobody knows when they were replaced.
    """
    for each in draft.earlier:
        try:
            content = draft_content(
                body=each.body,
                title=each.title,
                mood=each.mood,
                weather=each.weather,
                location=each.location,
                tags=each.tags,
                date=each.date,
                time_zone=each.time_zone,
                source=each.source,
                metrics=changed_metrics({}, each.metrics),
            )
        except (InvalidEntry, EntryTooLarge):
            continue
        until = each.until or now
        yield EarlierText(entry_id, until, Document(content, until, until))
