"""What is still to be added to the account's sums: first as readings of changes, then as encrypted deltas.

A contribution is kept in the transaction that takes over the acceptance of its change, and becomes part of deltas in
one transaction too; a delta is kept, encrypted and under its id, before it is sent. So whenever the program ends, each
change is in exactly one place, and a delta that may have arrived is sent again as the same bytes under the same id.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lockleaf.client.errors import StoreDamaged
from lockleaf.client.store.database import Database
from lockleaf.client.store.sealing import LocalSeal, place

__all__ = ["Contribution", "Contributions", "Step", "StoredDelta"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a change does to the sums: the mark of the entry before it, and after.

    Attributes:
        census: under which key it is to be counted.
        record_id: of the entry.
        revision: that the change made; 0 for an entry that the server does not hold.
        before, after: marks.
        contribution_id: its name in the store.
    """

    census: str
    record_id: str
    revision: int
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    contribution_id: str = field(default_factory=lambda: uuid.uuid4().hex)


Step = tuple[str, int, list[tuple[int, str, str, float]]]
"""Of a delta: record id, revision, and what is added (1) or removed (-1): sign, day, metric, value."""


@dataclass(frozen=True, slots=True)
class StoredDelta:
    """A delta that is encrypted and on its way.

    Attributes:
        delta_id: under which the server counts it once.
        census: under whose key it is encrypted.
        layout: the names of its metrics, in order.
        month: ``YYYY-MM``.
        encrypted: a serialised ciphertext.
        steps: what is in it, to make it anew without those that were counted already.
    """

    delta_id: str
    census: str
    layout: tuple[str, ...]
    month: str
    encrypted: bytes
    steps: list[Step]


class Contributions:
    """Reads and writes contributions and deltas; what they say of entries passes through the local seal."""

    def __init__(self, database: Database, seal: LocalSeal) -> None:
        self._database = database
        self._seal = seal

    # ---- changes ----

    def add(self, contributions: Iterable[Contribution]) -> None:
        """Keep what changes do to the sums."""
        self._database.write_many(
            "INSERT INTO contributions (contribution_id, census, record_id, revision, doc) VALUES (?, ?, ?, ?, ?)",
            [
                (
                    item.contribution_id,
                    item.census,
                    item.record_id,
                    item.revision,
                    self._seal.pack(place("contributions", "doc", item.contribution_id), [item.before, item.after]),
                )
                for item in contributions
            ],
        )

    def waiting(self, limit: int) -> list[Contribution]:
        """Return up to ``limit`` contributions that are in no delta yet, in the order of their changes."""
        rows = self._database.rows(
            "SELECT census, record_id, revision, doc, contribution_id FROM contributions ORDER BY rowid LIMIT ?",
            (limit,),
        )
        return [
            Contribution(census, record_id, revision, before, after, item_id)
            for census, record_id, revision, doc, item_id in rows
            for before, after in (self._open("contributions", item_id, doc),)
        ]

    def remove(self, contributions: Iterable[Contribution]) -> None:
        """Forget contributions: they are in deltas, or nothing changes by them."""
        self._database.write_many(
            "DELETE FROM contributions WHERE contribution_id = ?", [(item.contribution_id,) for item in contributions]
        )

    # ---- deltas ----

    def put_deltas(self, deltas: Iterable[StoredDelta]) -> None:
        """Keep deltas until the server has counted them."""
        self._database.write_many(
            "INSERT INTO deltas (delta_id, census, layout, month, encrypted, doc) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    item.delta_id,
                    item.census,
                    ",".join(item.layout),
                    item.month,
                    item.encrypted,
                    self._seal.pack(place("deltas", "doc", item.delta_id), item.steps),
                )
                for item in deltas
            ],
        )

    def deltas(self, limit: int) -> list[StoredDelta]:
        """Return up to ``limit`` deltas, oldest first."""
        rows = self._database.rows(
            "SELECT delta_id, census, layout, month, encrypted, doc FROM deltas ORDER BY rowid LIMIT ?", (limit,)
        )
        return [
            StoredDelta(
                delta_id,
                census,
                tuple(layout.split(",")),
                month,
                encrypted,
                [(step[0], step[1], [tuple(part) for part in step[2]]) for step in self._open("deltas", delta_id, doc)],
            )
            for delta_id, census, layout, month, encrypted, doc in rows
        ]

    def remove_deltas(self, delta_ids: Iterable[str]) -> None:
        """Forget deltas: the server has counted them."""
        self._database.write_many("DELETE FROM deltas WHERE delta_id = ?", [(item,) for item in delta_ids])

    # ---- both ----

    def counts(self) -> tuple[int, int]:
        """Return how many contributions, and how many deltas, wait."""
        contributions, deltas = self._database.row(
            "SELECT (SELECT count(*) FROM contributions), (SELECT count(*) FROM deltas)"
        )
        return int(contributions), int(deltas)

    def clear(self, *, but: str | None = None) -> None:
        """Forget everything that was for another census than ``but``: its sums are no more."""
        for table in ("contributions", "deltas"):
            self._database.write(f"DELETE FROM {table} WHERE census IS NOT ?", (but,))  # noqa: S608

    def _open(self, table: str, item_id: str, doc: bytes) -> Sequence[Any]:
        found = self._seal.unpack(place(table, "doc", item_id), doc)
        if not isinstance(found, list):
            raise StoreDamaged
        return found
