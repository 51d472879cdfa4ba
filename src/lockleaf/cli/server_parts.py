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
    from lockleaf.server.identity.accounts import invitations
    from lockleaf.server.identity.factors.proofs import sealer_of
    from lockleaf.server.identity.factors.resealing import reseal_factors
    from lockleaf.server.main.app import create_app
    from lockleaf.server.main.installation import empty, is_for_development, mark_for_development
    from lockleaf.server.main.job_worker import work
    from lockleaf.server.main.maintenance import users
    from lockleaf.server.main.maintenance.backup import BackupMade, back_up
    from lockleaf.server.main.maintenance.compacting import Compacted, compact, drop_aside, size_aside
    from lockleaf.server.main.maintenance.distribution import Spread, distribute, distribute_new, examine_spread
    from lockleaf.server.main.maintenance.doctor import examine_server
    from lockleaf.server.main.maintenance.errors import (
        BackupDamaged,
        BackupUnreadable,
        DatabaseInUse,
        DatabaseNotEmpty,
        IdentityRequired,
        MaintenanceError,
    )
    from lockleaf.server.main.maintenance.findings import Finding, Surroundings
    from lockleaf.server.main.maintenance.recounting import recount
    from lockleaf.server.main.maintenance.restore import Present, Restored, examine, restore
    from lockleaf.server.main.maintenance.sealing import Opener, identities_in, recipient_of
    from lockleaf.server.main.maintenance.secrets import (
        LEFT_BESIDE,
        add_root,
        adopt,
        drop_old_roots,
        secrets_of,
        sessions_of_old_roots,
    )
    from lockleaf.server.main.maintenance.sources import Source, open_backup
    from lockleaf.server.main.maintenance.verification import Verified, verify
    from lockleaf.server.main.supervisor import Running, ServeError, serve
    from lockleaf.server.platform.blobs.errors import StoreUnavailable
    from lockleaf.server.platform.blobs.stores import FolderUnusable, open_store
    from lockleaf.server.platform.clock import Clock
    from lockleaf.server.platform.db.connections import asyncpg_url, connect
    from lockleaf.server.platform.db.dump import DumpError
    from lockleaf.server.platform.db.dump_tools import DumpToolsMissing
    from lockleaf.server.platform.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
    from lockleaf.server.platform.db.embedded.errors import DataFolderInUseError
    from lockleaf.server.platform.db.errors import StorageFull
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
    from lockleaf.server.platform.db.unusable import why_unusable
    from lockleaf.server.platform.observability import logging
    from lockleaf.server.platform.server_keys import SecretsDamaged, SecretsMissing, load_keys
    from lockleaf.server.platform.settings import SecretSettings, Settings
    from lockleaf.server.records.restores import Declared, declare_restored

__all__ = [
    "LEFT_BESIDE",
    "BackupDamaged",
    "BackupMade",
    "BackupUnreadable",
    "Clock",
    "CommandError",
    "Compacted",
    "DataFolderInUseError",
    "DatabaseInUse",
    "DatabaseNotEmpty",
    "Declared",
    "DumpError",
    "DumpToolsMissing",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "Finding",
    "FolderUnusable",
    "IdentityRequired",
    "MaintenanceError",
    "Opener",
    "Present",
    "ResealReport",
    "Restored",
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
    "Source",
    "Spread",
    "StorageFull",
    "StoreUnavailable",
    "Surroundings",
    "ValidationError",
    "Verified",
    "WrongDirection",
    "add_root",
    "adopt",
    "asyncpg",
    "asyncpg_url",
    "back_up",
    "compact",
    "connect",
    "create_app",
    "declare_restored",
    "distribute",
    "distribute_new",
    "downgrade",
    "drop_aside",
    "drop_old_roots",
    "empty",
    "examine",
    "examine_server",
    "examine_spread",
    "head_revision",
    "identities_in",
    "invitations",
    "is_for_development",
    "load_keys",
    "logging",
    "losses",
    "mark_for_development",
    "migrate",
    "open_backup",
    "open_store",
    "recipient_of",
    "recount",
    "reseal_all",
    "reseal_factors",
    "restore",
    "revision_at",
    "sealer_of",
    "secrets_of",
    "serve",
    "sessions_of_old_roots",
    "size_aside",
    "sql",
    "users",
    "verify",
    "why_unusable",
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
            "lockleaf.server.identity.accounts.invitations": "invitations=.",
            "lockleaf.server.identity.factors.resealing": "reseal_factors",
            "lockleaf.server.identity.factors.proofs": "sealer_of",
            "lockleaf.server.main.installation": "empty is_for_development mark_for_development",
            "lockleaf.server.main.app": "create_app",
            "lockleaf.server.main.job_worker": "work",
            "lockleaf.server.main.supervisor": "Running ServeError serve",
            "lockleaf.server.platform.blobs.stores": "FolderUnusable open_store",
            "lockleaf.server.main.maintenance.backup": "BackupMade back_up",
            "lockleaf.server.main.maintenance.errors": "BackupDamaged BackupUnreadable DatabaseInUse "
            "DatabaseNotEmpty IdentityRequired MaintenanceError",
            "lockleaf.server.main.maintenance.compacting": "Compacted compact drop_aside size_aside",
            "lockleaf.server.main.maintenance.distribution": "Spread distribute distribute_new examine_spread",
            "lockleaf.server.main.maintenance.doctor": "examine_server",
            "lockleaf.server.main.maintenance.findings": "Finding Surroundings",
            "lockleaf.server.main.maintenance.recounting": "recount",
            "lockleaf.server.main.maintenance.restore": "Present Restored examine restore",
            "lockleaf.server.main.maintenance.sealing": "Opener identities_in recipient_of",
            "lockleaf.server.main.maintenance.secrets": "LEFT_BESIDE add_root adopt drop_old_roots "
            "secrets_of sessions_of_old_roots",
            "lockleaf.server.main.maintenance.sources": "Source open_backup",
            "lockleaf.server.main.maintenance.users": "users=.",
            "lockleaf.server.main.maintenance.verification": "Verified verify",
            "lockleaf.server.platform.blobs.errors": "StoreUnavailable",
            "lockleaf.server.platform.clock": "Clock",
            "lockleaf.server.platform.db.dump": "DumpError",
            "lockleaf.server.platform.db.dump_tools": "DumpToolsMissing",
            "lockleaf.server.platform.db.errors": "StorageFull",
            "lockleaf.server.platform.db.embedded": "EmbeddedPostgres EmbeddedPostgresError",
            "lockleaf.server.platform.db.embedded.errors": "DataFolderInUseError",
            "lockleaf.server.platform.db.connections": "asyncpg_url connect",
            "lockleaf.server.platform.db.losses": "losses",
            "lockleaf.server.platform.db.migrate": "RevisionUnknown SchemaBehind WrongDirection downgrade "
            "head_revision migrate revision_at sql",
            "lockleaf.server.platform.db.unusable": "why_unusable",
            "lockleaf.server.platform.observability.logging": "logging=.",
            "lockleaf.server.platform.server_keys": "SecretsDamaged SecretsMissing load_keys",
            "lockleaf.server.platform.settings": "SecretSettings Settings",
            "lockleaf.server.records.restores": "Declared declare_restored",
        },
    )
