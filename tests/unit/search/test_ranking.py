"""The order of hits."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.search.languages import language
from lockleaf.search.matching import match
from lockleaf.search.plan import plan
from lockleaf.search.query import parse
from lockleaf.search.ranking import Corpus, coarse, fine
from tests.support.search_texts import diary_texts

ENGLISH = language("english")
CORPUS = Corpus(1000, {"cat": 500, "dog": 3, "mous": 1000})


def score(query: str, title: set[str], body: set[str], corpus: Corpus = CORPUS) -> float:
    return coarse(plan(parse(query), ENGLISH), title, body, corpus)


def test_rare_words_and_titles_count_more() -> None:
    assert score("cat dog", set(), {"dog"}) > score("cat dog", set(), {"cat"}) > score("cat dog", set(), set()) == 0
    assert score("cat dog", {"cat"}, set()) > score("cat dog", set(), {"cat"})
    assert score("cat dog", {"cat"}, {"cat"}) == score("cat dog", {"cat"}, set())
    assert score("cat OR dog", set(), {"cat", "dog"}) > score("cat OR dog", set(), {"dog"})


def test_a_word_that_all_entries_have_still_counts() -> None:
    assert score("mouse", set(), {"mous"}) > 0
    assert score("mouse", set(), {"mous"}, Corpus(1, {"mous": 5})) > 0
    assert score("new", set(), {"new"}, Corpus(0, {})) > 0


def test_what_must_be_absent_counts_nothing() -> None:
    assert score("cat -dog", {"dog"}, {"cat", "dog"}) == score("cat", set(), {"cat"})


@settings(max_examples=60, deadline=None)
@given(diary_texts, diary_texts)
def test_the_coarse_order_is_the_same_from_an_index_and_from_a_text(title: str, body: str) -> None:
    asked = plan(parse("cat OR dog OR house"), ENGLISH)
    hit = match(asked, title, body)
    if hit is not None:
        words = {
            name: {ENGLISH.stem(word) for word in text.split()} for name, text in (("title", title), ("body", body))
        }
        assert coarse(asked, hit.title_stems, hit.body_stems, CORPUS) == coarse(
            asked, words["title"], words["body"], CORPUS
        )
        assert 0 <= fine(hit) < 1


@given(st.integers(1, 30))
@settings(max_examples=10, deadline=None)
def test_more_often_and_nearer_is_finer(times: int) -> None:
    asked = plan(parse("cat OR dog"), ENGLISH)

    def of(body: str) -> float:
        hit = match(asked, None, body)
        assert hit is not None
        return fine(hit)

    assert of("cat " * (times + 1)) > of("cat " * times)
    assert of("cat dog" + " x" * times) > of("cat" + " x" * times + " dog")
