"""One JSON file of everything: each entry on a line, so that a change of one is a change of one line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from lockleaf.client.journal.exporters.documents import entry_document, revision_document
from lockleaf.client.journal.exporters.formats import Add, ExportedEntry, Extras, own_paths
from lockleaf.client.journal.exporters.targets import Target
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.views import Conflict
from lockleaf.wire.names import same_name

__all__ = ["FILE", "FORMAT", "VERSION", "JsonFormat", "exported_document"]

FILE = "journal.json"
FORMAT = "lockleaf-journal"
VERSION = 1


class JsonFormat:
    """``journal.json`` beside the attachments."""

    name = "json"
    carries_revisions = True
    has_manifest = True

    def __init__(self, *, everything: bool = True) -> None:
        self._everything = everything

    def paths(self, entry: Entry, stem: str) -> list[str]:
        """Return where the attachments of an entry go."""
        return own_paths(entry, stem)

    @contextmanager
    def writing(self, target: Target, extras: Extras) -> Iterator[Add]:
        """Write the file as entries come."""
        used: set[str] = set()
        ids: set[str] = set()
        with target.file(FILE) as file:
            file.write(f'{{"format": "{FORMAT}", "version": {VERSION},\n"entries": ['.encode())

            def add(exported: ExportedEntry) -> None:
                file.write(b",\n" if ids else b"\n")
                file.write(_line(exported_document(exported)))
                ids.add(exported.entry.id)
                used.update(exported.entry.tags)

            yield add
            # Of a part of the journal it is not said which tags there are elsewhere.
            tags = [each for each in extras.tags if self._everything or any(same_name(each.name, tag) for tag in used)]
            waiting = [_conflict(each) for each in extras.conflicts if self._everything or each.entry_id in ids]
            told = _lines({"name": each.name, "color": each.color} for each in tags)
            file.write(b'\n],\n"tags": [' + told + b'],\n"conflicts": [' + _lines(waiting) + b"]}\n")


def exported_document(exported: ExportedEntry) -> dict[str, Any]:
    """Return an entry as it stands in the file: with the place of each attachment, and its earlier states."""
    document = entry_document(exported.entry)
    for described, file in zip(document["attachments"], exported.files, strict=True):
        described["file"] = file.path
    if exported.revisions:
        document["revisions"] = [revision_document(each) for each in exported.revisions]
    return document


def _conflict(conflict: Conflict) -> dict[str, Any]:
    """Return a version that waits for a decision; null where it is a deletion."""
    return {
        "id": conflict.id,
        "entry_id": conflict.entry_id,
        "detected_at": conflict.detected_at.isoformat(),
        "device_id": conflict.device_id,
        "version": None if conflict.local is None else entry_document(conflict.local),
    }


def _lines(documents: Iterable[dict[str, Any]]) -> bytes:
    lines = b",\n".join(_line(each) for each in documents)
    return b"\n" + lines + b"\n" if lines else b""


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
