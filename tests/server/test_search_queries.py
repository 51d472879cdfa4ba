"""What a search in words finds in a uce account: by stems, phrases, logic and filters, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lockleaf.server.features.search.candidates import Candidates
from lockleaf.server.platform.settings import Settings
from tests.support.account_holders import problem, served
from tests.support.accounts import Owner, change, register
from tests.support.diaries import FullClient, thin
from tests.support.searching import contents, found, lasting, write

DIARY: tuple[dict[str, Any], ...] = (
    {"content": "We walked along the river, and talked of the old house.", "title": "A walk", "mood": "calm",
     "tags": ["Holiday", "river"], "source": "web", "occurred_at": "2026-03-01"},
    {"content": "Rain. The house was cold, the river high.", "mood": "sad", "occurred_at": "2026-03-02"},
    {"content": "The house by the river: we talked of walking.", "title": "House", "tags": ["holiday"],
     "occurred_at": "2026-03-03T10:00:00+01:00"},
    {"content": "Café, naïve, Straße; 日本語 and עברית; 🐙 at last.", "occurred_at": "2026-03-04"},
    {"content": "Nothing much. Don't ask.", "mood": "calm", "occurred_at": "2026-03-05"},
)  # fmt: skip
WALK, RAIN, HOUSE, FOREIGN, NOTHING = (entry["content"] for entry in DIARY)


@pytest.fixture
async def uma(http: httpx.AsyncClient, database_url: str) -> Owner:
    """Somebody whose server opens what they wrote, and who wrote this diary; tests only read it."""
    owner, is_new = await lasting(http, database_url, __name__)
    for entry in DIARY if is_new else ():
        await write(owner, **entry)
    return owner


async def test_a_query_means_what_its_language_says(uma: Owner) -> None:
    expected = {
        "river": {WALK, RAIN, HOUSE},
        "rivers HOUSES": {WALK, RAIN, HOUSE},
        "walking": {WALK, HOUSE},
        "walk -rain": {WALK, HOUSE},
        "river -walk": {RAIN},
        "rain OR octopus OR 🐙": {RAIN, FOREIGN},
        "house (cold OR old)": {WALK, RAIN},
        '"old house"': {WALK},
        '"house old"': set(),
        '"talked of walking"': {HOUSE},
        # A stop word in a phrase stands for any one word.
        '"house by the river"': {HOUSE},
        '"house was cold"': {RAIN},
        'house -"old house"': {RAIN, HOUSE},
        "cafe": set(),
        "CAFÉ": {FOREIGN},
        "cafe\u0301 strasse": {FOREIGN},
        "日本": {FOREIGN},
        "עברית": {FOREIGN},
        "don't": set(),
        "mood:calm": {WALK, NOTHING},
        "river mood:calm": {WALK},
        "mood:calm -river": {NOTHING},
        "tag:holiday": {WALK, HOUSE},
        "tag:holiday tag:river": {WALK},
        "source:web": {WALK},
        "from:2026-03-03 to:2026-03-04": {HOUSE, FOREIGN},
        "river from:2026-03-02": {RAIN, HOUSE},
        "river to:2026-03-01": {WALK},
        "river from:2027": set(),
        "-river": set(),
        "": set(),
        "   ": set(),
    }
    for query, texts in expected.items():
        assert await contents(uma, query) == texts, query
        assert (await found(uma, query))["total"] == len(texts) or '"' in query


async def test_filters_beside_the_query_narrow_it_like_those_within(uma: Owner) -> None:
    assert await contents(uma, "river", mood="calm") == {WALK}
    assert await contents(uma, "river mood:sad", mood="calm") == set()
    assert await contents(uma, "", tags=["holiday", "RIVER"]) == {WALK}
    assert await contents(uma, "house", source="web") == {WALK}
    assert await contents(uma, "river", **{"from": "2026-03-02", "to": "2026-03-03"}) == {RAIN, HOUSE}
    assert await contents(uma, "river from:2026-03-03", to="2026-03-03T08:59:59Z") == set()
    assert await contents(uma, "", **{"from": "2026-03-04"}) == {FOREIGN, NOTHING}


async def test_rare_words_titles_and_nearness_decide_the_order(uma: Owner) -> None:
    hits = (await found(uma, "walk OR cold OR river"))["items"]
    assert [hit["entry"]["content"] for hit in hits] == [WALK, RAIN, HOUSE]
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)
    titled = (await found(uma, "house"))["items"]
    assert titled[0]["entry"]["title"] == "House"
    by_date = (await found(uma, "mood:calm"))["items"]
    assert [hit["entry"]["content"] for hit in by_date] == [NOTHING, WALK]


async def test_marks_lie_on_what_was_searched_for(uma: Owner) -> None:
    [hit] = (await found(uma, '"old house" walk'))["items"]
    marked = {each["field"]: [each["text"][start:end] for start, end in each["marks"]] for each in hit["highlights"]}
    assert marked == {"title": ["walk"], "body": ["walked", "old house"]}
    [foreign] = (await found(uma, "日本"))["items"]
    [[start, end], *_] = foreign["highlights"][0]["marks"]
    assert foreign["highlights"][0]["text"][start:end] in ("日", "日本")


async def test_a_query_of_very_common_words_finds_nothing_and_says_so(uma: Owner) -> None:
    told = await found(uma, "the and of")
    assert (told["items"], told["total"], told["ignored"]) == ([], 0, ["the", "and", "of"])


TYPED = (
    '"never closed river', "river) ((", "((((river", '""', "OR OR", "-", "--river", "river -", ":", "mood:", 'tag:"x',
    "from:yesterday", "\u202eriver\u202c", "e\u0301" * 50, "\u0301", "🐙🐙🐙", "\x00river", "a" * 4096, "%_'; --", "'",
)  # fmt: skip
TOO_LONG = ("word " * 10_000, "word " * 65, "a" * 4097, "(" * 17 + "word" + ")" * 17)


async def test_whatever_a_person_types_is_answered_up_to_its_length(uma: Owner) -> None:
    for query in TYPED:
        told = await found(uma, query)
        assert told["total"] >= len(told["items"]), query
    for query in TOO_LONG:
        problem(await uma.request("POST", "/search", json={"query": query}), 422, "query_too_long")


async def test_what_is_no_search_is_refused_without_an_echo(uma: Owner) -> None:
    for body in (
        {},
        {"query": 7},
        {"query": "sea", "limit": 0},
        {"query": "sea", "limit": 501},
        {"query": "sea", "from": "unmistakable"},
        {"query": "sea", "tags": "unmistakable"},
        {"query": "sea", "mood": ""},
        {"query": "sea", "cursor": "u" * 513},
        {"tokens": {"any": ["AAAAAAAAAAA="]}},
    ):
        refused = await uma.request("POST", "/search", json=body)
        problem(refused, 422, "invalid_request")
        assert "unmistakable" not in refused.text


# ---- pages ----


async def pages(owner: Owner, query: str, limit: int) -> list[str]:
    """The texts of all hits of a query, page by page."""
    texts: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        told = await found(owner, query, limit=limit, **cursor)
        assert len(told["items"]) <= limit
        texts += [hit["entry"]["content"] for hit in told["items"]]
        if told["next_cursor"] is None:
            return texts
        cursor = {"cursor": told["next_cursor"]}


async def test_a_page_ends_where_its_time_is_over_and_the_next_goes_on(settings: Settings) -> None:
    long = "x" * 300_000  # more than are opened together
    hurried = settings.model_copy(update={"search": settings.search.model_copy(update={"page_seconds": 0.0})})
    pages = []
    async with served(settings) as (_, http):
        uma = await thin(http)
        for number in range(3):
            await write(uma, f"sea {number} {long}")
        assert len((await found(uma, "sea"))["items"]) == 3
    async with served(hurried) as (_, http):
        uma.http = http
        pages.append(await found(uma, "sea"))
        while (cursor := pages[-1]["next_cursor"]) is not None:
            pages.append(await found(uma, "sea", cursor=cursor))
    assert [[hit["entry"]["content"][:5] for hit in page["items"]] for page in pages] == [
        ["sea 2"],
        ["sea 1"],
        ["sea 0"],
    ]


@pytest.fixture
async def narrow(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[FastAPI, Owner, int]]:
    """A server that looks into four entries a request, and somebody with many entries of which some are deleted."""
    monkeypatch.setenv("LOCKLEAF_SEARCH__OPENED_PER_REQUEST", "4")
    async with served(Settings()) as (app, http):
        owner = await thin(http)
        full = await FullClient.of(owner)
        for number in range(23):
            body = f"house {'of cards' if number % 3 else 'and cards'} {number} {'rare ' * (number % 5)}"
            day = f"2026-01-{1 + number % 9:02}"
            await full.push({"type": "entry", "body": body, "occurred_at": day})
        yield app, owner, 23


async def test_paging_gives_every_hit_once(narrow: tuple[FastAPI, Owner, int]) -> None:
    _, owner, count = narrow
    for limit in (1, 3, 50):
        texts = await pages(owner, "house", limit)
        assert len(texts) == len(set(texts)) == count
    for limit in (3, 5):
        phrase = await pages(owner, '"house of cards"', limit)
        assert len(phrase) == len(set(phrase)) == count
        exact = await pages(owner, 'rare house -"rare rare"', limit)
        assert len(exact) == len(set(exact)) == sum(number % 5 == 1 for number in range(count))


async def test_a_request_opens_so_many_entries_and_no_more(narrow: tuple[FastAPI, Owner, int]) -> None:
    _, owner, count = narrow
    # Each of them has the words, and none of them in this order: all would be opened for nothing.
    told = await found(owner, '"cards house"', limit=50)
    assert (told["items"], told["total"], told["total_exact"]) == ([], count, False)
    assert told["next_cursor"] is not None
    accesses = (await owner.request("GET", "/users/me/access")).json()["items"]
    assert {each["records"] for each in accesses if each["purpose"] == "search"} == {4}
    assert await pages(owner, '"cards house"', 50) == []


async def test_a_cursor_is_of_its_query_and_its_account(http: httpx.AsyncClient, uma: Owner) -> None:
    cursor = (await found(uma, "river", limit=1))["next_cursor"]
    other = await thin(http)
    for entry in DIARY:
        await write(other, **entry)
    assert (await found(uma, "river", limit=2, cursor=cursor))["items"]
    for owner, body in (
        (other, {"query": "river"}),
        (uma, {"query": "house"}),
        (uma, {"query": "river", "mood": "calm"}),
        (uma, {"query": "river", "to": "2026-03-02"}),
    ):
        problem(await owner.request("POST", "/search", json={**body, "cursor": cursor}), 422, "invalid_cursor")
    listed = (await uma.request("GET", "/entries", params={"limit": 1})).json()["next_cursor"]
    problem(await uma.request("POST", "/search", json={"query": "river", "cursor": listed}), 422, "invalid_cursor")


# ---- whose entries ----


async def test_nobody_finds_what_others_wrote(http: httpx.AsyncClient, uma: Owner) -> None:
    other = await thin(http)
    await write(other, "We walked along another river.")
    assert await contents(other, "river") == {"We walked along another river."}
    assert await contents(uma, "another") == set()
    assert (await found(other, "house"))["total"] == 0
    # Digests of another account are none of one's own, even where somebody has them.
    ada, theirs = await register(http), change(tokens=[bytes(8)])
    mine = await register(http)
    for owner in (ada, mine):
        await owner.request("PUT", "/search/index", json={"enabled": True})
    await ada.results(theirs)
    assert (await found(mine, tokens={"any": ["AAAAAAAAAAA="]}))["total"] == 0
    assert (await found(ada, tokens={"any": ["AAAAAAAAAAA="]}))["total"] == 1


async def test_searching_needs_its_scope_and_building_the_right_to_write(http: httpx.AsyncClient, uma: Owner) -> None:
    login = {"email": uma.email, "password": uma.password, "scope": "search:read"}
    reader = Owner(http, uma.email, uma.password, (await http.post("/auth/login", json=login)).json())
    assert await contents(reader, "rain") == {RAIN}
    assert (await reader.request("GET", "/search/stats")).status_code == 200
    problem(await reader.request("POST", "/search/index"), 403, "insufficient_scope")
    problem(await reader.request("PUT", "/search/index", json={"enabled": False}), 403, "insufficient_scope")
    login = {**login, "scope": "entries"}
    writer = Owner(http, uma.email, uma.password, (await http.post("/auth/login", json=login)).json())
    problem(await writer.request("POST", "/search", json={"query": "rain"}), 403, "insufficient_scope")


async def test_an_entry_larger_than_a_window_is_found_and_shown(http: httpx.AsyncClient) -> None:
    uma = await thin(http)
    large = f"beginning {'filler ' * 120_000}end"
    await write(uma, large)
    await write(uma, large.replace("end", "ending"))
    told = await found(uma, "beginning end")
    assert told["total"] == 2
    # Each entry that was opened for it is counted.
    accesses = (await uma.request("GET", "/users/me/access")).json()["items"]
    assert {each["purpose"]: each["records"] for each in accesses}["search"] == 2
    assert all(len(each["text"]) <= 400 for hit in told["items"] for each in hit["highlights"])


# ---- what entries fit an expression ----

KEYS = st.sampled_from("abcd")
EXPRESSIONS = st.recursive(
    KEYS, lambda inner: st.builds(lambda name, parts: {name: parts}, st.sampled_from(["all", "any", "none"]),
                                  st.lists(inner, max_size=3)), max_leaves=8,
)  # fmt: skip
ENTRIES = st.lists(st.sets(KEYS, min_size=1), max_size=8)


def fits(expression: Any, held: set[str]) -> bool:
    """What an expression says, said plainly."""
    if isinstance(expression, str):
        return expression in held
    [(name, parts)] = expression.items()
    each = [fits(part, held) for part in parts]
    return all(each) if name == "all" else any(each) if name == "any" else not any(each)


@given(expression=EXPRESSIONS, entries=ENTRIES, dates=st.tuples(st.integers(-5, 5), st.integers(-5, 5)))
@hypothesis_settings(max_examples=60)
def test_lists_select_and_order_what_an_expression_means(
    expression: Any, entries: list[set[str]], dates: tuple[int, int]
) -> None:
    candidates = Candidates()
    for key in "abcd":
        places = [(seq, seq % 4 - 2) for seq, held in enumerate(entries) if key in held]
        candidates.add(key, b"".join(part.to_bytes(8, signed=True) for place in places for part in place))
    candidates.choose(expression)
    chosen = candidates.ordered("abcd", sum, dates)
    expected = [
        (-len(held), -(seq % 4 - 2), seq)
        for seq, held in enumerate(entries)
        if fits(expression, held) and dates[0] <= seq % 4 - 2 <= dates[1]
    ]
    assert chosen == sorted(expected)
