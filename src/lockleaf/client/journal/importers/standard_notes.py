"""Standard Notes: its decrypted backup, a ZIP with ``Standard Notes Backup and Import File.txt``, or that file alone.

As published backups of version 004 show it: ``{"version", "items": [{"uuid", "content_type", "content", "created_at",
"updated_at"}]}``. A Note's content has title, text, trashed, archived and pinned (also within ``appData``); a Tag's has
a title and refers to its notes. A note of the Super editor (``noteType`` super) has JSON for its text, of which the
words are taken: how they look is lost. The bytes of files are in other archives, encrypted, and are not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.arrays import read_array
from lockleaf.client.journal.importers.containers import Container, Member
from lockleaf.client.journal.importers.dates import entry_date
from lockleaf.client.journal.importers.fields import STARRED, heading, parsed, text_of, whole, with_tag
from lockleaf.client.journal.importers.markup import markdown_of
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.records.entries import EntryDraft

__all__ = ["StandardNotes"]

_OWN = "org.standardnotes.sn"
_DEEPEST = 100


class StandardNotes:
    """The decrypted backup of Standard Notes."""

    name = "standard-notes"
    title = "Standard Notes"

    def recognises(self, source: Container) -> bool:
        """Tell whether a file of the source has Standard Notes' items."""
        return _backup(source) is not None

    def count(self, source: Container) -> int | None:
        """Return how many items there are, those that are no notes included."""
        backup = _backup(source)
        if backup is None:
            return None
        with source.reading(backup.name) as file:
            return sum(1 for _ in read_array(file, "items"))

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the notes."""
        backup = _backup(source)
        if backup is None:
            yield Skipped(source.label, "no backup of Standard Notes is in it")
            return
        tags: dict[str, tuple[str, ...]] = {}
        with source.reading(backup.name) as file:
            for piece in read_array(file, "items"):
                if piece.reason is None and '"Tag"' in piece.text:
                    _note_tag(piece.text, tags)
        with source.reading(backup.name) as file:
            for piece in read_array(file, "items"):
                place = f"item {piece.line}"
                try:
                    if piece.reason is not None:
                        raise InvalidEntry(piece.reason)
                    fields = parsed(piece.text)
                    if fields.get("content_type") == "Note":
                        yield _draft(place, fields, tags)
                    elif fields.get("content_type") in ("SN|File", "EncryptedItem"):
                        raise InvalidEntry("a file or an item that is encrypted")
                except InvalidEntry as error:
                    yield Skipped(place, error.detail or "not a note")


def _backup(source: Container) -> Member | None:
    for member in source.members:
        # Not the notes once more as text files, which lie in folders beside the backup.
        if member.name.lower().endswith((".txt", ".json")) and member.name.count("/") <= 1:
            start = source.plain_start(member.name).lstrip()
            if start.startswith(b"{") and b'"items"' in start and b'"content_type"' in start:
                return member
    return None


def _note_tag(text: str, tags: dict[str, tuple[str, ...]]) -> None:
    """Note which notes a tag refers to."""
    try:
        fields = parsed(text)
    except InvalidEntry:
        return
    content = fields.get("content")
    if (
        fields.get("content_type") != "Tag"
        or not isinstance(content, dict)
        or not isinstance(content.get("title"), str)
    ):
        return
    references = content.get("references")
    for each in references if isinstance(references, list) else ():
        if isinstance(each, dict) and isinstance(each.get("uuid"), str):
            tags[each["uuid"]] = (*tags.get(each["uuid"], ()), whole(content["title"], []))


def _draft(place: str, fields: Mapping[str, Any], tags: Mapping[str, tuple[str, ...]]) -> EntryDraft:
    content = fields.get("content")
    if not isinstance(content, dict):
        raise InvalidEntry("it is encrypted: export a decrypted backup")
    identity = fields.get("uuid")
    if not isinstance(identity, str) or not identity:
        raise InvalidEntry("it has no uuid")
    data = content.get("appData")
    own = data.get(_OWN) if isinstance(data, dict) else None
    own = own if isinstance(own, dict) else {}
    if content.get("trashed") is True or own.get("trashed") is True:
        raise InvalidEntry("it is in the trash")
    notes: list[str] = []
    date, note = entry_date(fields.get("created_at"))
    notes += [note] if note else []
    text = text_of(content, "text", notes) or ""
    if content.get("noteType") == "super":
        text = _super_words(text)
    elif content.get("noteType") == "rich-text":
        text = markdown_of(text)
    title, body = heading(text_of(content, "title", notes), text)
    pinned = content.get("pinned") is True or own.get("pinned") is True
    listed = with_tag(tags.get(identity, ()), "pinned", wanted=pinned)
    return EntryDraft(
        body=body,
        date=date,
        external_id=identity,
        provider=StandardNotes.name,
        title=title,
        tags=with_tag(listed, STARRED, wanted=content.get("starred") is True),
        place=place,
        notes=tuple(dict.fromkeys(notes)),
    )


def _super_words(text: str) -> str:
    """Return the words of a note of the Super editor, a paragraph a line."""
    try:
        root = json.loads(text)["root"] if text.strip() else {}
        return "\n\n".join(line for each in root.get("children", []) if (line := _words(each, 0))).strip()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidEntry("its text is of the Super editor, and cannot be read") from None


def _words(node: Mapping[str, Any], depth: int) -> str:
    if depth > _DEEPEST:
        raise ValueError("too deep")
    if isinstance(node.get("text"), str):
        return str(node["text"])
    if node.get("type") == "linebreak":
        return "\n"
    joined = "\n" if node.get("type") in ("list", "table") else ""
    return joined.join(_words(each, depth + 1) for each in node.get("children", []))
