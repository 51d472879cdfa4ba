"""``/sync``: what devices ask for (PROTOCOL section 5)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from lockleaf.server.features.sync import checkpoints, conflicts, rotation, service, stream
from lockleaf.server.features.sync.errors import CheckpointOutdated, InvalidCheckpoint, TooManyStreams
from lockleaf.server.features.sync.gathering import Gathering
from lockleaf.server.features.sync.polls import Polls
from lockleaf.server.identity.callers import Asker, ParsedForCaller, bearer_token, caller, records_of
from lockleaf.server.identity.custody.errors import ContentUnreadable
from lockleaf.server.identity.errors import OF_CALLERS, CustodyRequired
from lockleaf.server.identity.principal import Principal
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.cursors import CursorCodec, InvalidCursor
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.http.bodies import Parsed, Written, accepted, reply
from lockleaf.server.platform.http.dependencies import PartsOf, Read, Tx
from lockleaf.server.platform.http.errors import BodyTooLarge, MalformedRequest, NotAcceptable, UnsupportedMediaType
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.paging import ByCursor, Limit
from lockleaf.server.platform.http.routing import Router, takes, whole_records
from lockleaf.server.platform.settings import LimitSettings, Settings
from lockleaf.server.records import retired
from lockleaf.server.records.errors import (
    ChangeRejected,
    ConflictNotFound,
    ConflictResolved,
    ContentRequired,
    EpochChanged,
    InvalidStatement,
    KeyRetired,
    PayloadTooLarge,
    RevisionConflict,
    RevisionRequired,
    SealRequired,
    TooManyStatements,
)
from lockleaf.wire import codec
from lockleaf.wire.conflicts import Conflicts, Resolution, ResolutionResult
from lockleaf.wire.epochs import Statements
from lockleaf.wire.sync import Checkpoint, Checkpoints, Collection, Feed, Purged, Push, PushResult, Resealed

__all__ = ["router"]

router = Router(prefix="/sync", tags=["sync"])

_BODY = (MalformedRequest, InvalidRequest, UnsupportedMediaType, BodyTooLarge)

Reader = Annotated[Principal, Depends(caller("sync", write=False, tier="full_sync"))]
_WRITER = caller("sync", write=True, tier="full_sync")
Writer = Annotated[Principal, Depends(_WRITER)]


@router.post(
    "/push",
    summary="Push changes",
    response_model=PushResult,
    responses=problems(*OF_CALLERS, *_BODY, EpochChanged, NotAcceptable),
)
@takes(whole_records)
async def push(
    request: Request,
    asking: Asker,
    body: Annotated[Push, Depends(ParsedForCaller(Push, _WRITER, msgpack=True))],
    parts: PartsOf,
) -> Response:
    """Apply up to 500 changes or 8 MiB, each if it follows the current revision of its record."""
    result = await service.push(parts[Gathering], parts[CursorCodec], asking, body)
    return _packed(request, PushResult, result)


@router.get(
    "/changes",
    summary="Read the feed",
    response_model=Feed,
    responses=problems(*OF_CALLERS, InvalidRequest, InvalidCursor, EpochChanged, NotAcceptable),
)
async def changes(
    request: Request,
    asking: Asker,
    parts: PartsOf,
    after: Annotated[str | None, Query(max_length=512)] = None,
    limit: Limit = 50,
    collection: Annotated[Collection | None, Query()] = None,
) -> Response:
    """Give the changes behind a cursor, in order, with what is needed to verify them."""
    page = await service.read_feed(
        parts[Polls], parts[CursorCodec], asking, after=after, limit=limit, collection=collection
    )
    return _packed(request, Feed, page)


@router.get(
    "/events",
    summary="Follow what changes",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Server-sent events."},
        **problems(*OF_CALLERS, TooManyStreams),
    },
)
async def events(request: Request, principal: Reader, parts: PartsOf) -> StreamingResponse:
    """Send `{seq, inbox, conflicts}` whenever one of them changed."""
    return stream.LiveStream(
        parts[Database],
        parts[LimitSettings],
        parts[TokenCodec],
        parts[EventHub],
        principal.user_id,
        bearer_token(request),
    )


@router.get(
    "/checkpoints",
    summary="Read the devices' checkpoints",
    response_model=Checkpoints,
    responses=problems(*OF_CALLERS, NotAcceptable),
)
async def get_checkpoints(request: Request, principal: Reader, parts: PartsOf) -> Response:
    """Give the latest signed checkpoint of each device."""
    return reply(request, Checkpoints(items=await checkpoints.latest(parts[Database], principal.user_id)))


@router.post(
    "/checkpoints",
    summary="Post a checkpoint",
    status_code=204,
    response_class=Response,
    responses=problems(*OF_CALLERS, *_BODY, InvalidCheckpoint, CheckpointOutdated),
)
@takes(whole_records)
async def post_checkpoint(
    principal: Writer,
    body: Annotated[Checkpoint, Depends(Parsed(Checkpoint, msgpack=True))],
    tx: Tx,
    parts: PartsOf,
) -> None:
    """Keep this device's signed word on the history that it has verified."""
    await checkpoints.post(tx.session, principal.user_id, body, now=parts[Clock]())


