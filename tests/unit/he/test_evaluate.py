"""Sums of residues are SEAL's own, bit for bit, and each operation answers what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tenseal
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.he import arithmetic, codec, contexts, evaluate, multiply
from lockleaf.he.arithmetic import LazySum
from lockleaf.he.errors import InvalidContext, Mismatch, TooManyValues, UnsupportedOperation, ValueOutOfBounds
from lockleaf.he.params import CKKS_4096, CKKS_8192, PARAMETER_SETS
from tests.support.metrics import holder, plain_context

SETS = list(PARAMETER_SETS)
PRIMES = CKKS_8192.primes_at(0)


def residues_of(draw: Any) -> arithmetic.Residues:
    columns = [draw(st.lists(st.integers(0, prime - 1), min_size=4, max_size=4)) for prime in PRIMES * 2]
    return np.array(columns, dtype=np.uint64).reshape(2, len(PRIMES), 4)


some = st.composite(residues_of)()


def plainly(operation: Any, *operands: arithmetic.Residues) -> list[int]:
    """The same with Python's integers, one by one."""
    column = np.array(PRIMES, dtype=object)[np.newaxis, :, np.newaxis]
    numbers: list[int] = (operation(*(each.astype(object) for each in operands)) % column).ravel().tolist()
    return numbers


@given(some, some)
def test_sums_and_differences_of_residues_are_those_of_integers(left: Any, right: Any) -> None:
    assert arithmetic.add(left, right, PRIMES).ravel().tolist() == plainly(lambda a, b: a + b, left, right)
    assert arithmetic.subtract(left, right, PRIMES).ravel().tolist() == plainly(lambda a, b: a - b, left, right)


@given(some, st.integers(-(2**80), 2**80))
def test_a_product_with_an_integer_of_any_size_is_that_of_integers(residues: Any, factor: int) -> None:
    assert arithmetic.multiply(residues, factor, PRIMES).ravel().tolist() == plainly(lambda a: a * factor, residues)


