"""What a database would lose by going back to an earlier schema, counted before anything is done."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from lockleaf.server.platform.db.engine import driver_of, sqlalchemy_url
from lockleaf.server.platform.db.migrate import current_revision, steps_back

__all__ = ["Loss", "losses"]


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that the earlier schema has no place for: what it is, in words, and how many there are."""

    what: str
    count: int


async def losses(url: str, revision: str) -> list[Loss]:
    """Return what the way back to the schema of ``revision`` would drop of the database at ``url``.

    Everything that a step back touches is counted, the newest step first; what there is none of is left out.

    Raises:
        RevisionUnknown: there is no such schema.
        WrongDirection: the database has an older one.
    """
    engine = create_async_engine(sqlalchemy_url(url), poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            found = []
            for step in steps_back(await current_revision(await driver_of(connection)), revision):
                for what, rows in step.LOST_BY_DOWNGRADE.items():
                    found.append(Loss(what, await connection.scalar(text(f"SELECT count(*) {rows}")) or 0))
            return [loss for loss in found if loss.count]
    finally:
        await engine.dispose()
