"""``/entries``: the diary.

With e2e a client sends and gets what it sealed; with uce a thin client sends and gets plain fields, and the server
seals and opens them within the request. Which of them a body must be is known once it is known who sends it.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BeforeValidator

from lockleaf.server.auth.errors import OF_CALLERS, CustodyRequired
from lockleaf.server.auth.principal import Principal
from lockleaf.server.cursors import InvalidCursor
from lockleaf.server.custody.errors import ContentUnreadable
from lockleaf.server.entries import plain, sealed, service
from lockleaf.server.entries.errors import EntryDeleted, EntryNotFound, EntryPurged, RevisionNotFound
from lockleaf.server.http.bodies import ByCustody, Received
from lockleaf.server.http.dependencies import DriverTx, ServicesOf, caller
from lockleaf.server.http.errors import InvalidRequest
from lockleaf.server.http.openapi import problems
from lockleaf.server.http.preconditions import IfMatch, etag
from lockleaf.server.quota import QuotaExceeded
from lockleaf.server.records.diary import Deleted
from lockleaf.server.records.errors import (
    ChangeRejected,
    KeyRetired,
    PayloadTooLarge,
    PreconditionFailed,
    RevisionConflict,
    RevisionRequired,
    SealRequired,
)
from lockleaf.wire.base import Body
from lockleaf.wire.days import Bound, bound
from lockleaf.wire.entries import (
    Entries,
    EntryHistory,
    PlainChange,
    PlainCreation,
    PlainEntry,
    SealedChange,
    SealedCreation,
    SealedEntry,
    SealedStep,
)
from lockleaf.wire.sync import MAX_BATCH_CHANGES
from lockleaf.wire.tags import LabelText

__all__ = ["router"]

router = APIRouter(prefix="/entries", tags=["entries"])

_WRITE = (PayloadTooLarge, ChangeRejected, SealRequired, KeyRetired)

Entry = PlainEntry | SealedEntry
Reader = Annotated[Principal, Depends(caller("entries", write=False, tier="full_sync"))]
Writer = Annotated[Principal, Depends(caller("entries", write=True, tier="full_sync"))]
Limit = Annotated[int, Query(ge=1, le=MAX_BATCH_CHANGES)]
Cursor = Annotated[str | None, Query(max_length=512)]
Number = Annotated[int, Path(ge=1, le=2**62)]


class _Nothing(Body):
    """What a route asks of a thin client: no body."""


Creation = Annotated[Received[SealedCreation, PlainCreation], Depends(ByCustody(SealedCreation, PlainCreation))]
Change = Annotated[Received[SealedChange, PlainChange], Depends(ByCustody(SealedChange, PlainChange))]
Step = Annotated[Received[SealedStep, _Nothing], Depends(ByCustody(SealedStep, _Nothing, optional=True))]


Name = Annotated[str | None, Query(min_length=1, max_length=200)]
Labels = Annotated[
    list[LabelText],
    Query(max_length=64, description="In hexadecimal digits or base64; an entry has all of them."),
]
TagNames = Annotated[
    list[Annotated[str, Query(min_length=1, max_length=200)]],
    Query(max_length=60, description="uce; an entry has all of them."),
]
From = Annotated[
    Bound | None,
    BeforeValidator(bound),
    Query(
        alias="from",
        description="A day, compared with the day where an entry was written, or a time, compared with the instant. It"
        " belongs to the range.",
    ),
]
To = Annotated[
    Bound | None,
    BeforeValidator(bound),
    Query(alias="to", description="A day or a time as for `from`; it belongs to the range, a day as a whole."),
]
Which = Annotated[
    Deleted,
    Query(description="`false`: those that are not deleted; `true`: those that are, until purged; `all`: both."),
]


@router.get(
    "",
    summary="List entries",
    responses=problems(*OF_CALLERS, InvalidRequest, InvalidCursor, CustodyRequired),
)
async def list_all(
    principal: Reader,
    services: ServicesOf,
    mood: Name = None,
    source: Name = None,
    tag: TagNames = [],  # noqa: B006
    label: Labels = [],  # noqa: B006
    first: From = None,
    last: To = None,
    deleted: Which = "false",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Entries:
    """Give entries, newest first by their local time, else by when they were made."""
    filters = service.Filters(mood, source, tag, [bytes.fromhex(each) for each in label], first, last, deleted)
    return await service.list_all(services, principal, filters, cursor=cursor, limit=limit)


@router.post(
    "",
    summary="Make an entry",
    status_code=201,
    responses=problems(*OF_CALLERS, RevisionConflict, ContentUnreadable, *_WRITE, QuotaExceeded),
)
async def create(principal: Writer, body: Creation, tx: DriverTx, services: ServicesOf, response: Response) -> Entry:
    """Store a new entry. The same one sent again under the same id is answered like the first time."""
    if principal.custody == "uce":
        return _tagged(response, await plain.create(tx, services, principal, body.plain()))
    return _tagged(response, await sealed.create(tx, services, principal, body.sealed()))


@router.get("/{entry_id}", summary="Read an entry", responses=problems(*OF_CALLERS, EntryNotFound))
async def get(principal: Reader, entry_id: UUID, services: ServicesOf, response: Response) -> Entry:
    """Give an entry; a deleted one too, with `deleted_at`."""
    return _tagged(response, await service.get(services, principal, entry_id))


@router.put(
    "/{entry_id}",
    summary="Change an entry",
    responses=problems(
        *OF_CALLERS,
        EntryNotFound,
        EntryDeleted,
        RevisionConflict,
        PreconditionFailed,
        RevisionRequired,
        ContentUnreadable,
        *_WRITE,
        QuotaExceeded,
    ),
)
async def change(
    principal: Writer,
    entry_id: UUID,
    body: Change,
    tx: DriverTx,
    services: ServicesOf,
    response: Response,
    if_match: IfMatch = None,
) -> Entry:
    """Store the next revision. With uce what is absent stays as it is, and null takes a field away."""
    if principal.custody == "uce":
        return _tagged(response, await plain.change(tx, services, principal, entry_id, body.plain(), if_match=if_match))
    return _tagged(response, await sealed.change(tx, services, principal, entry_id, body.sealed(), if_match=if_match))


@router.delete(
    "/{entry_id}",
    summary="Delete an entry",
    responses=problems(*OF_CALLERS, EntryNotFound, RevisionConflict, PreconditionFailed, *_WRITE),
)
async def delete(
    principal: Writer,
    entry_id: UUID,
    body: Step,
    tx: DriverTx,
    services: ServicesOf,
    response: Response,
    if_match: IfMatch = None,
) -> Entry:
    """Delete an entry; it can be restored for 30 days. With e2e the body is the sealed tombstone, with uce none."""
    if principal.custody == "uce":
        return _tagged(response, await plain.delete(tx, services, principal, entry_id, if_match=if_match))
    return _tagged(response, await sealed.delete(tx, services, principal, entry_id, body.sealed(), if_match=if_match))


@router.post(
    "/{entry_id}/restore",
    summary="Restore an entry",
    responses=problems(
        *OF_CALLERS,
        EntryNotFound,
        EntryPurged,
        RevisionConflict,
        PreconditionFailed,
        ContentUnreadable,
        *_WRITE,
        QuotaExceeded,
    ),
)
async def restore(
    principal: Writer,
    entry_id: UUID,
    body: Step,
    tx: DriverTx,
    services: ServicesOf,
    response: Response,
    if_match: IfMatch = None,
) -> Entry:
    """Bring a deleted entry back. With e2e the body is its content, sealed again, with uce there is none."""
    if principal.custody == "uce":
        return _tagged(response, await plain.restore(tx, services, principal, entry_id, if_match=if_match))
    return _tagged(response, await sealed.restore(tx, services, principal, entry_id, body.sealed(), if_match=if_match))


@router.get(
    "/{entry_id}/history",
    summary="Read what happened to an entry",
    responses=problems(*OF_CALLERS, EntryNotFound, InvalidRequest, InvalidCursor),
)
async def history(
    principal: Reader, entry_id: UUID, services: ServicesOf, cursor: Cursor = None, limit: Limit = 50
) -> EntryHistory:
    """Give when an entry was made, changed, deleted and restored, and on which device, oldest first."""
    return await service.history(services, principal, entry_id, cursor=cursor, limit=limit)


@router.get(
    "/{entry_id}/revisions/{number}",
    summary="Read an earlier revision",
    responses=problems(*OF_CALLERS, EntryNotFound, RevisionNotFound),
)
async def revision(
    principal: Reader, entry_id: UUID, number: Number, services: ServicesOf, response: Response
) -> Entry:
    """Give one revision of an entry, the present one or an earlier one that is kept."""
    return _tagged(response, await service.revision(services, principal, entry_id, number))


def _tagged(response: Response, entry: Entry) -> Entry:
    response.headers["ETag"] = etag(entry.revision)
    return entry
