"""A query in a language: its stems, and what an index can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, Union

from lockleaf.search.query import And, Not, Term

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lockleaf.search.languages import Language
    from lockleaf.search.query import Node, Query

__all__ = ["All", "AnyOf", "Expression", "NoneOf", "Part", "Plan", "Stems", "plan"]

T = TypeVar("T")

Expression = dict[str, list[Union["Expression[T]", T]]]
"""Nested {"all" | "any" | "none": [...]} over tokens."""


@dataclass(frozen=True, slots=True)
class Stems:
    """A word or a phrase.

    Attributes:
        stems: the stem of each word; None where a stop word stood, for which any one word may stand. The first and the
            last are never None.
    """

    stems: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class All:
    """All of several parts."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of several parts at least."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """What must not be there."""

    part: Part


Part = Stems | All | AnyOf | NoneOf


@dataclass(frozen=True, slots=True)
class Plan:
    """A query that is ready to be answered.

    Attributes:
        query: what was asked; its filters are for whoever lists entries.
        language: whose stems these are.
        root: what is asked of the stems; None where nothing is left of the words.
        ignored: stop words that were left out, in order, each once.
        stems: those that are searched positively, distinct, in order.
    """

    query: Query
    language: Language
    root: Part | None
    ignored: tuple[str, ...]
    stems: tuple[str, ...]

    @property
    def needs_text(self) -> bool:
        """Whether there are phrases: an index knows no order, so candidates must be looked into."""
        return self.root is not None and any(len(leaf.stems) > 1 for leaf, _ in leaves(self.root))

    @property
    def positive(self) -> bool:
        """Whether it asks for something to be there, rather than only for something to be absent."""
        return self.root is not None and not _holds_of_nothing(self.root)

    @property
    def empty(self) -> bool:
        """Whether it can find nothing, whatever there is: nothing positive is asked, and no filter narrows it."""
        return not self.positive and not self.query.filtered

    def tokens(self, token: Callable[[str, str], T]) -> Expression[T] | None:
        """What to ask an index for: every entry that matches is among those it selects.

        Args:
            token: from a field ("title" or "body") and a stem to the token that the index holds for them.

        Returns:
            The expression; None where nothing positive is asked: only filters, only stop words, only negations.
        """
        return self.condition(token) if self.positive else None

    def condition(self, token: Callable[[str, str], T]) -> Expression[T] | None:
        """As tokens(), for queries too that only exclude: what to ask of entries that a filter has listed.

        Args:
            token: as for tokens().

        Returns:
            The expression; None where an index cannot exclude anything.
        """
        if self.root is None:
            return None
        found = _selects(self.root, token, exactly=False)
        return None if isinstance(found, bool) else found


def plan(query: Query, language: Language) -> Plan:
    """Bring a query into a language.

    Args:
        query: from parse().
        language: the account's.

    Returns:
        The plan.
    """
    ignored: list[str] = []
    root = _planned(query.root, language, ignored) if query.root is not None else None
    stems: list[str] = []
    if root is not None:
        for leaf, negated in leaves(root):
            if not negated:
                stems += [stem for stem in leaf.stems if stem is not None]
    return Plan(query, language, root, tuple(dict.fromkeys(ignored)), tuple(dict.fromkeys(stems)))


def leaves(part: Part, *, negated: bool = False) -> Iterator[tuple[Stems, bool]]:
    """The words and phrases of a plan.

    Args:
        part: where to begin.
        negated: whether it is itself under a negation.

    Yields:
        Each, with whether it must be absent.
    """
    if isinstance(part, Stems):
        yield part, negated
    elif isinstance(part, NoneOf):
        yield from leaves(part.part, negated=not negated)
    else:
        for inner in part.parts:
            yield from leaves(inner, negated=negated)


def _planned(node: Node, language: Language, ignored: list[str]) -> Part | None:
    """The part that a node becomes; None where stop words were all it had."""
    if isinstance(node, Term):
        return _stems(node, language, ignored)
    if isinstance(node, Not):
        inner = _planned(node.node, language, ignored)
        return None if inner is None else NoneOf(inner)
    parts = tuple(part for inner in node.nodes if (part := _planned(inner, language, ignored)) is not None)
    if len(parts) < 2:
        return parts[0] if parts else None
    return All(parts) if isinstance(node, And) else AnyOf(parts)


def _stems(term: Term, language: Language, ignored: list[str]) -> Stems | None:
    found = [None if language.is_stop(word) else language.stem(word) for word in term.words]
    ignored += [word for word in term.words if language.is_stop(word)]
    while found and found[-1] is None:
        found.pop()
    while found and found[0] is None:
        found.pop(0)
    return Stems(tuple(found)) if found else None


def _holds_of_nothing(part: Part) -> bool:
    """Whether an entry without a word would match."""
    if isinstance(part, Stems):
        return False
    if isinstance(part, NoneOf):
        return not _holds_of_nothing(part.part)
    held = (_holds_of_nothing(inner) for inner in part.parts)
    return all(held) if isinstance(part, All) else any(held)


def _selects(part: Part, token: Callable[[str, str], T], *, exactly: bool) -> Expression[T] | bool:
    """The expression of a part: never too narrow, or where `exactly` is asked, never too wide.

    What must be absent turns one into the other: to exclude no entry wrongly, only what surely holds may be excluded,
    and of a phrase an index never knows that it holds.
    """
    if isinstance(part, Stems):
        if exactly and len(part.stems) > 1:
            return False
        distinct = dict.fromkeys(stem for stem in part.stems if stem is not None)
        return _joined("all", [{"any": [token("title", stem), token("body", stem)]} for stem in distinct])
    if isinstance(part, NoneOf):
        inner = _selects(part.part, token, exactly=not exactly)
        if isinstance(inner, bool):
            return not inner
        return {"none": inner.get("any", [inner])}
    kind, absorbing = ("all", False) if isinstance(part, All) else ("any", True)
    found: list[Expression[T]] = []
    for each in part.parts:
        selected = _selects(each, token, exactly=exactly)
        if selected is absorbing:
            return absorbing
        if not isinstance(selected, bool):
            found.append(selected)
    return _joined(kind, found) if found else not absorbing


def _joined(kind: str, found: list[Expression[T]]) -> Expression[T]:
    """One expression of several, without levels that say nothing."""
    if len(found) == 1:
        return found[0]
    parts: list[Expression[T] | T] = []
    for each in found:
        parts += each.get(kind, [each])
    return {kind: parts}
