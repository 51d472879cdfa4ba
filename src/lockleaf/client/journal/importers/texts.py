"""Texts as other programs write them: bytes to letters, and names that point at files."""

from __future__ import annotations

import codecs
import re
from urllib.parse import quote, unquote

__all__ = ["MAX_TEXT_BYTES", "attachment_link", "distinct_name", "letters", "link_target"]

MAX_TEXT_BYTES = 32 * 1024 * 1024
"""A longer file is no text that an entry could hold, in whatever encoding."""

_SCHEME = "attachment:"
_BRACKETS = re.compile(r"[][]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def letters(data: bytes, encoding: str | None = None) -> str:
    """Return bytes as text with line feeds: as their first bytes say, else as UTF-8, else in ``encoding``.

    Raises:
        ValueError: they are no such text.
    """
    text: str | None = None
    for mark, name in _MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(name)
            break
    else:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            if encoding is None:
                raise ValueError("not UTF-8 text: --encoding says what it is, such as latin-1") from None
            try:
                text = data.decode(encoding)
            except (LookupError, UnicodeDecodeError):
                raise ValueError(f"not text in {encoding}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def attachment_link(name: str, alt: str = "", *, shown: bool = True) -> str:
    """Return how the text of an entry points at a file that is attached to it, by its name there."""
    words = _BRACKETS.sub(r"\\\g<0>", alt)
    return f"{'!' if shown else ''}[{words}]({_SCHEME}{quote(name, safe='')})"


def link_target(url: str) -> str:
    """Return the path that the target of a link names, without what is behind it."""
    return unquote(url.strip().removeprefix("<").removesuffix(">").partition("#")[0])


def distinct_name(name: str, taken: set[str]) -> str:
    """Return a name that none of ``taken`` has, in whatever case, and add it to them."""
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        stem, dot, suffix = name, "", ""
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{stem} ({number}){dot}{suffix}"
    taken.add(found.casefold())
    return found
