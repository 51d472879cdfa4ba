"""Declaring that a database was put back to an earlier state: every account goes on in a new epoch.

Devices compare the end that the new epoch names with what they verified, and ask their users once (PROTOCOL section 5).
Without it a server that was put back looks like one that drops what it had confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from lockleaf.server.platform.db.connections import asyncpg_url, connect

__all__ = ["Declared", "declare_restored"]

_PORTION = 1000

# One restore is declared at a time: a second one that waits for a head would not see the epoch that the first began.
_ALONE = "SELECT pg_advisory_lock(7236279120845518)"

_HEADS = "SELECT user_id FROM heads WHERE user_id > $1 ORDER BY user_id LIMIT $2"

# The head is locked before it is read, as by everybody who writes; an account of which nothing was written since its
# restore was declared is left as it is. The head of an epoch is SHA-256 of label, length and name, number, head.
_DECLARE = """
WITH picked AS MATERIALIZED (
  SELECT epoch, seq, head FROM heads WHERE user_id = $1 FOR UPDATE
), restored AS (
  SELECT p.seq, p.head FROM picked p LEFT JOIN epochs e ON e.user_id = $1 AND e.epoch = p.epoch
  WHERE NOT (coalesce(e.declared, false) AND e.from_seq = p.seq)
), begun AS (
  INSERT INTO epochs (user_id, epoch, from_seq, from_head, declared, created_at)
  SELECT $1, $2::text, seq, head, true, $3::timestamptz FROM restored
)
UPDATE heads h SET epoch = $2::text, head = sha256(
  convert_to('lockleaf/1/epoch', 'UTF8') || int4send(octet_length($2::text)) || convert_to($2::text, 'UTF8')
  || int8send(r.seq) || r.head
)
FROM restored r WHERE h.user_id = $1
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
    connection = await connect(asyncpg_url(url))
    moved = seen = 0
    after = UUID(int=0)
    try:
        await connection.execute(_ALONE)
        while True:
            rows = await connection.fetch(_HEADS, after, _PORTION)
            for (user_id,) in rows:
                name, now = str(uuid4()), datetime.now(UTC)
                moved += int((await connection.execute(_DECLARE, user_id, name, now)).split()[-1])
            seen += len(rows)
            if len(rows) < _PORTION:
                return Declared(moved, seen - moved)
            after = rows[-1]["user_id"]
    finally:
        await connection.close()
