"""What a terminal is given to show: text, and nothing that it would take for a command."""

from __future__ import annotations

import re

__all__ = ["json_escaped", "printable"]


def printable(text: str) -> str:
    """Return ``text`` without the control characters by which what somebody wrote could command a terminal.

    Lines and tabs stay. Overrides of writing direction go too: they show text in another order than it is kept.
    """
    return "".join(c for c in text if c in "\n\t" or (c.isprintable() and c not in _DIRECTION) or c in _JOINERS)


def shown_name(name: str) -> str:
    """Return a name that somebody gave, on one line, with every character in it that commands a terminal escaped.

    Unlike in texts nothing is left out: a name that tries to look like another one does not.
    """
    return "".join(
        c if (c.isprintable() and c not in _DIRECTION) or c in _JOINERS else c.encode("unicode_escape").decode()
        for c in name
    )


# Joiners and selectors, not "printable" by Unicode's categories, hold emoji and several scripts together.
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f\u00a0\u00ad")
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def json_escaped(document: str) -> str:
    """Return a JSON document of the same value in which no character commands a terminal.

    JSON itself asks for escapes of the first 32 characters alone; some terminals take commands from others too.
    """
    return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", document)


_ESCAPED = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
