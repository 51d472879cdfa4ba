"""The SQL of the archives of one account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import delete, insert, select

from lockleaf.server.features.export.models import Archive, ArchivePart
from lockleaf.server.platform.db.scoped import OnSession

__all__ = ["ArchiveRepository", "read_part"]

_PART = "SELECT data FROM archive_parts WHERE user_id = $1 AND job_id = $2 AND part = $3"


async def read_part(connection: asyncpg.Connection, user_id: UUID, job_id: UUID, part: int) -> bytes | None:
    """Return a part of an archive, counted from 0."""
    data: bytes | None = await connection.fetchval(_PART, user_id, job_id, part)
    return data


class ArchiveRepository(OnSession):
    """The archives of one account."""

    async def get(self, job_id: UUID) -> Archive | None:
        """Return the archive that a job made."""
        found: Archive | None = await self.session.scalar(
            select(Archive).where(Archive.user_id == self.user_id, Archive.job_id == job_id)
        )
        return found

    async def add_part(self, job_id: UUID, part: int, data: bytes) -> None:
        """Store a part."""
        await self.session.execute(
            insert(ArchivePart).values(user_id=self.user_id, job_id=job_id, part=part, data=data)
        )

    async def finish(self, job_id: UUID, *, size: int, sha256: bytes, now: datetime, expires_at: datetime) -> None:
        """Let the archive be fetched from now on."""
        await self.session.execute(
            insert(Archive).values(
                user_id=self.user_id, job_id=job_id, size=size, sha256=sha256, created_at=now, expires_at=expires_at
            )
        )

    async def delete_all(self) -> int:
        """Delete every archive; return how many there were."""
        await self.session.execute(delete(ArchivePart).where(ArchivePart.user_id == self.user_id))
        deleted = await self.session.execute(delete(Archive).where(Archive.user_id == self.user_id))
        return int(deleted.rowcount)  # type: ignore[attr-defined]
