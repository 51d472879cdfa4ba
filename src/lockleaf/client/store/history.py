"""What this device has verified of the account's history: epochs, heads, cursor, and what is still to be shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lockleaf.client.store.database import Database
from lockleaf.wire.sync import Epoch

__all__ = ["Acknowledgement", "HistoryStore", "Position", "RememberedCheckpoint"]


@dataclass(frozen=True, slots=True)
class Position:
    """The end of the verified history; ``head`` is 32 bytes."""

    epoch: str
    seq: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A change that the server confirmed at ``seq``."""

    seq: int
    collection: str
    record_id: str
    revision: int
    payload_hash: bytes


@dataclass(frozen=True, slots=True)
class RememberedCheckpoint:
    """Another device's signed word on a history that reaches beyond the one seen here."""

    device_id: str
    epoch: str
    seq: int
    head: bytes


class HistoryStore:
    """Reads and writes the verified history. Nothing here is secret: the server knows all of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def position(self) -> Position | None:
        """Return the end of the verified history, None before the first sync."""
        rows = dict(
            self._database.rows("SELECT name, value FROM properties WHERE name IN ('epoch', 'seq', 'head')"),
        )
        return Position(rows["epoch"], rows["seq"], rows["head"]) if len(rows) == 3 else None

    def cursor(self) -> str | None:
        """Return where the feed goes on."""
        row = self._database.row("SELECT value FROM properties WHERE name = 'cursor'")
        return row[0] if row else None

    def epochs(self) -> list[Epoch]:
        """Return the known epochs, oldest first."""
        rows = self._database.rows("SELECT epoch, from_seq, from_head FROM epochs ORDER BY ordinal")
        return [Epoch(epoch=epoch, from_seq=from_seq, from_head=head) for epoch, from_seq, head in rows]

    def head_at(self, epoch: str, seq: int) -> bytes | None:
        """Return the head that was verified at ``seq`` within ``epoch``."""
        row = self._database.row(
            "SELECT head FROM heads JOIN epochs USING (ordinal) WHERE epoch = ? AND seq = ?", (epoch, seq)
        )
        return row[0] if row else None

    def advance(
        self,
        position: Position,
        *,
        cursor: str | None,
        epochs: Sequence[Epoch],
        heads: Iterable[tuple[str, int, bytes]],
    ) -> None:
        """Go on to ``position``: keep new epochs and heads (epoch, seq, head), and drop acknowledgements now shown."""
        known = dict(self._database.rows("SELECT epoch, ordinal FROM epochs"))
        for epoch in epochs:
            if epoch.epoch not in known:
                known[epoch.epoch] = max(known.values(), default=-1) + 1
                self._database.write(
                    "INSERT INTO epochs (ordinal, epoch, from_seq, from_head) VALUES (?, ?, ?, ?)",
                    (known[epoch.epoch], epoch.epoch, epoch.from_seq, epoch.from_head),
                )
        self._database.write_many(
            "INSERT OR REPLACE INTO heads (ordinal, seq, head) VALUES (?, ?, ?)",
            [(known[epoch], seq, head) for epoch, seq, head in heads],
        )
        self._database.write("DELETE FROM acknowledged WHERE seq <= ?", (position.seq,))
        values = [("epoch", position.epoch), ("seq", position.seq), ("head", position.head)]
        if cursor is not None:
            values.append(("cursor", cursor))
        self._database.write_many("INSERT OR REPLACE INTO properties (name, value) VALUES (?, ?)", values)

    def heads_at(self, seq: int) -> set[bytes]:
        """Return the heads that were verified at ``seq``, in whatever epoch."""
        return {row[0] for row in self._database.rows("SELECT head FROM heads WHERE seq = ?", (seq,))}

    def last_sync(self) -> str | None:
        """Return when a sync last came to its end, as RFC 3339 text."""
        row = self._database.row("SELECT value FROM properties WHERE name = 'synced_at'")
        return row[0] if row else None

    def set_last_sync(self, time: str) -> None:
        """Remember that a sync came to its end at ``time`` (RFC 3339)."""
        self._database.write("INSERT OR REPLACE INTO properties (name, value) VALUES ('synced_at', ?)", (time,))

    def sealed_again(self) -> int:
        """Return the id of the master key under which all that the server holds was last seen to be sealed."""
        row = self._database.row("SELECT value FROM properties WHERE name = 'sealed_again'")
        return int(row[0]) if row else 0

    def set_sealed_again(self, key_id: int) -> None:
        """Remember that no older key than ``key_id`` opens anything that the server still serves."""
        self._database.write("INSERT OR REPLACE INTO properties (name, value) VALUES ('sealed_again', ?)", (key_id,))

    def restored_through(self) -> int:
        """Return up to where a restored server's history was this device's too, 0 if no server was restored."""
        row = self._database.row("SELECT value FROM properties WHERE name = 'restored_through'")
        return int(row[0]) if row else 0

    def expect_emptied(self, expected: bool = True) -> None:
        """Remember that the tier was changed here, so that the server may have given up what it held; or forget it."""
        if expected:
            self._database.write("INSERT OR REPLACE INTO properties (name, value) VALUES ('expects_emptied', 1)")
        else:
            self._database.write("DELETE FROM properties WHERE name = 'expects_emptied'")

    def expects_emptied(self) -> bool:
        """Tell whether the tier was changed here since the last sync."""
        return self._database.row("SELECT 1 FROM properties WHERE name = 'expects_emptied'") is not None

    def rewind(self, through: int) -> None:
        """Forget the verified history, to walk the one that a restored server has from its start.

        Args:
            through: the sequence number up to which it is the same.
        """
        for table in ("heads", "epochs", "acknowledged", "checkpoints"):
            self._database.write(f"DELETE FROM {table}")  # noqa: S608
        self._database.write("DELETE FROM properties WHERE name IN ('epoch', 'seq', 'head', 'cursor')")
        self._database.write(
            "INSERT OR REPLACE INTO properties (name, value) VALUES ('restored_through', ?)", (through,)
        )

    def acknowledge(self, confirmed: Iterable[Acknowledgement]) -> None:
        """Remember what the server confirmed, until the feed shows it."""
        self._database.write_many(
            "INSERT OR REPLACE INTO acknowledged (seq, collection, record_id, revision, payload_hash)"
            " VALUES (?, ?, ?, ?, ?)",
            [(item.seq, item.collection, item.record_id, item.revision, item.payload_hash) for item in confirmed],
        )

    def acknowledged(self) -> dict[int, Acknowledgement]:
        """Return what was confirmed and not yet shown, by sequence number."""
        rows = self._database.rows("SELECT seq, collection, record_id, revision, payload_hash FROM acknowledged")
        return {row[0]: Acknowledgement(*row) for row in rows}

    def remember_checkpoints(self, checkpoints: Iterable[RememberedCheckpoint]) -> None:
        """Keep checkpoints that lie beyond the verified history, the latest of each device."""
        self._database.write_many(
            "INSERT OR REPLACE INTO checkpoints (device_id, epoch, seq, head) VALUES (?, ?, ?, ?)",
            [(item.device_id, item.epoch, item.seq, item.head) for item in checkpoints],
        )

    def own_checkpoint(self) -> tuple[str, int] | None:
        """Return the (epoch, seq) to which this device last set its name."""
        rows = dict(
            self._database.rows("SELECT name, value FROM properties WHERE name IN ('signed_epoch', 'signed_seq')")
        )
        return (rows["signed_epoch"], rows["signed_seq"]) if len(rows) == 2 else None

    def set_own_checkpoint(self, epoch: str, seq: int) -> None:
        """Remember to which (epoch, seq) this device set its name."""
        self._database.write_many(
            "INSERT OR REPLACE INTO properties (name, value) VALUES (?, ?)",
            [("signed_epoch", epoch), ("signed_seq", seq)],
        )

    def forget_own_checkpoint(self) -> None:
        """Have this device set its name again, under another key."""
        self._database.write("DELETE FROM properties WHERE name IN ('signed_epoch', 'signed_seq')")

    def checkpoints(self) -> list[RememberedCheckpoint]:
        """Return the remembered checkpoints."""
        rows = self._database.rows("SELECT device_id, epoch, seq, head FROM checkpoints")
        return [RememberedCheckpoint(*row) for row in rows]

    def forget_checkpoints(self, device_ids: Iterable[str]) -> None:
        """Drop checkpoints that the verified history has reached."""
        self._database.write_many("DELETE FROM checkpoints WHERE device_id = ?", [(item,) for item in device_ids])
