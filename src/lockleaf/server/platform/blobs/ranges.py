"""The range of bytes that a request asks for (RFC 9110, section 14)."""

from __future__ import annotations

import re

from lockleaf.server.platform.http.errors import RangeNotSatisfiable

__all__ = ["wanted_range"]

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)


def wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte that is asked for and the one behind the last; None for the whole.

    Several ranges at once, other units, and what cannot be understood are answered with the whole, as the standard
    allows.

    Args:
        header: the value of ``Range``, if the request has one.
        size: of the object, in bytes.

    Raises:
        RangeNotSatisfiable: the object ends before the range begins.
    """
    asked = _RANGE.fullmatch(header.strip()) if header is not None else None
    if asked is None or not (asked[1] or asked[2]):
        return None
    if not asked[1]:
        length = int(asked[2])
        if length == 0:
            raise RangeNotSatisfiable(size=size)
        return max(0, size - length), size
    first = int(asked[1])
    last = int(asked[2]) if asked[2] else size - 1
    if asked[2] and last < first:
        return None
    if first >= size:
        raise RangeNotSatisfiable(size=size)
    return first, min(last + 1, size)
