"""``/users/me/access``: when the server opened the account's content."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from lockleaf.server.features.access import service as history
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.errors import (
    InsufficientScope,
    NotAuthenticated,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
)
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.cursors import CursorCodec, InvalidCursor
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.http.dependencies import PartsOf, Read
from lockleaf.server.platform.http.openapi import problems
from lockleaf.wire.custody import AccessHistory

__all__ = ["router"]

router = APIRouter(
    prefix="/users/me/access",
    tags=["users"],
    responses=problems(NotAuthenticated, TokenExpired, TokenInvalid, SessionRevoked, InsufficientScope),
)

Reader = Annotated[Principal, Depends(caller("account", write=False))]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=512)]


@router.get("", responses=problems(InvalidRequest, InvalidCursor))
async def get_access(
    caller: Reader, read: Read, parts: PartsOf, cursor: Cursor = None, limit: Limit = 50
) -> AccessHistory:
    """Return when the server opened the account's content, and for what, newest first."""
    return await history.page(
        read, parts[Clock], parts[CursorCodec], caller.user_id, caller.session_id, cursor=cursor, limit=limit
    )
