"""An entry as a Markdown file: what is known of it in YAML between two lines of dashes, then its text to the letter.

Each value of text stands in double quotes on one line, so that nobody's YAML takes a date for a time, ``no`` for false,
or what somebody wrote for the end of the block. One line end is put behind the text, and belongs to the file.

Below the text stand links to the attachments, behind a comment that says where it ends: programs that show Markdown
show them, and whoever reads the file back leaves them out.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["LINKS", "VERSION", "Linked", "markdown", "quoted", "split"]

VERSION = 1
"""Of this form; it stands in the front matter as ``lockleaf``."""
LINKS = "<!-- attachments -->"
"""The comment before the links, on a line of its own."""

_FENCE = "---"
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_IN_LINK = re.compile(r"([\\\[\]])")


@dataclass(frozen=True, slots=True)
class Linked:
    """An attachment in a Markdown file.

    Attributes:
        file: the way to it from there, with ``/``; None where it could not be exported.
        in_text: whether the text links to it, so that it needs no other link.
        facts: what else is said of it, by name.
    """

    name: str
    media_type: str
    file: str | None
    in_text: bool
    facts: Mapping[str, Any]


def markdown(fields: Mapping[str, Any], body: str, attachments: Sequence[Linked] = ()) -> bytes:
    """Return the file.

    Args:
        fields: what stands in the front matter, in its order; None, and what is empty, is left out.
        body: the text.
    """
    lines = [_FENCE, f"lockleaf: {VERSION}", *_lines(fields)]
    if attachments:
        lines.append("attachments:")
        for each in attachments:
            said = {
                "file": each.file,
                "name": each.name,
                "media_type": each.media_type,
                "in_text": each.in_text or None,
            }
            facts = {**said, **each.facts}
            told = [f"{name}: {_scalar(value)}" for name, value in facts.items() if value is not None]
            lines += [f"  {'- ' if number == 0 else '  '}{line}" for number, line in enumerate(told)]
    head = "\n".join([*lines, _FENCE, ""])
    text = f"{head}\n{body}\n"
    if links := [_link(each) for each in attachments if each.file is not None and not each.in_text]:
        text += "\n".join(["", LINKS, "", *links]) + "\n"
    return text.encode("utf-8", "replace")


def split(text: str, *, linked: bool) -> str:
    """Return the text of an entry out of what stands behind the front matter of its file.

    Args:
        text: from behind the line of dashes on.
        linked: whether the front matter names an attachment with a file that is not ``in_text``.
    """
    if linked:
        # The last one: what somebody wrote may have such a line, and the links never have.
        at = text.rfind(f"\n{LINKS}\n")
        text = text if at < 0 else text[:at]
    return text.removeprefix("\n").removesuffix("\n")


def quoted(text: str) -> str:
    """Return text in double quotes, as YAML and JSON read it."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))


def _lines(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if value is None or value in ([], {}):
            continue
        if isinstance(value, Mapping):
            yield f"{name}:"
            yield from (f"  {quoted(key)}: {_scalar(each)}" for key, each in value.items())
        elif isinstance(value, (list, tuple)):
            yield f"{name}:"
            yield from (f"  - {_scalar(each)}" for each in value)
        else:
            yield f"{name}: {_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    return quoted(value if isinstance(value, str) else json.dumps(value))


def _number(value: float) -> str:
    """Return a number as YAML 1.1 knows it, which takes ``1e-07`` for text."""
    if not math.isfinite(value):
        return {"inf": ".inf", "-inf": "-.inf"}.get(str(value), ".nan")
    digits, exponent, power = repr(value).partition("e")
    return (digits if "." in digits else f"{digits}.0") + exponent + power


def _link(linked: Linked) -> str:
    name = _IN_LINK.sub(r"\\\1", " ".join(linked.name.split()))
    picture = "!" if linked.media_type.startswith("image/") else ""
    return f"{picture}[{name}](<{linked.file}>)"
