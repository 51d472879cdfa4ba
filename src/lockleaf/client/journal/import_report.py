"""What an import did, and what there is to say of single items."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["ImportReport", "Remark", "RemarkKind", "Skipped"]

RemarkKind = Literal["skipped", "differs", "second", "repeats", "changed"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something to import that is not an entry: where it stands, such as ``line 3``, and why it is skipped."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What there is to say of one item of an import.

    Attributes:
        kind: ``skipped``: it did not come in. ``differs``: the entry that is here is another text, and was left as it
            is. ``second``: it came in as an entry of its own, since its id belongs to another text. ``repeats``: it is
            word for word what stood there before. ``changed``: it came in, and something in it is not as it was.
        place: where it stands, such as ``line 3``.
        entry_id: of the entry that it is, or differs from.
    """

    kind: RemarkKind
    place: str
    reason: str
    entry_id: str | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        added: entries that are new.
        present: entries that were here already.
        updated: entries that were changed to what the import says.
        remarks: on single items, in their order.
        files: that were attached to entries.
        importer: the name of what read the source; empty where its entries were given.
        dry_run: nothing was done; it says what would be.
    """

    added: int
    present: int
    updated: int = 0
    remarks: tuple[Remark, ...] = field(default=(), hash=False)
    files: int = 0
    importer: str = ""
    dry_run: bool = False

    def of(self, kind: str) -> tuple[Remark, ...]:
        """Return the remarks of a kind."""
        return tuple(each for each in self.remarks if each.kind == kind)

    @property
    def is_complete(self) -> bool:
        """Whether everything is in the journal as the import says it."""
        return not any(each.kind in ("skipped", "differs") for each in self.remarks)
