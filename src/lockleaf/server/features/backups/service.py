"""Backups: entries that older clients seal by themselves, each a record of the collection ``backups``.

The feed shows them as it shows every record. What is written through ``/sync/push`` or ``/entries`` is no backup: it
has neither the vectors nor the tags that these clients expect.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from lockleaf.crypto.history import ZERO
from lockleaf.server.features.backups.errors import BackupConflict, BackupNotFound
from lockleaf.server.features.backups.rule import Verdict, judge
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.transaction import CommitThenRefuse
from lockleaf.server.platform.paging import Paging
from lockleaf.server.records import blobs, pages
from lockleaf.server.records.writer import AccountRecords, Base
from lockleaf.wire.backups import Backup, BackupDeleted, Backups, BackupsDeleted, BackupStored, StoredBackup
from lockleaf.wire.codec import canonical, unpack
from lockleaf.wire.sync import Change, Record

__all__ = ["BACKUPS", "delete", "delete_all", "list_since", "store", "time_text"]

BACKUPS = "backups"


def time_text(at: datetime) -> str:
    """Return a time as a record's ``occurred_at``."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def store(records: AccountRecords, body: Backup) -> BackupStored:
    """Store a backup, or keep it as an open conflict beside the one that is there.

    Raises:
        BackupConflict: another one is there. This one is kept, by way of `CommitThenRefuse`.
        TierRequired: the account holds no records here.
        PayloadTooLarge: it is larger than a record may be.
        QuotaExceeded: the account would hold more than it may.
    """
    current = await records.current(BACKUPS, body.id)
    present = None if current is None or current.deleted else current.payload
    revision = 0 if current is None else current.revision
    fields = body.fields()
    payload = canonical(fields)
    verdict = judge(present, revision, fields, body.base_revision)
    if verdict is Verdict.SAME:
        return _stored(records.user_id, body, revision)
    if current is not None and present is not None and _may_be_old(verdict, current, body):
        earlier = await blobs.find_accepted(records.connection, records.user_id, BACKUPS, body.id, payload)
        if earlier is not None:
            return _stored(records.user_id, body, earlier.revision)
        decided = await blobs.find_decided(records.connection, records.user_id, BACKUPS, body.id, payload)
        if decided is not None and decided.revision is not None:
            return _stored(records.user_id, body, decided.revision)
        if decided is not None:
            raise BackupConflict(conflict_id=str(decided.conflict_id), log_id=body.id, current_revision=revision)
    if verdict is Verdict.CONFLICT:
        conflict_id = await records.keep(_refused(records, current, body, payload))
        conflict = BackupConflict(conflict_id=str(conflict_id), log_id=body.id, current_revision=revision)
        raise CommitThenRefuse(conflict)
    change = records.change(
        BACKUPS,
        body.id,
        current,
        payload,
        occurred_at=time_text(body.updated_at),
        device=body.device_id,
        written_at=body.updated_at,
    )
    revision, _ = await blobs.follow(records, current, change)
    return _stored(records.user_id, body, revision)


def _may_be_old(verdict: Verdict, current: Record, body: Backup) -> bool:
    """Tell whether the earlier revisions must be searched for what is offered.

    Whoever names the present revision means it. A device that names none, and brings an older time than it brought
    before, may only be sending again what it sent then.
    """
    if verdict is Verdict.CONFLICT:
        return True
    return body.base_revision is None and body.updated_at <= current.client_updated_at


def _refused(records: AccountRecords, current: Record | None, body: Backup, payload: bytes) -> Change:
    known = current is not None and current.revision == body.base_revision
    return records.change(
        BACKUPS,
        body.id,
        Base(body.base_revision or 0, Base.of(current).payload_hash if known else ZERO),
        payload,
        occurred_at=time_text(body.updated_at),
        device=body.device_id,
        written_at=body.updated_at,
    )


def _stored(user_id: UUID, body: Backup, revision: int) -> BackupStored:
    return BackupStored(
        id=body.id,
        log_id=body.id,
        user_id=user_id,
        created_at=body.made_at,
        updated_at=body.updated_at,
        device_id=body.device_id,
        revision=revision,
        message="The backup is stored.",
    )


async def list_since(
    database: Database, user_id: UUID, paging: Paging, *, since: datetime | None, but_device: str | None
) -> Backups:
    """Return a page of backups by their clients' times: at most ``limit``, and fewer where they would exceed 8 MiB.

    What ``but_device`` wrote last is left out. That is the device whose request made the present revision: a choice
    between two versions is the chooser's, and news to the device whose version was chosen.

    Those of one time stay on one page where they can, since ``since`` goes on behind a time. Where they fill it, only
    the cursor leads to the rest of them.

    Raises:
        InvalidCursor: the cursor is not of this list.
    """
    window = paging.window("backups", user_id, datetime, str)
    start = pages.BEGINNING if since is None else pages.behind(since)
    async with database.read_driver() as connection:
        page = await pages.by_time(connection, user_id, window, start=start, but_device=but_device)
    return Backups(
        backups=tuple(_shown(user_id, record) for record in page.items),
        has_more=page.end is not None,
        total_count=page.total or 0,
        **window.answer(page),
    )


def _shown(user_id: UUID, record: Record) -> StoredBackup:
    fields = {**unpack(record.payload), "id": record.record_id}
    return StoredBackup.model_validate({**fields, "user_id": user_id, "revision": record.revision})


async def delete(records: AccountRecords, record_id: str) -> BackupDeleted:
    """Delete a backup. Versions of it that wait for a choice stay: each may be the only copy of what a device wrote.

    Raises:
        BackupNotFound: there is no such backup.
    """
    current = await records.current(BACKUPS, record_id)
    if current is None or current.deleted:
        raise BackupNotFound
    await blobs.delete(records, current)
    return BackupDeleted(message="The backup is deleted.")


async def delete_all(records: AccountRecords) -> BackupsDeleted:
    """Delete every backup, every version of one, and what waited for a choice between them."""
    deleted, conflicts = await blobs.delete_all(records, BACKUPS)
    return BackupsDeleted(message="All backups are deleted.", deleted_backups=deleted, deleted_conflicts=conflicts)
