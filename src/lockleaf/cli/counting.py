"""How many there are of something, in words."""

from __future__ import annotations

__all__ = ["number_of"]


def number_of(count: int, what: str, several: str | None = None) -> str:
    """Return a count with its noun: ``1 entry``, ``2,000 entries``.

    Args:
        what: the noun, for one.
        several: its plural, where that is not the noun with an s.
    """
    return f"{count:,} {what if count == 1 else several or what + 's'}"
