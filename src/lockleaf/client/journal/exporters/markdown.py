"""A folder of Markdown, a file an entry, and the JSON of everything beside it."""

from __future__ import annotations

import json
import os.path
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from lockleaf.client.journal.exporters.documents import attachment_document
from lockleaf.client.journal.exporters.formats import Add, ExportedEntry, Extras, own_paths
from lockleaf.client.journal.exporters.front_matter import Linked, markdown
from lockleaf.client.journal.exporters.json_file import JsonFormat
from lockleaf.client.journal.exporters.targets import Target
from lockleaf.client.journal.exporters.text_links import TextLink, with_targets
from lockleaf.client.journal.revisions import Revision
from lockleaf.client.records.entries import Entry

__all__ = ["ENTRIES", "REVISIONS", "MarkdownFormat"]

ENTRIES = "entries"
REVISIONS = "revisions"
_DIGITS = 4


class MarkdownFormat:
    """``entries/2026/2026-11-21-….md``, ``revisions/…`` beside it, and ``journal.json``."""

    name = "markdown"
    carries_revisions = True
    has_manifest = True

    def __init__(self, *, everything: bool = True) -> None:
        self._json = JsonFormat(everything=everything)

    def paths(self, entry: Entry, stem: str) -> list[str]:
        """Return where the attachments of an entry go."""
        return own_paths(entry, stem)

    @contextmanager
    def writing(self, target: Target, extras: Extras) -> Iterator[Add]:
        """Write a file for each entry, and all of them into the JSON."""
        with self._json.writing(target, extras) as add_json:

            def add(exported: ExportedEntry) -> None:
                folder = f"{ENTRIES}/{exported.year}"
                target.place(f"{folder}/{exported.stem}.md", entry_file(exported, folder))
                earlier = f"{REVISIONS}/{exported.year}/{exported.stem}"
                for revision in exported.revisions:
                    if revision.entry is not None:
                        path = f"{earlier}/{_numbered(revision.number)}.md"
                        target.place(path, _revision_file(revision, revision.entry))
                if exported.lacks_revisions:
                    target.keep(earlier)
                add_json(exported)

            yield add


def entry_file(exported: ExportedEntry, folder: str) -> bytes:
    """Return the Markdown file of an entry that lies in ``folder``."""
    entry = exported.entry
    facts = {
        "created_at": entry.created_at.isoformat(),
        "updated_at": entry.updated_at.isoformat(),
        "deleted": entry.deleted or None,
    }
    body, files = _linked(exported, folder)
    return markdown({"id": entry.id, **_fields(entry), **facts}, body, files)


def _revision_file(revision: Revision, entry: Entry) -> bytes:
    facts = {
        "revision_of": entry.id,
        "revision": revision.number,
        "event": revision.event,
        "at": revision.at.isoformat(),
        "device": revision.device_id or None,
        "verified": revision.verified,
    }
    return markdown({**facts, **_fields(entry)}, entry.body)


def _fields(entry: Entry) -> dict[str, Any]:
    return {
        "date": entry.date,
        "time_zone": entry.time_zone,
        "title": entry.title,
        "mood": entry.mood,
        "weather": entry.weather,
        "location": entry.location,
        "tags": list(entry.tags),
        "source": entry.source,
        "metrics": dict(entry.metrics),
        "foreign": None if entry.foreign is None else json.dumps(entry.foreign, ensure_ascii=False),
    }


def _linked(exported: ExportedEntry, folder: str) -> tuple[str, list[Linked]]:
    """Return the text with links to the files of the export, and these files."""
    ways: dict[str, str] = {}
    for file in exported.files:
        if file.path is not None:
            # Of two files that are called the same, which no import makes, the first one is meant.
            ways.setdefault(file.attachment.name, os.path.relpath(file.path, folder))
    in_text: set[str] = set()
    body = exported.entry.body
    # A text that has such a link already could not be told from one whose links were changed.
    if not any(f"({quote(way)})" in body for way in ways.values()):

        def target(link: TextLink) -> str | None:
            if link.name not in ways:
                return None
            in_text.add(link.name)
            return quote(ways[link.name])

        body = with_targets(body, target)
    told = []
    for file in exported.files:
        attachment, document = file.attachment, attachment_document(file.attachment)
        facts = {name: document[name] for name in ("size", "sha256", "media_id")}
        way = None if file.path is None else os.path.relpath(file.path, folder)
        meant = attachment.name in in_text and way == ways[attachment.name]
        told.append(Linked(attachment.name, attachment.media_type, way, meant, facts))
    return body, told


def _numbered(number: str) -> str:
    """Return the number of a revision as part of a name, in the order of numbers: ``0002``, ``u0001``."""
    letters, digits = number.rstrip("0123456789"), number.lstrip("u")
    return f"{letters}{digits.zfill(_DIGITS)}"
