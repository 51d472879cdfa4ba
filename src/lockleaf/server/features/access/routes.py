"""``/users/me/access``: when the server opened the account's content."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from lockleaf.server.features.access import service as history
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.errors import OF_RIGHTS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.cursors import InvalidCursor
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.http.dependencies import PartsOf, Read
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.paging import Paged
from lockleaf.server.platform.http.routing import Router
from lockleaf.wire.custody import AccessHistory

__all__ = ["router"]

router = Router(
    prefix="/users/me/access",
    tags=["users"],
    responses=problems(*OF_RIGHTS),
)

Reader = Annotated[Principal, Depends(caller("account", write=False))]


@router.get("", summary="List when the server opened the account", responses=problems(InvalidRequest, InvalidCursor))
async def get_access(caller: Reader, read: Read, parts: PartsOf, paging: Paged) -> AccessHistory:
    """Return when the server opened the account's content, and for what, newest first."""
    return await history.list_all(read, parts[Clock], caller.user_id, paging)
