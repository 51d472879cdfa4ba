"""Moving tags after a rotation: their ids are labels, which the newest key makes anew (PROTOCOL section 6)."""

from __future__ import annotations

from typing import Any

from lockleaf.server.features.tags import forms
from lockleaf.server.features.tags.changes import COLLECTION, sealed_change, tombstone
from lockleaf.server.identity.custody.keyrings import ContentUnreadable, OpenKeyring
from lockleaf.server.records import diary, retired
from lockleaf.server.records.writer import AccountRecords
from lockleaf.wire.sync import MAX_BATCH_CHANGES, Change, Record

__all__ = ["KIND", "move_all", "opened"]

KIND = "tag"
"""Of the labels that are tags' ids."""


async def move_all(store: AccountRecords, keys: OpenKeyring) -> int:
    """Have every tag that a retired key sealed stand under its name's label of the newest; return how many had not.

    Where there is a tag at the new id already, that one stands, deleted or not; but one that was made meanwhile and
    has no colour of its own takes over the colour.
    """
    if not keys.was_rotated:
        return 0
    moved = 0
    after = ""
    while found := await retired.current(store.connection, store.user_id, COLLECTION, after=after):
        after = found[-1].record_id
        named = [(record, opened(keys, record)) for record in found]
        ids = {record.record_id: keys.label(KIND, content["name"]).hex() for record, content in named if content}
        if not ids:
            continue
        present = await diary.hold_all(store.connection, store.user_id, [(COLLECTION, each) for each in ids.values()])
        changes: list[Change] = []
        for record, content in named:
            if content is None:
                continue  # it does not open, or has no name: nobody can move it
            there = present.get((COLLECTION, ids[record.record_id]))
            new = _taken_over(keys, content, there)
            if new is not None:
                changes.append(sealed_change(store, keys, ids[record.record_id], there, new))
            changes.append(tombstone(store, keys, record))
            moved += 1
        for first in range(0, len(changes), MAX_BATCH_CHANGES):
            portion = changes[first : first + MAX_BATCH_CHANGES]
            await store.put(portion, within_quota=False)
    return moved


def opened(keys: OpenKeyring, record: Record) -> dict[str, Any] | None:
    """Return the map of a tag; None for one that does not open or has no name."""
    try:
        content = keys.open(record)
    except ContentUnreadable:
        return None
    return content if isinstance(content.get("name"), str) else None


def _taken_over(keys: OpenKeyring, content: dict[str, Any], there: Record | None) -> dict[str, Any] | None:
    """Return what is to be sealed at a tag's new id; None where what is there stands."""
    if there is None:
        return forms.sealed_map(str(content["name"]), None, content)
    present = None if there.deleted else opened(keys, there)
    if present is None or not forms.has_own_color(content) or forms.has_own_color(present):
        return None
    return forms.sealed_map(str(present["name"]), str(content["color"]), present)
