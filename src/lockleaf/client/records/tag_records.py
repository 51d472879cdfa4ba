"""Tags as records: a name and a colour under the name's label, so that every device makes the same record of a name.

(PROTOCOL section 6: collection ``tags``, record id the label in hex, payload an envelope of name and colour.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lockleaf.client.records.merge import Conflicting, Merged, Version, merge, merge_versions
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import ENTRIES, TAGS, Document, StoredRecord
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.keyring import KeyEntry, Keyring
from lockleaf.crypto.labels import label
from lockleaf.wire.palette import color_of

__all__ = [
    "color_in",
    "make_missing",
    "merge_tags",
    "new_tag",
    "put_tag",
    "tag_content",
    "tag_id",
    "tags_of",
    "well_formed_tag",
]

_COLOR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)


def tag_id(keys: Keyring | KeyEntry, name: str) -> str:
    """Return the record id of a tag: the same for every spelling that differs in case or composition alone.

    Args:
        keys: the keyring, whose newest key gives tags their ids; or one key of it.
        name: the tag's.
    """
    return label(keys.index_key, "tag", name).hex()


def tag_content(name: str, color: str) -> dict[str, Any]:
    """Return the map of a tag."""
    return {"type": "tag", "name": name, "color": color}


def color_in(content: dict[str, Any]) -> str:
    """Return the colour of a tag's map; if it is invalid, the name's own."""
    color = content.get("color")
    return color.lower() if isinstance(color, str) and _COLOR.fullmatch(color) else color_of(content["name"])


def well_formed_tag(key: KeyEntry, record_id: str, content: dict[str, Any]) -> bool:
    """Tell whether a map names a tag, and stands under that name's label by the ``key`` that sealed it."""
    name = content.get("name")
    try:
        return isinstance(name, str) and bool(name.strip()) and tag_id(key, name) == record_id
    except Malformed:
        return False


def tags_of(content: dict[str, Any] | None) -> tuple[str, ...]:
    """Return the tags that an entry's map names."""
    tags = content.get("tags") if content is not None else None
    return tuple(tag for tag in tags if isinstance(tag, str) and tag.strip()) if isinstance(tags, list) else ()


def new_tag(record_id: str, content: dict[str, Any], now: str) -> StoredRecord:
    """Return a tag that is still to be sent."""
    return StoredRecord(TAGS, record_id, pending=True, generation=1, doc=Document(content, now, now))


def put_tag(record: StoredRecord, content: dict[str, Any] | None, now: str) -> None:
    """Make ``content`` (None: nothing, deleted) the present one of a tag, as an edit that is to be sent."""
    present = None if record.deleted or record.doc is None else record.doc.content
    if not record.pending:
        record.base, record.base_deleted = present, record.deleted
    record.deleted = content is None
    if content is not None:
        record.doc = Document(content, record.doc.created_at if record.doc is not None else now, now)
    record.pending, record.rejected = True, None
    record.generation += 1


def make_missing(store: LocalStore, entries: Iterable[StoredRecord], now: str) -> list[StoredRecord]:
    """Make a record of each tag that ``entries`` name and that has none, or a deleted one; return those made.

    Done when the entries are sealed, behind the end of the history: so a tag that another device made meanwhile is
    there already, and no two devices quarrel about it.
    """
    keyring = store.keyring
    named: dict[str, str] = {}
    for entry in entries:
        if entry.collection == ENTRIES and not entry.deleted and entry.doc is not None:
            for name in tags_of(entry.doc.content):
                named.setdefault(tag_id(keyring, name), name.strip())
    present = store.records.get_many((TAGS, record_id) for record_id in named)
    made = []
    for record_id, name in named.items():
        record = present.get((TAGS, record_id))
        content = tag_content(name, color_of(name))
        if record is None:
            record = new_tag(record_id, content, now)
        elif record.deleted or record.doc is None:
            if record.doc is not None:
                content = content | {"color": color_in(record.doc.content)}
            put_tag(record, content, now)
        else:
            continue
        made.append(record)
    store.records.put_many(made)
    return made


def merge_tags(base: Version | None, local: Version, remote: Version) -> Version:
    """Merge two versions of a tag; a person is never asked.

    Fields merge one by one. Where both changed the same field, the version that the history took first stands: every
    device reads the same history, so all come to the same, and no clock decides. Against a deletion the other version
    stands, since it is the one that somebody still uses.
    """
    result = merge_versions(base, local, remote)
    if not isinstance(result, Conflicting):
        return result
    if local.content is None or remote.content is None:
        return remote if local.content is None else local
    accepted = {name: remote.content.get(name) for name in result.fields}
    merged = merge(base.content if base is not None else None, {**local.content, **accepted}, remote.content)
    return Version(merged.content) if isinstance(merged, Merged) else remote
