"""A PostgreSQL of our own in the data folder, for whoever has none: started, watched and stopped by Lockleaf itself."""

from __future__ import annotations

from lockleaf.server.platform.db.embedded.errors import DataFolderInUseError, EmbeddedPostgresError
from lockleaf.server.platform.db.embedded.server import EmbeddedPostgres

__all__ = ["DataFolderInUseError", "EmbeddedPostgres", "EmbeddedPostgresError"]
