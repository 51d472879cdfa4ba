"""What a search over a diary must find: queries made from it, and PostgreSQL's own full-text search of its plain text.

The reference shares words and stems with what it judges, and nothing else: order, phrases and logic are PostgreSQL's.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from lockleaf.client.journal.importers.jsonl import read_jsonl
from lockleaf.client.records.entries import EntryDraft
from lockleaf.search.languages import Language, language
from lockleaf.search.plan import All, NoneOf, Part, Plan, Stems, plan
from lockleaf.search.query import parse
from lockleaf.search.terms import positions, stems
from lockleaf.search.words import words

__all__ = ["ENGLISH", "Asked", "Index", "PlainSearch", "queries", "titled_diary", "tsquery", "tsvector"]

ENGLISH = language("english")
# Between the words of a title and those of a body, so that no phrase reaches from one to the other.
_GAP = 100


@dataclass(frozen=True)
class Asked:
    """One query, and what it is an example of."""

    kind: str
    text: str


def titled_diary(path: Path) -> list[EntryDraft]:
    """The diary as it is imported; every other entry has its first words as its title."""
    drafts = list(read_jsonl(path))
    return [
        replace(draft, title=" ".join(draft.body.split()[:7])) if number % 2 else draft
        for number, draft in enumerate(drafts)
    ]


# Queries -------------------------------------------------------------------------------------------------------------


def queries(drafts: Sequence[EntryDraft], language: Language = ENGLISH) -> list[Asked]:
    """Two hundred queries out of a diary's own words: always the same of the same diary."""
    return list(_queries(drafts, language, random.Random(1660)))


def _queries(drafts: Sequence[EntryDraft], language: Language, chance: random.Random) -> Iterator[Asked]:
    texts = [[word.text for word in words(draft.body)] for draft in drafts]
    held: Counter[str] = Counter()
    for text in texts:
        held.update({word for word in text if not language.is_stop(word)})
    of_rank = [word for word, _ in sorted(held.items(), key=lambda item: (-item[1], item[0]))]
    rare = [word for word in of_rank if held[word] <= 3]
    middling = [word for word in of_rank if 20 <= held[word] <= 150]
    long_enough = [text for text in texts if len(text) > 60]

    def of_one(count: int) -> list[str]:
        """Words of one entry, so that there is something to find."""
        known = [word for word in set(chance.choice(long_enough)) if held[word] > 4]
        return chance.sample(sorted(known), count)

    def run(length: int) -> str:
        text = chance.choice(long_enough)
        at = chance.randrange(len(text) - length)
        return " ".join(text[at : at + length])

    def phrase(length: int, *, bound: int = 150) -> str:
        """Words that follow each other somewhere, two or more of them no stop words, and one of those not common."""
        while True:
            found = run(length)
            counts = [held[word] for word in found.split() if not language.is_stop(word)]
            if len(counts) > 1 and min(counts) <= bound:
                return f'"{found}"'

    yield from (Asked("rare", chance.choice(rare)) for _ in range(25))
    yield from (Asked("common", word) for word in of_rank[:15])
    yield from (Asked("middling", chance.choice(middling)) for _ in range(15))
    yield from (Asked("several words", " ".join(of_one(2 + number % 2))) for number in range(30))
    yield from (Asked("or", " OR ".join(chance.sample(middling, 2 + number % 2))) for number in range(15))
    yield from (Asked("negation", "{} -{}".format(*of_one(2))) for _ in range(15))
    yield from (
        Asked("phrase", phrase(2 + number % 4, bound=len(drafts) if number % 6 == 0 else 150)) for number in range(30)
    )
    stopped = [f'"{" ".join(found)}"' for found in _around_stop_words(texts, language, chance, 20, held)]
    yield from (Asked("phrase around a stop word", text) for text in stopped)
    yield from (Asked("negated phrase", f"{chance.choice(middling)} -{phrase(2)}") for _ in range(10))
    for around in stopped[:10]:
        # Entries that have the words of a phrase, but in another order or further apart.
        first, _, last = around.strip('"').split()
        yield Asked("words without their phrase", f"{first} {last} -{around}")
    for number in range(15):
        one, two, three = of_one(3)
        form = (
            "({0} OR {1}) {2}",
            "{0} -({1} OR {2})",
            '({0} OR "{3}") -{1}',
            "-({0} -{1}) {2}",
            '{0} OR ({1} -"{3}")',
        )
        yield Asked("groups", form[number % len(form)].format(one, two, three, phrase(2).strip('"')))


