"""The tags that an entry names are there: those that are not are made with the entry, in the same batch."""

from __future__ import annotations

from lockleaf.server.features.tags import forms
from lockleaf.server.features.tags.changes import change_of, sealed_change
from lockleaf.server.features.tags.moving import KIND, move_all
from lockleaf.server.identity.custody.keyrings import OpenedContent
from lockleaf.server.records import tagging
from lockleaf.server.records.writer import AccountRecords
from lockleaf.wire.codec import canonical
from lockleaf.wire.content import tag_names
from lockleaf.wire.sync import Change

__all__ = ["new_tags"]

ENTRIES = "entries"


async def new_tags(store: AccountRecords, change: Change, opened: object | None) -> list[Change]:
    """Return the changes that make those tags of an entry that are not there.

    Where the server seals, tags are known by their labels, and are moved first if a key was retired; without keys, by
    their opaque names.
    """
    if change.collection != ENTRIES or change.deleted or not isinstance(opened, OpenedContent):
        return []
    keys, content = opened.keys, opened.contents[change.record_id]
    wanted: dict[str, str] = {}
    if keys is None:
        wanted = {forms.opaque_id(name): name for name in content.get("tag_names", ())}
    else:
        for name in filter(None, map(str.strip, tag_names(content))):
            wanted.setdefault(keys.label(KIND, name).hex(), name)
    if not wanted:
        return []
    if keys is not None:
        await move_all(store, keys)
    found = await tagging.present(store.connection, store.user_id, list(wanted))
    return [
        change_of(store, record_id, found.get(record_id), canonical({"name": name}))
        if keys is None
        else sealed_change(store, keys, record_id, found.get(record_id), forms.sealed_map(name, None))
        for record_id, name in wanted.items()
        if record_id not in found or found[record_id].deleted
    ]
