"""Resolutions that the server seals: in a uce account, for a client that has no keys (PROTOCOL section 7)."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from lockleaf.server.features.content.plain import labels_of
from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.caller_records import CallerRecords
from lockleaf.server.identity.custody.keyrings import ContentUnreadable, OpenedContent
from lockleaf.server.records.errors import ContentRequired, PayloadTooLarge
from lockleaf.server.records.models import Conflict
from lockleaf.server.records.resolution import OpenConflict
from lockleaf.wire.codec import pack
from lockleaf.wire.conflicts import Resolution
from lockleaf.wire.content import MAX_CONTENT_BYTES
from lockleaf.wire.sync import Change, Record

__all__ = ["as_record", "changes"]

_PURPOSE = "conflicts.resolve"
_FIELDS = {"content": "body"} | {name: name for name in ("title", "mood", "weather", "location", "tags")}
"""The fields of a merged entry as a client sends them, and as they are sealed."""


async def changes(
    store: CallerRecords, open_conflict: OpenConflict, choice: Resolution, *, now: datetime
) -> list[Change]:
    """Return the change that follows the record with the kept version or the merged fields, and what goes with it.

    Raises:
        ContentRequired: merged, without its text.
        PayloadTooLarge: there is more in it than a record may hold.
        SessionRevoked, ContentUnreadable: as in the custody.
    """
    kept, record = open_conflict.conflict, open_conflict.record
    merged = choice.chosen_version == "merged"
    if merged and (choice.content is None or kept.collection != "entries"):
        raise ContentRequired
    async with store.keyring(_PURPOSE) as keys:
        if merged:
            # What is not among the fields stays as it is on the server, or as the device had it.
            ground = as_record(kept) if record is None or record.deleted else record
            content = _merged(_open(keys, ground), choice)
            labels, deleted = labels_of(keys, content), False
        else:
            ground = as_record(kept)
            content, labels, deleted = _open(keys, ground), ground.labels, ground.deleted
        content["resolves"] = _resolves(kept, content, _present(keys, record))
        change = store.change(
            kept.collection,
            kept.record_id,
            record,
            partial(keys.seal, content=content),
            labels=labels,
            source=ground.source,
            occurred_at=ground.occurred_at,
            deleted=deleted,
            device=choice.device_id or None,
            written_at=choice.client_updated_at or now,
        )
        return await store.completed(change, OpenedContent(keys, {kept.record_id: content}))


def as_record(kept: Conflict) -> Record:
    """Return the kept version as the record that it was sealed to become."""
    return Record(
        seq=0,
        collection=kept.collection,
        record_id=kept.record_id,
        revision=kept.base_revision + 1,
        parent=kept.parent,
        payload=kept.payload,
        deleted=kept.deleted,
        labels=tuple(kept.labels),
        source=kept.source,
        occurred_at=kept.occurred_text,
        device_id=kept.device_id,
        client_updated_at=kept.client_updated_at,
        created_at=kept.detected_at,
        updated_at=kept.detected_at,
    )


def _open(keys: keyrings.OpenKeyring, record: Record) -> dict[str, Any]:
    content = keys.open(record)
    # What its writer had seen of the history is that writer's word, and the server does not repeat it.
    content.pop("seen", None)
    return content


def _present(keys: keyrings.OpenKeyring, record: Record | None) -> dict[str, Any]:
    """Return what the record holds now; nothing where it does not open, which a decision may well put right."""
    try:
        return {} if record is None else _open(keys, record)
    except ContentUnreadable:
        return {}


def _resolves(kept: Conflict, *contents: dict[str, Any]) -> list[bytes]:
    """Return the payload hashes of every conflict decided about the record, this one included (PROTOCOL section 5)."""
    told = (content.get("resolves") for content in contents)
    return sorted({kept.payload_hash}.union(*(each for each in told if isinstance(each, list))))


def _merged(content: dict[str, Any], choice: Resolution) -> dict[str, Any]:
    merged = {**content, "type": "entry"}
    for sent in _FIELDS.keys() & choice.model_fields_set:
        sealed, value = _FIELDS[sent], getattr(choice, sent)
        if value in (None, ()):
            merged.pop(sealed, None)
        else:
            merged[sealed] = list(value) if isinstance(value, tuple) else value
    if len(pack(merged)) > MAX_CONTENT_BYTES:
        raise PayloadTooLarge
    return merged
