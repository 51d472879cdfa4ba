"""What can go wrong with the embedded PostgreSQL, in words for the person who started the server."""

from __future__ import annotations

__all__ = ["DataFolderInUseError", "EmbeddedPostgresError"]


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL could not be started or prepared.

    The message says what happened, what it means and what to do. It holds paths and PostgreSQL's own log lines, never a
    user's value: PostgreSQL's log is configured to hold none (see `cluster.py`).
    """


class DataFolderInUseError(EmbeddedPostgresError):
    """Another live process already runs the PostgreSQL of this data folder."""
