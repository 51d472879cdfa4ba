"""The tables of the local store.

What can be read without the local key is what the server sees too (ids, revisions, sequence numbers, digests) and
what synchronisation has to remember. Every column named ``sealed``, ``doc`` or ``base`` is sealed under the local key;
an inbox item is kept as it came, sealed to the account.
"""

from __future__ import annotations

__all__ = ["SCHEMA", "SCHEMA_VERSION", "SEALED_COLUMNS", "UPGRADES"]

SCHEMA_VERSION = 7

_INBOX = """
CREATE TABLE inbox (
    item_id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    received_at TEXT NOT NULL,
    item BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'refused')),
    record_id TEXT,
    detached INTEGER NOT NULL
) STRICT;
"""

# Changes whose share in the account's sums is still to be sent, and the encrypted deltas that carry it.
_METRICS = """
CREATE TABLE contributions (
    contribution_id TEXT NOT NULL UNIQUE,
    census TEXT NOT NULL,
    record_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    doc BLOB NOT NULL
) STRICT;
CREATE TABLE deltas (
    delta_id TEXT NOT NULL UNIQUE,
    census TEXT NOT NULL,
    layout TEXT NOT NULL,
    month TEXT NOT NULL,
    encrypted BLOB NOT NULL,
    doc BLOB NOT NULL
) STRICT;
"""

# Attachments of which the server is still to hear: their sealed bytes, or that they are deleted or wanted back.
# announced: the server may know of it; changed_at: of the state, RFC 3339.
_MEDIA = """
CREATE TABLE media (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    media_id TEXT NOT NULL UNIQUE,
    entry_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('upload', 'delete', 'deleted', 'restore')),
    announced INTEGER NOT NULL,
    refused TEXT,
    changed_at TEXT NOT NULL,
    doc BLOB NOT NULL
) STRICT;
"""

# Each write to an entry is counted, so that a search index knows which entries it has not seen as they are now; and the
# store has a name of its own, so that an index knows another store's numbers from this one's.
_TOUCHED = """
CREATE TABLE touched (
    record_id TEXT PRIMARY KEY,
    stamp INTEGER NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
CREATE TRIGGER records_touched AFTER INSERT ON records WHEN NEW.collection = 'entries' BEGIN \
INSERT OR REPLACE INTO touched VALUES (NEW.record_id, (SELECT coalesce(max(stamp), 0) + 1 FROM touched)); END;
INSERT INTO properties (name, value) VALUES ('store', randomblob(16));
"""

# The server is not to keep it until it could be restored no more.
_FOR_GOOD = "ALTER TABLE media ADD COLUMN for_good INTEGER NOT NULL DEFAULT 0;\n"

# parent: the payload hash of the revision that a version follows which was refused on this device, until it is sealed;
# first_id: the id that it had until then. And texts that were replaced here before a server had them.
_EDITS = """
ALTER TABLE conflicts ADD COLUMN parent BLOB;
ALTER TABLE conflicts ADD COLUMN first_id TEXT;
CREATE TABLE earlier (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    earlier_id BLOB NOT NULL UNIQUE,
    record_id TEXT NOT NULL,
    until TEXT NOT NULL,
    doc BLOB NOT NULL
) STRICT;
CREATE INDEX earlier_record ON earlier (record_id);
"""

# recipient: to which a file is sealed, where that is known; replaces: the object whose
# place it takes in its entry once the server has it; after_entry: deleted only when the server has the entry as it is
# here.
_SEALED_ANEW = """
ALTER TABLE media ADD COLUMN recipient TEXT;
ALTER TABLE media ADD COLUMN replaces TEXT;
ALTER TABLE media ADD COLUMN after_entry INTEGER NOT NULL DEFAULT 0;
"""

# Whether the server's revision of an entry bears labels; taken for granted of what was written before this was noted.
_LABELS = """
ALTER TABLE records ADD COLUMN labels INTEGER NOT NULL DEFAULT 1;
CREATE INDEX records_labels ON records (labels, record_id) WHERE collection = 'entries' AND labels > 0;
"""

# key_id: of the master key that sealed a record's last leaf, 0 where it is not known; device, written_at: who wrote the
# revision whose content is known, and when, as it is sealed. What is sealed again keeps both. authentic: no retired key
# may have made it up.
_KEYS = """
-- What was kept for searches was the server's word on the language.
DELETE FROM secrets WHERE name = 'search';
ALTER TABLE records ADD COLUMN key_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN device TEXT;
ALTER TABLE records ADD COLUMN written_at TEXT;
ALTER TABLE outbox ADD COLUMN device TEXT;
ALTER TABLE outbox ADD COLUMN resealed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conflicts ADD COLUMN written_at TEXT;
ALTER TABLE conflicts ADD COLUMN sealed_parent BLOB;
ALTER TABLE conflicts ADD COLUMN payload_hash BLOB;
ALTER TABLE conflicts ADD COLUMN key_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conflicts ADD COLUMN authentic INTEGER NOT NULL DEFAULT 1;
"""

# unseen: whether a deleted record had content, before its deletion, that this device never opened.
# resolves: the payload hashes, 32 bytes each, of the conflicts about a record that were decided.
# absorbed.standing: "merged": its content lives on in the record, or was decided against here; "replaced": it was
# sealed anew as the same conflict; "closed": the server said that it is closed.
# accepted: payload hashes of the revisions of entries that another one took the place of.
_RESOLUTIONS = """
ALTER TABLE records ADD COLUMN unseen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN resolves BLOB NOT NULL DEFAULT x'';
ALTER TABLE absorbed ADD COLUMN standing TEXT NOT NULL DEFAULT 'merged';
CREATE TABLE accepted (
    payload_hash BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
"""

# What devices of the account signed about epochs. posted_in: the server's epoch when it was last sent there.
_STATEMENTS = """
CREATE TABLE statements (
    statement_id BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    n INTEGER NOT NULL,
    old_epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    head BLOB NOT NULL,
    new_epoch TEXT NOT NULL,
    device_id TEXT NOT NULL,
    time TEXT NOT NULL,
    signature BLOB NOT NULL,
    posted_in TEXT
) STRICT, WITHOUT ROWID;
"""

# By which entries are counted without reading their pages.
_COUNTED = "CREATE INDEX records_here ON records (collection, deleted, (doc IS NULL));\n"

SCHEMA = """
CREATE TABLE properties (
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;

-- revision, seq, payload_hash: the record's last leaf in the verified history; bare: its payload is still to come.
-- base_revision, base_hash: the revision whose content is known, which an edit here follows.
-- generation: counts the edits made here, so that an acknowledgement knows which of them it is for.
CREATE TABLE records (
    collection TEXT NOT NULL,
    record_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    payload_hash BLOB NOT NULL,
    bare INTEGER NOT NULL,
    base_revision INTEGER NOT NULL,
    base_hash BLOB NOT NULL,
    base_deleted INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    rejected TEXT,
    doc BLOB,
    base BLOB,
    PRIMARY KEY (collection, record_id)
) STRICT;
CREATE INDEX records_pending ON records (collection, record_id) WHERE pending;
CREATE INDEX records_bare ON records (collection, record_id) WHERE bare;
CREATE INDEX records_seq ON records (seq);

-- Sealed bytes wait here before they are sent, so that a retry sends the very same ones.
-- counted: the census under whose key the change is counted, once it is accepted.
-- A place is never given twice, or a run over them would pass over what was sealed while it sends.
CREATE TABLE outbox (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    payload_hash BLOB NOT NULL UNIQUE,
    collection TEXT NOT NULL,
    record_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('edit', 'conflict')),
    base_revision INTEGER NOT NULL,
    parent BLOB NOT NULL,
    payload BLOB NOT NULL,
    labels BLOB NOT NULL,
    source TEXT,
    occurred_at TEXT,
    deleted INTEGER NOT NULL,
    client_updated_at TEXT NOT NULL,
    generation INTEGER NOT NULL,
    doc BLOB NOT NULL,
    counted TEXT
) STRICT;
CREATE INDEX outbox_record ON outbox (collection, record_id);

-- Sealed bytes that may have reached the server, and whose content lives on in a merged text.
CREATE TABLE absorbed (
    payload_hash BLOB PRIMARY KEY,
    collection TEXT NOT NULL,
    record_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE conflicts (
    conflict_id TEXT PRIMARY KEY,
    server_id TEXT,
    collection TEXT NOT NULL,
    record_id TEXT NOT NULL,
    base_revision INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    device_id TEXT NOT NULL,
    detected_at TEXT NOT NULL,
    own INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'resolved', 'closed')),
    doc BLOB NOT NULL
) STRICT;
CREATE INDEX conflicts_record ON conflicts (collection, record_id);

CREATE TABLE epochs (
    ordinal INTEGER PRIMARY KEY,
    epoch TEXT NOT NULL UNIQUE,
    from_seq INTEGER NOT NULL,
    from_head BLOB NOT NULL
) STRICT;

CREATE TABLE heads (
    ordinal INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    head BLOB NOT NULL,
    PRIMARY KEY (ordinal, seq)
) STRICT, WITHOUT ROWID;

-- What the server confirmed and the feed has not yet shown.
CREATE TABLE acknowledged (
    seq INTEGER PRIMARY KEY,
    collection TEXT NOT NULL,
    record_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    payload_hash BLOB NOT NULL
) STRICT;

-- Signed words of other devices on a history that is longer than the one seen here.
CREATE TABLE checkpoints (
    device_id TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    head BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""
SCHEMA += (
    _INBOX
    + _METRICS
    + _MEDIA
    + _TOUCHED
    + _FOR_GOOD
    + _EDITS
    + _SEALED_ANEW
    + _LABELS
    + _KEYS
    + _RESOLUTIONS
    + _STATEMENTS
    + _COUNTED
)

UPGRADES: dict[int, str] = {
    1: _INBOX,
    2: "ALTER TABLE outbox ADD COLUMN counted TEXT;\n" + _METRICS,
    3: _MEDIA,
    4: _TOUCHED,
    5: _FOR_GOOD,
    6: _EDITS + _SEALED_ANEW + _LABELS + _KEYS + _RESOLUTIONS + _STATEMENTS + _COUNTED,
}
"""What turns a store of each earlier version into one of the next."""

SEALED_COLUMNS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("secrets", ("name",), ("sealed",)),
    ("records", ("collection", "record_id"), ("doc", "base")),
    ("outbox", ("payload_hash",), ("doc",)),
    ("conflicts", ("conflict_id",), ("doc",)),
    ("earlier", ("earlier_id",), ("doc",)),
    ("contributions", ("contribution_id",), ("doc",)),
    ("deltas", ("delta_id",), ("doc",)),
    ("media", ("media_id",), ("doc",)),
)
"""Table, the columns that identify a row, the columns sealed under the local key."""
