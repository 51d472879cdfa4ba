"""What a reader of another program's journal is: a class that gives entries, and says what it could not read.

Others can add theirs: an object of this kind, named in the entry points ``lockleaf.importers`` of their distribution,
is found by ``lockleaf import``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.containers import Container
from lockleaf.client.records.entries import EntryDraft

__all__ = ["ImportOptions", "Importer"]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What whoever imports says of the source beside its place.

    Attributes:
        encoding: of texts that are not UTF-8 and do not say what they are.
        time_zone: an IANA name: where the clock stood that showed times without a zone.
        file_dates: whether a file without a date gets that of its last change.
        columns: for tables: the name of a column by the field of the entry that it holds.
        password: of an archive that is encrypted.
    """

    encoding: str | None = None
    time_zone: str | None = None
    file_dates: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)


class Importer(Protocol):
    """A reader of one format.

    Attributes:
        name: by which it is chosen, and that its entries have as their source: small letters, digits and dashes.
        title: as a person calls the format.
    """

    name: str
    title: str

    def recognises(self, source: Container) -> bool:
        """Tell by its content whether a source is of this format. It reads as little as it can."""
        ...

    def count(self, source: Container) -> int | None:
        """Return about how many entries a source has, for a bar; None where that takes long to know."""
        ...

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the entries of a source one by one, and in their places what cannot be read and why.

        A draft's ``external_id`` must be the same whenever the same entry is read, wherever it stands: by it a second
        import knows the entry again. Files are given as streams to be opened, never as bytes.
        """
        ...
