"""The text of a post that comes as HTML, as its writer would have typed it."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["plain_text"]

_BLOCKS = {"p", "div", "blockquote", "ul", "ol", "pre", "h1", "h2", "h3", "h4"}
_SILENT = {"script", "style"}
_QUOTED = "quote-inline"  # repeats, for programs that do not show quotes, what is quoted


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0
        self._open: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")
            return
        if tag in {"img", "hr", "wbr", "input"}:
            return
        silent = tag in _SILENT or _QUOTED in (dict(attrs).get("class") or "").split()
        self._open.append(silent)
        self._silent += silent
        if tag in _BLOCKS:
            self.parts.append("\n\n")
        elif tag == "li":
            self.parts.append("\n- ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._open:
            self._silent -= self._open.pop()
        if tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def plain_text(html: str) -> str:
    """Return the text of a post: paragraphs with an empty line between them, links as they are written.

    A shortened link is whole in its text, the parts that a browser would hide included.
    """
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = [line.rstrip() for line in "".join(parser.parts).replace("\r", "").split("\n")]
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip()
