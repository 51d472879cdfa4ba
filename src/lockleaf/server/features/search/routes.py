"""``/search``: by words where the server may open entries (uce), by keyed digests where it cannot (e2e)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from lockleaf.server.features.search import blind_search, index_builds, plain_search, service
from lockleaf.server.features.search.errors import QueryTooLong, SearchOff
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.errors import OF_CALLERS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.cursors import CursorCodec, InvalidCursor
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.http.bodies import ByCustody, Parsed, Received
from lockleaf.server.platform.http.dependencies import PartsOf, Tx
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.routing import Router, takes, whole_records
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records.quota import Quota, QuotaExceeded
from lockleaf.wire.search import (
    BlindIndexSlice,
    BlindSearch,
    IndexBuild,
    IndexSlice,
    IndexSwitch,
    PlainSearch,
    SearchIndex,
    SearchResult,
)

__all__ = ["router"]

router = Router(prefix="/search", tags=["search"])


Reader = Annotated[Principal, Depends(caller("search", write=False, tier="full_sync"))]
Writer = Annotated[Principal, Depends(caller("search", write=True, tier="full_sync"))]
Search = Annotated[Received[BlindSearch, PlainSearch], Depends(ByCustody(BlindSearch, PlainSearch))]
Slice = Annotated[Received[BlindIndexSlice, IndexSlice], Depends(ByCustody(BlindIndexSlice, IndexSlice, optional=True))]


@router.post("", summary="Search", responses=problems(*OF_CALLERS, SearchOff, QueryTooLong, InvalidCursor))
async def search(principal: Reader, body: Search, parts: PartsOf) -> SearchResult:
    """Give what is found, best first. With uce `query` is in words, with e2e `tokens` are made of them by a client."""
    if principal.custody == "uce":
        return await plain_search.find(
            parts[Clock],
            parts[Database],
            parts[CursorCodec],
            parts[Settings],
            parts[Metrics],
            parts[Custodian],
            principal,
            body.plain(),
        )
    return await blind_search.find_blind(parts[Database], parts[CursorCodec], parts[Metrics], principal, body.sealed())


@router.get("/stats", summary="Ask how the index stands", responses=problems(*OF_CALLERS))
async def stats(principal: Reader, parts: PartsOf) -> SearchIndex:
    """Give what the search index holds, what waits to be indexed, and what it reveals."""
    return await service.stats(parts[Database], principal)


@router.post("/index", summary="Build the index", responses=problems(*OF_CALLERS, SearchOff, QuotaExceeded))
@takes(whole_records)
async def build(principal: Writer, body: Slice, tx: Tx, parts: PartsOf) -> IndexBuild:
    """Index for a few seconds (uce), or take in what a client made (e2e). Call again until the job has succeeded."""
    if principal.custody == "uce":
        return await index_builds.build(
            tx.session, parts[Clock], parts[Settings], parts[Custodian], principal, body.plain()
        )
    return await index_builds.build_blind(tx.session, parts[Clock], parts[Quota], principal, body.sealed())


@router.put("/index", summary="Switch the index on or off", responses=problems(*OF_CALLERS))
@takes(whole_records)
async def switch(
    principal: Writer, body: Annotated[IndexSwitch, Depends(Parsed(IndexSwitch))], tx: Tx, parts: PartsOf
) -> SearchIndex:
    """Switch the index on, or off, which deletes it at once. The answer says what it reveals."""
    return await service.switch(tx.session, parts[Clock], principal, enabled=body.enabled)
