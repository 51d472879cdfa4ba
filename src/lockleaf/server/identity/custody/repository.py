"""The SQL of custody: the sealed keys of a session, and the history of access."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from lockleaf.server.platform.db.scoped import OnConnection

__all__ = ["AccessRepository", "SealedKeys"]

_SEALED = """
SELECT k.sealed_kek, a.keyring, a.keyring_version
FROM session_keys k JOIN accounts a ON a.user_id = k.user_id
WHERE k.user_id = $1 AND k.session_id = $2 AND k.generation = $3 AND k.expires_at > $4 AND a.keyring IS NOT NULL
"""

_NOTE = """
INSERT INTO accesses (user_id, hour, session_id, purpose, openings, records, last_at)
VALUES ($1, date_trunc('hour', $5::timestamptz, 'UTC'), $2, $3, 1, $4, $5)
ON CONFLICT (user_id, hour, session_id, purpose) DO UPDATE SET
  openings = accesses.openings + 1, records = accesses.records + excluded.records, last_at = excluded.last_at
"""


@dataclass(frozen=True, slots=True)
class SealedKeys:
    """What a session key opens, and what that opens."""

    sealed_kek: bytes = field(repr=False)
    keyring: bytes = field(repr=False)
    keyring_version: int = 0


class AccessRepository(OnConnection):
    """The rows of one account, on a connection that is in a transaction."""

    async def sealed_keys(self, session_id: UUID, generation: int, now: datetime) -> SealedKeys | None:
        """Return the sealed keys of one generation of a session; None where they are gone."""
        row = await self._connection.fetchrow(_SEALED, self._user_id, session_id, generation, now)
        return None if row is None else SealedKeys(*row)

    async def note(self, session_id: UUID, purpose: str, *, records: int, now: datetime) -> None:
        """Count one opening."""
        await self._connection.execute(_NOTE, self._user_id, session_id, purpose, records, now)
