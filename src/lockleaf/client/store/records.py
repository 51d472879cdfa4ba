"""Records as this device knows them: what the verified history says, and the content with the edits made here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lockleaf.crypto.history import ZERO

__all__ = ["ENTRIES", "HASH_LENGTH", "LOST_BASE", "SETTINGS", "TAGS", "Document", "Leaf", "StoredRecord"]

ENTRIES = "entries"
TAGS = "tags"
SETTINGS = "x-lockleaf"
"""What the account's user chose for all devices, sealed."""
LOST_BASE = -1
"""As ``base_revision``: the server lost the revision; what a restored history shows of before is an ancestor."""
HASH_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Document:
    """The content of a record, and its times as RFC 3339 text (not part of what is sealed for the server)."""

    content: dict[str, Any]
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A record's last leaf in the verified history."""

    revision: int
    payload_hash: bytes
    bare: bool = False


@dataclass(slots=True)
class StoredRecord:
    """One record of the store.

    ``revision``, ``seq``, ``payload_hash`` and ``bare`` are its last leaf. ``base_*`` is the revision whose content is
    known here, and which an edit follows; ``base`` is that content, kept while an edit is ``pending``. ``doc`` is the
    content as the user sees it; a deleted record keeps the last one that was known, so that it can be restored.
    ``labels``: see `lockleaf.client.records.labels`.
    ``key_id`` is of the master key that sealed the last leaf, 0 where it is not known; ``device`` and ``written_at``
    (RFC 3339) tell who wrote the revision whose content is known. ``unseen``: a revision was superseded before this
    device looked, and what came after it and was opened here is a deletion at most. ``resolves``: payload hashes of the
    conflicts about it that were decided, as the last revision says and as an edit here adds.
    """

    collection: str
    record_id: str
    revision: int = 0
    seq: int = 0
    payload_hash: bytes = ZERO
    bare: bool = False
    base_revision: int = 0
    base_hash: bytes = ZERO
    base_deleted: bool = False
    deleted: bool = False
    pending: bool = False
    generation: int = 0
    rejected: str | None = None
    doc: Document | None = None
    base: dict[str, Any] | None = field(default=None)
    labels: int = 0
    key_id: int = 0
    device: str | None = None
    written_at: str | None = None
    unseen: bool = False
    resolves: frozenset[bytes] = frozenset()

    @property
    def key(self) -> tuple[str, str]:
        """Collection and record id."""
        return self.collection, self.record_id

    def send_as_it_is(self) -> None:
        """Have the record sealed and sent with the content that it has."""
        if not self.pending:
            self.base = None if self.deleted or self.doc is None else self.doc.content
            self.base_deleted = self.deleted
        self.pending, self.rejected = True, None
        self.generation += 1