def _around_stop_words(
    texts: Sequence[Sequence[str]], language: Language, chance: random.Random, count: int, held: Mapping[str, int]
) -> list[tuple[str, str, str]]:
    found: set[tuple[str, str, str]] = set()
    while len(found) < count:
        text = chance.choice(texts)
        for first, inner, last in zip(text, text[1:], text[2:], strict=False):
            parted = language.is_stop(inner) and not language.is_stop(first) and not language.is_stop(last)
            # Now and then of common words alone: there are many entries then that have them, but not so.
            if parted and (min(held[first], held[last]) <= 200 or len(found) % 6 == 0):
                found.add((first, inner, last))
                break
    return sorted(found)


# PostgreSQL ----------------------------------------------------------------------------------------------------------


def tsvector(title: str | None, body: str, language: Language = ENGLISH) -> str:
    """A text's stems with their positions, as PostgreSQL reads them: no position for a stop word, but a place."""
    of_title = positions(title or "", language)
    places: dict[str, list[int]] = {}
    for offset, found in ((1, of_title), (1 + len(of_title) + _GAP, positions(body, language))):
        for at, stem in enumerate(found, offset):
            if stem is not None:
                places.setdefault(stem, []).append(at)
    # Beyond these PostgreSQL forgets positions, and would be no reference.
    assert all(len(at) < 256 and at[-1] < 16384 for at in places.values())
    return " ".join(f"{_quoted(stem)}:{','.join(map(str, at))}" for stem, at in places.items())


def tsquery(asked: Plan) -> str:
    """A plan's words as PostgreSQL reads them; empty where it has none."""
    return _tsquery(asked.root) if asked.root is not None else ""


def _tsquery(part: Part) -> str:
    if isinstance(part, Stems):
        text, distance = "", 0
        for stem in part.stems:
            if stem is not None:
                text += (f" <{distance}> " if text else "") + _quoted(stem)
                distance = 0
            distance += 1
        return f"({text})"
    if isinstance(part, NoneOf):
        return f"!{_tsquery(part.part)}"
    return "(" + (" & " if isinstance(part, All) else " | ").join(map(_tsquery, part.parts)) + ")"


def _quoted(stem: str) -> str:
    return "'" + stem.replace("\\", "\\\\").replace("'", "''") + "'"


class PlainSearch:
    """PostgreSQL's own full-text search over plain text, with an index of its own kind."""

    def __init__(self, connection: asyncpg.Connection[Any], language: Language = ENGLISH) -> None:
        self.connection = connection
        self.language = language

    async def load(self, documents: Iterable[tuple[str, str | None, str]]) -> None:
        """Index documents, each an id, a title and a body, in a table of this connection alone."""
        await self.connection.execute("CREATE TEMPORARY TABLE plain_search (id text PRIMARY KEY, plain tsvector)")
        await self.connection.executemany(
            "INSERT INTO plain_search VALUES ($1, $2::text::tsvector)",
            [(id_, tsvector(title, body, self.language)) for id_, title, body in documents],
        )
        await self.connection.execute("CREATE INDEX ON plain_search USING gin (plain); ANALYZE plain_search")

    async def find(self, text: str) -> set[str]:
        """The ids of the documents that a query finds."""
        asked = plan(parse(text), self.language)
        found = await self.connection.fetch(
            "SELECT id FROM plain_search WHERE plain @@ $1::text::tsquery", tsquery(asked)
        )
        return {row["id"] for row in found}


# The index ------------------------------------------------------------------------------------------------------------


class Index:
    """A blind index in memory: sets of documents by token, and nothing of order or number."""

    def __init__(self, documents: Iterable[tuple[str, str | None, str]], language: Language = ENGLISH) -> None:
        self.language = language
        self.everything: set[str] = set()
        self.holding: dict[tuple[str, str], set[str]] = {}
        for id_, title, body in documents:
            self.everything.add(id_)
            for field, text in (("title", title or ""), ("body", body)):
                for stem in stems(text, language):
                    self.holding.setdefault((field, stem), set()).add(id_)

    def select(self, expression: Any) -> set[str]:
        """The documents that an expression over (field, stem) selects."""
        if isinstance(expression, tuple):
            return self.holding.get(expression, set())
        ((kind, parts),) = expression.items()
        found: list[set[str]] = [self.select(part) for part in parts]
        if kind == "all":
            return found[0].intersection(*found[1:])
        either = found[0].union(*found[1:])
        return either if kind == "any" else self.everything - either
