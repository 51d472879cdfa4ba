"""A secret that stands in some documentation is refused; one that was drawn at random never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lockleaf.server.platform.settings import SecretSettings, Settings
from lockleaf.wire.fields import encode_base64


def settings(root: str) -> Settings:
    return Settings(secrets=SecretSettings.model_validate({"roots": (root,)}))


@pytest.mark.parametrize(
    "root",
    [
        "too-short-for-a-root",
        "a" * 64,
        "changeme-changeme-changeme-changeme-0123456789",
        "Please-Change-Me-Before-You-Go-To-Production-1",
        "my-super-secret-key-that-nobody-would-guess-42",
        "dev-dev-dev-0123456789-abcdefghijklmnopqrstuvw",
        "only_for_testing_0123456789_abcdefghijklmnopqr",
    ],
)
def test_a_placeholder_is_refused_and_not_shown(root: str) -> None:
    with pytest.raises(ValidationError, match="looks like a placeholder") as refused:
        settings(root)
    assert root not in str(refused.value)


@given(st.binary(min_size=48, max_size=48).filter(lambda drawn: len(set(drawn)) > 24), st.integers(1, 60))
def test_random_text_is_taken_though_it_spells_a_short_word(drawn: bytes, place: int) -> None:
    text = encode_base64(drawn).replace("+", "x").replace("/", "y")
    for word in ("dev", "DeV", "tEst"):
        settings(f"a{text[:place]}b{word}c{text[place:]}")
