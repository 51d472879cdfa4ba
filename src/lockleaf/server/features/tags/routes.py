"""``/tags``: names and colours."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Response

from lockleaf.server.features.tags import service
from lockleaf.server.features.tags.errors import TagNotFound
from lockleaf.server.identity.callers import caller, records_of
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.errors import ContentUnreadable
from lockleaf.server.identity.errors import OF_CALLERS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.http.bodies import ByCustody, Received
from lockleaf.server.platform.http.dependencies import PartsOf, Tx
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.routing import Router
from lockleaf.server.records.errors import PayloadTooLarge, SealRequired
from lockleaf.wire.tags import OpaqueTagChange, OpaqueTagCreation, Tag, TagChange, TagCleanup, TagCreation, TagId

__all__ = ["router"]

router = Router(prefix="/tags", tags=["tags"])


Reader = Annotated[Principal, Depends(caller("tags", write=False, tier="full_sync"))]
Writer = Annotated[Principal, Depends(caller("tags", write=True, tier="full_sync"))]
Creation = Annotated[Received[OpaqueTagCreation, TagCreation], Depends(ByCustody(OpaqueTagCreation, TagCreation))]
Change = Annotated[Received[OpaqueTagChange, TagChange], Depends(ByCustody(OpaqueTagChange, TagChange))]
Id = Annotated[TagId, Path(description="The tag's label in hexadecimal digits.")]
Limit = Annotated[int | None, Query(ge=1, le=500, description="How many at most; all of them if absent.")]
Days = Annotated[int, Query(ge=0, le=36500)]


@router.get("", summary="List tags", responses=problems(*OF_CALLERS))
async def list_all(principal: Reader, parts: PartsOf, limit: Limit = None) -> list[Tag]:
    """Give all tags, or the first ones, alphabetically; those of an e2e account by their stored bytes."""
    return (await service.list_all(parts[Clock], parts[Database], parts[Custodian], principal))[:limit]


@router.post(
    "",
    summary="Get or make a tag",
    status_code=201,
    responses={200: {"model": Tag, "description": "It was there."}, **problems(*OF_CALLERS, SealRequired)},
)
async def create(principal: Writer, body: Creation, tx: Tx, parts: PartsOf, response: Response) -> Tag:
    """Give the tag of a name: 201 where it was made now, 200 where it was there."""
    if principal.custody == "uce":
        tag, made = await service.create_plain(records_of(parts, tx, principal), body.plain())
    else:
        tag, made = await service.create_opaque(records_of(parts, tx, principal), body.sealed())
    response.status_code = 201 if made else 200
    return tag


# Before the routes with an id: "cleanup" is no id.
@router.delete("/cleanup", summary="Delete unused tags", responses=problems(*OF_CALLERS, SealRequired))
async def clean_up(principal: Writer, tx: Tx, parts: PartsOf, days: Days = 90) -> TagCleanup:
    """Delete the tags that no entry written within so many days has, and that were not changed within them."""
    return await service.clean_up(records_of(parts, tx, principal), days=days)


@router.put(
    "/{tag_id}",
    summary="Change a tag",
    responses=problems(*OF_CALLERS, TagNotFound, ContentUnreadable, PayloadTooLarge, SealRequired),
)
async def change(principal: Writer, tag_id: Id, body: Change, tx: Tx, parts: PartsOf) -> Tag:
    """Give a tag another name or colour. With uce a new name goes into every entry that has it, and is another id."""
    if principal.custody == "uce":
        return await service.change_plain(records_of(parts, tx, principal), tag_id, body.plain())
    return await service.change_opaque(records_of(parts, tx, principal), tag_id, body.sealed())


@router.delete(
    "/{tag_id}", summary="Delete a tag", status_code=204, responses=problems(*OF_CALLERS, TagNotFound, SealRequired)
)
async def delete(principal: Writer, tag_id: Id, tx: Tx, parts: PartsOf) -> None:
    """Delete a tag; with uce it is taken off the entries that have it."""
    await service.delete(records_of(parts, tx, principal), tag_id)
