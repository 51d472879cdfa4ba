"""Links in the text of an entry that point at its attachments by name: ``![a path](attachment:photo.jpg)``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

__all__ = ["TextLink", "parts_of", "target_of", "with_targets"]

_SCHEME = "attachment:"
_LINK = re.compile(rf"(?P<mark>!?)\[(?P<alt>(?:[^\]\\\n]|\\.)*)\]\({_SCHEME}(?P<name>[^()\s]+)\)")


@dataclass(frozen=True, slots=True)
class TextLink:
    """A link to an attachment.

    Attributes:
        text: the whole of it, as it stands there.
        alt: its words, as Markdown.
        name: of the attachment.
        shown: whether the attachment is to be seen in its place.
    """

    text: str
    alt: str
    name: str
    shown: bool

    def to(self, target: str) -> str:
        """Return the same link with another target."""
        return f"{'!' if self.shown else ''}[{self.alt}]({target})"


def target_of(name: str) -> str:
    """Return the target of a link to the attachment of a name."""
    return _SCHEME + quote(name, safe="")


def parts_of(body: str) -> Iterator[str | TextLink]:
    """Yield the text in its order: words, and the links between them."""
    at = 0
    for found in _LINK.finditer(body):
        if found.start() > at:
            yield body[at : found.start()]
        yield TextLink(found[0], found["alt"], unquote(found["name"]), bool(found["mark"]))
        at = found.end()
    if at < len(body):
        yield body[at:]


def with_targets(body: str, target: Callable[[TextLink], str | None]) -> str:
    """Return the text with other targets of its links; None leaves one as it is."""
    if _SCHEME not in body:
        return body
    made = []
    for part in parts_of(body):
        to = None if isinstance(part, str) else target(part)
        made.append(part if isinstance(part, str) else part.text if to is None else part.to(to))
    return "".join(made)
