"""Putting what is sealed for networks under the newest root secret, so that an older one can be taken away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from lockleaf.server.features.integrations.sealing import Seals, Unopened

__all__ = ["ResealReport", "reseal_all"]

_BATCH = 200


@dataclass(slots=True)
class ResealReport:
    """What was done.

    Attributes:
        connections, posts, applications: how many were put under the newest root.
        lost: how many do not open with any root that the server has.
    """

    connections: int = 0
    posts: int = 0
    applications: int = 0
    lost: int = 0


async def reseal_all(connection: asyncpg.Connection, seals: Seals) -> ResealReport:
    """Seal everything anew that an older root sealed; may be run any number of times, while the server runs."""
    done = ResealReport()
    async for row in _rows(connection, "integrations", ("user_id", "integration_id")):
        async with connection.transaction():
            await _connection(connection, seals, row["user_id"], row["integration_id"], done)
    async for row in _rows(connection, "external_posts", ("user_id", "post_id")):
        await _post(connection, seals, row, done)
    for row in await connection.fetch("SELECT * FROM integration_applications"):
        try:
            application = seals.open_application(row["instance"], row["sealed"])
        except Unopened:
            done.lost += 1
            continue
        await connection.execute(
            "UPDATE integration_applications SET sealed = $3 WHERE instance = $1 AND redirect_uri = $2",
            row["instance"], row["redirect_uri"], seals.seal_application(row["instance"], application),
        )  # fmt: skip
        done.applications += 1
    return done


async def _connection(
    connection: asyncpg.Connection, seals: Seals, user_id: UUID, integration_id: UUID, done: ResealReport
) -> None:
    row = await connection.fetchrow(
        "SELECT * FROM integrations WHERE user_id = $1 AND integration_id = $2 FOR UPDATE", user_id, integration_id
    )
    if row is None:
        return
    provider = row["provider"]
    try:
        kept = seals.open_connection(user_id, provider, row["sealed"])
        position = None if row["position"] is None else seals.open(user_id, provider, row["position"])
    except Unopened:
        done.lost += 1
        return
    if seals.is_current(user_id, provider, row["sealed"]):
        return
    account_key = seals.digest(user_id, "account", provider, kept.grant.instance or "", kept.profile.id)
    await connection.execute(
        "UPDATE integrations SET sealed = $3, position = $4, account_key = $5"
        " WHERE user_id = $1 AND integration_id = $2",
        user_id,
        integration_id,
        seals.seal_connection(user_id, provider, kept),
        None if position is None else seals.seal(user_id, provider, position),
        account_key,
    )
    done.connections += 1


async def _post(connection: asyncpg.Connection, seals: Seals, row: Any, done: ResealReport) -> None:
    user_id, provider, sealed = row["user_id"], row["provider"], row["sealed"]
    if sealed is None or seals.is_current(user_id, provider, sealed):
        return
    try:
        fields = seals.open(user_id, provider, sealed)
    except Unopened:
        done.lost += 1
        return
    digests = {name: _again(seals, user_id, row[name], fields.get(name)) for name in ("post_key", "push_key")}
    await connection.execute(
        "UPDATE external_posts SET sealed = $3, post_key = $4, push_key = $5"
        " WHERE user_id = $1 AND post_id = $2 AND sealed = $6",
        user_id,
        row["post_id"],
        seals.seal(user_id, provider, fields),
        digests["post_key"],
        digests["push_key"],
        sealed,
    )
    done.posts += 1


def _again(seals: Seals, user_id: UUID, digest: bytes | None, parts: Iterable[str] | None) -> bytes | None:
    """Return a digest under the newest root, of the words that are kept sealed beside it."""
    return digest if digest is None or parts is None else seals.digest(user_id, *parts)


async def _rows(connection: asyncpg.Connection, table: str, key: tuple[str, str]) -> Any:
    after = (UUID(int=0), UUID(int=0))
    while True:
        rows = await connection.fetch(
            f"SELECT * FROM {table} WHERE ({key[0]}, {key[1]}) > ($1, $2) ORDER BY {key[0]}, {key[1]} LIMIT $3",  # noqa: S608
            *after, _BATCH,
        )  # fmt: skip
        for row in rows:
            yield row
        if len(rows) < _BATCH:
            return
        after = (rows[-1][key[0]], rows[-1][key[1]])
