"""Tags as their user sees them: listed, recoloured, renamed and removed on this device; `Client.sync` carries it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lockleaf.client.errors import InvalidEntry, InvalidTag, TagChanged, TagNotFound
from lockleaf.client.records.edits import Edits
from lockleaf.client.records.entries import MAX_NAME, clean_tags, clean_text
from lockleaf.client.records.tag_records import color_in, new_tag, put_tag, tag_content, tag_id, tags_of
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import TAGS, StoredRecord
from lockleaf.wire.palette import color_of

__all__ = ["Tag", "TagBook"]

_COLOR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag: ``color`` is ``#rrggbb``, ``count`` how many entries here have it, ``last_used_at`` when one last did.

    ``pending``: the server has not confirmed the latest change of its name or colour.
    """

    name: str
    color: str
    count: int
    last_used_at: datetime | None
    pending: bool = False


def _require_same(base: Tag | None, shown: Tag) -> None:
    """Make sure that a tag is what somebody saw who decides about it.

    Raises:
        TagChanged: its name, its colour or the number of entries that have it is another.
    """
    if base is not None and (base.name, base.color, base.count) != (shown.name, shown.color, shown.count):
        raise TagChanged


@dataclass(slots=True)
class _Use:
    """The entries that name a tag, however they spell it."""

    spellings: set[str] = field(default_factory=set)
    entries: list[StoredRecord] = field(default_factory=list)


class TagBook:
    """The tags of one profile. Case, and the way of composing letters, do not tell tags apart.

    Args:
        edits: by which entries are changed that have a tag.
        clock: gives the present time, with a zone.
    """

    def __init__(self, store: LocalStore, edits: Edits, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._edits = edits
        self._clock = clock

    def listed(self) -> list[Tag]:
        """Return all tags alphabetically: those that entries name, and those that are kept without an entry."""
        used = self._used()
        records: dict[str, StoredRecord] = {}
        for record in self._store.records.tags():
            # After a rotation a tag may stand under its old id for a while: its name tells which it is.
            if not record.deleted and record.doc is not None:
                key = self._key_of(record)
                if key not in records or record.record_id == key:
                    records[key] = record
        tags = [self._tag(records.get(key), used.get(key)) for key in used.keys() | records.keys()]
        return sorted(tags, key=lambda tag: (tag.name.casefold(), tag.name))

    def get(self, name: str) -> Tag:
        """Return one tag; see `Journal.tag`."""
        key = self._key(name)
        record, use = self._record(key), self._used().get(key)
        if record is None and use is None:
            raise TagNotFound
        return self._tag(record, use)

    def recolor(self, name: str, color: str, base: Tag | None = None) -> Tag:
        """Give a tag another colour; see `Journal.recolor_tag`."""
        if not _COLOR.fullmatch(color):
            raise InvalidTag("a colour is # and six hexadecimal digits")
        with self._store.transaction():
            key = self._key(name)
            use = self._used().get(key)
            record = self._record(key)
            if record is None and use is None:
                raise TagNotFound
            shown = self._tag(record, use)
            _require_same(base, shown)
            content = self._content(record) | tag_content(shown.name, color.lower())
            return self._tag(self._put(key, content), use)

    def rename(self, name: str, new_name: str, base: Tag | None = None) -> Tag:
        """Give a tag another name, in every entry; see `Journal.rename_tag`."""
        wanted = self._name(new_name)
        with self._store.transaction():
            used = self._used()
            key, new_key = self._key(name), self._key(wanted)
            record = self._record(key)
            if record is None and key not in used:
                raise TagNotFound
            shown = self._tag(record, used.get(key))
            _require_same(base, shown)
            color = shown.color
            self._replace(used.get(key), key, wanted)
            there = self._record(new_key)
            if there is None or new_key == key:
                there = self._put(new_key, self._content(record) | tag_content(wanted, color))
            if new_key != key and record is not None:
                self._put(record.record_id, None)
            return self._tag(there, self._used().get(new_key))

    def remove(self, name: str, base: Tag | None = None) -> int:
        """Take a tag off every entry; see `Journal.remove_tag`."""
        with self._store.transaction():
            key = self._key(name)
            use, record = self._used().get(key), self._record(key)
            if use is None and record is None:
                raise TagNotFound
            _require_same(base, self._tag(record, use))
            self._replace(use, key, None)
            if record is not None:
                self._put(record.record_id, None)
            return len(use.entries) if use is not None else 0

    def clean_up(self, days: int) -> list[str]:
        """Remove tags that no entry has; see `Journal.clean_up_tags`."""
        before = self._clock() - timedelta(days=days)
        with self._store.transaction():
            used = self._used()
            stale = [
                record
                for record in self._store.records.tags()
                if not record.deleted
                and record.doc is not None
                and self._key_of(record) not in used
                and datetime.fromisoformat(record.doc.updated_at) <= before
            ]
            names = sorted(self._tag(record, None).name for record in stale)
            for record in stale:
                self._put(record.record_id, None)
            return names

    # ---- parts ----

    def _used(self) -> dict[str, _Use]:
        used: dict[str, _Use] = {}
        keyring = self._store.keyring
        for entry in self._store.records.entries():
            for name in tags_of(entry.doc.content if entry.doc is not None else None):
                use = used.setdefault(tag_id(keyring, name), _Use())
                use.spellings.add(name.strip())
                if not use.entries or use.entries[-1] is not entry:
                    use.entries.append(entry)
        return used

    def _tag(self, record: StoredRecord | None, use: _Use | None) -> Tag:
        live = record is not None and not record.deleted and record.doc is not None
        content = record.doc.content if live and record is not None and record.doc is not None else None
        name = content["name"] if content is not None else min(use.spellings) if use is not None else ""
        times = [entry.doc.updated_at for entry in use.entries if entry.doc is not None] if use is not None else []
        return Tag(
            name=name,
            color=color_in(content) if content is not None else color_of(name),
            count=len(use.entries) if use is not None else 0,
            last_used_at=max(map(datetime.fromisoformat, times), default=None),
            pending=record is not None and record.pending,
        )

    def _name(self, name: str) -> str:
        try:
            cleaned = clean_text(name, "tag", MAX_NAME)
        except InvalidEntry as error:
            raise InvalidTag(error.detail) from None
        if cleaned is None:
            raise InvalidTag("a tag has a name")
        return cleaned

    def _key(self, name: str) -> str:
        return tag_id(self._store.keyring, self._name(name))

    def _key_of(self, record: StoredRecord) -> str:
        """Return the id that belongs to a tag's name, where it stands once a rotation is through."""
        name = record.doc.content.get("name") if record.doc is not None else None
        return tag_id(self._store.keyring, name) if isinstance(name, str) else record.record_id

    def _record(self, key: str) -> StoredRecord | None:
        """Return a tag's record, if it has content."""
        record = self._store.records.get(TAGS, key)
        if record is not None and not record.deleted and record.doc is not None:
            return record
        if len(self._store.keyring) == 1:
            return None
        live = (each for each in self._store.records.tags() if not each.deleted)
        return next((each for each in live if self._key_of(each) == key), None)

    def _content(self, record: StoredRecord | None) -> dict[str, Any]:
        """Return a tag's map, fields that this program does not know included."""
        return dict(record.doc.content) if record is not None and record.doc is not None else {}

    def _put(self, key: str, content: dict[str, Any] | None) -> StoredRecord:
        now = self._edits.time()
        record = self._store.records.get(TAGS, key)
        if record is None:
            record = new_tag(key, content or {}, now)
        elif record.deleted != (content is None) or record.doc is None or record.doc.content != content:
            put_tag(record, content, now)
        self._store.records.put(record)
        return record

    def _replace(self, use: _Use | None, key: str, new_name: str | None) -> None:
        """Put ``new_name``, or nothing, in place of a tag in every entry that has it."""
        keyring = self._store.keyring
        for entry in use.entries if use is not None else ():
            content = entry.doc.content if entry.doc is not None else {}
            kept = [
                new_name if tag_id(keyring, tag) == key else tag
                for tag in tags_of(content)
                if new_name is not None or tag_id(keyring, tag) != key
            ]
            tags = list(clean_tags(tag for tag in kept if tag is not None))
            changed = {name: value for name, value in content.items() if name != "tags"}
            self._edits.keep(entry, changed | ({"tags": tags} if tags else {}))
