"""The SQL of the search index of one account.

Digests are packed: in 8 bytes each, signed and big-endian. So are the places of entries: the number of the record
(``seq``), and its date in microseconds as PostgreSQL counts them. Long lists of either are bytes of which Python makes
no objects before it has to.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lockleaf.server.platform.db.scoped import OnConnection
from lockleaf.server.records.diary import has_labels
from lockleaf.wire.codec import unpack
from lockleaf.wire.sync import Record

__all__ = ["LISTS_AT_ONCE", "Counted", "Document", "Index", "SearchRepository", "Waiting"]

_ENTRIES = "entries"

LISTS_AT_ONCE = 32
"""The memory of a query is that of so many lists, whatever it asks for."""


@dataclass(frozen=True, slots=True)
class Index:
    """What is known of an account's index.

    Attributes:
        stored: whether the account has a row of its own, and not just what its custody has by default.
        documents: how many entries are in it.
    """

    stored: bool
    enabled: bool | None
    language: str | None
    complete: bool
    built_at: datetime | None
    job_id: UUID | None
    locale: str
    documents: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """The words of one revision of an entry, packed."""

    record_id: str
    revision: int
    tokens: bytes


@dataclass(frozen=True, slots=True)
class Counted:
    """How many entries are in the index, how many digests they have, and how many entries there are."""

    documents: int
    tokens: int
    entries: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that is not in the index; ``record`` as far as it was asked for."""

    record_id: str
    revision: int
    record: Record | None = None


_INDEX = """
SELECT i.user_id IS NOT NULL AS stored, i.enabled, i.language, coalesce(i.complete, false) AS complete, i.built_at,
  i.job_id, a.locale {documents}
FROM accounts a LEFT JOIN search_indexes i ON i.user_id = a.user_id WHERE a.user_id = $1
"""
_STATE = _INDEX.format(documents="")
_STATE_WITH_COUNT = _INDEX.format(
    documents=", (SELECT count(*) FROM search_documents d WHERE d.user_id = $1) AS documents"
)

_PUT = """
INSERT INTO search_indexes AS i (user_id, enabled, language, complete, built_at, job_id, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (user_id) DO UPDATE SET enabled = excluded.enabled, language = excluded.language,
  complete = excluded.complete, built_at = excluded.built_at, job_id = excluded.job_id,
  updated_at = excluded.updated_at
"""

_INCOMPLETE = "UPDATE search_indexes SET complete = false, updated_at = $2 WHERE user_id = $1 AND complete"

# The place of an entry is its record's. One that has moved on since its words were taken has others by now. (That the
# collection is an argument, here and below, keeps these lookups by name from the index of entries by date.)
_STORE = """
WITH before AS MATERIALIZED (
  SELECT record_id, 8 * cardinality(tokens) AS bytes FROM search_documents
  WHERE user_id = $1 AND record_id = ANY($2::text[])
), stored AS (
INSERT INTO search_documents (user_id, record_id, seq, at, tokens)
SELECT $1, w.record_id, r.seq, coalesce(r.local_at, r.created_at), w.tokens::bigint[]
FROM unnest($2::text[], $3::bigint[], $4::text[]) AS w(record_id, revision, tokens)
CROSS JOIN LATERAL (
  SELECT * FROM records r WHERE r.user_id = $1 AND r.collection = $5 AND r.record_id = w.record_id OFFSET 0
) r
WHERE r.revision = w.revision AND NOT r.deleted
ON CONFLICT (user_id, record_id) DO UPDATE SET seq = excluded.seq, at = excluded.at, tokens = excluded.tokens
RETURNING record_id, 8 * cardinality(tokens) AS bytes
), counted AS (
  UPDATE heads SET index_bytes = index_bytes + (
    SELECT sum(s.bytes - coalesce(b.bytes, 0)) FROM stored s LEFT JOIN before b USING (record_id)
  ) WHERE user_id = $1 AND EXISTS (SELECT FROM stored)
)
SELECT count(*) FROM stored
"""

