"""What differs between two texts, line by line."""

from __future__ import annotations

from difflib import SequenceMatcher

__all__ = ["differences"]

_MOST_LINES = 4000


def differences(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """Return the lines of both texts in order, each as ``=`` (in both), ``-`` (before alone) or ``+`` (after alone)."""
    old, new = before.split("\n"), after.split("\n")
    if len(old) + len(new) > _MOST_LINES:
        # Comparing takes time by the square: of very long texts all lines are shown, one text behind the other.
        return tuple(("-", line) for line in old) + tuple(("+", line) for line in new)
    found: list[tuple[str, str]] = []
    for kind, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found += (("=", line) for line in old[first:last])
        else:
            found += (("-", line) for line in old[first:last])
            found += (("+", line) for line in new[start:end])
    return tuple(found)
