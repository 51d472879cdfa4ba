"""Reading a journal without keeping it: what a reader of its format gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers import ImportOptions
from lockleaf.client.journal.importers.archives import opened_container
from lockleaf.client.journal.importers.registry import importer_for
from lockleaf.client.records.entries import EntryDraft

__all__ = ["contents", "drafts", "read", "recognised", "skipped"]


def recognised(path: Path) -> str:
    """The name of the reader that knows what lies there."""
    source = opened_container(path)
    try:
        return importer_for(source).name
    finally:
        source.close()


def read(path: Path, **options: Any) -> tuple[list[EntryDraft], list[Skipped]]:
    """The entries that lie there, and what is left out, what the container refused included."""
    source = opened_container(path)
    try:
        found = [*importer_for(source).read(source, ImportOptions(**options)), *source.refused]
        for each in found:
            assert isinstance(each, EntryDraft | Skipped)
    finally:
        source.close()
    return [each for each in found if isinstance(each, EntryDraft)], [
        each for each in found if isinstance(each, Skipped)
    ]


def drafts(path: Path, **options: Any) -> list[EntryDraft]:
    """The entries that lie there, of which nothing is left out."""
    found, left = read(path, **options)
    assert left == []
    return found


def skipped(path: Path, **options: Any) -> list[tuple[str, str]]:
    """Where something is left out, and why."""
    return [(each.place, each.reason) for each in read(path, **options)[1]]


def contents(path: Path, **options: Any) -> dict[str, bytes]:
    """The bytes of every file of every entry there, by its name."""
    source = opened_container(path)
    try:
        found = {}
        for each in importer_for(source).read(source, ImportOptions(**options)):
            for file in each.files if isinstance(each, EntryDraft) else ():
                with file.open() as opened:
                    found[file.name] = opened.read()
        return found
    finally:
        source.close()
