"""What this device has verified of the account's history: epochs, heads, cursor, and what is still to be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lockleaf.client.errors.claims import RememberedCheckpoint
from lockleaf.client.store.database import Database
from lockleaf.crypto.encoding import pack, strict_unpack
from lockleaf.lazy import late

if TYPE_CHECKING:
    from lockleaf.wire import epochs as epoch_bodies
else:
    epoch_bodies = late("lockleaf.wire.epochs")  # for who syncs

__all__ = ["Acknowledgement", "HistoryStore", "Position", "Remembered", "RememberedCheckpoint"]

_STATEMENT = "kind, n, old_epoch, seq, head, new_epoch, device_id, time, signature"


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
class Remembered:
    """What a device verified in a store that it does not have any more: the account's epochs, and the end."""

    epochs: tuple[epoch_bodies.Epoch, ...]
    position: Position


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

    def epochs(self) -> list[epoch_bodies.Epoch]:
        """Return the known epochs, oldest first."""
        rows = self._database.rows("SELECT epoch, from_seq, from_head FROM epochs ORDER BY ordinal")
        return [epoch_bodies.Epoch(epoch=epoch, from_seq=from_seq, from_head=head) for epoch, from_seq, head in rows]

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
        epochs: Sequence[epoch_bodies.Epoch],
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

    def doubt(self) -> str | None:
        """Return the name of the error with which the last sync found the server's history wrong, None if it did not.

        While there is one, nothing here is known to be at the server.
        """
        row = self._database.row("SELECT value FROM properties WHERE name = 'doubt'")
        return row[0] if row else None

    def set_doubt(self, error: str | None) -> None:
        """Remember that a sync found the server's history wrong; None: it was verified to its end."""
        if error is None:
            self._database.write("DELETE FROM properties WHERE name = 'doubt'")
        else:
            self._database.write("INSERT OR REPLACE INTO properties (name, value) VALUES ('doubt', ?)", (error,))

    def merged(self, aside: str) -> bool:
        """Tell whether what a store that was set aside holds was compared with this one, and taken in."""
        return self._database.row("SELECT 1 FROM properties WHERE name = ?", (f"merged:{aside}",)) is not None

    def note_merged(self, aside: str) -> None:
        """Remember that a store that was set aside is done with."""
        self._database.write("INSERT OR REPLACE INTO properties (name, value) VALUES (?, 1)", (f"merged:{aside}",))

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

    def forget_cursor(self) -> None:
        """Have the feed read from its start; what is verified stays so."""
        self._database.write("DELETE FROM properties WHERE name = 'cursor'")

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

    def statements(self) -> dict[bytes, epoch_bodies.Statement]:
        """Return what devices signed about epochs, by what is equal for those that say the same."""
        rows = self._database.rows(f"SELECT statement_id, {_STATEMENT} FROM statements ORDER BY n, statement_id")  # noqa: S608
        names = _STATEMENT.split(", ")
        construct = epoch_bodies.Statement.model_construct
        return {row[0]: construct(**dict(zip(names, row[1:], strict=True))) for row in rows}

    def keep_statements(self, statements: Mapping[bytes, epoch_bodies.Statement]) -> None:
        """Keep statements, by what is equal for those that say the same; those that are there stay."""
        self._database.write_many(
            f"INSERT OR IGNORE INTO statements (statement_id, {_STATEMENT})"  # noqa: S608
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    identity,
                    each.kind,
                    each.n,
                    each.old_epoch,
                    each.seq,
                    each.head,
                    each.new_epoch,
                    each.device_id,
                    each.time,
                    each.signature,
                )
                for identity, each in statements.items()
            ],
        )

    def drop_statement(self, identity: bytes) -> None:
        """Forget a statement that was never sent anywhere."""
        self._database.write("DELETE FROM statements WHERE statement_id = ?", (identity,))

    def posted_in(self) -> dict[bytes, str | None]:
        """Return in which epoch of the server each statement was last sent there, None if it never was."""
        return dict(self._database.rows("SELECT statement_id, posted_in FROM statements"))

    def note_posted(self, identities: Iterable[bytes], epoch: str) -> None:
        """Remember that the server has statements, in its present ``epoch``."""
        self._database.write_many(
            "UPDATE statements SET posted_in = ? WHERE statement_id = ?", [(epoch, each) for each in identities]
        )

    def remembered(self) -> Remembered | None:
        """Return what an earlier store of this device had verified, until this one has seen it too."""
        row = self._database.row("SELECT value FROM properties WHERE name = 'remembered'")
        if row is None:
            return None
        epochs, (epoch, seq, head) = strict_unpack(row[0])
        known = tuple(epoch_bodies.Epoch(epoch=name, from_seq=from_seq, from_head=at) for name, from_seq, at in epochs)
        return Remembered(known, Position(epoch, seq, head))

    def remember(self, remembered: Remembered | None) -> None:
        """Keep what an earlier store had verified; None: this one has seen it, or its user let go of it."""
        if remembered is None:
            self._database.write("DELETE FROM properties WHERE name = 'remembered'")
            return
        end = remembered.position
        epochs = [list(epoch_bodies.place_of(each)) for each in remembered.epochs]
        packed = pack([epochs, [end.epoch, end.seq, end.head]])
        self._database.write("INSERT OR REPLACE INTO properties (name, value) VALUES ('remembered', ?)", (packed,))

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

    def pass_over(self, checkpoint: RememberedCheckpoint) -> None:
        """Remember that this device's user knows what was signed there, and goes on although the history is another."""
        value = pack([[each.device_id, each.epoch, each.seq, each.head] for each in {*self.passed_over(), checkpoint}])
        self._database.write("INSERT OR REPLACE INTO properties (name, value) VALUES ('passed_over', ?)", (value,))

    def passed_over(self) -> frozenset[RememberedCheckpoint]:
        """Return what `pass_over` was told: each counts for itself, not for what the same device signs later."""
        row = self._database.row("SELECT value FROM properties WHERE name = 'passed_over'")
        return frozenset() if row is None else frozenset(RememberedCheckpoint(*each) for each in strict_unpack(row[0]))
