"""Keys from a password, and the parameters that are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.crypto.errors import Malformed, WeakKdf
from lockleaf.crypto.kdf import (
    CHEAPEST,
    COMPATIBLE,
    DEFAULT,
    KdfParameters,
    PasswordKeys,
    check_limits,
    derive,
    is_weaker,
    unlock,
)
from lockleaf.crypto.normalise import normalise_email
from tests.support.vectors import vectors

VECTORS = vectors("kdf")
named = {"ids": lambda case: case["name"]}

argon2id = st.builds(
    KdfParameters,
    st.just("argon2id"),
    st.just(bytes(16)),
    st.integers(2, 16),
    st.integers(19456, 1048576),
    st.integers(1, 8),
)
pbkdf2 = st.builds(KdfParameters, st.just("pbkdf2-sha256"), st.just(bytes(16)), st.integers(600_000, 10_000_000))


@pytest.mark.parametrize("case", VECTORS["vectors"], **named)
def test_a_password_gives_the_keys_of_its_vector(case) -> None:
    params = KdfParameters.from_wire(case["kdf"])
    keys = derive(case["password"], case["email"], params)
    assert keys.auth_secret.hex() == case["auth_secret"]
    assert keys.auth_secret_b64 == case["auth_secret_base64"]
    assert keys.wrap_key.hex() == case["wrap_key"]
    assert params.to_wire() == case["kdf"]


@pytest.mark.parametrize("case", VECTORS["refused"], **named)
def test_parameters_outside_the_limits_are_refused_before_anything_is_derived(case) -> None:
    params = KdfParameters.from_wire(case["kdf"])
    with pytest.raises(WeakKdf):
        unlock("p", "ada@example.org", params, remembered=None, allow_pbkdf2=case["pbkdf2_asked_for"])


@pytest.mark.parametrize("case", VECTORS["malformed"], **named)
def test_malformed_parameters_are_refused(case) -> None:
    with pytest.raises(Malformed):
        KdfParameters.from_wire(case["kdf"])


def test_argon2id_agrees_with_rfc_9106() -> None:
    tag = Argon2id(
        salt=b"\2" * 16, length=32, iterations=3, lanes=4, memory_cost=32, ad=b"\4" * 12, secret=b"\3" * 8
    ).derive(b"\1" * 32)
    assert tag.hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


@pytest.mark.parametrize("profile", [DEFAULT, COMPATIBLE, CHEAPEST])
def test_a_profile_draws_a_new_salt_each_time(profile) -> None:
    one, other = profile.new(), profile.new()
    assert len(one.salt) == 16
    assert one.salt != other.salt
    assert replace(one, salt=other.salt) == other
    assert KdfParameters.from_wire(one.to_wire()) == one


def test_the_profiles_pass_the_limits_that_are_meant_for_them() -> None:
    check_limits(DEFAULT.new())
    check_limits(COMPATIBLE.new(), allow_pbkdf2=True)
    check_limits(CHEAPEST.new(), allow_test_parameters=True)
    with pytest.raises(WeakKdf):
        check_limits(CHEAPEST.new())
    with pytest.raises(WeakKdf):
        check_limits(COMPATIBLE.new())
    with pytest.raises(WeakKdf):
        check_limits(COMPATIBLE.new(), allow_test_parameters=True)


def test_tests_may_go_below_the_floors_but_not_above_the_ceilings() -> None:
    with pytest.raises(WeakKdf):
        check_limits(replace(CHEAPEST.new(), memory_kib=1_048_577), allow_test_parameters=True)


@settings(max_examples=100, deadline=None)
@given(argon2id | pbkdf2)
def test_parameters_within_the_limits_pass_them(params: KdfParameters) -> None:
    check_limits(params, allow_pbkdf2=True)
    assert KdfParameters.from_wire(params.to_wire()) == params


@settings(max_examples=100, deadline=None)
@given(argon2id, pbkdf2)
def test_any_pbkdf2_is_weaker_than_any_argon2id(strong: KdfParameters, weak: KdfParameters) -> None:
    assert is_weaker(weak, strong)
    assert not is_weaker(strong, weak)


@settings(max_examples=100, deadline=None)
@given(argon2id, argon2id)
def test_argon2id_is_weaker_if_memory_or_iterations_is_lower(one: KdfParameters, other: KdfParameters) -> None:
    assert is_weaker(one, other) == (one.memory_kib < other.memory_kib or one.iterations < other.iterations)


@settings(max_examples=100, deadline=None)
@given(pbkdf2, pbkdf2)
def test_pbkdf2_is_weaker_if_iterations_are_fewer(one: KdfParameters, other: KdfParameters) -> None:
    assert is_weaker(one, other) == (one.iterations < other.iterations)


def test_weaker_parameters_than_those_remembered_are_refused() -> None:
    remembered = CHEAPEST.new()
    stronger = replace(remembered, iterations=2)
    allowed = {"allow_test_parameters": True, "allow_pbkdf2": True}
    assert unlock("p", "a@b", stronger, remembered=remembered, **allowed) == derive("p", "a@b", stronger)
    with pytest.raises(WeakKdf):
        unlock("p", "a@b", remembered, remembered=stronger, **allowed)
    with pytest.raises(WeakKdf):
        unlock("p", "a@b", COMPATIBLE.new(), remembered=remembered, **allowed)


def test_the_two_secrets_of_a_password_differ_and_neither_is_shown() -> None:
    keys = derive("p", "ada@example.org", CHEAPEST.new())
    assert keys.auth_secret != keys.wrap_key
    assert repr(keys) == repr(PasswordKeys(b"", b""))


def test_password_email_and_salt_each_change_both_keys() -> None:
    params = CHEAPEST.new()
    all_keys = [
        derive("p", "ada@example.org", params),
        derive("q", "ada@example.org", params),
        derive("p", "bob@example.org", params),
        derive("p", "ada@example.org", replace(params, salt=bytes(16))),
    ]
    assert len({key for keys in all_keys for key in (keys.auth_secret, keys.wrap_key)}) == 8


def test_a_password_keeps_its_case_and_its_blanks() -> None:
    params = CHEAPEST.new()
    assert len({derive(password, "a@b", params).wrap_key for password in ("p", "P", " p", "p ")}) == 4


def test_a_password_that_is_no_text_is_refused_without_being_repeated() -> None:
    with pytest.raises(Malformed) as caught:
        derive("hidden\ud800", "a@b", CHEAPEST.new())
    assert "hidden" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("change", [{"memory_kib": None}, {"parallelism": None}, {"iterations": 0}, {"memory_kib": 1}])
def test_costs_with_which_nothing_can_run_are_malformed(change) -> None:
    with pytest.raises(Malformed):
        derive("p", "a@b", replace(CHEAPEST.new(), **change))


@settings(max_examples=100, deadline=None)
@given(st.emails())
def test_an_email_in_its_one_form_stays_in_it(email: str) -> None:
    once = normalise_email(f"  {email.upper()}\n")
    assert once == normalise_email(email)
    assert normalise_email(once) == once
