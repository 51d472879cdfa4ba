"""The SQL of privacy: proofs of consent, and the public contexts of encrypted metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import delete, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert

from lockleaf.server.identity.accounts.models import Consent, HePublicKey
from lockleaf.server.platform.db.scoped import OnSession
from lockleaf.server.platform.identifiers import uuid7

__all__ = ["PrivacyRepository", "PublicContext", "is_raw"]

_RAW = "SELECT raw FROM he_public_keys WHERE user_id = $1 AND parameter_set = $2"


async def is_raw(connection: asyncpg.Connection, user_id: UUID, parameter_set: str) -> bool:
    """Tell whether the public key of a parameter set came from a client with SEAL alone."""
    return bool(await connection.fetchval(_RAW, user_id, parameter_set))


@dataclass(frozen=True, slots=True)
class PublicContext:
    """A serialised context that carries a public key, no secret one, and belongs to a known parameter set."""

    parameter_set: str
    data: bytes
    multiplies: bool = False
    """Whether it has the keys with which a server multiplies."""
    raw: bool = False
    """Whether it came as SEAL's own public key, whose client reads SEAL's own ciphertexts alone."""


class PrivacyRepository(OnSession):
    """The rows of one account."""

    async def add_consent(self, tier: str, *, consented_at: datetime, now: datetime) -> None:
        """Keep the proof that the user chose ``tier``."""
        await self.session.execute(
            insert(Consent).values(
                user_id=self.user_id,
                consent_id=uuid7(now),
                privacy_tier=tier,
                consented_at=consented_at,
                recorded_at=now,
            )
        )

    async def register_key(self, key: PublicContext, *, now: datetime) -> bool:
        """Keep a public context in place of the one of its parameter set; tell whether it is another."""
        facts = {"context": key.data, "multiplies": key.multiplies, "raw": key.raw, "registered_at": now}
        changed = await self.session.execute(
            upsert(HePublicKey)
            .values(user_id=self.user_id, parameter_set=key.parameter_set, **facts)
            .on_conflict_do_update(
                index_elements=[HePublicKey.user_id, HePublicKey.parameter_set],
                set_=facts,
                where=(HePublicKey.context != key.data) | (HePublicKey.raw != key.raw),
            )
            .returning(HePublicKey.user_id)
        )
        return changed.scalar_one_or_none() is not None

    async def has_key(self) -> bool:
        """Tell whether a public context of any parameter set is registered."""
        found = await self.session.scalar(
            select(literal(1)).select_from(HePublicKey).where(HePublicKey.user_id == self.user_id).limit(1)
        )
        return found is not None

    async def keys(self) -> dict[str, bool]:
        """Return the parameter sets that have a public context, and whether it has keys to multiply with."""
        rows = await self.session.execute(
            select(HePublicKey.parameter_set, HePublicKey.multiplies).where(HePublicKey.user_id == self.user_id)
        )
        return {row.parameter_set: row.multiplies for row in rows}

    async def key(self, parameter_set: str) -> bytes | None:
        """Return the public context of a parameter set."""
        found: bytes | None = await self.session.scalar(
            select(HePublicKey.context).where(
                HePublicKey.user_id == self.user_id, HePublicKey.parameter_set == parameter_set
            )
        )
        return found

    async def delete_keys(self) -> None:
        """Forget the public contexts."""
        await self.session.execute(delete(HePublicKey).where(HePublicKey.user_id == self.user_id))

    async def delete(self) -> None:
        """Delete every row of the account that is kept here."""
        await self.delete_keys()
        await self.session.execute(delete(Consent).where(Consent.user_id == self.user_id))
