"""Labels and search tokens."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.labels import label, token
from tests.support.vectors import vectors

VECTORS = vectors("labels")
KEY = bytes.fromhex(VECTORS["index_key"])


@pytest.mark.parametrize("case", VECTORS["labels"], ids=lambda case: f"{case['kind']} {case['value']}")
def test_a_label_agrees_with_its_vector(case) -> None:
    assert label(KEY, case["kind"], case["value"]).hex() == case["label"]


@pytest.mark.parametrize("case", VECTORS["tokens"], ids=lambda case: f"{case['field']} {case['stem']}")
def test_a_token_agrees_with_its_vector(case) -> None:
    assert token(KEY, case["field"], case["stem"]).hex() == case["token"]


@pytest.mark.parametrize(
    ("one", "other"), [("Garden", "GARDEN"), ("Straße", "STRASSE"), ("été", "e\u0301te\u0301"), ("ﬁne", "Fine")]
)
def test_the_ways_to_write_a_value_share_its_label(one: str, other: str) -> None:
    assert label(KEY, "tag", one) == label(KEY, "tag", other)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_kinds_fields_and_keys_do_not_share_digests(value: str, other: str) -> None:
    labels = {label(KEY, kind, value) for kind in ("mood", "tag", "source")}
    assert len(labels) == 3
    assert label(bytes(32), "tag", value) not in labels
    assert token(KEY, "title", value) != token(KEY, "body", value)
    assert (token(KEY, "body", value) == token(KEY, "body", other)) == (value == other)


def test_a_kind_or_field_that_the_protocol_does_not_have_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="kind"):
        label(KEY, "colour", "red")
    with pytest.raises(ValueError, match="field"):
        token(KEY, "tags", "red")


def test_a_value_without_utf8_form_is_refused() -> None:
    with pytest.raises(Malformed):
        label(KEY, "tag", "\ud800")
