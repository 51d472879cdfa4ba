"""A query written out again without its filters, which travel beside it."""

from __future__ import annotations

from lockleaf.search.query import And, Node, Not, Or, Term

__all__ = ["written"]


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
