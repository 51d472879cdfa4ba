"""Every table of the server, known to the base: what migrations are compared with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData

import lockleaf.server.accounts.models
import lockleaf.server.analytics.models
import lockleaf.server.auth.models
import lockleaf.server.custody.models
import lockleaf.server.export.models
import lockleaf.server.inbox.models
import lockleaf.server.jobs.models
import lockleaf.server.media.models
import lockleaf.server.operation.models
import lockleaf.server.records.models
import lockleaf.server.search.models  # noqa: F401  (importing the models registers their tables)
from lockleaf.server.db.base import Base
from lockleaf.server.jobs.queue import TABLES

__all__ = ["COMPARED", "is_ours", "metadata"]

metadata: MetaData = Base.metadata


def is_ours(thing: object, name: str | None, kind: str, reflected: bool, counterpart: object) -> bool:
    """Tell Alembic whether to compare something: the queue's own tables are compared with what the queue wants."""
    return not (kind == "table" and name in TABLES)


COMPARED: dict[str, Any] = {"compare_type": True, "compare_server_default": True, "include_object": is_ours}
"""How Alembic compares the tables of a database with these."""
