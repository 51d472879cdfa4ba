"""The search language agrees with its vectors."""

from __future__ import annotations

from typing import Any

import pytest

from lockleaf.search.languages import language
from lockleaf.search.plan import plan
from lockleaf.search.query import parse
from lockleaf.search.terms import positions, stems
from lockleaf.search.words import words
from tests.support.vectors import vectors

VECTORS = vectors("search")


@pytest.mark.parametrize("case", VECTORS["texts"], ids=lambda case: f"{case['language']} {case['text'][:20]}")
def test_a_text_has_the_words_and_stems_of_its_vector(case: dict[str, Any]) -> None:
    spoken = language(case["language"])
    assert [word.text for word in words(case["text"])] == case["words"]
    assert positions(case["text"], spoken) == case["positions"]
    assert sorted(stems(case["text"], spoken)) == case["stems"]


@pytest.mark.parametrize("case", VECTORS["queries"], ids=lambda case: case["query"])
def test_a_query_asks_for_what_its_vector_says(case: dict[str, Any]) -> None:
    query = parse(case["query"])
    asked = plan(query, language(case["language"]))
    filters = {"mood": query.mood, "tags": list(query.tags), "source": query.source}
    assert filters | {"first": query.first, "last": query.last} == case["filters"]
    assert list(asked.ignored) == case["ignored"]
    pair: Any = lambda field, stem: [field, stem]  # noqa: E731
    assert asked.tokens(pair) == case["tokens"]
