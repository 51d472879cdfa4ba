"""Marking every entry of this device at once: where a census begins, or is taken up from another device."""

from __future__ import annotations

from typing import Any

from lockleaf.client.metrics.census import Census
from lockleaf.client.records.counted import Mark, marked, remarked, standing, standing_in
from lockleaf.client.store import LocalStore
from lockleaf.client.store.contributions import Contribution
from lockleaf.client.store.records import StoredRecord

__all__ = ["begin", "collect", "join"]


def _synced(record: StoredRecord) -> dict[str, Any] | None:
    """The content of an entry at the revision that the server has, None where that is a deletion or unknown."""
    if record.base_revision < 1:
        return None
    if record.pending:
        return None if record.base_deleted else record.base
    return None if record.deleted or record.doc is None else record.doc.content


def _present(record: StoredRecord) -> dict[str, Any] | None:
    return None if record.deleted or record.doc is None else record.doc.content


def begin(store: LocalStore, census: Census) -> None:
    """Count everything, as this device: entries as the server has them, or as they are where it holds none."""
    held = census.epoch is not None
    contributions: list[Contribution] = []
    changed: list[StoredRecord] = []
    for record in store.records.entries(deleted=True):
        mark = _mark(record, _synced(record) if held else _present(record), census)
        if "day" in mark:
            revision = record.base_revision if held else 0
            contributions.append(Contribution(census.census_id, record.record_id, revision, None, mark))
        _put(record, mark, changed)
    store.contributions.clear()
    store.contributions.add(contributions)
    store.records.put_many(changed)


def join(store: LocalStore, census: Census) -> None:
    """Note what another device counted when it began ``census``, to whose point the history is known here."""
    changed: list[StoredRecord] = []
    for record in store.records.entries(deleted=True):
        if census.epoch is None or record.seq <= census.seq:
            mark: Mark | None = _mark(record, _synced(record), census)
        else:
            # Written since then: its writer said what they counted, or did not count it.
            mark = standing_in(record.doc)
            mark = mark if mark is not None and mark["census"] == census.census_id else None
        _put(record, mark, changed)
    store.contributions.clear(but=census.census_id)
    store.records.put_many(changed)


def collect(store: LocalStore, census: Census) -> None:
    """Count what was written here since the last time, where the server holds no entries that could be accepted."""
    contributions: list[Contribution] = []
    changed: list[StoredRecord] = []
    for record in store.records.entries(deleted=True):
        before, after = standing_in(record.doc), _mark(record, _present(record), census)
        if standing(before, census.census_id) != standing(after, census.census_id):
            contributions.append(Contribution(census.census_id, record.record_id, 0, before, after))
            _put(record, after, changed)
    store.contributions.add(contributions)
    store.records.put_many(changed)


def _mark(record: StoredRecord, content: dict[str, Any] | None, census: Census) -> Mark:
    if content is None or record.doc is None:
        return {"census": census.census_id}
    return marked(content, record.doc.created_at, census.census_id)


def _put(record: StoredRecord, mark: Mark | None, changed: list[StoredRecord]) -> None:
    if record.doc is not None and standing_in(record.doc) != mark:
        record.doc = remarked(record.doc, mark)
        changed.append(record)
