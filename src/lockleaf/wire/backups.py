"""Bodies of ``/sync/backup``: entries that a device sealed by itself and backs up whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, Field, StringConstraints

from lockleaf.wire.base import OF_THE_SERVER, Body, SeveralNames
from lockleaf.wire.fields import BaseRevision, Bytes, DeviceId, Instant, RecordId, Sequence64

__all__ = [
    "Backup",
    "BackupDeleted",
    "BackupStored",
    "Backups",
    "BackupsDeleted",
    "MetricsDeleted",
    "Opaque",
    "StoredBackup",
]


def _no_route(record_id: str) -> str:
    # DELETE /sync/backup/content deletes all of them: no single one may be addressed so.
    if record_id == "content":
        raise ValueError("this id is reserved")
    return record_id


BackupId = Annotated[RecordId, AfterValidator(_no_route)]
Opaque = Annotated[str, StringConstraints(max_length=256)]
"""An initialisation vector or a tag, however its client writes it: returned unchanged."""


class _Content(Body):
    encrypted_content: Bytes
    content_iv: Opaque
    content_tag: Opaque | None = None
    encrypted_embedding: Bytes | None = None
    embedding_iv: Opaque | None = None
    embedding_tag: Opaque | None = None
    updated_at: Instant = Field(description="As the client says; the list is in this order.")
    device_id: DeviceId


class Backup(SeveralNames, _Content):
    """One entry, sealed by a device."""

    asks_for_nothing: ClassVar[Mapping[str, str]] = OF_THE_SERVER

    created_at: Instant | None = Field(default=None, description="As the client says; `updated_at` if it says nothing.")

    id: BackupId = Field(validation_alias=AliasChoices("id", "log_id"), description="May be sent as `log_id`.")
    base_revision: BaseRevision | None = Field(
        default=None,
        description="The revision that this follows, 0 for none. Without it the rule of older clients holds: another "
        "device's text is never replaced.",
    )

    def fields(self) -> dict[str, Any]:
        """Return what is stored of it: everything but the revision that it follows."""
        stored = self.model_dump(mode="python", exclude={"id", "base_revision"}, exclude_none=True)
        return {"log_id": self.id, **stored, "created_at": self.made_at}

    @property
    def made_at(self) -> datetime:
        """When the entry was made, as far as the client says."""
        return self.created_at or self.updated_at


class StoredBackup(_Content):
    """A backup as the server has it."""

    id: RecordId
    log_id: RecordId = Field(description="The same as `id`.")
    created_at: Instant
    user_id: UUID
    revision: Sequence64


class BackupStored(Body):
    """The answer to a backup that was stored, or had been."""

    id: RecordId
    log_id: RecordId = Field(description="The same as `id`.")
    user_id: UUID
    created_at: Instant
    updated_at: Instant
    device_id: str
    revision: Sequence64
    message: str


class Backups(Body):
    """A page of backups, by their clients' ``updated_at``."""

    backups: tuple[StoredBackup, ...]
    has_more: bool
    total_count: int = Field(description="How many the filters find, on all pages.")
    next_cursor: str | None = Field(
        default=None, description="With `has_more`: goes on also within backups of one `updated_at`, as `since` cannot."
    )


class BackupDeleted(Body):
    """The answer to the deletion of one backup."""

    success: bool = True
    message: str


class BackupsDeleted(Body):
    """The answer to the deletion of all backups."""

    message: str
    deleted_backups: int
    deleted_conflicts: int = Field(description="Versions that waited for a choice, or had been decided.")


class MetricsDeleted(Body):
    """The answer to the deletion of all encrypted metrics."""

    message: str
    deleted_metrics: int