@pytest.mark.parametrize("factor", [0, 1, -1, *(prime - 1 for prime in PRIMES), *PRIMES, 2**64 - 1])
def test_products_are_right_at_the_edges_of_every_modulus(factor: int) -> None:
    largest = np.array([[[prime - 1, 0, 1, prime // 2] for prime in PRIMES]] * 2, dtype=np.uint64)

    assert arithmetic.multiply(largest, factor, PRIMES).ravel().tolist() == plainly(lambda a: a * factor, largest)


def test_a_lazy_sum_of_the_largest_residues_never_overflows_a_word() -> None:
    largest = np.array([[[prime - 1] * 4 for prime in PRIMES]] * 2, dtype=np.uint64)
    lazy = LazySum(PRIMES, 4)
    for count in range(1, 100):
        lazy.add(largest)
        assert lazy.total().ravel().tolist() == plainly(lambda a, count=count: a * count, largest)


@pytest.mark.parametrize("name", SETS)
@settings(max_examples=15)
@given(st.lists(st.floats(-1000, 1000), min_size=2, max_size=5))
def test_sums_and_differences_are_those_of_seal_bit_for_bit(name: str, values: list[float]) -> None:
    context, parameters = plain_context(name), PARAMETER_SETS[name]
    vectors = [tenseal.ckks_vector(context, [value]) for value in values]
    ours = [codec.check_ciphertext(vector.serialize(), name) for vector in vectors]
    total, difference = vectors[0], vectors[0] - vectors[1]
    for vector in vectors[1:]:
        total = total + vector

    for theirs, mine in (
        (total, evaluate.total(ours)),
        (difference, evaluate.subtract(ours[0], ours[1])),
    ):
        read = codec.read_ciphertext(theirs.serialize(), parameters)
        assert np.array_equal(read.residues, mine.residues)


@pytest.mark.parametrize("weight", [1.0, -1.0, 0.5, 3.25, -1000.125, 1 / 3])
def test_a_product_with_a_plain_number_is_that_of_seal_bit_for_bit(weight: float) -> None:
    """SEAL encodes a constant as the integer nearest to it times the scale."""
    context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 8192, coeff_mod_bit_sizes=[60, 40, 40, 60])
    context.global_scale, context.auto_rescale = 2.0**40, False
    vector = tenseal.ckks_vector(context, [3.0])

    theirs = codec.read_ciphertext((vector * weight).serialize(), CKKS_8192, level=None)

    fresh = codec.check_ciphertext(vector.serialize(), "ckks-8192")
    assert theirs.scale == 2.0**80
    assert np.array_equal(theirs.residues, arithmetic.multiply(fresh.residues, round(weight * 2**40), PRIMES))


@pytest.mark.parametrize("name", SETS)
def test_tenseal_decrypts_the_average_itself_without_a_divisor(name: str) -> None:
    context = plain_context(name)
    values = [1.0, 2.5, -4.0, 100.0, 7.0]
    blobs = [tenseal.ckks_vector(context, [value]).serialize() for value in values]

    average = evaluate.average(evaluate.total(codec.check_ciphertext(blob, name) for blob in blobs), len(values))

    answer = tenseal.ckks_vector_from(context, codec.write_ciphertext(average))
    assert answer.decrypt() == pytest.approx([21.3], abs=PARAMETER_SETS[name].fresh_error)


def test_a_weighted_sum_is_weighted() -> None:
    them = holder("ckks-8192")
    values, weights = [1.0, -2.0, 30.0], [0.5, 4.0, -0.25]

    found = them.read(evaluate.weighted_sum([them.ciphertext(value) for value in values], weights))

    assert found == pytest.approx([-15.0], abs=1e-5)


def test_a_trend_is_the_line_of_least_squares() -> None:
    them = holder("ckks-8192")
    times, values = [0.0, 1.0, 2.0, 5.0, 11.5], [3.0, 1.0, 4.0, 1.0, 5.0]

    line = evaluate.trend([them.ciphertext(value) for value in values], times)

    slope, intercept = np.polyfit(times, values, 1)
    found = them.read(line.slope)[0]
    assert found == pytest.approx(slope, abs=1e-6)
    assert them.read(line.average)[0] - found * line.mean_time == pytest.approx(intercept, abs=1e-5)
    assert line.count == 5


def test_a_square_is_of_each_slot_and_can_be_summed() -> None:
    them = holder("ckks-8192")
    squarer = multiply.Squarer(contexts.read_public_context(them.public))
    values = [[1.0, 2.0, -3.0], [500.0, 0.0, 0.25]]

    squares = [squarer.square(them.ciphertext(*each)) for each in values]

    assert them.read(evaluate.total(squares)) == pytest.approx([250001.0, 4.0, 9.0625], abs=1e-3)
    with pytest.raises(Mismatch):
        squarer.square(squares[0])
    with pytest.raises(Mismatch):
        squarer.square(holder("ckks-4096").ciphertext(1.0))
    with pytest.raises(Mismatch):
        evaluate.add(squares[0], them.ciphertext(1.0, 2.0, 3.0))


def test_squares_need_relinearisation_keys() -> None:
    data = plain_context("ckks-8192").serialize(save_secret_key=False, save_relin_keys=False)

    with pytest.raises(UnsupportedOperation):
        multiply.Squarer(contexts.read_public_context(data))
    with pytest.raises(InvalidContext):
        contexts.read_public_context(b"")


def test_what_is_taken_out_of_a_sum_is_no_longer_in_it() -> None:
    them = holder("ckks-4096")
    first, second = them.ciphertext(5.0), them.ciphertext(7.0)

    rest = evaluate.subtract(evaluate.add(first, second), first)

    assert np.array_equal(rest.residues, second.residues)


def test_only_ciphertexts_of_a_kind_are_added() -> None:
    one = holder("ckks-8192").ciphertext(1.0)
    others = [
        holder("ckks-4096").ciphertext(1.0),
        holder("ckks-8192").ciphertext(1.0, 2.0),
        evaluate.average(one, 2),
        replace(one, level=1, residues=one.residues[:, :2]),
    ]

    for other in others:
        for operation in (evaluate.add, evaluate.subtract):
            with pytest.raises(Mismatch):
                operation(one, other)
        with pytest.raises(Mismatch):
            evaluate.total([one, other])
        if other.parameters is CKKS_8192:
            with pytest.raises(Mismatch):
                evaluate.weighted_sum([one, other], [1, 1])
    for weights in ([], [1.0, 2.0]):
        with pytest.raises(Mismatch):
            evaluate.weighted_sum([one], weights)
        with pytest.raises(Mismatch):
            evaluate.trend([one], weights)
    with pytest.raises(Mismatch):
        evaluate.weighted_sum([], [])
    with pytest.raises(ValueError, match="nothing"):
        evaluate.total([])


def test_a_divisor_that_leaves_no_room_below_the_modulus_is_refused() -> None:
    one = holder("ckks-4096").ciphertext(1.0)
    for divisor in (0.0, -1.0, float("nan"), float("inf"), 2.0**23, 2.0**-31):
        with pytest.raises(ValueOutOfBounds):
            evaluate.divide(one, divisor)
    assert evaluate.divide(one, 2.0**21).scale == 2.0**51


def test_an_accumulator_counts_and_stops_at_what_its_set_allows() -> None:
    one = holder("ckks-4096").ciphertext(1.0)
    accumulator = evaluate.Accumulator()
    accumulator.add(replace(one, parameters=replace(CKKS_4096, most_additions=2)))
    accumulator.add(replace(one, parameters=replace(CKKS_4096, most_additions=2)))

    assert accumulator.count == 2
    with pytest.raises(TooManyValues):
        accumulator.add(replace(one, parameters=replace(CKKS_4096, most_additions=2)))
