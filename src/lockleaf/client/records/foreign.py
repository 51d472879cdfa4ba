"""Entries that another application sealed by a scheme of its own, while the account had no keyring.

They are carried along as they came: their fields are one field of an entry's map, and nothing in them is taken for
something that this program understands but the date. An edit here adds to the map, and loses nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from lockleaf.crypto.encoding import encode_base64, strict_unpack
from lockleaf.crypto.errors import Malformed
from lockleaf.wire.content import InvalidContent, date_text

__all__ = ["FOREIGN", "foreign_content", "foreign_fields", "foreign_map"]

FOREIGN = "foreign"
"""The field of an entry's map that holds them."""


def foreign_content(payload: bytes) -> dict[str, Any]:
    """Return the map of an entry that came as ``payload``: its fields, or what is no map of such in base64."""
    try:
        found = strict_unpack(payload)
    except Malformed:
        found = None
    return foreign_map(found if _is_kept(found) else {"payload": encode_base64(payload)})


def foreign_map(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the map of an entry whose application gave it these ``fields``."""
    content: dict[str, Any] = {"type": "entry", "body": "", FOREIGN: dict(fields)}
    try:
        return content | {"occurred_at": date_text(str(fields["occurred_at"]))}
    except (KeyError, InvalidContent):
        return content


def foreign_fields(content: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the fields that another application gave an entry, None for one of this program's family."""
    found = content.get(FOREIGN)
    return found if isinstance(found, dict) and _is_kept(found) else None


def _is_kept(value: Any) -> bool:
    """Tell whether a value is a map of text, numbers and lists of them, as JSON holds it too."""
    return isinstance(value, dict) and all(
        isinstance(name, str) and all(map(_is_plain, each if isinstance(each, list) else [each]))
        for name, each in value.items()
    )


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))
