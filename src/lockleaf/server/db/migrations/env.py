"""Runs migrations on the connection that ``db/migrate.py`` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from lockleaf.server.db.tables import is_ours, metadata


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        compare_server_default=True,
        include_object=is_ours,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
