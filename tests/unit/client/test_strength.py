"""Which new passwords are taken, what is said of the others, and what is suggested instead."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zxcvbn.matching import RANKED_DICTIONARIES

from lockleaf.client.account.password_strength import (
    PASSPHRASE_BITS,
    check_strength,
    new_passphrase,
    require_strength,
    weakness,
)
from lockleaf.client.errors import PasswordTooWeak

ABOUT = ("ada.lovelace@example.org", "Ada King")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "password1234",
        "Passw0rd!2026",
        "testpass123",
        "qwertyuiop123",
        "kitchen7green",
        "abcabcabcabcabc",
        "correct horse battery staple",
        "CorrectHorseBatteryStaple",
        "my lockleaf",
        "Lockleaf2026!",
        "ada.lovelace1815",
        "AdaLovelace1815",
        "x" * 4000,
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused_with_a_reason(password: str) -> None:
    with pytest.raises(PasswordTooWeak) as caught:
        check_strength(password, ABOUT)
    assert caught.value.reason is not None
    assert caught.value.reason in str(caught.value)
    assert not password or password not in str(caught.value)


@pytest.mark.parametrize(
    "password",
    [
        "long enough words here",
        "long enough words",
        "six herons over a cold dyke",
        "한국어 일기장 비밀",
        "a demonstration, not a secret",
        "👩‍👩‍👧‍👦 family and ❤️",
        "dKq83nfPa-w2",
        "long enough words here " * 40,
    ],
)
def test_a_password_that_stands_is_taken(password: str) -> None:
    assert weakness(password, ABOUT) is None


def test_the_reason_is_in_plain_words() -> None:
    assert weakness("password1234") == "This is a very common password."
    assert "your email address" in (weakness("ada.lovelace1815", ABOUT) or "")


async def test_whoever_insists_gets_a_weak_password() -> None:
    await require_strength("short", allow_weak_password=True)
    with pytest.raises(PasswordTooWeak):
        await require_strength("short")


def test_a_passphrase_has_enough_chance_in_it_and_passes_itself() -> None:
    drawn = {new_passphrase() for _ in range(50)}
    assert len(drawn) == 50
    for passphrase in drawn:
        words = passphrase.split(" ")
        assert len(words) * math.log2(7776) >= PASSPHRASE_BITS
        assert weakness(passphrase, ABOUT) is None


def test_what_is_known_of_one_user_does_not_stay_for_the_next() -> None:
    assert weakness("ada.lovelace1815", ABOUT) is not None
    assert "user_inputs" not in RANKED_DICTIONARIES


def test_several_threads_judge_at_once() -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda name: weakness(f"{name}7", (f"{name}@example.org",)), ["perpetuating"] * 8))
    assert all(reason is not None and "your email address" in reason for reason in found)


@settings(max_examples=40)
@given(password=st.text(max_size=6000))
def test_any_text_is_judged_and_never_quoted(password: str) -> None:
    reason = weakness(password, (password[:50],))
    assert reason is None or len(password) < 12 or password not in reason
