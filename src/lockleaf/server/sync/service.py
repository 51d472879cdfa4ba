"""What the synchronising door adds to the store: cursors, epochs, the shapes that travel, and waking the listeners."""

from __future__ import annotations

import struct
from datetime import datetime
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.auth.errors import TierRequired
from lockleaf.server.auth.principal import Principal
from lockleaf.server.context import Services
from lockleaf.server.cursors import InvalidCursor
from lockleaf.server.db.engine import DriverTransaction
from lockleaf.server.http.bodies import accepted
from lockleaf.server.records import conflicts, feed, resolution
from lockleaf.server.records import service as records
from lockleaf.server.records.errors import EpochChanged
from lockleaf.wire import codec
from lockleaf.wire.fields import encode_base64
from lockleaf.wire.sync import (
    Conflict,
    Conflicts,
    ConflictVersion,
    Push,
    Record,
    Resolution,
    ResolutionDetails,
    ResolutionResult,
)

__all__ = ["open_conflicts", "push", "read_feed", "reply", "resolve"]

_FEED = "feed"
_CONFLICTS = "conflicts"


def reply(request: Request, model: type[BaseModel], packed: bytes) -> Response:
    """Return an answer that was written as MessagePack, in the encoding that the request asks for.

    Between two programs of ours it goes out as it is: the model would only copy it.
    """
    if accepted(request) == codec.MSGPACK:
        return Response(packed, media_type=codec.MSGPACK)
    return Response(codec.encode(codec.decode(model, packed, codec.MSGPACK), codec.JSON), media_type=codec.JSON)


async def push(tx: DriverTransaction, services: Services, user_id: UUID, body: Push) -> bytes:
    """Apply a batch, and tell the account's listeners once it is committed; return a ``PushResult`` in MessagePack.

    Raises:
        TierRequired: the account holds no records here.
    """
    pushed = await records.push(tx.connection, user_id, body.changes, now=services.clock(), atomic=body.atomic)
    if pushed.moved:
        tx.after_commit.append(lambda: services.events.changed(user_id))
    for outcome in pushed.outcomes:
        services.metrics.changes.labels(outcome.status).inc()
    return codec.pack(
        {
            "results": [outcome.as_dict() for outcome in pushed.outcomes],
            "seq": pushed.seq,
            "head": pushed.head,
            "epoch": pushed.epoch,
            "cursor": _cursor(services, user_id, pushed.epoch, pushed.seq),
        }
    )


async def read_feed(
    services: Services, user_id: UUID, *, after: str | None, limit: int, collection: str | None
) -> bytes:
    """Return a page of the feed behind the cursor ``after``: a ``Feed`` in MessagePack.

    Raises:
        InvalidCursor: the cursor is not of this account's feed.
        EpochChanged: it is of an earlier epoch.
        TierRequired: the account holds no records here.
    """
    seq, epoch = (0, None) if after is None else _place(services, user_id, after)
    async with services.database.read_driver() as connection:
        page = await feed.read(connection, user_id, after=seq, limit=limit, collection=collection)
    if page is None:
        raise TierRequired(required="full_sync")
    if epoch is not None and epoch != page.epoch:
        latest = page.epochs[-1]
        raise EpochChanged(epoch=page.epoch, from_seq=latest.from_seq, from_head=encode_base64(latest.from_head))
    fields = {
        "cursor": _cursor(services, user_id, page.epoch, page.last_seq),
        "has_more": page.has_more,
        "seq": page.seq,
        "head": page.head,
        "epoch": page.epoch,
        "epochs": [
            {"epoch": each.epoch, "from_seq": each.from_seq, "from_head": each.from_head} for each in page.epochs
        ],
        "verifiable": collection is None,
    }
    return codec.pack_with_items("changes", page.changes, fields)


def _cursor(services: Services, user_id: UUID, epoch: str, seq: int) -> str:
    return services.cursors.seal(_FEED, user_id, struct.pack(">Q", seq) + epoch.encode())


def _place(services: Services, user_id: UUID, cursor: str) -> tuple[int, str]:
    place = services.cursors.open(_FEED, user_id, cursor)
    (seq,) = struct.unpack_from(">Q", place)
    return seq, place[8:].decode()


async def open_conflicts(
    session: AsyncSession, services: Services, user_id: UUID, *, cursor: str | None, limit: int
) -> Conflicts:
    """Return a page of the open conflicts, oldest first.

    Raises:
        InvalidCursor: the cursor is not of this account's conflicts.
    """
    after = None
    if cursor is not None:
        try:
            after = UUID(bytes=services.cursors.open(_CONFLICTS, user_id, cursor))
        except ValueError:
            raise InvalidCursor from None
    found = await conflicts.list_open(session, user_id, after=after, limit=limit)
    next_cursor = None
    if len(found) == limit:
        next_cursor = services.cursors.seal(_CONFLICTS, user_id, found[-1].conflict.conflict_id.bytes)
    return Conflicts(
        conflicts=tuple(map(_travelling, found)),
        total_count=await conflicts.count(session, user_id),
        next_cursor=next_cursor,
    )


def _travelling(found: conflicts.OpenConflict) -> Conflict:
    kept, record = found.conflict, found.record
    local = ConflictVersion(
        encrypted_content=kept.payload,
        base_revision=kept.base_revision,
        parent=kept.parent,
        labels=tuple(kept.labels),
        source=kept.source,
        occurred_at=kept.occurred_text,
        deleted=kept.deleted,
        device_id=kept.device_id,
        updated_at=kept.client_updated_at,
    )
    return Conflict(
        id=str(kept.conflict_id),
        collection=kept.collection,
        log_id=kept.record_id,
        detected_at=kept.detected_at,
        local_version=local,
        remote_version=_nothing(kept.client_updated_at) if record is None else _version(record),
    )


def _version(record: Record) -> ConflictVersion:
    return ConflictVersion(
        encrypted_content=record.payload,
        base_revision=record.revision - 1,
        parent=record.parent,
        revision=record.revision,
        labels=record.labels,
        source=record.source,
        occurred_at=record.occurred_at,
        deleted=record.deleted,
        device_id=record.device_id,
        updated_at=record.client_updated_at,
    )


def _nothing(at: datetime) -> ConflictVersion:
    """What the server has of a record that it lost: revision 0."""
    return ConflictVersion(
        encrypted_content=None,
        base_revision=0,
        parent=bytes(32),
        revision=0,
        deleted=False,
        device_id="",
        updated_at=at,
    )


async def resolve(
    session: AsyncSession, services: Services, principal: Principal, conflict_id: UUID, choice: Resolution
) -> ResolutionResult:
    """Close a conflict, and tell the account's listeners once it is committed.

    Raises:
        ConflictNotFound, ConflictResolved, ContentRequired, RevisionConflict, ChangeRejected: as in ``records``.
    """
    resolved = await resolution.resolve(
        session,
        principal.user_id,
        conflict_id,
        choice,
        device_id=principal.device_id or str(principal.session_id),
        now=services.clock(),
    )
    session.info.setdefault("after_commit", []).append(lambda: services.events.changed(principal.user_id))
    return ResolutionResult(
        message="The conflict is resolved.",
        details=ResolutionDetails(
            conflict_id=str(conflict_id),
            log_id=resolved.conflict.record_id,
            chosen_version=choice.chosen_version,
            seq=resolved.seq,
            revision=resolved.revision,
        ),
    )
