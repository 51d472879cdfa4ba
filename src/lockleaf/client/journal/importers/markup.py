"""HTML of notes and journals as Markdown: what a person wrote, without styles and scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

__all__ = ["markdown_of"]

_SILENT = frozenset({"script", "style", "head", "title", "template", "noscript"})
_BLOCKS = frozenset(
    {"p", "div", "section", "article", "header", "footer", "main", "figure", "table", "tr", "dl", "dt", "dd"}
)
_EMPTY = frozenset({"br", "hr", "img", "input", "meta", "link", "source", "wbr", "area", "col"})
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "s": "~~", "del": "~~", "strike": "~~", "code": "`"}
_HEADING = re.compile(r"h([1-6])")
_DEEPEST = 50
"""Lists and quotes within each other; deeper ones stand at this depth."""


def markdown_of(html: str, image: Callable[[str, str], str | None] | None = None) -> str:
    """Return HTML as Markdown.

    Args:
        image: returns what stands for an image of a source and a description; None: nothing does.
    """
    parser = _Writer(image)
    parser.feed(html)
    parser.close()
    return parser.text()


class _Writer(HTMLParser):
    def __init__(self, image: Callable[[str, str], str | None] | None) -> None:
        super().__init__(convert_charrefs=True)
        self._image = image
        self._lines: list[str] = []
        self._line = ""
        self._prefix: list[str] = []
        self._lists: list[int | None] = []
        """For each list that is open: the number of its next item, None for one without numbers."""
        self._silent: list[str] = []
        self._links: list[str] = []
        self._pre = 0

    def text(self) -> str:
        """Return what was written."""
        self._end_line()
        text = "\n".join(line.rstrip() for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")

    # ---- what the parser calls ----

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        given = {name: value or "" for name, value in attrs}
        if self._silent or tag in _SILENT:
            if tag not in _EMPTY:
                self._silent.append(tag)
            return
        if tag == "br":
            self._end_line()
        elif tag == "hr":
            self._paragraph()
            self._lines += [self._before() + "---", ""]
        elif tag == "img":
            if self._image is not None and (put := self._image(given.get("src", ""), given.get("alt", ""))):
                self._line += put
        elif tag == "input":
            if given.get("type") == "checkbox":
                self._line += "[x] " if "checked" in given else "[ ] "
        elif (found := _HEADING.fullmatch(tag)) is not None:
            self._paragraph()
            self._line += "#" * int(found[1]) + " "
        elif tag in ("ul", "ol"):
            self._end_line()
            if not self._lists:
                self._lines.append(self._before())
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self._item()
        elif tag == "blockquote":
            self._paragraph()
            if len(self._prefix) < _DEEPEST:
                self._prefix.append("> ")
        elif tag == "pre":
            self._paragraph()
            self._lines.append(self._before() + "```")
            self._pre += 1
        elif tag == "a":
            self._links.append(given.get("href", ""))
            self._line += "["
        elif tag in _BLOCKS:
            self._paragraph()
        elif tag in _MARKS and not self._pre:
            self._line += _MARKS[tag]

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if self._silent:
            if tag in self._silent:
                while self._silent.pop() != tag:
                    pass
            return
        if _HEADING.fullmatch(tag) or tag in _BLOCKS:
            self._paragraph()
        elif tag == "li":
            self._end_line()
        elif tag in ("ul", "ol"):
            self._end_line()
            if self._lists:
                self._lists.pop()
            if not self._lists:
                self._lines.append(self._before())
        elif tag == "blockquote":
            self._paragraph()
            if self._prefix:
                self._prefix.pop()
            self._lines.append("")
        elif tag == "pre" and self._pre:
            self._end_line()
            self._pre -= 1
            self._lines += [self._before() + "```", ""]
        elif tag == "a" and self._links:
            self._end_link(self._links.pop())
        elif tag in _MARKS and not self._pre:
            self._line += _MARKS[tag]

    def handle_data(self, data: str) -> None:
        """Write text."""
        if self._silent:
            return
        if self._pre:
            first, *others = data.split("\n")
            self._line += first
            for line in others:
                self._lines.append(self._before() + self._line)
                self._line = line
            return
        text = re.sub(r"[ \t\r\n\f]+", " ", data)
        self._line += text.lstrip(" ") if not self._line or self._line.endswith(" ") else text

    # ---- lines ----

    def _before(self) -> str:
        return "".join(self._prefix)

    def _end_line(self) -> None:
        if self._line.strip() or (self._pre and self._line):
            self._lines.append(self._before() + self._line)
        self._line = ""

    def _paragraph(self) -> None:
        """End a line, and leave one empty behind it, but not within a list."""
        had = bool(self._line.strip())
        if self._lists and self._line in ("- ", "1. "):
            return
        self._end_line()
        if had and not self._lists:
            self._lines.append(self._before())

    def _item(self) -> None:
        self._end_line()
        indent = "    " * (min(len(self._lists), _DEEPEST) - 1) if self._lists else ""
        number = self._lists[-1] if self._lists else None
        if number is None:
            self._line = f"{indent}- "
        else:
            self._line = f"{indent}{number}. "
            self._lists[-1] = number + 1

    def _end_link(self, target: str) -> None:
        before, mark, words = self._line.rpartition("[")
        if mark and target and not target.lower().startswith("javascript:"):
            self._line = f"{before}[{words}]({target})" if words.strip() else f"{before}<{target}>"
        elif mark:
            self._line = before + words
