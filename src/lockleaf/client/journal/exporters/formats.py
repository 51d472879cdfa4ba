"""What a format makes of entries: one protocol, a file each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from lockleaf.client.journal.exporters.names import file_names
from lockleaf.client.journal.exporters.sources import TagColor
from lockleaf.client.journal.exporters.targets import Target
from lockleaf.client.journal.revisions import Revision
from lockleaf.client.records.attachments import Attachment
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.views import Conflict

__all__ = ["MD5", "Add", "ExportedEntry", "ExportedFile", "Extras", "Format", "own_paths", "year_of"]


MD5 = "{md5}"
"""Stands in a path for the MD5 of the file's bytes, by which another program calls its files."""


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """An attachment, and where it is in the export; None where it could not be had."""

    attachment: Attachment
    path: str | None


@dataclass(frozen=True, slots=True)
class ExportedEntry:
    """An entry on its way out.

    Attributes:
        stem: its name, without folder and ending.
        revisions: its earlier states, oldest first, if they were asked for.
        lacks_revisions: whether some of them could not be had.
    """

    entry: Entry
    stem: str
    files: tuple[ExportedFile, ...] = ()
    revisions: tuple[Revision, ...] = ()
    lacks_revisions: bool = False

    @property
    def year(self) -> str:
        """The folder of its year."""
        return year_of(self.entry)


@dataclass(frozen=True, slots=True)
class Extras:
    """What there is beside entries."""

    tags: Sequence[TagColor] = ()
    conflicts: Sequence[Conflict] = ()


Add = Callable[[ExportedEntry], None]


class Format(Protocol):
    """A format of exports.

    Attributes:
        name: by which it is asked for.
        carries_revisions: whether earlier states of entries have a place in it.
        has_manifest: whether a ZIP file of it says what it is, or is of another program's form.
    """

    name: str
    carries_revisions: bool
    has_manifest: bool

    def paths(self, entry: Entry, stem: str) -> list[str]:
        """Return where the attachments of an entry go, in their order; `MD5` in a path stands for that of the bytes."""

    def writing(self, target: Target, extras: Extras) -> AbstractContextManager[Add]:
        """Give what takes each entry, oldest first; blocks. The export is whole when the ``with`` ends well."""


def year_of(entry: Entry) -> str:
    """Return the year in which an entry lies, in four digits."""
    return entry.day.isoformat()[:4]


def own_paths(entry: Entry, stem: str) -> list[str]:
    """Return where attachments go in formats of our own."""
    return file_names(year_of(entry), stem, entry.attachments)
