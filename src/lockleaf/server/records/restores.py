"""Declaring that a database was put back to an earlier state: every account goes on in a new epoch.

Devices compare the end that the new epoch names with what they verified, and ask their users once (PROTOCOL section 5).
Without it a server that was put back looks like one that drops what it had confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from lockleaf.server.platform.db.engine import asyncpg_url

__all__ = ["Declared", "declare_restored"]

_PORTION = 1000

# One restore is declared at a time: a second one that waits for a head would not see the epoch that the first began.
_ALONE = "SELECT pg_advisory_lock(7236279120845518)"

# The head is locked before it is read, as by everybody who writes; an account of which nothing was written since its
# restore was declared is left as it is. The head of an epoch is SHA-256 of label, length and name, number, head.
_DECLARE = """
WITH picked AS (
  SELECT h.user_id, h.epoch, h.seq, h.head, gen_random_uuid()::text AS name
  FROM heads h WHERE h.user_id > $1 ORDER BY h.user_id LIMIT $2 FOR UPDATE
), restored AS (
  SELECT p.* FROM picked p LEFT JOIN epochs e ON e.user_id = p.user_id AND e.epoch = p.epoch
  WHERE NOT (coalesce(e.declared, false) AND e.from_seq = p.seq)
), begun AS (
  INSERT INTO epochs (user_id, epoch, from_seq, from_head, declared, created_at)
  SELECT user_id, name, seq, head, true, clock_timestamp() FROM restored
), moved AS (
  UPDATE heads h SET epoch = r.name, head = sha256(
    convert_to('lockleaf/1/epoch', 'UTF8') || int4send(octet_length(r.name)) || convert_to(r.name, 'UTF8')
    || int8send(r.seq) || r.head
  )
  FROM restored r WHERE h.user_id = r.user_id RETURNING h.user_id
)
SELECT (SELECT count(*) FROM picked) AS picked, (SELECT count(*) FROM moved) AS moved,
  (SELECT user_id FROM picked ORDER BY user_id DESC LIMIT 1) AS last
"""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a declaration did.

    Args:
        accounts: that go on in a new epoch.
        unchanged: for which it was declared before, and nothing was written since.
    """

    accounts: int
    unchanged: int


async def declare_restored(url: str) -> Declared:
    """Begin a new epoch for every account in the database at ``url``, from where its history ends there.

    It may be interrupted and run again, and the server may run meanwhile: a write waits for the moment in which its
    account moves, and is then refused for the epoch that ended.
    """
    connection = await asyncpg.connect(asyncpg_url(url))
    moved = seen = 0
    after = UUID(int=0)
    try:
        await connection.execute(_ALONE)
        while True:
            row = await connection.fetchrow(_DECLARE, after, _PORTION)
            if row is None or row["last"] is None:
                return Declared(moved, seen - moved)
            moved, seen, after = moved + row["moved"], seen + row["picked"], row["last"]
    finally:
        await connection.close()
