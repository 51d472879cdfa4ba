"""What every part asks of text that comes from outside."""

from __future__ import annotations

__all__ = ["is_utf8"]


def is_utf8(text: str) -> bool:
    """Tell whether a text can be written down: Python keeps bytes that it could not read as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
