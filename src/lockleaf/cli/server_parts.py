"""What the commands that run a server, or look after one, take of it: loaded when it is first used.

The server and its libraries take seconds to load. No command that a journal is written with needs them, nor --help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockleaf.lazy import lazily

if TYPE_CHECKING:
    import asyncpg
    from alembic.util import CommandError
    from pydantic import SecretStr, ValidationError
    from sqlalchemy.exc import SQLAlchemyError

    from lockleaf.server.features.integrations.resealing import ResealReport, reseal_all
    from lockleaf.server.features.integrations.sealing import Seals
    from lockleaf.server.main.app import create_app
    from lockleaf.server.main.installation import empty, is_for_development, mark_for_development
    from lockleaf.server.main.job_worker import work
    from lockleaf.server.main.supervisor import Running, ServeError, serve
    from lockleaf.server.platform.blobs.stores import FolderUnusable
    from lockleaf.server.platform.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
    from lockleaf.server.platform.db.embedded.errors import DataFolderInUseError
    from lockleaf.server.platform.db.engine import asyncpg_url
    from lockleaf.server.platform.db.losses import losses
    from lockleaf.server.platform.db.migrate import (
        RevisionUnknown,
        SchemaBehind,
        WrongDirection,
        downgrade,
        head_revision,
        migrate,
        revision_at,
        sql,
    )
    from lockleaf.server.platform.observability import logging
    from lockleaf.server.platform.server_keys import SecretsDamaged, SecretsMissing, load_keys
    from lockleaf.server.platform.settings import SecretSettings, Settings
    from lockleaf.server.records.restores import Declared, declare_restored

__all__ = [
    "CommandError",
    "DataFolderInUseError",
    "Declared",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "FolderUnusable",
    "ResealReport",
    "RevisionUnknown",
    "Running",
    "SQLAlchemyError",
    "SchemaBehind",
    "Seals",
    "SecretSettings",
    "SecretStr",
    "SecretsDamaged",
    "SecretsMissing",
    "ServeError",
    "Settings",
    "ValidationError",
    "WrongDirection",
    "asyncpg",
    "asyncpg_url",
    "create_app",
    "declare_restored",
    "downgrade",
    "empty",
    "head_revision",
    "is_for_development",
    "load_keys",
    "logging",
    "losses",
    "mark_for_development",
    "migrate",
    "reseal_all",
    "revision_at",
    "serve",
    "sql",
    "work",
]

if not TYPE_CHECKING:
    __getattr__ = lazily(
        globals(),
        {
            "alembic.util": "CommandError",
            "asyncpg": "asyncpg=.",
            "pydantic": "SecretStr ValidationError",
            "sqlalchemy.exc": "SQLAlchemyError",
            "lockleaf.server.features.integrations.resealing": "ResealReport reseal_all",
            "lockleaf.server.features.integrations.sealing": "Seals",
            "lockleaf.server.main.installation": "empty is_for_development mark_for_development",
            "lockleaf.server.main.app": "create_app",
            "lockleaf.server.main.job_worker": "work",
            "lockleaf.server.main.supervisor": "Running ServeError serve",
            "lockleaf.server.platform.blobs.stores": "FolderUnusable",
            "lockleaf.server.platform.db.embedded": "EmbeddedPostgres EmbeddedPostgresError",
            "lockleaf.server.platform.db.embedded.errors": "DataFolderInUseError",
            "lockleaf.server.platform.db.engine": "asyncpg_url",
            "lockleaf.server.platform.db.losses": "losses",
            "lockleaf.server.platform.db.migrate": "RevisionUnknown SchemaBehind WrongDirection downgrade "
            "head_revision migrate revision_at sql",
            "lockleaf.server.platform.observability.logging": "logging=.",
            "lockleaf.server.platform.server_keys": "SecretsDamaged SecretsMissing load_keys",
            "lockleaf.server.platform.settings": "SecretSettings Settings",
            "lockleaf.server.records.restores": "Declared declare_restored",
        },
    )
