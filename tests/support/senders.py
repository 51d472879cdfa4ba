"""Those who put something into an inbox: the door by which integrations will come, without one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import FastAPI

from lockleaf.server.features.inbox import service
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import LimitSettings

__all__ = ["POST", "put_in"]

POST = {"body": "The sea at noon.", "title": "A picture", "tags": ["sea"], "occurred_at": "2026-11-20T12:00:00Z"}


async def put_in(
    app: FastAPI, user_id: UUID, external_id: str = "1", content: Any = POST, provider: str = "web"
) -> UUID:
    """Seal ``content`` into the account's inbox, and tell its listeners once that is committed; the item's id."""
    parts = app.state.parts
    async with parts[Database].transaction() as tx:
        return await service.add(
            tx, parts[Clock], parts[LimitSettings], parts[ServerKeys], user_id, provider, external_id, content
        )
