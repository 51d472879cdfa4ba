"""Texts of entries that were replaced on this device before a server had them: nobody else can give them back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lockleaf.client.errors import StoreDamaged
from lockleaf.client.store.database import Database
from lockleaf.client.store.records import Document
from lockleaf.client.store.sealing import LocalSeal, place
from lockleaf.crypto.encoding import pack

__all__ = ["EarlierStore", "EarlierText"]


@dataclass(frozen=True, slots=True)
class EarlierText:
    """What an entry held, and the time (RFC 3339) of the edit that replaced it."""

    record_id: str
    until: str
    doc: Document


class EarlierStore:
    """Reads and writes earlier texts; content passes through the local seal."""

    def __init__(self, database: Database, seal: LocalSeal) -> None:
        self._database = database
        self._seal = seal

    def add(self, text: EarlierText) -> None:
        """Keep a text for good."""
        earlier_id = secrets.token_bytes(16)
        self._database.write(
            "INSERT INTO earlier (earlier_id, record_id, until, doc) VALUES (?, ?, ?, ?)",
            (earlier_id, text.record_id, text.until, self._sealed(earlier_id, text.doc)),
        )

    def rewrite(self, changed: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Keep every text with what ``changed`` makes of its map; to be called within a transaction."""
        for row in self._database.rows("SELECT earlier_id, record_id, until, doc FROM earlier"):
            doc = self._read(row).doc
            if (content := changed(doc.content)) != doc.content:
                sealed = self._sealed(row[0], replace(doc, content=content))
                self._database.write("UPDATE earlier SET doc = ? WHERE earlier_id = ?", (sealed, row[0]))

    def count(self) -> int:
        """Return how many texts are kept, of all entries."""
        return int(self._database.row("SELECT count(*) FROM earlier")[0])

    def all(self) -> list[EarlierText]:
        """Return the earlier texts of every entry, oldest first."""
        rows = self._database.rows("SELECT earlier_id, record_id, until, doc FROM earlier ORDER BY place")
        return [self._read(row) for row in rows]

    def of_record(self, record_id: str) -> list[EarlierText]:
        """Return the earlier texts of an entry, oldest first."""
        rows = self._database.rows(
            "SELECT earlier_id, record_id, until, doc FROM earlier WHERE record_id = ? ORDER BY place",
            (record_id,),
        )
        return [self._read(row) for row in rows]

    def _sealed(self, earlier_id: bytes, doc: Document) -> bytes:
        packed = pack([doc.content, doc.created_at, doc.updated_at])
        return self._seal.seal(place("earlier", "doc", earlier_id), packed)

    def _read(self, row: Sequence[Any]) -> EarlierText:
        try:
            document = Document(*self._seal.unpack(place("earlier", "doc", row[0]), row[3]))
        except TypeError:
            raise StoreDamaged from None
        return EarlierText(row[1], row[2], document)
