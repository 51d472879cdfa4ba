"""What an entity tag says of a record's revision (RFC 9110, section 13): rules of text, which services need too."""

from __future__ import annotations

import re

__all__ = ["etag", "matches", "named"]

_ETAG = re.compile(r'(?:^|,)\s*"([^"]*)"(?=\s*(?:,|$))')


def etag(revision: int) -> str:
    """Return the entity tag of a revision."""
    return f'"{revision}"'


def matches(if_match: str | None, revision: int) -> bool:
    """Tell whether an ``If-Match`` header lets something be done to ``revision``; without one everything may be.

    A weak tag matches nothing: the comparison is a strong one.
    """
    return if_match is None or if_match.strip() == "*" or str(revision) in _ETAG.findall(if_match)


def named(if_match: str | None) -> int | None:
    """Return the revision that an ``If-Match`` header names, None where it names none or several."""
    found = [] if if_match is None else _ETAG.findall(if_match)
    return int(found[0]) if len(found) == 1 and re.fullmatch(r"[0-9]{1,18}", found[0], re.ASCII) else None
