"""Search on one device: an index that no write escapes, and that nobody reads who lies in wait beside it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.client.errors import InvalidSearch
from lockleaf.client.journal.journal import Journal
from lockleaf.client.records.entries import Entry, EntryDraft
from lockleaf.client.records.preferences import choose_locale
from lockleaf.client.search.filters import Facts, fits
from lockleaf.client.search.local_search import LocalSearch
from lockleaf.client.search.query_text import written
from lockleaf.client.search.results import Found
from lockleaf.client.search.word_digests import tokens_of
from lockleaf.client.store import LocalStore, local_keys
from lockleaf.crypto.keyring import Keyring
from lockleaf.crypto.labels import token
from lockleaf.search.languages import Language, language
from lockleaf.search.matching import match
from lockleaf.search.plan import plan
from lockleaf.search.query import parse
from lockleaf.search.ranking import Corpus, coarse, fine
from lockleaf.search.terms import stems

KEYRING = Keyring.new("2026-01-01T00:00:00Z")
ENGLISH = language("english")
INDEX = "store.sqlite3-search"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with LocalStore.create(tmp_path / "store.sqlite3", KEYRING) as store:
        yield store


@pytest.fixture
def journal(store: LocalStore) -> Journal:
    return Journal(store)


def reopened(store: LocalStore) -> LocalStore:
    store.close()
    return LocalStore.open(store.path, local_keys(KEYRING))


async def bodies(journal: Journal, query: str) -> list[str]:
    return [hit.entry.body for hit in (await journal.search(query)).hits]


async def imported(journal: Journal, texts: Iterable[str]) -> None:
    await journal.import_entries(
        EntryDraft(body=text, date="2020-01-01", external_id=str(at), provider="test") for at, text in enumerate(texts)
    )


# ---- what is found --------------------------------------------------------------------------------------------------


def looked_through(entries: Sequence[Entry], query: str, language: Language = ENGLISH) -> list[str]:
    """The ids of what a query finds, in order, by looking through every text."""
    asked = plan(parse(query), language)
    held = [stems(f"{entry.title or ''}\n{entry.body}", language) for entry in entries]
    corpus = Corpus(len(entries), {stem: sum(stem in each for each in held) for stem in asked.stems})
    ranked = []
    for entry in entries:
        found = match(asked, entry.title, entry.body)
        if found is not None and not asked.empty and fits(asked.query, Facts.of(entry)):
            much = coarse(asked, stems(entry.title or "", language), stems(entry.body, language), corpus)
            ranked.append((much, fine(found), entry.date, entry.id))
    ranked.sort(key=lambda each: each[3])
    ranked.sort(key=lambda each: each[:3], reverse=True)
    return [each[3] for each in ranked]


WORDS = ("rain", "raining", "sea", "the", "and", "Walk", "mill", "été", "雨", "don't")
TEXTS = st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(("write", "write", "edit", "retitle", "label", "delete", "restore", "search")),
        st.integers(0, 7),
        TEXTS,
    ),
    min_size=1,
    max_size=14,
)
ATOMS = st.one_of(
    st.sampled_from(WORDS),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"'),
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda part: f"-({part})"),
        st.tuples(inner, inner).map(" ".join),
        st.tuples(inner, inner).map(lambda parts: f"({' OR '.join(parts)})"),
    ),
    max_leaves=5,
)
FILTERS = st.sampled_from(("", " mood:Calm", ' tag:"long days"', " from:2020-01-03", " to:2020-01"))
QUERIES = st.tuples(EXPRESSIONS, FILTERS).map("".join)


@given(edits=EDITS, queries=st.lists(QUERIES, min_size=3, max_size=3))
@settings(max_examples=25, deadline=None)
def test_the_index_finds_what_looking_through_every_text_finds_in_the_same_order(
    edits: list[tuple[str, int, str]], queries: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder, LocalStore.create(Path(folder) / "store", KEYRING) as store:
        asyncio.run(_edited_and_searched(store, edits, queries))


async def _edited_and_searched(store: LocalStore, edits: list[tuple[str, int, str]], queries: list[str]) -> None:
    journal, kept = Journal(store), LocalSearch(store, worth_keeping=1)
    for kind, at, text in edits:
        entries = await journal.list(include_deleted=True)
        entry = entries[at % len(entries)] if entries else None
        if kind == "write" or entry is None:
            await journal.write(body=text, title=text[::-1][:9] or None, date=f"2020-01-0{at + 1}")
        elif kind == "delete" and not entry.deleted:
            await journal.delete(entry.id)
        elif kind == "restore" and entry.deleted:
            await journal.restore(entry.id)
        elif kind == "edit" and not entry.deleted:
            await journal.edit(entry.id, body=text)
        elif kind == "retitle" and not entry.deleted:
            await journal.edit(entry.id, title=text or None)
        elif kind == "label" and not entry.deleted:
            await journal.edit(entry.id, mood="CALM", tags=["Long Days"])
        elif kind == "search":
            await journal.search(text)
        # With a segment of its own in the file for every edit.
        kept.find(text, None)
    entries = await journal.list()
    for query in queries:
        found = await journal.search(query)
        assert LocalSearch(store).find(query, None) == kept.find(query, None) == found
        assert [hit.entry.id for hit in found.hits] == looked_through(entries, query), query
        assert found.total == len(found.hits)
        for hit in found.hits:
            for piece in hit.highlights:
                assert piece.text in ((hit.entry.title or "") if piece.field == "title" else hit.entry.body)
                assert all(start < end <= len(piece.text) for start, end in piece.marks)


async def test_as_many_hits_are_given_as_are_asked_for_and_all_are_counted(journal: Journal) -> None:
    await imported(journal, ("rain",) * 5)
    found = await journal.search("rain", limit=2)
    assert (len(found.hits), found.total) == (2, 5)
    assert [hit.score for hit in found.hits] == sorted((hit.score for hit in found.hits), reverse=True)


# ---- what is asked --------------------------------------------------------------------------------------------------


async def test_ten_thousand_words_are_refused_without_quoting_one(journal: Journal) -> None:
    await journal.write(body="plethora")
    with pytest.raises(InvalidSearch) as refused:
        await journal.search("plethora " * 10_000)
    assert "plethora" not in str(refused.value)
    with pytest.raises(InvalidSearch):
        await journal.search("(" * 500 + "plethora")


async def test_words_that_are_too_common_find_nothing_and_are_named(journal: Journal) -> None:
    await journal.write(body="the one and the other")
    assert await journal.search("the AND and") == Found((), 0, ("the", "and"))
    assert (await journal.search("the other")).ignored == ("the",)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ('he said "come in', '"come in'),
        ("nothing (closed", "((((closed"),
        ("שלום עולם", "עולם"),
        ("a \u202eright\u202c way", "right"),
        ("we had 🍕 and 👩‍👩‍👧 came", "👩‍👩‍👧"),
        ("we had 🍕", '"had 🍕"'),
        ("cafe\u0301 au lait", "café"),
        ("café au lait", "CAFE\u0301"),
        ("Z\u0335a\u0336l\u0337g\u0338o\u0334 text", "z\u0335a\u0336l\u0337g\u0338o\u0334"),
        ("ｆｕｌｌ width", "full"),
        ("今日は雨です", "雨"),
        ("x\x00y null", "null"),
        ("-minus and 'quotes'", "quotes OR"),
        ("Robert'); DROP TABLE stems;--", "drop table stems"),
        ("NEAR the stems NOT far", "near stems far"),
    ],
)
async def test_whatever_is_written_can_be_found(journal: Journal, text: str, query: str) -> None:
    await journal.write(body=text)
    await journal.write(body="something else")
    assert await bodies(journal, query) == [text]


EMPTY = ["", "   ", '"', "()", "-", "- -", "OR", "mood:", ":::", "\x00", "\ud800", "-rain", '""""']


