"""Reading the history: pages of changes in seq order, each as of one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from pydantic_core import from_json

from lockleaf.server.platform.db.beside import Beside, BesideSeveral
from lockleaf.server.records.models import LARGE_BYTES
from lockleaf.wire.codec import pack

__all__ = ["EpochRow", "FeedEnd", "FeedPage", "page_at", "read", "read_end", "read_ends"]


LARGE_BYTES_A_PAGE = 4 * 1024 * 1024
"""Where large records end a page; the last of them may be as large again, and 500 others are another 4 MiB at most."""


class EpochRow(NamedTuple):
    """An epoch, where it goes on from, whether its leaves are gone, and what devices signed about its beginning."""

    epoch: str
    from_seq: int
    from_head: bytes
    ended: bool
    statements: tuple[dict[str, Any], ...] = ()


class FeedPage(NamedTuple):
    """Changes in seq order, each packed as it travels, and the end of the history, as of one moment."""

    changes: list[bytes]
    epoch: str
    seq: int
    head: bytes
    epochs: list[EpochRow]
    has_more: bool
    last_seq: int
    told: Sequence[str | None] | None = None


# The end of a history `h`, with its epochs and what was signed about them.
_END_OF_HISTORY = """
h.epoch, h.seq, encode(h.head, 'hex'), (
  SELECT json_agg(
    json_build_array(e.epoch, e.from_seq, encode(e.from_head, 'hex'), e.ended) ORDER BY e.from_seq, e.created_at
  ) FROM epochs e WHERE e.user_id = {user_id}
), (
  SELECT json_agg(json_build_array(
    s.kind, s.n, s.old_epoch, s.seq, encode(s.head, 'hex'), s.new_epoch, s.device_id, s.time_text,
    encode(s.signature, 'hex')
  ) ORDER BY s.n, s.statement_id) FROM epoch_statements s WHERE s.user_id = {user_id}
)
"""

# The end of the history and the records that are current at that very end, from one snapshot: without that, an honest
# page could look like a dishonest one. Numbers are without gaps, so a page is a range of them, and those that no
# current record bears are superseded. The end comes as a row of its own: on every row it would cost more than they do.
# `cut` ends the range early where large records fill the page; a partial index holds just those, so that the many
# journals without any pay nothing.
_PAGE = """
WITH cut AS MATERIALIZED (
  SELECT coalesce((
    SELECT min(large.seq) FROM (
      SELECT r.seq, sum(octet_length(r.packed)) OVER (ORDER BY r.seq) AS bytes
      FROM records r
      WHERE r.user_id = $1 AND r.seq > $2 AND r.seq <= $2::bigint + $3 AND octet_length(r.packed) > {large}
    ) AS large WHERE large.bytes >= $4
  ), $2::bigint + $3) AS seq
)
SELECT
  json_build_array({end}, (SELECT seq FROM cut), {beside})::text AS end_of_history,
  NULL::bigint AS seq, NULL::bytea AS packed
