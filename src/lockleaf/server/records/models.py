"""Tables of the encrypted store (PROTOCOL section 5).

``changes`` is the verifiable log: one narrow row a change, never altered and never dropped within an epoch.
``records`` holds the latest revision of each record with its payload, ``revisions`` the payloads of earlier ones.
Reading the feed touches ``changes`` and, for what is current, ``records``; purging touches ``revisions`` and
``records`` only.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Blob, Instant, Name, Now, Sequence

__all__ = ["LARGE_BYTES", "Change", "Checkpoint", "Conflict", "Epoch", "EpochStatement", "Head", "Record", "Revision"]


class Head(Base):
    """The end of an account's history. Whoever writes holds this row's lock until the commit."""

    __tablename__ = "heads"
    # The row changes with every write: room in its page lets PostgreSQL replace it there, without touching an index.
    __table_args__ = ({"postgresql_with": {"fillfactor": "50"}},)

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[Name]
    seq: Mapped[Sequence]
    head: Mapped[Blob]
    key_id: Mapped[Sequence] = mapped_column(
        server_default="0",
        comment="the lowest that may seal what is written; 0 while the account has no keyring",
    )
    # Kept by whatever changes them, in the same transaction: see records/usage.py.
    record_bytes: Mapped[Sequence] = mapped_column(
        server_default="0", comment="kept: records, earlier revisions and conflicts, in bytes"
    )
    index_bytes: Mapped[Sequence] = mapped_column(
        server_default="0", comment="kept: digests of the search index, in bytes"
    )
    media_bytes: Mapped[Sequence] = mapped_column(server_default="0", comment="kept: declared sizes of files, in bytes")
    metric_bytes: Mapped[Sequence] = mapped_column(
        server_default="0", comment="kept: ciphertexts of metrics and their sums, in bytes"
    )
    inbox_bytes: Mapped[Sequence] = mapped_column(
        server_default="0", comment="kept: sealed items of the inbox, in bytes"
    )


class Epoch(Base):
    """An epoch, and where it goes on from; the leaves of one that has ``ended`` are gone."""

    __tablename__ = "epochs"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[Name] = mapped_column(primary_key=True)
    from_seq: Mapped[Sequence]
    from_head: Mapped[Blob]
    ended: Mapped[bool] = mapped_column(Boolean, server_default="false", comment="whether its leaves are gone")
    declared: Mapped[bool] = mapped_column(
        Boolean, server_default="false", comment="whether an operator began it, having put the database back"
    )
    created_at: Mapped[Now]


class EpochStatement(Base):
    """What a device signed about the beginning of an epoch. It may be of one that this database never had."""

    __tablename__ = "epoch_statements"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    statement_id: Mapped[Blob] = mapped_column(primary_key=True, comment="equal for those that say the same")
    kind: Mapped[str] = mapped_column(Text)
    n: Mapped[Sequence]
    old_epoch: Mapped[Name]
    seq: Mapped[Sequence]
    head: Mapped[Blob]
    new_epoch: Mapped[Name]
    device_id: Mapped[Name]
    time_text: Mapped[str] = mapped_column(Text, comment="to the letter: it is signed")
    signature: Mapped[Blob]
    posted_at: Mapped[Now]


class Change(Base):
    """A leaf of the history: the preimage of its hash."""

    __tablename__ = "changes"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    collection: Mapped[Name]
    record_id: Mapped[Name]
    revision: Mapped[Sequence]
    parent: Mapped[Blob]
    meta: Mapped[Blob]
    payload_hash: Mapped[Blob]
    deleted: Mapped[bool] = mapped_column(Boolean)
    device_id: Mapped[Name]
    at: Mapped[Instant]


class Record(Base):
    """The latest revision of a record.

    ``packed`` is the record as it travels, in MessagePack, payload included: nobody here looks into it, so the feed
    sends what was stored. The columns beside it are what the server orders, compares and filters by.
    """

    __tablename__ = "records"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    collection: Mapped[Name] = mapped_column(primary_key=True)
    record_id: Mapped[Name] = mapped_column(primary_key=True)
    revision: Mapped[Sequence]
    seq: Mapped[Sequence]
    payload_hash: Mapped[Blob]
    deleted: Mapped[bool] = mapped_column(Boolean)
    labels: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), server_default=text("'{}'"))
    source: Mapped[str | None] = mapped_column(Text)
    occurred_at: Mapped[Instant | None]
    local_at: Mapped[Instant | None] = mapped_column(
        comment="of an entry: what the clock showed where it was written, as if that were UTC"
    )
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    purged_at: Mapped[Instant | None] = mapped_column(comment="when the revisions before this deletion were dropped")
    key_id: Mapped[int | None] = mapped_column(BigInteger, comment="of the master key that sealed the payload")
    packed: Mapped[bytes] = mapped_column(LargeBinary)


LARGE_BYTES = 8192
"""Records over this size are looked up before a page of the feed is read; others fit into one by their number."""

# The condition is always true. It keeps this index from a lookup by name, which names no seq: while the table is small
# the planner thinks one index as good as the other, and a plan once made is kept while the table grows.
Index("ix_records_seq", Record.user_id, Record.seq, unique=True, postgresql_where=text("seq > 0"))
Index(
    "ix_records_large",
    Record.user_id,
    Record.seq,
    postgresql_where=text(f"octet_length(packed) > {LARGE_BYTES}"),
)

# A list of entries is in the order of their local times, newest first (read backwards); the id settles what falls
# together.
Index(
    "ix_records_date",
    Record.user_id,
    func.coalesce(Record.local_at, Record.created_at),
    Record.record_id,
    postgresql_where=text("collection = 'entries'"),
)
# A list of backups is in the order of their clients' times, which they bring as `occurred_at`.
Index(
    "ix_records_backups",
    Record.user_id,
    Record.occurred_at,
    Record.record_id,
    postgresql_where=text("collection = 'backups' AND NOT deleted"),
)
Index("ix_records_unpurged", Record.updated_at, postgresql_where=text("deleted AND purged_at IS NULL"))


class Revision(Base):
    """An earlier revision of a record, as it travelled."""

    __tablename__ = "revisions"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    collection: Mapped[Name] = mapped_column(primary_key=True)
    record_id: Mapped[Name] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    packed: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[Instant]
    key_id: Mapped[int | None] = mapped_column(BigInteger, comment="of the master key that sealed the payload")


class Conflict(Base):
    """A payload that was refused because the record had moved on, kept until a person chooses."""

    __tablename__ = "conflicts"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    conflict_id: Mapped[UUID] = mapped_column(primary_key=True)
    collection: Mapped[Name]
    record_id: Mapped[Name]
    base_revision: Mapped[Sequence]
    parent: Mapped[Blob]
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    payload_hash: Mapped[Blob]
    deleted: Mapped[bool] = mapped_column(Boolean)
    labels: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), server_default=text("'{}'"))
    source: Mapped[str | None] = mapped_column(Text)
    occurred_text: Mapped[str | None] = mapped_column(Text, comment="to the letter: it is part of the seal")
    device_id: Mapped[Name]
    client_updated_at: Mapped[Instant]
    detected_at: Mapped[Now]
    resolved_at: Mapped[Instant | None]
    chosen_version: Mapped[str | None] = mapped_column(Text)
    remote_revision: Mapped[int | None] = mapped_column(
        BigInteger, comment="the record's revision when it was resolved: the other version"
    )


Index(
    "uq_conflicts_payload",
    Conflict.user_id,
    Conflict.collection,
    Conflict.record_id,
    Conflict.payload_hash,
    unique=True,
)
Index("ix_conflicts_open", Conflict.user_id, Conflict.conflict_id, postgresql_where=text("resolved_at IS NULL"))
Index(
    "ix_conflicts_resolved",
    Conflict.resolved_at,
    postgresql_where=text("resolved_at IS NOT NULL AND octet_length(payload) > 0"),
)


class Checkpoint(Base):
    """The latest signed word of a device on the history that it verified."""

    __tablename__ = "checkpoints"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[Name] = mapped_column(primary_key=True)
    epoch: Mapped[Name]
    seq: Mapped[Sequence]
    head: Mapped[Blob]
    time_text: Mapped[str] = mapped_column(Text, comment="to the letter: it is signed")
    signature: Mapped[Blob]
    posted_at: Mapped[Now]
