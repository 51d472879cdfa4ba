"""The one form of a name that a person gives, by which two spellings of it are compared.

Tags, moods and sources are names that people type by hand, on several keyboards: ``Walks`` and ``walks``, an é of one
character and one of two, a space too many, a sign that cannot be seen. What a person means as one is one everywhere: in
an entry, in a filter, in a count, in a merge, and in the labels by which a server filters (PROTOCOL section 4).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["distinct_names", "known_as", "login_form", "same_name"]

# Characters that take no place and change no word: soft hyphen, joiners, marks of direction, word joiner and invisible
# operators, variation selectors, byte order mark. (The tag characters of flags stay: they tell flags apart.)
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
# Unicode's White_Space, written out: what Python calls space has four control characters more.
_SPACES = re.compile("[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def known_as(name: str) -> str:
    """Return the form of ``name`` that is compared: all spellings of one name have one.

    Without invisible characters; NFKC, case-folded, NFKC again; each run of white space one space, none at the ends.
    """
    folded = unicodedata.normalize("NFKC", _INVISIBLE.sub("", name)).casefold()
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", folded)).strip(" ")


def login_form(login_name: str) -> str:
    """Return the one form of an email, or of the name that an account has in its place: NFKC, trimmed, case-folded."""
    return unicodedata.normalize("NFKC", login_name).strip().casefold()


def same_name(one: str, other: str) -> bool:
    """Tell whether two spellings are of one name."""
    return known_as(one) == known_as(other)


def distinct_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return names each once, in their order and in the first of their spellings; what has no form is left out."""
    found: dict[str, str] = {}
    for name in names:
        if form := known_as(name):
            found.setdefault(form, name)
    return tuple(found.values())