_REMOVE = """
WITH removed AS (
  DELETE FROM search_documents WHERE user_id = $1 AND record_id = ANY($2::text[])
  RETURNING 8 * cardinality(tokens) AS bytes
)
UPDATE heads SET index_bytes = index_bytes - (SELECT sum(bytes) FROM removed)
WHERE user_id = $1 AND EXISTS (SELECT FROM removed)
"""
_CLEAR = """
WITH counted AS (UPDATE heads SET index_bytes = 0 WHERE user_id = $1)
DELETE FROM search_documents WHERE user_id = $1
"""
_FORGET = "DELETE FROM search_indexes WHERE user_id = $1"

_COUNT = """
SELECT count(*) AS documents, coalesce(sum(cardinality(tokens)), 0)::bigint AS tokens,
  (SELECT count(*) FROM records WHERE user_id = $1 AND collection = 'entries' AND NOT deleted) AS entries
FROM search_documents WHERE user_id = $1
"""

# Sizes are known without reading what is measured: of large entries fewer are read at a time, of the first ones one.
_WAITING = """
SELECT record_id, revision, CASE WHEN before < $4 THEN packed END AS packed
FROM (
  SELECT record_id, revision, packed,
    sum(octet_length(packed)) OVER (ORDER BY record_id) - octet_length(packed) AS before
  FROM (
    SELECT r.record_id, r.revision, {packed} AS packed
    FROM records r
    LEFT JOIN LATERAL (
      SELECT d.seq FROM search_documents d WHERE d.user_id = $1 AND d.record_id = r.record_id OFFSET 0
    ) d ON true
    WHERE r.user_id = $1 AND r.collection = $5 AND NOT r.deleted AND r.record_id > $2 AND d.seq IS NULL
    ORDER BY r.record_id LIMIT $3
  ) AS found
) AS measured ORDER BY record_id
"""
_WAITING_WHOLE = _WAITING.format(packed="r.packed")
_WAITING_NAMES = _WAITING.format(packed="''::bytea")

# Each list comes from the index of digests. Behind OFFSET 0 stands the account, so that it is never looked for by its
# entries, of which all would be read; no other account has the digest. Where the database has several nodes, it stands
# in front of it as well: otherwise all of them would have to be asked.
_LISTS_ANYWHERE = """
SELECT w.place, (
  SELECT string_agg(int8send(d.seq) || timestamptz_send(d.at), ''::bytea)
  FROM (SELECT user_id, seq, at FROM search_documents WHERE {first} tokens @> ARRAY[w.token] OFFSET 0) d
  WHERE d.user_id = $1
) AS found
FROM unnest($2::bigint[]) WITH ORDINALITY AS w(token, place)
"""
_LISTS = _LISTS_ANYWHERE.format(first="")
_LISTS_ON_A_NODE = _LISTS_ANYWHERE.format(first="user_id = $1 AND")

# A range of ix_records_date, whose labels are looked at on the way, as in a list of entries.
_FILTERED = """
SELECT string_agg(int8send(r.seq) || timestamptz_send(coalesce(r.local_at, r.created_at)), ''::bytea)
FROM records r
WHERE r.user_id = $1 AND r.collection = 'entries' AND NOT r.deleted AND ({labels})
  AND coalesce(r.local_at, r.created_at) BETWEEN $2::timestamptz AND $3::timestamptz
  AND coalesce(r.occurred_at, r.created_at) BETWEEN $4::timestamptz AND $5::timestamptz
"""

_RECORDS = """
SELECT place, CASE WHEN before < $3 THEN packed END AS packed
FROM (
  SELECT w.place, r.packed, sum(octet_length(r.packed)) OVER (ORDER BY w.place) - octet_length(r.packed) AS before
  FROM unnest($2::bigint[]) WITH ORDINALITY AS w(seq, place)
  CROSS JOIN LATERAL (
    SELECT * FROM records r WHERE r.user_id = $1 AND r.seq = w.seq AND r.seq > 0 OFFSET 0
  ) r
  WHERE r.collection = 'entries' AND NOT r.deleted
) AS measured ORDER BY place
"""


