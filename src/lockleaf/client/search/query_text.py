"""A query as text: written out again without its filters, which travel beside it, and what it does not ask."""

from __future__ import annotations

from lockleaf.search.languages import language
from lockleaf.search.plan import plan
from lockleaf.search.query import And, Node, Not, Or, Term, parse

__all__ = ["is_filter", "only_excludes", "written"]


def written(root: Node | None) -> str:
    """Return what a parsed query asks of words as text that parses into the same."""
    return "" if root is None else _written(root, within=None)


def _written(node: Node, *, within: type[Node] | None) -> str:
    if isinstance(node, Term):
        text = " ".join(node.words)
        return f'"{text}"' if len(node.words) > 1 else text
    if isinstance(node, Not):
        text = f"-{_written(node.node, within=Not)}"
        # Of two in a row the parser takes the second for the first.
        return f"({text})" if within is Not else text
    if isinstance(node, Or):
        text = " OR ".join(_written(each, within=Or) for each in node.nodes)
        return text if within is None else f"({text})"
    text = " ".join(_written(each, within=And) for each in node.nodes)
    return text if within is None or within is Or else f"({text})"


def only_excludes(query: str) -> bool:
    """Tell whether a query says only which words must not be there, and so finds nothing."""
    parsed = parse(query)
    # No word is too common in this language: what is left are words that must not be there.
    asked = plan(parsed, language("simple")).tokens(lambda field, stem: field + stem)
    return parsed.root is not None and asked is None and not parsed.filtered


def is_filter(text: str) -> bool:
    """Tell whether a part of a query is read as a filter, and not as words."""
    return bool(parse(text).filtered)
