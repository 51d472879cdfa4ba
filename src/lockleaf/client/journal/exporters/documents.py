"""Entries, their files and their revisions as JSON: the one form that exports and ``--json`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockleaf.client.records.attachments import Attachment, MediaObject
from lockleaf.client.records.entries import Entry
from lockleaf.lazy import late

if TYPE_CHECKING:
    from lockleaf.client.journal import revisions
else:
    revisions = late("lockleaf.client.journal.revisions")  # which are a server's answers

__all__ = ["attachment_document", "entry_document", "revision_document"]


def entry_document(entry: Entry) -> dict[str, Any]:
    """Return what an entry is, whichever device is asked: its content, its files, its times, whether it is deleted."""
    return {
        "id": entry.id,
        "date": entry.date,
        "title": entry.title,
        "body": entry.body,
        "mood": entry.mood,
        "weather": entry.weather,
        "location": entry.location,
        "tags": list(entry.tags),
        "deleted": entry.deleted,
        "time_zone": entry.time_zone,
        "source": entry.source,
        "metrics": dict(entry.metrics),
        "attachments": [attachment_document(each) for each in entry.attachments],
        **({} if entry.foreign is None else {"foreign": dict(entry.foreign)}),
        "created_at": entry.created_at.isoformat(),
        "updated_at": entry.updated_at.isoformat(),
    }


def attachment_document(attachment: Attachment) -> dict[str, Any]:
    """Return an attachment as it stands in the JSON of its entry."""
    small = attachment.thumbnail
    return {
        "media_id": attachment.media_id,
        "name": attachment.name,
        **_facts(attachment),
        "thumbnail": None if small is None else {"media_id": small.media_id, **_facts(small)},
    }


def _facts(media_object: MediaObject) -> dict[str, Any]:
    return {
        "media_type": media_object.media_type,
        "size": media_object.size,
        "sha256": media_object.sha256.hex() if media_object.sha256 else None,
        "sealed_size": media_object.sealed_size,
        "sealed_sha256": media_object.sealed_sha256.hex() if media_object.sealed_sha256 else None,
    }


def revision_document(revision: revisions.Revision) -> dict[str, Any]:
    """Return one state of an entry; its text is null where it was a deletion, or is not kept any more."""
    return {
        "revision": revision.number,
        "event": revision.event,
        "at": revision.at.isoformat(),
        "device_id": revision.device_id or None,
        "verified": revision.verified,
        "entry": None if revision.entry is None else entry_document(revision.entry),
    }
