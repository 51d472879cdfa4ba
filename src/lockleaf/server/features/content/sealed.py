"""A sealed entry as it travels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from lockleaf.server.features.content.common_fields import common_fields
from lockleaf.wire.entries import SealedEntry
from lockleaf.wire.fields import encode_base64
from lockleaf.wire.sync import Record

__all__ = ["as_json", "shown"]


def shown(record: Record) -> SealedEntry:
    """Return an entry as it travels."""
    return SealedEntry(
        **common_fields(record),
        source=record.source,
        occurred_at=record.occurred_at,
        payload=record.payload,
        labels=record.labels,
    )


def as_json(stored: Mapping[str, Any]) -> bytes:
    """Return what `shown` gives, in JSON, of a record's fields as they are stored.

    Built without the models, since devices and thin clients read entries all day; a test holds the two together.
    """
    source, occurred_at = stored.get("source"), stored.get("occurred_at")
    updated_at = f'"{stored["updated_at"]}"'
    labels = ",".join([f'"{encode_base64(label)}"' for label in stored["labels"]])
    return (
        f'{{"id":"{stored["record_id"]}","revision":{stored["revision"]},"parent":"{encode_base64(stored["parent"])}"'
        f',"seq":{stored["seq"]},"created_at":"{stored["created_at"]}","updated_at":{updated_at}'
        f',"deleted_at":{updated_at if stored["deleted"] else "null"},"source":{_text(source)}'
        f',"payload":"{encode_base64(stored["payload"])}","labels":[{labels}],"occurred_at":{_text(occurred_at)}}}'
    ).encode()


def _text(value: str | None) -> str:
    return "null" if value is None else to_json(value).decode()
