"""Conflicts as clients see them: both versions whole, and the choice between them.

What a choice writes depends on who can write it. A sealed record takes a change that a client sealed; in a uce account
the server seals for clients that cannot; a backup is a map of fields, which the server has.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.crypto.history import ZERO
from lockleaf.server.features.backups.service import BACKUPS, time_text
from lockleaf.server.features.sync import resealing
from lockleaf.server.identity.custody.caller_records import CallerRecords
from lockleaf.server.platform.paging import Paging
from lockleaf.server.records import conflicts, resolution
from lockleaf.server.records.errors import ContentRequired, RevisionConflict, RevisionRequired
from lockleaf.server.records.models import Conflict as Kept
from lockleaf.server.records.policy import endpoint_policy, sync_policy
from lockleaf.server.records.resolution import OpenConflict
from lockleaf.server.records.writer import AccountRecords, Base
from lockleaf.wire.codec import canonical, unpack
from lockleaf.wire.conflicts import (
    Conflict,
    Conflicts,
    ConflictVersion,
    Resolution,
    ResolutionDetails,
    ResolutionResult,
)
from lockleaf.wire.sync import Change, Record

__all__ = ["list_kept", "resolve"]

_TICK = timedelta(microseconds=1)
_LAST_BUT_ONE = datetime.max.replace(tzinfo=UTC) - _TICK


async def list_kept(session: AsyncSession, user_id: UUID, paging: Paging, *, resolved: bool) -> Conflicts:
    """Return a page of the open conflicts, or of the ``resolved`` ones, oldest first.

    Raises:
        InvalidCursor: the cursor is not of this list.
    """
    window = paging.window(f"conflicts/{resolved}", user_id, UUID)
    page = await conflicts.list_kept(session, user_id, window, resolved=resolved)
    return Conflicts(
        conflicts=tuple(_travelling(each.conflict, each.record) for each in page.items),
        total_count=await conflicts.count(session, user_id, resolved=resolved),
        **window.answer(page),
    )


def _travelling(kept: Kept, record: Record | None) -> Conflict:
    return Conflict.model_validate(
        {
            "id": str(kept.conflict_id),
            "collection": kept.collection,
            "log_id": kept.record_id,
            "detected_at": kept.detected_at,
            "resolved_at": kept.resolved_at,
            "chosen_version": kept.chosen_version,
            "local_version": ConflictVersion.model_validate(
                {
                    "device_id": kept.device_id,
                    **_content(kept.collection, kept.payload),
                    "base_revision": kept.base_revision,
                    "parent": kept.parent,
                    "labels": kept.labels,
                    "source": kept.source,
                    "occurred_at": kept.occurred_text,
                    "deleted": kept.deleted,
                    "updated_at": kept.client_updated_at,
                }
            ),
            "remote_version": _nothing(kept.client_updated_at) if record is None else _version(record),
        }
    )


def _content(collection: str, payload: bytes) -> dict[str, Any]:
    """What a version holds: a sealed payload as it is, a backup by its fields, an unsealed deletion nothing."""
    if collection != BACKUPS or not payload:
        return {"encrypted_content": payload or None}
    fields = unpack(payload)
    return {
        "encrypted_content": fields["encrypted_content"],
        "iv": fields["content_iv"],
        "tag": fields.get("content_tag"),
        "encrypted_embedding": fields.get("encrypted_embedding"),
        "embedding_iv": fields.get("embedding_iv"),
        "embedding_tag": fields.get("embedding_tag"),
        # Whose backup it is, which need not be who chose it.
        "device_id": fields["device_id"],
    }


def _version(record: Record) -> ConflictVersion:
    return ConflictVersion.model_validate(
        {
            "device_id": record.device_id,
            **_content(record.collection, record.payload),
            "base_revision": record.revision - 1,
            "parent": record.parent,
            "revision": record.revision,
            "labels": record.labels,
            "source": record.source,
            "occurred_at": record.occurred_at,
            "deleted": record.deleted,
            "updated_at": record.client_updated_at,
        }
    )


def _nothing(at: datetime) -> ConflictVersion:
    """What the server has of a record that it lost: revision 0."""
    return ConflictVersion(
        encrypted_content=None, base_revision=0, parent=ZERO, revision=0, deleted=False, device_id="", updated_at=at
    )


async def resolve(store: CallerRecords, conflict_id: UUID, choice: Resolution) -> ResolutionResult:
    """Close a conflict, and tell the account's listeners once it is committed.

    Raises:
        ConflictNotFound, ConflictResolved, RevisionConflict, PayloadTooLarge, ChangeRejected: as in ``records``.
        ContentRequired: the choice needs content that only the client has.
        RevisionRequired: the server shall seal, and nobody says which revision was looked at.
        SessionRevoked, ContentUnreadable: as in the custody, where the server seals.
    """
    now = store.clock()
    open_conflict = await resolution.take(store.tx.session, store.user_id, conflict_id)
    changes: list[Change] = []
    current = 0 if open_conflict.record is None else open_conflict.record.revision
    if choice.base_revision is not None and choice.base_revision != current and choice.payload is None:
        raise RevisionConflict(current_revision=current)
    if choice.chosen_version != "remote":
        changes = await _changes(store, open_conflict, choice, now=now)
    policy = endpoint_policy if open_conflict.conflict.collection == BACKUPS else sync_policy
    resolved = await resolution.close(store, open_conflict, choice.chosen_version, changes, policy=policy)
    return ResolutionResult(
        message="The conflict is resolved.",
        details=ResolutionDetails(
            conflict_id=str(conflict_id),
            log_id=open_conflict.conflict.record_id,
            chosen_version=choice.chosen_version,
            seq=resolved.seq,
            revision=resolved.revision,
        ),
    )


async def _changes(
    store: CallerRecords, open_conflict: OpenConflict, choice: Resolution, *, now: datetime
) -> list[Change]:
    conflict = open_conflict.conflict
    if conflict.collection == BACKUPS:
        return _of_backup(store, open_conflict, choice, now=now)
    if choice.payload is None and store.principal.custody == "uce":
        if choice.base_revision is None:
            raise RevisionRequired
        return await resealing.changes(store, open_conflict, choice, now=now)
    if choice.payload is None or choice.base_revision is None or choice.parent is None:
        raise ContentRequired
    change = store.change(
        conflict.collection,
        conflict.record_id,
        Base(choice.base_revision, choice.parent),
        choice.payload,
        deleted=choice.deleted,
        labels=choice.labels,
        source=choice.source,
        occurred_at=choice.occurred_at,
        tokens=choice.tokens,
        device=choice.device_id or None,
        written_at=choice.client_updated_at or now,
    )
    return [change]


def _of_backup(
    store: AccountRecords, open_conflict: OpenConflict, choice: Resolution, *, now: datetime
) -> list[Change]:
    """Return the change by which the kept version, or the merged one, comes next; none where the record is that now.

    It stays a backup of the device that sent the kept version, which may write on. In the history it is the chooser's.
    """
    kept, record = open_conflict.conflict, open_conflict.record
    if choice.chosen_version == "local" and record is not None and record.payload == kept.payload:
        return []
    fields = unpack(kept.payload)
    if choice.chosen_version == "merged":
        if choice.final_encrypted_content is None or choice.final_iv is None:
            raise ContentRequired
        fields = {
            "log_id": kept.record_id,
            "encrypted_content": choice.final_encrypted_content,
            "content_iv": choice.final_iv,
            "content_tag": choice.final_tag,
            "encrypted_embedding": choice.final_encrypted_embedding,
            "embedding_iv": choice.final_embedding_iv,
            "embedding_tag": choice.final_embedding_tag,
            "created_at": fields["created_at"],
            "device_id": fields["device_id"],
        }
    at = _time_of_choice(open_conflict, choice, now=now)
    change = store.change(
        BACKUPS,
        kept.record_id,
        record,
        canonical({**fields, "updated_at": at}),
        occurred_at=time_text(at),
        device=choice.device_id or None,
        written_at=at,
    )
    return [change]


def _time_of_choice(open_conflict: OpenConflict, choice: Resolution, *, now: datetime) -> datetime:
    """Return the ``updated_at`` of what was chosen.

    Devices ask for what was updated since the latest time that they have seen: so it is not before the choice, and
    behind both versions, however far ahead the clocks of their devices are.
    """
    # The driver gives the ends of the calendar, PostgreSQL's infinities, without a zone.
    seen = open_conflict.conflict.client_updated_at.replace(tzinfo=UTC)
    if open_conflict.record is not None:
        seen = max(seen, open_conflict.record.client_updated_at)
    return max(now, choice.client_updated_at or now, min(seen, _LAST_BUT_ONE) + _TICK)
