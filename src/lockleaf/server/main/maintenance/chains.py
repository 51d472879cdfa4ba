"""Every history of a database, recomputed: each leaf, each head, each payload against the hash that stands for it.

What a device does with its own account (PROTOCOL section 5) is done here with all of them, as far as a server can: it
opens nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from lockleaf.crypto import history
from lockleaf.crypto.errors import Malformed
from lockleaf.wire.codec import unpack

__all__ = ["Findings", "check_histories"]

_PREFETCH = 200
_HEADS = "SELECT user_id, epoch, seq, head FROM heads ORDER BY user_id"
_ACCOUNTS = """
SELECT (SELECT count(*) FROM accounts) AS accounts, (SELECT count(*) FROM records) AS records,
  (SELECT count(*) FROM changes) AS changes,
  (SELECT count(*) FROM accounts a WHERE NOT EXISTS (SELECT FROM heads h WHERE h.user_id = a.user_id)) AS without_head
"""
_EPOCHS = """
SELECT epoch, from_seq, from_head, ended FROM epochs WHERE user_id = $1 ORDER BY from_seq, created_at
"""
_CHECKPOINTS = "SELECT epoch, seq, head FROM checkpoints WHERE user_id = $1"
_CHANGES = """
SELECT seq, collection, record_id, revision, parent, meta, payload_hash, deleted
FROM changes WHERE user_id = $1 ORDER BY seq
"""
_RECORDS = """
SELECT r.packed, r.payload_hash,
  c.payload_hash IS NOT DISTINCT FROM r.payload_hash AND c.revision IS NOT DISTINCT FROM r.revision AS agrees
FROM records r LEFT JOIN changes c ON c.user_id = r.user_id AND c.seq = r.seq
"""
_REVISIONS = """
SELECT v.packed, c.payload_hash
FROM revisions v LEFT JOIN changes c ON c.user_id = v.user_id AND c.collection = v.collection
  AND c.record_id = v.record_id AND c.revision = v.revision
"""
_CONFLICTS = "SELECT payload, payload_hash FROM conflicts WHERE octet_length(payload) > 0"


@dataclass(slots=True)
class Findings:
    """What was checked, and what is wrong.

    Attributes:
        accounts, records, changes: how many the database has.
        heads: SHA-256 over the ends of all histories, as a backup's manifest has it.
        wrong: how often something is wrong, by what it is.
    """

    accounts: int = 0
    records: int = 0
    changes: int = 0
    heads: str = ""
    wrong: Counter[str] = field(default_factory=Counter)


async def check_histories(connection: asyncpg.Connection) -> Findings:
    """Check every history in a database, in one snapshot of it."""
    found = Findings()
    digest = hashlib.sha256()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        facts = await connection.fetchrow(_ACCOUNTS)
        assert facts is not None
        found.accounts, found.records, found.changes = facts["accounts"], facts["records"], facts["changes"]
        found.wrong["account without a history"] += facts["without_head"]
        async for head in _each(connection, _HEADS):
            digest.update(f"{head['user_id']} {head['epoch']} {head['seq']} {head['head'].hex()}\n".encode())
            await _check_chain(connection, head, found.wrong)
        await _check_payloads(connection, found.wrong)
    found.heads = digest.hexdigest()
    found.wrong = +found.wrong
    return found


def _each(connection: asyncpg.Connection, statement: str, *arguments: Any) -> AsyncGenerator[asyncpg.Record, None]:
    rows: AsyncGenerator[asyncpg.Record, None] = connection.cursor(statement, *arguments, prefetch=_PREFETCH)
    return rows


async def _check_chain(connection: asyncpg.Connection, end: asyncpg.Record, wrong: Counter[str]) -> None:
    """Walk one history from the first epoch whose leaves are kept to its end."""
    user_id = end["user_id"]
    epochs = await connection.fetch(_EPOCHS, user_id)
    waiting = [each for each in epochs if not each["ended"]]
    if not waiting or waiting[-1]["epoch"] != end["epoch"]:
        wrong["history without its epoch"] += 1
        return
    signed: dict[tuple[str, int], list[bytes]] = {}
    for each in await connection.fetch(_CHECKPOINTS, user_id):
        signed.setdefault((each["epoch"], each["seq"]), []).append(each["head"])
    epoch = waiting.pop(0)
    seq, head = epoch["from_seq"], _begun(epoch)

    def passed() -> None:
        wrong["checkpoint of a device that is not on the history"] += sum(
            each != head for each in signed.get((epoch["epoch"], seq), ())
        )

    passed()

    def enter_epochs() -> None:
        nonlocal epoch, head
        while waiting and waiting[0]["from_seq"] == seq:
            if waiting[0]["from_head"] != head:
                wrong["epoch that does not go on from its history"] += 1
            epoch = waiting.pop(0)
            head = _begun(epoch)
            passed()

    enter_epochs()
    async for change in _each(connection, _CHANGES, user_id):
        if change["seq"] <= seq:
            continue  # of an epoch that ended
        if change["seq"] != seq + 1:
            wrong["history with a gap"] += 1
            return
        try:
            seq, head = change["seq"], history.next_head(head, history.leaf(*change))
        except Malformed:
            wrong["leaf that cannot be one"] += 1
            return
        passed()
        enter_epochs()
    if (seq, head) != (end["seq"], end["head"]) or waiting:
        wrong["history that does not lead to its head"] += 1


def _begun(epoch: asyncpg.Record) -> bytes:
    return history.epoch_head(epoch["epoch"], epoch["from_seq"], epoch["from_head"])


async def _check_payloads(connection: asyncpg.Connection, wrong: Counter[str]) -> None:
    async for row in _each(connection, _RECORDS):
        if not row["agrees"]:
            wrong["record that is not what its history says"] += 1
        elif _hash_in(row["packed"]) != row["payload_hash"]:
            wrong["record whose content is not what was accepted"] += 1
    async for row in _each(connection, _REVISIONS):
        if _hash_in(row["packed"]) != row["payload_hash"]:
            wrong["earlier revision that is not what was accepted"] += 1
    async for row in _each(connection, _CONFLICTS):
        if hashlib.sha256(row["payload"]).digest() != row["payload_hash"]:
            wrong["version in conflict that is not what came"] += 1


def _hash_in(packed: bytes) -> bytes | None:
    """Return the SHA-256 of the payload in a record as it travels."""
    try:
        payload = unpack(packed)["payload"]
    except (ValueError, KeyError, TypeError):
        return None
    return history.payload_hash(payload) if isinstance(payload, bytes) else None
