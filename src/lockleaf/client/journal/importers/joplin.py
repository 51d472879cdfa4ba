"""Joplin: JEX, which is a TAR, and RAW, the same files in a folder.

As Joplin's own source has it (``BaseItem.unserialize``): each item is ``ID.md``, its properties ``name: value`` at the
end behind an empty line, before them the title, an empty line, and a note's body. ``type_`` is 1 for a note, 2 for a
notebook, 4 for a resource, 5 for a tag, 6 for a note's tag. A resource's bytes are ``resources/ID.ext``; the text
points at them by ``:/ID``. Times are UTC. A note that Joplin encrypted says so in ``encryption_applied``. Joplin's
Markdown export is read as a folder of Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePosixPath

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.attaching import Attaching
from lockleaf.client.journal.importers.containers import Container, Member, Unreadable
from lockleaf.client.journal.importers.dates import entry_date
from lockleaf.client.journal.importers.fields import heading, place_name, short, with_tag
from lockleaf.client.journal.importers.markup import markdown_of
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.journal.importers.texts import MAX_TEXT_BYTES, letters
from lockleaf.client.records.entries import EntryDraft

__all__ = ["Joplin"]

_ITEM = re.compile(r"(?:^|/)([0-9a-f]{32})\.md$", re.ASCII)
_LINK = re.compile(
    r"(?P<mark>!?)\[(?P<alt>(?:[^\[\]\\\n]|\\.)*)\]\(:/(?P<id>[0-9a-f]{32})(?:#[^)\s]*)?(?:\s+\"[^\"\n]{0,300}\")?\)"
)
_PROPERTY = re.compile(r"([a-z_]+):(.*)", re.ASCII)
_NOTE, _NOTEBOOK, _RESOURCE, _TAG, _NOTE_TAG = "1", "2", "4", "5", "6"
_HTML = "2"
"""The ``markup_language`` of notes that the web clipper saved."""
_FEW = 64 * 1024
_LOOKED_AT = 100


@dataclass
class _Others:
    """What a source has beside its notes."""

    notebooks: dict[str, str] = field(default_factory=dict)
    resources: dict[str, tuple[str, Member | None]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    note_tags: dict[str, list[str]] = field(default_factory=dict)


class Joplin:
    """Joplin's JEX and RAW exports."""

    name = "joplin"
    title = "Joplin"

    def recognises(self, source: Container) -> bool:
        """Tell whether there is an item of Joplin."""
        items = (member for member in source.members if _ITEM.search(member.name))
        # Not the first alone: it may be the one that is damaged.
        return any(b"\ntype_: " in b"\n" + _end(source, member) for member in islice(items, _LOOKED_AT))

    def count(self, source: Container) -> int | None:
        """Return how many items there are, those that are no notes included."""
        return sum(1 for member in source.members if _ITEM.search(member.name))

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the notes."""
        others = _Others()
        notes: list[Member] = []
        for member in source.members:
            if _ITEM.search(member.name) is None:
                continue
            try:
                if _kind(source, member) == _NOTE:
                    notes.append(member)
                    continue
                title, _, fields = _item(source, member)
                _learn(source, title, fields, others)
            except InvalidEntry as error:
                yield Skipped(member.name, error.detail or "not an item")
        for member in notes:
            try:
                yield _draft(source, member, others)
            except InvalidEntry as error:
                yield Skipped(member.name, error.detail or "not a note")


def _end(source: Container, member: Member) -> bytes:
    """Return the last bytes of an item, where its properties are."""
    try:
        with source.reading(member.name) as file:
            file.seek(max(0, member.size - _FEW))
            return file.read(_FEW)
    except Unreadable:
        return b""


def _kind(source: Container, member: Member) -> str:
    found = re.search(rb"(?:^|\n)type_: *(\d+)\s*$", _end(source, member))
    return "" if found is None else found[1].decode()


def _item(source: Container, member: Member) -> tuple[str, str, dict[str, str]]:
    """Return title, body and properties of an item."""
    try:
        text = letters(source.read(member.name, MAX_TEXT_BYTES))
    except (Unreadable, ValueError) as error:
        raise InvalidEntry(str(error)) from None
    lines = text.rstrip("\n").split("\n")
    fields: dict[str, str] = {}
    while lines and (line := lines.pop().strip()):
        found = _PROPERTY.fullmatch(line)
        if found is None:
            raise InvalidEntry("its properties at the end cannot be read")
        fields[found[1]] = found[2].strip()
    if "type_" not in fields:
        raise InvalidEntry("its properties at the end are missing: the file is cut off, or is no item of Joplin")
    title = lines[0] if lines else ""
    return title, "\n".join(lines[2:]), fields


def _learn(source: Container, title: str, fields: Mapping[str, str], others: _Others) -> None:
    identity, kind = fields.get("id", ""), fields["type_"]
    if kind == _NOTEBOOK:
        others.notebooks[identity] = title.strip()
    elif kind == _TAG:
        others.tags[identity] = title.strip()
    elif kind == _NOTE_TAG:
        others.note_tags.setdefault(fields.get("note_id", ""), []).append(fields.get("tag_id", ""))
    elif kind == _RESOURCE:
        suffix = fields.get("file_extension") or PurePosixPath(title).suffix.lstrip(".")
        found = source.called(f"{identity}.{suffix}" if suffix else identity)
        others.resources[identity] = (title.strip(), next((each for each in found if "resources" in each.name), None))


def _draft(source: Container, member: Member, others: _Others) -> EntryDraft:
    title, body, fields = _item(source, member)
    identity = fields.get("id", "")
    if fields.get("encryption_applied") == "1":
        raise InvalidEntry("it is encrypted: switch encryption off in Joplin, or decrypt, and export again")
    if fields.get("is_conflict") == "1":
        raise InvalidEntry("a conflict of Joplin: decide it there first")
    if fields.get("deleted_time", "0") not in ("", "0"):
        raise InvalidEntry("it is in the trash")
    notes: list[str] = []
    date, note = entry_date(fields.get("user_created_time") or fields.get("created_time"))
    notes += [note] if note else []
    if fields.get("markup_language") == _HTML:
        body = markdown_of(body, lambda src, alt: f"![{alt}]({src})" if src.startswith(":/") else None)
    attaching = Attaching(source)

    def link(found: re.Match[str]) -> str:
        if found["id"] not in others.resources:
            if found["mark"]:
                attaching.miss("something that the text shows, of which nothing else is known")
            return found[0]  # a link to another note
        name, resource = others.resources[found["id"]]
        if resource is None:
            attaching.miss(f"the file {name or found['id']}: it is not in the export")
            return found[0]
        if not attaching.add(found["id"], resource, name):
            return found[0]
        return attaching.link(found["id"], found["alt"], shown=bool(found["mark"]))

    body = _LINK.sub(link, body)
    tags = tuple(name for tag in others.note_tags.get(identity, ()) if (name := others.tags.get(tag)))
    notebook = others.notebooks.get(fields.get("parent_id", ""), "")
    named, body = heading(title, body.strip("\n"))
    return EntryDraft(
        body=body,
        date=date,
        external_id=identity or member.name,
        provider=Joplin.name,
        title=named,
        tags=with_tag(tags, notebook, wanted=bool(notebook)),
        location=short(place_name([], *_numbers(fields, "latitude", "longitude")), "location", notes),
        place=member.name,
        notes=tuple(dict.fromkeys(notes)),
        files=attaching.files,
        absent=attaching.absent,
    )


def _numbers(fields: Mapping[str, str], *names: str) -> tuple[float | None, ...]:
    found: list[float | None] = []
    for name in names:
        try:
            found.append(float(fields.get(name, "")))
        except ValueError:
            found.append(None)
    return tuple(found)
