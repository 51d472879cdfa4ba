"""Markdown as HTML that runs nothing and loads nothing.

What an entry holds may have been written by anybody: an import, a shared inbox, another program. Markdown that brings
its own HTML is shown as text; what comes out is sanitised once more, by a parser of its own. A picture from elsewhere
would tell somebody else when an entry is read: it becomes a link, which names it in ``data-src``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import unquote

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["excerpt", "render"]

_ATTACHMENT = "attachment:"
_REMOTE = re.compile(r"https?://", re.IGNORECASE)
_OWN = re.compile(r"\./api/entries/[0-9a-f-]{36}/attachments/[0-9a-f-]{36}")
_ELSEWHERE = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p",
    "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title", "class", "data-src", "target"},
    "img": {"alt", "title", "class", "src", "loading"},
    "code": {"class"},
    "ol": {"start"},
    "span": {"class"},
    "td": {"class"},
    "th": {"class"},
}
_CLASSES = re.compile(r"(?:language-[A-Za-z0-9+#_-]{1,40}|remote-image|attached|missing|align-(?:left|right|center))")
_MARKS = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)|[*_`~#>]+|^\s*(?:[-+]|\d+[.)])\s+", re.MULTILINE)
_SPACE = re.compile(r"\s+")


def render(body: str, attachments: Mapping[str, str] | None = None) -> str:
    """Return Markdown as HTML.

    Args:
        body: the text.
        attachments: addresses of those of its entry, by name.
    """
    environment = {"attachments": dict(attachments or {})}
    return nh3.clean(
        _markdown().render(body, environment),
        tags=_TAGS,
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        url_relative="pass_through",  # only those of attachments are, and `_kept` knows how they look
    )


def excerpt(body: str, length: int = 240) -> str:
    """Return the beginning of a text in one line, without what Markdown puts between the words."""
    plain = _SPACE.sub(" ", _MARKS.sub(r"\1", body[: 4 * length])).strip()
    return plain if len(plain) <= length else f"{plain[:length].rstrip()}…"


def _kept(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "class":
        return " ".join(each for each in value.split() if _CLASSES.fullmatch(each)) or None
    if attribute == "src" and not _OWN.fullmatch(value):
        return None
    if attribute == "href" and not (_ELSEWHERE.match(value) or _OWN.fullmatch(value)):
        return None
    if attribute == "data-src" and not _REMOTE.match(value):
        return None
    return value


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    # Every address is looked at below and in the sanitiser; without this, links to attachments would be left as text.
    markdown.validateLink = _may_link  # type: ignore[method-assign]
    for name, rule in (("image", _image), ("link_open", _link_open), ("th_open", _cell), ("td_open", _cell)):
        markdown.add_render_rule(name, rule)
    return markdown


def _may_link(url: str) -> bool:
    return url.lower().startswith((_ATTACHMENT, "http://", "https://", "mailto:"))


def _image(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: MutableMapping[str, Any]) -> str:
    token = tokens[at]
    source = str(token.attrs.get("src", ""))
    words = escape(renderer.renderInlineAsText(token.children or [], options, env))
    if source.lower().startswith(_ATTACHMENT):
        name = unquote(source[len(_ATTACHMENT) :])
        known = env["attachments"].get(name)
        if known is None:
            return f'<span class="missing">{words or escape(name)}</span>'
        return f'<img class="attached" loading="lazy" src="{escape(known)}" alt="{words or escape(name)}">'
    if _REMOTE.match(source):
        address = escape(source)
        return f'<a class="remote-image" target="_blank" href="{address}" data-src="{address}">{words or address}</a>'
    return f'<span class="missing">{words}</span>'


def _link_open(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: MutableMapping[str, Any]) -> str:
    token = tokens[at]
    target = str(token.attrs.get("href", ""))
    if target.lower().startswith(_ATTACHMENT):
        known = env["attachments"].get(unquote(target[len(_ATTACHMENT) :]))
        return (
            '<a class="missing">' if known is None else f'<a class="attached" target="_blank" href="{escape(known)}">'
        )
    token.attrs["target"] = "_blank"
    return str(renderer.renderToken(tokens, at, options, env))


def _cell(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: MutableMapping[str, Any]) -> str:
    """A column's direction as a class: the policy of the page takes no style from a text."""
    token = tokens[at]
    style = str(token.attrs.pop("style", ""))
    if style.startswith("text-align:"):
        token.attrs["class"] = f"align-{style.removeprefix('text-align:')}"
    return str(renderer.renderToken(tokens, at, options, env))
