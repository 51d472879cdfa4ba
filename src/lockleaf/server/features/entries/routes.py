"""``/entries``: the diary.

With e2e a client sends and gets what it sealed; with uce a thin client sends and gets plain fields, and the server
seals and opens them within the request. Which of them a body must be is known once it is known who sends it. A client
that seals by a scheme of its own, in an e2e account without a keyring, sends its fields as they are.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Response
from pydantic import BeforeValidator

from lockleaf.server.features.entries import by_custody, service
from lockleaf.server.features.entries.errors import EntryDeleted, EntryNotFound, EntryPurged, RevisionNotFound
from lockleaf.server.features.entries.reads import EntryReads
from lockleaf.server.features.entries.service import Entry
from lockleaf.server.identity.callers import Asker, caller, records_of
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.errors import ContentUnreadable
from lockleaf.server.identity.errors import OF_CALLERS, CustodyRequired
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.cursors import InvalidCursor
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest, contradiction
from lockleaf.server.platform.http.bodies import ByCustody, Received, Written
from lockleaf.server.platform.http.dependencies import PartsOf, Tx
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.paging import Paged
from lockleaf.server.platform.http.preconditions import IfMatch
from lockleaf.server.platform.http.routing import Router, takes, whole_records
from lockleaf.server.platform.preconditions import etag
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
from lockleaf.server.records.quota import QuotaExceeded
from lockleaf.wire.base import Body
from lockleaf.wire.codec import JSON
from lockleaf.wire.days import Bound, bound
from lockleaf.wire.entries import (
    EntryHistory,
    PlainChange,
    PlainCreation,
    SealedChange,
    SealedCreation,
    SealedStep,
)
from lockleaf.wire.opaque_entries import Entries, OpaqueChange, OpaqueCreation
from lockleaf.wire.tags import LabelText

__all__ = ["router"]

router = Router(prefix="/entries", tags=["entries"])

_WRITE = (PayloadTooLarge, ChangeRejected, SealRequired, KeyRetired)

Reader = Annotated[Principal, Depends(caller("entries", write=False, tier="full_sync"))]
Writer = Annotated[Principal, Depends(caller("entries", write=True, tier="full_sync"))]
Number = Annotated[int, Path(ge=1, le=2**62)]


class _Nothing(Body):
    """What a route asks of a thin client: no body."""


Creation = Annotated[
    Received[SealedCreation, PlainCreation], Depends(ByCustody(SealedCreation, PlainCreation, opaque=OpaqueCreation))
]
Change = Annotated[
    Received[SealedChange, PlainChange], Depends(ByCustody(SealedChange, PlainChange, opaque=OpaqueChange))
]
Step = Annotated[Received[SealedStep, _Nothing], Depends(ByCustody(SealedStep, _Nothing, optional=True))]


Name = Annotated[str | None, Query(min_length=1, max_length=200)]
Labels = Annotated[
    list[LabelText],
    Query(max_length=64, description="In hexadecimal digits or base64; an entry has all of them."),
]
TagNames = Annotated[
    list[Annotated[str, Query(min_length=1, max_length=200)]],
    Query(max_length=60, description="An entry has all of them."),
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
Permanent = Annotated[bool, Query(description="Drop at once what it held: it cannot be restored.")]
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
    parts: PartsOf,
    paging: Paged,
    mood: Name = None,
    source: Name = None,
    tag: TagNames = [],  # noqa: B006
    label: Labels = [],  # noqa: B006
    first: From = None,
    last: To = None,
    deleted: Which = "false",
    mood_filter: Name = None,
    source_filter: Name = None,
) -> Entries:
    """Give entries, newest first by their local time, else by when they were made."""
    filters = service.Filters(
        _one("mood_filter", mood, mood_filter),
        _one("source_filter", source, source_filter),
        tag,
        [bytes.fromhex(each) for each in label],
        first,
        last,
        deleted,
    )
    return await service.list_all(parts[Clock], parts[Database], parts[Custodian], principal, filters, paging)


@router.post(
    "",
    summary="Make an entry",
    status_code=201,
    responses={
        200: {"model": Entry, "description": "It was there: known by its `content_hash`."},
        **problems(*OF_CALLERS, RevisionConflict, ContentUnreadable, *_WRITE, QuotaExceeded),
    },
)
@takes(whole_records)
async def create(principal: Writer, body: Creation, tx: Tx, parts: PartsOf, response: Response) -> Entry:
    """Store a new entry. The same one sent again under the same id is answered like the first time.

    So is one that a client sealed by a scheme of its own, with the same `content_hash` and open fields: with 200.
    """
    entry, made = await by_custody.create(records_of(parts, tx, principal), body)
    response.status_code = 201 if made else 200
    return _tagged(response, entry)


@router.get(
    "/{entry_id}", summary="Read an entry", response_model=Entry, responses=problems(*OF_CALLERS, EntryNotFound)
)
async def get(asking: Asker, entry_id: UUID, parts: PartsOf) -> Response:
    """Give an entry; a deleted one too, with `deleted_at`."""
    revision, content = await service.get(
        parts[Clock], parts[Database], parts[Custodian], parts[EntryReads], asking, entry_id
    )
    answer = Written(content, JSON)
    answer.raw_headers.append((b"etag", etag(revision).encode()))
    return answer


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
@takes(whole_records)
async def change(
    principal: Writer,
    entry_id: UUID,
    body: Change,
    tx: Tx,
    parts: PartsOf,
    response: Response,
    if_match: IfMatch = None,
) -> Entry:
    """Store the next revision. With uce what is absent stays as it is, and null takes a field away."""
    written = await by_custody.change(records_of(parts, tx, principal), entry_id, body, if_match=if_match)
    return _tagged(response, written)


@router.delete(
    "/{entry_id}",
    summary="Delete an entry",
    responses=problems(*OF_CALLERS, EntryNotFound, RevisionConflict, PreconditionFailed, *_WRITE),
)
@takes(whole_records)
async def delete(
    principal: Writer,
    entry_id: UUID,
    body: Step,
    tx: Tx,
    parts: PartsOf,
    response: Response,
    if_match: IfMatch = None,
    permanent: Permanent = False,
) -> Entry:
    """Delete an entry; it can be restored for 30 days. With e2e the body is the sealed tombstone; uce has no body."""
    deleted = await by_custody.delete(
        records_of(parts, tx, principal), entry_id, body, if_match=if_match, permanent=permanent
    )
    return _tagged(response, deleted)


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
@takes(whole_records)
async def restore(
    principal: Writer,
    entry_id: UUID,
    body: Step,
    tx: Tx,
    parts: PartsOf,
    response: Response,
    if_match: IfMatch = None,
) -> Entry:
    """Bring a deleted entry back. With e2e the body is its content, sealed again, with uce it has no body."""
    restored = await by_custody.restore(records_of(parts, tx, principal), entry_id, body, if_match=if_match)
    return _tagged(response, restored)


@router.get(
    "/{entry_id}/history",
    summary="Read what happened to an entry",
    responses=problems(*OF_CALLERS, EntryNotFound, InvalidRequest, InvalidCursor),
)
async def history(principal: Reader, entry_id: UUID, parts: PartsOf, paging: Paged) -> EntryHistory:
    """Give when an entry was made, changed, deleted and restored, and on which device, oldest first."""
    return await service.history(parts[Database], principal, entry_id, paging)


@router.get(
    "/{entry_id}/revisions/{number}",
    summary="Read an earlier revision",
    responses=problems(*OF_CALLERS, EntryNotFound, RevisionNotFound),
)
async def revision(principal: Reader, entry_id: UUID, number: Number, parts: PartsOf, response: Response) -> Entry:
    """Give one revision of an entry, the present one or an earlier one that is kept."""
    return _tagged(
        response, await service.revision(parts[Clock], parts[Database], parts[Custodian], principal, entry_id, number)
    )


def _one(name: str, first: str | None, second: str | None) -> str | None:
    """Return what is asked for under either of two names, of which ``name`` is the second."""
    if first is not None and second is not None and first != second:
        raise contradiction(name, "this differs from what is asked for by its other name: send one of them")
    return second if first is None else first


def _tagged(response: Response, entry: Entry) -> Entry:
    response.headers["ETag"] = etag(entry.revision)
    return entry