FROM heads h WHERE h.user_id = $1
UNION ALL
SELECT NULL, r.seq, r.packed
FROM records r WHERE r.user_id = $1 AND r.seq > 0 AND r.seq > $2 AND r.seq <= (SELECT seq FROM cut) {narrowed}
"""


@cache
def _page(narrowed: bool, beside: Callable[[str, str], str] | None) -> str:
    """Return the statement of a page, with the expression that is told ``beside`` it."""
    places = ("$6", "$7") if narrowed else ("$5", "$6")
    return _PAGE.format(
        end=_END_OF_HISTORY.format(user_id="$1"),
        large=LARGE_BYTES,
        narrowed="AND r.collection = $5" if narrowed else "",
        beside="NULL" if beside is None else beside(*places),
    )


# A leaf never changes and lives as long as its epoch: it can be read after the snapshot.
_LEAVES = """
SELECT seq, collection, record_id, revision, parent, meta, payload_hash, deleted
FROM changes WHERE user_id = $1 AND seq = ANY($2::bigint[]) {narrowed} ORDER BY seq
"""
_ALL_LEAVES = _LEAVES.format(narrowed="")
_LEAVES_OF_COLLECTION = _LEAVES.format(narrowed="AND collection = $3")

_STATEMENT = ("kind", "n", "old_epoch", "seq", "head", "new_epoch", "device_id", "time", "signature")

_END = """
SELECT h.seq, (SELECT count(*) FROM conflicts c WHERE c.user_id = $1 AND c.resolved_at IS NULL) AS conflicts
FROM heads h WHERE h.user_id = $1
"""


async def read(
    connection: asyncpg.Connection,
    user_id: UUID,
    *,
    after: int,
    limit: int,
    collection: str | None = None,
    beside: Beside | None = None,
) -> FeedPage | None:
    """Return the changes behind ``after``: at most ``limit``, and fewer where they exceed some 8 MiB.

    The latest revision of a record comes whole, a superseded one as the preimage of its leaf. None where the account
    has no store. Narrowed to one ``collection``, a page holds what the same numbers hold of it, which may be nothing.

    Arguments:
        beside: what the same statement tells besides; it comes as ``told``.
    """
    narrowed = () if collection is None else (collection,)
    statement = _page(collection is not None, None if beside is None else beside.told_by)
    more = () if beside is None else beside.arguments
    rows = await connection.fetch(statement, user_id, after, limit, LARGE_BYTES_A_PAGE, *narrowed, *more)
    if not rows:
        return None
    epoch, end, head, epochs_read, statements, cut, told = from_json(rows[0]["end_of_history"])
    epochs = _epochs(epochs_read, statements or ())
    begins = next(each.from_seq for each in epochs if not each.ended)
    if after < begins:
        return await read(connection, user_id, after=begins, limit=limit, collection=collection, beside=beside)
    found = {row["seq"]: row["packed"] for row in rows[1:]}
    last = max(after, min(cut, end))
    missing = [seq for seq in range(after + 1, last + 1) if seq not in found]
    if missing:
        statement = _ALL_LEAVES if collection is None else _LEAVES_OF_COLLECTION
        leaves = await connection.fetch(statement, user_id, missing, *narrowed)
        if collection is None and len(leaves) < len(missing):  # the epoch ended between the two statements
            return await read(connection, user_id, after=after, limit=limit, beside=beside)
        found.update((leaf["seq"], pack({"superseded": True, **leaf})) for leaf in leaves)
    changes = [found[seq] for seq in range(after + 1, last + 1) if seq in found]
    return FeedPage(changes, epoch, end, bytes.fromhex(head), epochs, last < end, last, told)


class FeedEnd(NamedTuple):
    """The end of a history behind which there is nothing: its number, its epoch, and all of it for `page_at`."""

    seq: int
    epoch: str
    told: str


_ENDS = """
SELECT {told} AS told, h.seq, h.epoch, CASE WHEN h.user_id IS NOT NULL THEN json_build_array({end})::text END AS ending
FROM unnest({columns}) WITH ORDINALITY AS w({names}, position)
LEFT JOIN heads h ON h.user_id = w.user_id
ORDER BY w.position
"""


@cache
def _ends(columns: str, names: str, told: str) -> str:
    return _ENDS.format(columns=columns, names=names, told=told, end=_END_OF_HISTORY.format(user_id="w.user_id"))


async def read_ends(
    connection: asyncpg.Connection, after: Sequence[int], beside: BesideSeveral
) -> list[tuple[Sequence[str | None] | None, FeedEnd | None]]:
    """Return, of several accounts, what is told ``beside``, and the end of the history where nothing is ``after`` it.

    None in place of an end says that a page is to be read by itself: there is something, or the account has no store.

    Arguments:
        after: of each account, the number behind which to look.
        beside: whose histories they are, and what the same statement tells besides.
    """
    statement = _ends(beside.columns, beside.names, beside.told)
    rows = await connection.fetch(statement, *beside.arguments)
    return [
        (told, None if seq is None or behind < seq else FeedEnd(seq, epoch, ending))
        for behind, (told, seq, epoch, ending) in zip(after, rows, strict=True)
    ]


def page_at(end: FeedEnd, after: int) -> FeedPage:
    """Return the page behind ``after``, where ``end`` says that nothing is there."""
    epoch, seq, head, epochs, statements = from_json(end.told)
    return FeedPage([], epoch, seq, bytes.fromhex(head), _epochs(epochs, statements or ()), False, max(after, seq))


def _epochs(epochs: Iterable[list[Any]], statements: Iterable[list[Any]]) -> list[EpochRow]:
    signed: dict[str, list[dict[str, Any]]] = {}
    for row in statements:
        statement = dict(zip(_STATEMENT, row, strict=True))
        statement |= {name: bytes.fromhex(statement[name]) for name in ("head", "signature")}
        signed.setdefault(statement["new_epoch"], []).append(statement)
    return [
        EpochRow(epoch, seq, bytes.fromhex(head), ended, tuple(signed.get(epoch, ())))
        for epoch, seq, head, ended in epochs
    ]


async def read_end(connection: asyncpg.Connection, user_id: UUID) -> tuple[int, int]:
    """Return the seq at which the history ends, and how many conflicts are open; zeros without a store."""
    row = await connection.fetchrow(_END, user_id)
    return (0, 0) if row is None else (row["seq"], row["conflicts"])
