"""A tag as it is stored, and as it travels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lockleaf.server.identity.custody.keyrings import ContentUnreadable, OpenKeyring
from lockleaf.server.records.opaque import opaque_label, opaque_map
from lockleaf.wire.palette import color_of
from lockleaf.wire.sync import Record
from lockleaf.wire.tags import Tag

__all__ = ["has_own_color", "in_order", "in_order_of_bytes", "opaque_id", "sealed_map", "shown"]

_COLOR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)


def opaque_id(name: str) -> str:
    """Return the id of an opaque name that came without its label: the same name is the same tag."""
    return opaque_label("tag", name).hex()


def sealed_map(name: str, color: str | None, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the map of a tag that is to be sealed, with those fields of the one before that nobody here knows."""
    kept = {field: value for field, value in (before or {}).items() if field != "seen"}
    chosen = color or (kept["color"] if _is_color(kept.get("color")) else None) or color_of(name)
    return {**kept, "type": "tag", "name": name, "color": chosen}


def has_own_color(content: Mapping[str, Any]) -> bool:
    """Tell whether a tag has another colour than the one that its name stands for."""
    return _is_color(content.get("color")) and content["color"] != color_of(str(content.get("name", "")))


def _is_color(value: object) -> bool:
    """Tell whether a value is ``#rrggbb``."""
    return isinstance(value, str) and _COLOR.fullmatch(value) is not None


def shown(keys: OpenKeyring | None, record: Record, last_used_at: datetime | None) -> Tag:
    """Return a tag as it travels: opened with the ``keys`` of a uce account, as it is without them."""
    tag = Tag(id=record.record_id, created_at=record.created_at, last_used_at=last_used_at)
    found = opaque_map(record.payload) if keys is None else None
    if found is None and keys is None:
        return tag.model_copy(update={"payload": record.payload})
    if found is None and keys is not None:
        try:
            found = keys.open(record)
        except ContentUnreadable:
            return tag.model_copy(update={"unreadable": True})
    name, color = (found or {}).get("name"), (found or {}).get("color")
    if not isinstance(name, str):
        return tag.model_copy(update={"unreadable": True})
    # With e2e a colour is as opaque as its name.
    given = color if isinstance(color, str) and (keys is None or _is_color(color)) else None
    return tag.model_copy(update={"name": name, "color": given or color_of(name)})


def in_order(tag: Tag) -> tuple[bytes, bytes]:
    """Return what a list of plain names is sorted by: the alphabet, then the spelling."""
    name = tag.name or ""
    return name.casefold().encode(), name.encode()


def in_order_of_bytes(tag: Tag) -> bytes:
    """Return what a list of opaque names is sorted by: the bytes that are stored."""
    return tag.payload if tag.payload is not None else (tag.name or "").encode()
