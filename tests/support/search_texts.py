"""Texts and queries to search with, as hypothesis draws them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

__all__ = ["diary_texts", "parts", "strange_texts", "written"]

_PIECES = [
    *"aeiDLsn_0123 .,-'’‘ʼ\n\u00a0\u3000",
    *"éÉßñŉİﬁ½²Ⅷ™…´¨Ｆー",
    "e\u0301",
    "e\u0327\u0301",
    "\u0301",
    "\u20e3",
    "\ufe0f",
    "\u00ad",
]
_PIECES += [
    "l’",
    "qu'",
    "dell'",
    "’s",
    "'ll",
    "n't",
    "3.14",
    "東京",
    "ガ",
    "ｶﾞ",
    "สวัสดี",
    "שלום",
    "צה״ל",
    "السلام",
    "ﷺ",
    "\u200c",
    "\u200f",
]
_PIECES += [
    "가",
    "\u1100",
    "\u1161",
    "ㄱ",
    "👍",
    "👍🏽",
    "👩\u200d👧",
    "❤️\u200d🔥",
    "🇩🇪",
    "🇫",
    "\u200d",
    "🏴\U000e0067",
    "१२",
]

strange_texts = st.one_of(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join), st.text(max_size=12))
"""Texts of all that is hard to cut into words."""

_WORDS = ["cat", "cats", "dog", "dogs", "mouse", "house", "the", "of", "a"]

diary_texts = st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join)
"""Short texts out of few words, so that phrases meet and miss."""

_terms = st.one_of(
    st.sampled_from(_WORDS).map(lambda word: {"term": [word]}),
    st.lists(st.sampled_from(_WORDS), min_size=1, max_size=4).map(lambda words: {"term": words}),
)
parts = st.recursive(
    _terms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda found: {"and": found}),
        st.lists(inner, min_size=2, max_size=3).map(lambda found: {"or": found}),
        inner.map(lambda found: {"not": found}),
    ),
    max_leaves=6,
)
"""Queries as nested {"term": [words]}, {"and" | "or": [...]} and {"not": ...}."""


def written(part: Any) -> str:
    """A query as it is typed."""
    ((kind, inner),) = part.items()
    if kind == "term":
        return inner[0] if len(inner) == 1 else f'"{" ".join(inner)}"'
    if kind == "not":
        return f"-({written(inner)})"
    return "(" + (" " if kind == "and" else " OR ").join(map(written, inner)) + ")"
