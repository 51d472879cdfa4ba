"""What an index holds of a text: the stems of its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockleaf.search.words import surfaces

if TYPE_CHECKING:
    from lockleaf.search.languages import Language

__all__ = ["positions", "stems"]


def stems(text: str, language: Language) -> frozenset[str]:
    """The distinct stems of a text, without stop words.

    Args:
        text: a field of an entry: its title, or its body.
        language: the account's.

    Returns:
        What the index holds of the field.
    """
    return frozenset(filter(None, map(language.forms.__getitem__, set(surfaces(text)))))


def positions(text: str, language: Language) -> list[str | None]:
    """The stems of a text in the order of its words: the list that phrases are looked for in.

    Args:
        text: a field of an entry.
        language: the account's.

    Returns:
        As many as words() gives, at the same positions; None for a stop word.
    """
    return list(map(language.forms.__getitem__, surfaces(text)))
