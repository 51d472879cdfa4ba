"""Every table of the server, known to the base: what migrations are compared with."""

# ruff: noqa: F401  (importing the models registers their tables)

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData

import lockleaf.server.features.analytics.models
import lockleaf.server.features.export.models
import lockleaf.server.features.inbox.models
import lockleaf.server.features.media.models
import lockleaf.server.features.operation.models
import lockleaf.server.features.search.models
import lockleaf.server.identity.accounts.models
import lockleaf.server.identity.auth.models
import lockleaf.server.identity.custody.models
import lockleaf.server.platform.jobs.models
import lockleaf.server.records.models
from lockleaf.server.platform.db.base import Base
from lockleaf.server.platform.jobs.queue import TABLES

__all__ = ["COMPARED", "is_ours", "metadata"]

metadata: MetaData = Base.metadata


def is_ours(thing: object, name: str | None, kind: str, reflected: bool, counterpart: object) -> bool:
    """Tell Alembic whether to compare something: the queue's own tables are compared with what the queue wants."""
    return not (kind == "table" and name in TABLES)


COMPARED: dict[str, Any] = {"compare_type": True, "compare_server_default": True, "include_object": is_ours}
"""How Alembic compares the tables of a database with these."""
