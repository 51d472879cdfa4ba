"""The forms of single values that travel, for programs that need no model of a body."""

from __future__ import annotations

import re
from datetime import UTC, datetime

__all__ = ["DEVICE_ID", "DIGEST_LENGTH", "is_device_id", "is_rfc3339"]

DIGEST_LENGTH = 32

DEVICE_ID = "[A-Za-z0-9._:-]{1,128}"
"""The regular expression of a device's id."""

_DEVICE_ID = re.compile(DEVICE_ID, re.ASCII)
_LONGEST_TIME = 40
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII)


def is_device_id(value: object) -> bool:
    """Tell whether ``value`` is the id of a device."""
    return isinstance(value, str) and _DEVICE_ID.fullmatch(value) is not None


def is_rfc3339(value: object) -> bool:
    """Tell whether ``value`` is an RFC 3339 time with a zone, as text, and a time that exists."""
    if not isinstance(value, str) or len(value) > _LONGEST_TIME or not _RFC3339.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True
