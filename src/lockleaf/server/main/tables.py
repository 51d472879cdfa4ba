"""Every table of the server, known to the base: what migrations are compared with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from lockleaf.server.main.features import FEATURES, OPERATION
from lockleaf.server.platform.db.engine import sqlalchemy_url
from lockleaf.server.platform.jobs.queue import TABLES

__all__ = ["COMPARED", "is_ours", "metadata", "schema_difference"]

metadata: MetaData = next(table.metadata for each in (*FEATURES, OPERATION) for table in each.tables)
"""Every model stands in one metadata; the list of features has them all imported."""


def is_ours(thing: object, name: str | None, kind: str, reflected: bool, counterpart: object) -> bool:
    """Tell Alembic whether to compare something: the queue's own tables are compared with what the queue wants."""
    return not (kind == "table" and name in TABLES)


COMPARED: dict[str, Any] = {"compare_type": True, "compare_server_default": True, "include_object": is_ours}
"""How Alembic compares the tables of a database with these."""


async def schema_difference(url: str) -> list[Any]:
    """Return what differs between the tables as the code declares them and as the migrations made them."""
    # Only the checks need it.
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    engine = create_async_engine(sqlalchemy_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(
                lambda sync: compare_metadata(MigrationContext.configure(sync, opts=COMPARED), metadata)
            )
    finally:
        await engine.dispose()
