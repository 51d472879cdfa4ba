"""``/inbox``: what waits for a device of its account.

The scope is ``entries``: an item is an entry that nobody has accepted yet. Whoever reads and writes entries may take it
in or refuse it; who manages connections to other services (``integrations``) has no need to read what they brought.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from lockleaf.server.features.inbox import service
from lockleaf.server.features.inbox.errors import ItemNotFound
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.errors import OF_CALLERS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.cursors import InvalidCursor
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.http.dependencies import PartsOf, Read, Tx
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.paging import Paged
from lockleaf.server.platform.http.routing import Router
from lockleaf.wire.inbox import Inbox

__all__ = ["router"]

router = Router(
    prefix="/inbox",
    tags=["inbox"],
    responses=problems(*OF_CALLERS),
)

Reader = Annotated[Principal, Depends(caller("entries", write=False, tier="full_sync"))]
Writer = Annotated[Principal, Depends(caller("entries", write=True, tier="full_sync"))]
Sealed = Annotated[bool, Query(description="False for ids and times alone, to see whether there is anything new.")]
Refused = Annotated[bool, Query(description="True where nothing is made of it: files that came with it go too.")]


@router.get("", summary="List what waits in the inbox", responses=problems(InvalidRequest, InvalidCursor))
async def get_inbox(caller: Reader, read: Read, paging: Paged, sealed: Sealed = True) -> Inbox:
    """Return the sealed items that wait."""
    return await service.list_all(read, caller.user_id, paging, sealed=sealed)


@router.delete(
    "/{item_id}", summary="Acknowledge an item", status_code=204, responses=problems(InvalidRequest, ItemNotFound)
)
async def delete_item(caller: Writer, tx: Tx, parts: PartsOf, item_id: UUID, refused: Refused = False) -> None:
    """Acknowledge an item that was accepted or refused: it is deleted."""
    await service.acknowledge(tx, parts[Removals], caller.user_id, item_id, refused=refused)