@pytest.mark.parametrize("query", EMPTY)
async def test_a_query_that_asks_for_nothing_finds_nothing(journal: Journal, query: str) -> None:
    await journal.write(body="sea")
    assert (await journal.search(query)).hits == ()


@given(EXPRESSIONS)
@settings(max_examples=60, deadline=None)
def test_a_query_that_is_written_out_again_asks_the_same(query: str) -> None:
    root = parse(query).root
    assert parse(written(root)).root == root


async def test_words_are_compared_in_the_language_of_the_account(store: LocalStore) -> None:
    journal = Journal(store)
    await journal.write(body="Wir sahen viele Häuser")
    assert await bodies(journal, "Haus") == []
    choose_locale(store, "de-AT", now="2026-01-01T00:00:00Z")
    for each in (journal, Journal(store)):
        assert await bodies(each, "Haus") == ["Wir sahen viele Häuser"]
    choose_locale(store, "tlh", now="2026-01-02T00:00:00Z")
    assert await bodies(journal, "viel") == []


def test_digests_of_an_entry_tell_neither_order_nor_count() -> None:
    key = KEYRING.index_key
    found = tokens_of(key, ENGLISH, {"title": "The Rains", "body": "rain, rain and snow", "mood": "snowy"})
    assert set(found) == {token(key, "title", "rain"), token(key, "body", "rain"), token(key, "body", "snow")}
    assert all(one < other for one, other in pairwise(found))
    assert tokens_of(key, ENGLISH, {"body": "snow: rain!", "title": "rain"}) == found
    assert tokens_of(key, ENGLISH, {"body": 7, "title": None}) == ()
