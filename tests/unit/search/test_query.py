"""The query language: what is typed, and what is meant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.search.query import And, InvalidQuery, Not, Or, Query, Term, parse
from tests.support.search_texts import strange_texts

A, B, C = Term(("a",)), Term(("b",)), Term(("c",))


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("a", A),
        ("a b", And((A, B))),
        ("a OR b", Or((A, B))),
        ("a b OR c", Or((And((A, B)), C))),
        ("a (b OR c)", And((A, Or((B, C))))),
        ("a or b", And((A, Term(("or",)), B))),
        ("a ORb", And((A, Term(("orb",))))),
        ("OR a OR OR b OR", Or((A, B))),
        ('"a b"', Term(("a", "b"))),
        ("„a b“ «c»", And((Term(("a", "b")), C))),
        ("a-b", Term(("a", "b"))),
        ("a -b", And((A, Not(B)))),
        ("a --b", And((A, Not(B)))),
        ("a - b", And((A, B))),
        ('a -"b c"', And((A, Not(Term(("b", "c")))))),
        ("a -(b OR c)", And((A, Not(Or((B, C)))))),
        ("-(-a)", Not(Not(A))),
        ('a "b c', And((A, Term(("b", "c"))))),
        ("a (b OR c", And((A, Or((B, C))))),
        (")a) b(", And((A, B))),
        ("() -() a", A),
        ('""  ... !? -', None),
        ("", None),
        ("note:a", Term(("note", "a"))),
    ],
)
def test_a_query_means_what_it_says(text: str, root: object) -> None:
    assert parse(text) == Query(root=root)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("mood:calm", Query(mood="calm")),
        ('Mood:"very calm" a', Query(root=A, mood="very calm")),
        ('tag:x tag:"y z" tag:x', Query(tags=("x", "y z"))),
        ('tag:"y z', Query(tags=("y z",))),
        ("source:import from:2020-02-03 to:2021-04-05", Query(source="import", first="2020-02-03", last="2021-04-05")),
        ("from:2020 to:2020", Query(first="2020-01-01", last="2020-12-31")),
        ("from:2020-02 to:2020-02", Query(first="2020-02-01", last="2020-02-29")),
        ("mood:calm mood:sad", Query(mood="sad")),
        ("a OR (mood:calm b)", Query(root=Or((A, B)), mood="calm")),
        ('tag:"" mood:""', Query()),
        ("from:yesterday", Query(root=Term(("from", "yesterday")))),
        ("to:2020-02-30", Query(root=Term(("to", "2020", "02", "30")))),
        ("from:0000", Query(root=Term(("from", "0000")))),
        ("from:२०२०", Query(root=Term(("from", "२०२०")))),
        ("-tag:x", Query(root=Not(Term(("tag", "x"))))),
        ('"tag:x"', Query(root=Term(("tag", "x")))),
    ],
)
def test_a_filter_stands_beside_the_words(text: str, query: Query) -> None:
    assert parse(text) == query


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(strange_texts, st.sampled_from([*'"()-: ', "OR", " OR ", "tag:", "from:", " -("])), max_size=12)
)
def test_nothing_that_can_be_typed_is_refused(pieces: list[str]) -> None:
    query = parse("".join(pieces)[:60])
    assert isinstance(query, Query)


@pytest.mark.parametrize(
    "text",
    ["canary " * 65, " ".join(["canary"] * 10_000), '"' + "canary " * 65, "c" * 4097, "(" * 17 + "canary", "東" * 65],
)
def test_too_long_and_too_deep_are_refused_without_repeating_the_query(text: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        parse(text)
    assert caught.value.code == "query_too_long"
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "text", ["canary " * 64, "c" * 4096, "(" * 16 + "canary" + ")" * 16, "(canary)" * 64, "()" * 1000]
)
def test_the_longest_and_deepest_query_is_answered(text: str) -> None:
    assert isinstance(parse(text), Query)


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\n", " \t"])
def test_blanks_ask_nothing_however_many_there_are(blank: str) -> None:
    # Each of these takes a second if every place of it is looked at to its end, and minutes together.
    for length in range(3996, 4097):
        assert parse((blank * length)[:length]) == Query()
        assert parse("a" + (blank * length)[: length - 1]).root == A
