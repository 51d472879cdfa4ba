"""A thief with bytes: everything that could be a key in them is tried on everything that is sealed."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from lockleaf.crypto import frame, uce
from lockleaf.crypto.envelope import RecordContext
from lockleaf.crypto.errors import CryptoError
from lockleaf.crypto.history import meta
from lockleaf.crypto.identity import identity_from_seed, open_sealed
from lockleaf.crypto.keyring import RECOVERY_LABEL, UCE_LABEL, open_keyring
from lockleaf.wire.codec import unpack
from lockleaf.wire.sync import Record

__all__ = ["Stolen", "dump", "pieces_of", "steal"]

KEY = 32
_TABLES = """
SELECT table_name, bool_or(column_name = 'user_id') FROM information_schema.columns
WHERE table_schema = 'public' GROUP BY table_name ORDER BY table_name
"""
_ENCODED = re.compile(rb"[A-Za-z0-9+/_-]{22,}")


def pieces_of(value: Any, depth: int = 2) -> Iterable[bytes]:
    """The bytes of a value of the database or of a token, and what base64 or hexadecimal in it stands for.

    Arguments:
        depth: how often one may be within the other, as a key is within the claims within a token.
    """
    if isinstance(value, list | tuple):
        for item in value:
            yield from pieces_of(item, depth)
        return
    raw = value if isinstance(value, bytes) else str(value).encode()
    yield raw
    if depth == 0:
        return
    for encoded in _ENCODED.findall(raw):
        alphabet = encoded.translate(bytes.maketrans(b"-_", b"+/"))
        yield from pieces_of(base64.b64decode(alphabet[: len(alphabet) - (len(alphabet) % 4 == 1)] + b"=="), depth - 1)
        try:
            yield binascii.unhexlify(encoded)
        except binascii.Error:
            continue


async def dump(connection: asyncpg.Connection, user_id: UUID | None = None) -> dict[str, list[asyncpg.Record]]:
    """Every row of every table, or those of one account."""
    rows = {}
    for table, of_users in await connection.fetch(_TABLES):
        if user_id is None:
            rows[table] = await connection.fetch(f'SELECT * FROM "{table}"')
        elif of_users:
            rows[table] = await connection.fetch(f'SELECT * FROM "{table}" WHERE user_id = $1', user_id)
    return rows


@dataclass
class Stolen:
    """The rows of an account, and its files in the object store."""

    user_id: UUID
    rows: dict[str, list[asyncpg.Record]]
    objects: Sequence[bytes] = ()

    def opened_with(self, *loot: bytes | str, but: Iterable[str] = ()) -> set[str]:
        """What opens, as table.column or ``objects``: with any 32 bytes of rows or loot, with what these open, ...

        Arguments:
            but: tables that the thief does not have.
        """
        rows = {name: found for name, found in self.rows.items() if name not in but}
        values = [value for found in rows.values() for row in found for value in row.values()]
        waiting = {piece for value in (*values, *loot) for piece in pieces_of(value)}
        seals = [*_seals(self.user_id, rows), *(("objects", _file(data)) for data in self.objects)]
        tried: set[bytes] = set()
        opened: set[str] = set()
        while waiting:
            keys = {piece[at : at + KEY] for piece in waiting for at in range(len(piece) - KEY + 1)} - tried
            tried |= keys
            waiting = set()
            for name, open in seals:
                for key in keys:
                    try:
                        waiting |= {*open(key)}
                    except CryptoError:
                        continue
                    opened.add(name)
        return opened


Opening = Callable[[bytes], Iterable[bytes]]


def _file(data: bytes) -> Opening:
    return lambda key: [open_sealed([identity_from_seed(key)], data)]


def _seals(user_id: UUID, rows: dict[str, list[asyncpg.Record]]) -> list[tuple[str, Opening]]:
    """Everything sealed in the rows: where it is, and a function of a key that gives what is inside."""
    user = str(user_id)
    records = [Record.model_validate(unpack(row["packed"])) for row in rows.get("records", ())]

    def keyring(sealed: bytes, label: bytes, version: int) -> Opening:
        def open(key: bytes) -> list[bytes]:
            found = open_keyring(sealed, key, label=label, user_id=user, version=version)
            derived = [entry.record_key(record.collection, record.record_id) for entry in found for record in records]
            return [*derived, *(key for entry in found for key in (entry.master_key, entry.identity_seed))]

        return open

    def session(sealed: bytes, session_id: UUID, opening: Callable[..., bytes]) -> Opening:
        return lambda key: [opening(key, sealed, user_id=user, session_id=str(session_id))]

    def payload(record: Record) -> Opening:
        described = meta(record.labels, record.source, record.occurred_at)
        place = (record.collection, record.record_id, record.revision, record.parent, record.deleted)
        parsed = frame.parse(record.payload)
        aad = RecordContext(user, *place, described).aad(frame.header(parsed.key_id, parsed.suite))
        return lambda key: [frame.open_frame(key, aad, parsed)]

    seals = [("records.packed", payload(record)) for record in records]
    for row in rows.get("accounts", ()):
        seals.append(("accounts.keyring", keyring(row["keyring"], UCE_LABEL, row["keyring_version"])))
    for row in rows.get("recovery_codes", ()):
        seals.append(("recovery_codes.keyring", keyring(row["keyring"], RECOVERY_LABEL, row["keyring_version"])))
    for row in rows.get("session_keys", ()):
        seals.append(("session_keys.sealed_kek", session(row["sealed_kek"], row["session_id"], uce.open_kek)))
        if row["successor"] is not None:
            seals.append(("session_keys.successor", session(row["successor"], row["session_id"], uce.open_successor)))
    return seals


async def steal(connection: asyncpg.Connection, user_id: UUID) -> Stolen:
    """Everything that the database holds of an account."""
    return Stolen(user_id, await dump(connection, user_id))


def token_claims(token: str) -> dict[str, Any]:
    """What anybody can read in a token."""
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims
