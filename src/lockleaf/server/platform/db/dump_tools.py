"""Where PostgreSQL's client programs are.

They come with the PostgreSQL that Lockleaf brings along. For a server of a later major version those of the machine are
looked for: `pg_dump` refuses servers that are newer than itself.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from lockleaf.server.platform.db.dump import Tools
from lockleaf.server.platform.db.embedded.binaries import find_binaries, installed_elsewhere
from lockleaf.server.platform.db.embedded.errors import EmbeddedPostgresError

__all__ = ["DumpToolsMissing", "find_tools"]


class DumpToolsMissing(Exception):
    """There is no `pg_dump` for a PostgreSQL of this version."""

    def __init__(self, major: int) -> None:
        super().__init__(
            f"The database is PostgreSQL {major}, and no pg_dump, pg_restore and psql of version {major} or later are "
            f"here. Install the client programs of PostgreSQL {major} (postgresql-client-{major} on Debian), and run "
            "this again."
        )


def find_tools(server_major: int) -> Tools:
    """Return the programs that can dump a server of a major version.

    Raises:
        DumpToolsMissing: none are here.
    """
    with contextlib.suppress(EmbeddedPostgresError):
        own = find_binaries()
        if own.major >= server_major and _has_all(own.folder):
            return Tools(own.folder, own.major)
    for found in sorted(installed_elsewhere(), key=lambda each: -each.major):
        if found.major >= server_major and _has_all(found.folder):
            return Tools(found.folder, found.major)
    raise DumpToolsMissing(server_major)


def _has_all(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("pg_dump", "pg_restore", "psql"))
