"""Putting the secrets of authenticator apps under the newest root secret, so that an older one can be taken away."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from lockleaf.server.identity.factors.proofs import place_of
from lockleaf.server.platform.sealed_bytes import Sealer, Unopened

__all__ = ["reseal_factors"]

_BATCH = 200
_PAGE = """
SELECT user_id, factor_id, sealed FROM factors
WHERE (user_id, factor_id) > ($1, $2) AND sealed IS NOT NULL ORDER BY user_id, factor_id LIMIT $3
"""
_RESEAL = "UPDATE factors SET sealed = $3 WHERE user_id = $1 AND factor_id = $2 AND sealed = $4"


async def reseal_factors(connection: asyncpg.Connection, sealer: Sealer) -> tuple[int, int]:
    """Seal anew what an older root sealed; may be run any number of times, while the server runs.

    Returns:
        How many were put under the newest root, and how many do not open with any root that the server has.
    """
    done = lost = 0
    after = (UUID(int=0), UUID(int=0))
    while True:
        rows = await connection.fetch(_PAGE, *after, _BATCH)
        for row in rows:
            user_id, factor_id, sealed = row
            place = place_of(user_id, factor_id)
            if sealer.is_current(place, sealed):
                continue
            try:
                secret = sealer.open(place, sealed)
            except Unopened:
                lost += 1
                continue
            await connection.execute(_RESEAL, user_id, factor_id, sealer.seal(place, secret), sealed)
            done += 1
        if len(rows) < _BATCH:
            return done, lost
        after = rows[-1]["user_id"], rows[-1]["factor_id"]