class SearchRepository(OnConnection):
    """The index of one account."""

    # ---- the index as a whole ----

    async def index(self, *, counted: bool = False) -> Index:
        """Return what is known of the index, ``counted`` with how many entries are in it."""
        row = await self._connection.fetchrow(_STATE_WITH_COUNT if counted else _STATE, self._user_id)
        return Index(False, None, None, False, None, None, "") if row is None else Index(*row)

    async def put(
        self,
        *,
        enabled: bool,
        language: str,
        complete: bool,
        built_at: datetime | None,
        job_id: UUID | None,
        now: datetime,
    ) -> None:
        """Store the account's row."""
        await self._connection.execute(_PUT, self._user_id, enabled, language, complete, built_at, job_id, now)

    async def incomplete(self, now: datetime) -> None:
        """Note that there is an entry which is not in the index."""
        await self._connection.execute(_INCOMPLETE, self._user_id, now)

    async def count(self) -> Counted:
        """Count what is in the index, and what could be."""
        return Counted(*await self._connection.fetchrow(_COUNT, self._user_id))

    async def clear(self) -> int:
        """Remove every entry from the index; return how many there were."""
        return int((await self._connection.execute(_CLEAR, self._user_id)).split()[-1])

    async def forget(self) -> None:
        """Delete the account's row."""
        await self._connection.execute(_FORGET, self._user_id)

    # ---- its entries ----

    async def store(self, documents: Sequence[Document]) -> int:
        """Put entries into the index, in place of what it has of them; return how many.

        Those that are deleted, or have another revision by now, are left out.
        """
        stored: int = await self._connection.fetchval(
            _STORE,
            self._user_id,
            [each.record_id for each in documents],
            [each.revision for each in documents],
            [_literal(each.tokens) for each in documents],
            _ENTRIES,
        )
        return stored

    async def remove(self, record_ids: Sequence[str]) -> None:
        """Take entries out of the index."""
        await self._connection.execute(_REMOVE, self._user_id, record_ids)

    async def waiting(self, *, after: str = "", limit: int, max_bytes: int | None) -> list[Waiting]:
        """Return the next entries that are not in the index, by id behind ``after``.

        Arguments:
            max_bytes: they come whole, and as few as reach this; by their names alone where None.
        """
        statement = _WAITING_NAMES if max_bytes is None else _WAITING_WHOLE
        rows = await self._connection.fetch(statement, self._user_id, after, limit, max_bytes or 1, _ENTRIES)
        return [
            Waiting(row["record_id"], row["revision"], _record(row["packed"]))
            for row in rows
            if row["packed"] is not None
        ]

    # ---- what is found by it ----

    async def lists(self, tokens: Sequence[int]) -> list[bytes]:
        """Return for each of these digests, at most `LISTS_AT_ONCE`, the places of the entries that hold it."""
        statement = _LISTS_ON_A_NODE if self._connection.distributed else _LISTS
        rows = await self._connection.fetch(statement, self._user_id, tokens)
        return [row["found"] or b"" for row in sorted(rows, key=lambda row: row["place"])]

    async def filtered(
        self, labels: Sequence[Sequence[bytes]], clock: tuple[datetime, datetime], instants: tuple[datetime, datetime]
    ) -> bytes:
        """Return the places of the entries with all labels of one set, a local time and an instant in these ranges."""
        found: bytes | None = await self._connection.fetchval(
            _FILTERED.format(labels=has_labels(len(labels), first=6)),
            self._user_id,
            *clock,
            *instants,
            *map(list, labels),
        )
        return found or b""

    async def records(self, seqs: Sequence[int], *, max_bytes: int) -> tuple[list[tuple[int, Record]], int]:
        """Return the records with these numbers, each behind its place among them, and at how many the reading ended.

        Arguments:
            max_bytes: it ends where this is reached.
        """
        rows = await self._connection.fetch(_RECORDS, self._user_id, list(seqs), max_bytes)
        read = [(row["place"] - 1, record) for row in rows if (record := _record(row["packed"])) is not None]
        left_out = next((row["place"] - 1 for row in rows if row["packed"] is None), len(seqs))
        return read, left_out


def _record(packed: bytes | None) -> Record | None:
    return Record.model_validate(unpack(packed)) if packed else None


def _literal(tokens: bytes) -> str:
    """Return digests as PostgreSQL writes an array of them: arrays of arrays cannot be unnested row by row."""
    return f"{{{','.join(map(str, struct.unpack(f'>{len(tokens) // 8}q', tokens)))}}}"
