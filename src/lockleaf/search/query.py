"""The query language: words, "phrases", OR, -not, (groups) and filters.

A query is a tree over what was written, in no language yet: plan.py brings it to stems. Nothing is refused but length
and depth: whatever a person types means something, and a quote or a bracket left open closes at the end.
"""

from __future__ import annotations

import calendar
import datetime
import re
from dataclasses import dataclass, field

from lockleaf.search.words import words

__all__ = ["And", "InvalidQuery", "Node", "Not", "Or", "Query", "Term", "parse"]

LONGEST_QUERY = 4096
MOST_WORDS = 64
DEEPEST = 16

_QUOTES = {ord(c): '"' for c in "\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02"}
_TOKEN = re.compile(
    r"""\s*+(?:
      (?P<not>-(?=[^\s)]))
    | (?P<filter>(?i:mood|tag|source|from|to)):(?P<value>"[^"]*"?|[^\s()"]+)
    | (?P<open>\()
    | (?P<close>\))
    | "(?P<phrase>[^"]*)"?
    | (?P<or>OR)(?=[\s()"]|$)
    | (?P<term>[^\s()"]+)
    )""",
    re.VERBOSE,
)
_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


class InvalidQuery(ValueError):
    """The query is longer or deeper than queries may be. Nothing of it is in the text.

    Attributes:
        code: "query_too_long".
    """

    code = "query_too_long"

    def __init__(self) -> None:
        """Make the error."""
        super().__init__(f"a query has at most {LONGEST_QUERY} characters, {MOST_WORDS} words and {DEEPEST} levels")


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or several that must follow each other.

    Attributes:
        words: as words() gives them; never empty.
    """

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All of several; never fewer than two."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of several at least; never fewer than two."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be there."""

    node: Node


Node = Term | And | Or | Not


@dataclass(frozen=True, slots=True)
class Query:
    """A query, taken apart.

    Attributes:
        root: what is asked of the words; None where there is no word.
        mood: the mood asked for, as it was written.
        tags: the tags asked for, all of which an entry must have, as they were written, each once.
        source: the source asked for.
        first: the first day, as YYYY-MM-DD.
        last: the last day, inclusive, as YYYY-MM-DD.
    """

    root: Node | None = None
    mood: str | None = None
    tags: tuple[str, ...] = ()
    source: str | None = None
    first: str | None = None
    last: str | None = None

    @property
    def filtered(self) -> bool:
        """Whether anything is asked beside the words."""
        return bool(self.mood or self.tags or self.source or self.first or self.last)


@dataclass(slots=True)
class _Level:
    """One bracket that is open: finished alternatives, and the one being read."""

    negated: bool = False
    alternatives: list[Node] = field(default_factory=list)
    parts: list[Node] = field(default_factory=list)

    def turn(self) -> None:
        if self.parts:
            self.alternatives.append(self.parts[0] if len(self.parts) == 1 else And(tuple(self.parts)))
            self.parts = []

    def close(self) -> Node | None:
        self.turn()
        if not self.alternatives:
            return None
        node = self.alternatives[0] if len(self.alternatives) == 1 else Or(tuple(self.alternatives))
        return Not(node) if self.negated else node


class _Reader:
    """Reads one query from left to right."""

    def __init__(self) -> None:
        self.levels = [_Level()]
        self.count = 0
        self.single: dict[str, str] = {}
        self.tags: list[str] = []

    def term(self, text: str, *, negated: bool) -> None:
        found = tuple(word.text for word in words(text) if word.text)
        self.count += len(found)
        if self.count > MOST_WORDS:
            raise InvalidQuery
        if found:
            self.levels[-1].parts.append(Not(Term(found)) if negated else Term(found))

    def close(self) -> None:
        node = self.levels.pop().close()
        if node is not None:
            self.levels[-1].parts.append(node)

    def filter(self, name: str, value: str) -> bool:
        """Take a filter; False where its value makes it none, and it is to be read as words."""
        if name == "tag":
            if value and value not in self.tags:
                self.tags.append(value)
            return True
        if name in {"from", "to"} and value:
            day = _day(value, last=name == "to")
            if day is None:
                return False
            value = day
        if value:
            self.single[name] = value
        return True


def parse(text: str) -> Query:
    """Take a query apart.

    Args:
        text: what was typed.

    Returns:
        The query; one without a root and without filters where nothing was asked.

    Raises:
        InvalidQuery: longer than 4,096 characters, more than 64 words, or brackets deeper than 16.
    """
    if len(text) > LONGEST_QUERY:
        raise InvalidQuery
    # Without what is blank at its end: nothing follows there, and each place of it would be looked at to its end.
    text = text.translate(_QUOTES).rstrip()
    reader = _Reader()
    negated = False
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "not":
            negated = True
            continue
        if kind == "open":
            if len(reader.levels) > DEEPEST:
                raise InvalidQuery
            reader.levels.append(_Level(negated=negated))
        elif kind == "close":
            if len(reader.levels) > 1:
                reader.close()
        elif kind == "or":
            reader.levels[-1].turn()
        elif kind == "value":
            # A filter says what entries to look among. "Not this mood" is not one of them, and is read as words.
            if negated or not reader.filter(token["filter"].lower(), token["value"].strip('"').strip()):
                reader.term(f"{token['filter']} {token['value']}", negated=negated)
        else:
            reader.term(token[kind] if kind else "", negated=negated)
        negated = False
    while len(reader.levels) > 1:
        reader.close()
    return Query(
        root=reader.levels[0].close(),
        mood=reader.single.get("mood"),
        tags=tuple(reader.tags),
        source=reader.single.get("source"),
        first=reader.single.get("from"),
        last=reader.single.get("to"),
    )


def _day(value: str, *, last: bool) -> str | None:
    """The day that a date, a month or a year stands for as the first or the last of a span; None if it is no date."""
    found = _DAY.fullmatch(value)
    if found is None:
        return None
    year = int(found[1])
    month, day = (int(part) if part else None for part in found.groups()[1:])
    try:
        if month is None:
            month = 12 if last else 1
        if day is None:
            day = calendar.monthrange(year, month)[1] if last else 1
        return datetime.date(year, month, day).isoformat()
    except ValueError:
        return None
