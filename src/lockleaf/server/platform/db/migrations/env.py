"""Runs migrations: on the connection that ``platform/db/migrate.py`` hands over, or on one of its own."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from lockleaf.server.platform.db.engine import sqlalchemy_url
from lockleaf.server.platform.settings import Settings


def _compared() -> dict[str, Any]:
    """Return the tables of the code and how a database is compared with them, where alembic.ini says who has them.

    Migrating itself needs neither: only who writes a migration, or checks that none is missing.
    """
    named = context.config.get_main_option("tables")
    if named is None:
        return {}
    tables = import_module(named)
    return {"target_metadata": tables.metadata, **tables.COMPARED}


def run(connection: Connection | None) -> None:
    """Run what was asked for, or write it as SQL where there is no connection."""
    where = {"connection": connection} if connection is not None else {"dialect_name": "postgresql"}
    context.configure(
        **where,
        literal_binds=connection is None,
        transaction_per_migration=True,
        **_compared(),
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_by_itself() -> None:
    """Connect first: nobody did."""
    url = Settings().database.url
    if url is None:
        raise CommandError("Set DATABASE_URL, in the environment or in .env, to a database for development.")
    engine = create_async_engine(sqlalchemy_url(url.get_secret_value()), poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


if context.is_offline_mode():
    run(None)
elif (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    asyncio.run(run_by_itself())
