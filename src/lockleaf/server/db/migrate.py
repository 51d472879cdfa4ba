"""Bringing a database to the schema of this version, and telling whether it is there."""

from __future__ import annotations

from functools import cache
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from lockleaf.server.db.engine import sqlalchemy_url

__all__ = [
    "SchemaBehind",
    "current_revision",
    "head_revision",
    "is_current",
    "migrate",
    "require_current",
    "schema_difference",
]

# One lock for all who migrate: two servers that start together must not run the same step twice.
_LOCK = 0x6C6F636B6C656166


class SchemaBehind(RuntimeError):
    """The database has an older schema than this version needs. Run `lockleaf admin migrate`, then start again."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "lockleaf.server.db:migrations")
    config.attributes["connection"] = connection
    return config


@cache
def head_revision() -> str:
    """Return the revision that this version of the package needs.

    It is read once: that loads every script of the migrations, and those who ask whether a server is ready ask often.
    """
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


async def migrate(url: str) -> None:
    """Bring the database at ``url`` to this version's schema."""
    engine = create_async_engine(sqlalchemy_url(url), poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            await connection.commit()
            try:
                await connection.run_sync(lambda sync: command.upgrade(_config(sync), "head"))
                await connection.commit()
            finally:
                await connection.rollback()
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
                await connection.commit()
    finally:
        await engine.dispose()


async def current_revision(connection: AsyncConnection) -> str | None:
    """Return the revision that the database has; None for an empty one."""
    return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


async def is_current(connection: AsyncConnection) -> bool:
    """Tell whether the database has the schema of this version."""
    return await current_revision(connection) == head_revision()


async def require_current(url: str) -> None:
    """Ask the database at ``url``, once, whether it has the schema of this version.

    Raises:
        SchemaBehind: it has not.
        OSError: it does not answer.
    """
    engine = create_async_engine(sqlalchemy_url(url), poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            if not await is_current(connection):
                raise SchemaBehind
    finally:
        await engine.dispose()


async def schema_difference(url: str) -> list[Any]:
    """Return what differs between the tables as the code declares them and as the migrations made them."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415  (only the checks need it)

    from lockleaf.server.db.tables import is_ours, metadata  # noqa: PLC0415

    engine = create_async_engine(sqlalchemy_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(
                lambda sync: compare_metadata(
                    MigrationContext.configure(
                        sync,
                        opts={"compare_type": True, "compare_server_default": True, "include_object": is_ours},
                    ),
                    metadata,
                )
            )
    finally:
        await engine.dispose()