@router.post(
    "/purge",
    summary="Drop what retired keys open",
    response_model=Purged,
    responses=problems(*OF_CALLERS, NotAcceptable),
)
async def purge(request: Request, principal: Writer, tx: Tx) -> Response:
    """Drop what the account's retired master keys sealed and nothing current needs. A device asks after a rotation."""
    purged = await retired.purge_retired(tx.connection, principal.user_id)
    return reply(request, Purged(revisions=purged.revisions, conflicts=purged.conflicts, has_more=purged.has_more))


@router.post(
    "/reseal",
    summary="Seal again after a rotation",
    response_model=Resealed,
    responses=problems(*OF_CALLERS, CustodyRequired, NotAcceptable),
)
async def reseal(request: Request, principal: Writer, tx: Tx, parts: PartsOf) -> Response:
    """Seal for a few seconds what retired keys sealed (uce), and drop what they open. Call again until the job is done.

    With e2e the account's devices do it.
    """
    accepted(request)
    return reply(
        request,
        await rotation.seal_again(records_of(parts, tx, principal), parts[Settings]),
    )


@router.post(
    "/epochs/statements",
    summary="Post statements about epochs",
    status_code=204,
    response_class=Response,
    responses=problems(*OF_CALLERS, *_BODY, InvalidStatement, TooManyStatements),
)
@takes(whole_records)
async def post_statements(
    principal: Writer, body: Annotated[Statements, Depends(Parsed(Statements, msgpack=True))], tx: Tx
) -> None:
    """Keep what devices signed about ends and beginnings of epochs; the feed shows it with each epoch."""
    await service.keep_statements(tx.session, principal.user_id, body.statements)


@router.get(
    "/conflicts",
    summary="List conflicts",
    response_model=Conflicts,
    responses=problems(*OF_CALLERS, InvalidRequest, InvalidCursor, NotAcceptable),
)
async def get_conflicts(
    request: Request,
    principal: Reader,
    session: Read,
    paging: ByCursor,
    resolved: Annotated[bool, Query(description="Those that were resolved, with the versions between which.")] = False,
) -> Response:
    """Give both versions of each record that waits for a choice, oldest first."""
    return reply(request, await conflicts.list_kept(session, principal.user_id, paging, resolved=resolved))


@router.post(
    "/conflicts/{conflict_id}/resolve",
    summary="Resolve a conflict",
    response_model=ResolutionResult,
    responses=problems(
        *OF_CALLERS,
        *_BODY,
        ConflictNotFound,
        ConflictResolved,
        ContentRequired,
        RevisionConflict,
        RevisionRequired,
        ContentUnreadable,
        PayloadTooLarge,
        ChangeRejected,
        SealRequired,
        KeyRetired,
        NotAcceptable,
    ),
)
@takes(whole_records)
async def resolve_conflict(
    request: Request,
    conflict_id: UUID,
    principal: Writer,
    body: Annotated[Resolution, Depends(Parsed(Resolution, msgpack=True))],
    tx: Tx,
    parts: PartsOf,
) -> Response:
    """Close a conflict with the local, the remote or a merged version."""
    result = await conflicts.resolve(records_of(parts, tx, principal), conflict_id, body)
    return reply(request, result)


def _packed(request: Request, model: type[BaseModel], packed: bytes) -> Response:
    """Return an answer that was written as MessagePack, in the encoding that the request asks for.

    Between two programs of ours it goes out as it is: the model would only copy it.
    """
    if accepted(request) == codec.MSGPACK:
        return Written(packed, codec.MSGPACK)
    return Written(codec.encode(codec.decode(model, packed, codec.MSGPACK), codec.JSON), codec.JSON)
