"""Each operation is right at the bound that it states, and a value outside is refused before it is encrypted.

What is added up here is one ciphertext with itself: its noise then grows by the count and not by its root, which is
more than independent noises ever come to. So the error allowed is the stated one with n for the root of n.
"""

from __future__ import annotations

import math
import random

import pytest

from lockleaf.he import contexts, evaluate, multiply, params
from lockleaf.he.codec import Ciphertext
from lockleaf.he.errors import TooManyValues, UnsupportedOperation, ValueOutOfBounds
from lockleaf.he.params import CKKS_4096, CKKS_8192, DOUBLE_ROUNDING, ParameterSet
from tests.support.metrics import holder, plain_context

SETS = list(params.PARAMETER_SETS)


def doubled(ciphertext: Ciphertext, times: int) -> Ciphertext:
    for _ in range(times):
        ciphertext = evaluate.add(ciphertext, ciphertext)
    return ciphertext


def allowed(parameters: ParameterSet, copies: float, magnitude: float) -> float:
    return parameters.fresh_error * copies + DOUBLE_ROUNDING * magnitude


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_most_values_of_the_largest_magnitude_are_summed_rightly(name: str, sign: int) -> None:
    them = holder(name)
    parameters = them.parameters

    total = doubled(them.ciphertext(sign * parameters.largest), int(math.log2(parameters.most_values)))

    error = abs(them.read(total)[0] - sign * parameters.largest_sum)
    assert error <= allowed(parameters, parameters.most_values, parameters.largest_sum)


@pytest.mark.parametrize("name", SETS)
def test_the_most_values_of_the_largest_magnitude_are_averaged_rightly(name: str) -> None:
    them = holder(name)
    parameters = them.parameters
    total = doubled(them.ciphertext(parameters.largest), int(math.log2(parameters.most_values)))

    average = evaluate.average(total, parameters.most_values)

    assert abs(them.read(average)[0] - parameters.largest) <= allowed(parameters, 1, parameters.largest)


@pytest.mark.parametrize("name", SETS)
def test_every_slot_holds_the_largest_sum_beside_others_that_do(name: str) -> None:
    them = holder(name)
    parameters = them.parameters
    signs = [random.Random(slot).choice((-1, 1)) for slot in range(parameters.slots)]

    slots = them.read(them.ciphertext(*(sign * parameters.largest_sum for sign in signs), largest=2.0**60))

    errors = [abs(slot - sign * parameters.largest_sum) for slot, sign in zip(slots, signs, strict=True)]
    assert max(errors) <= allowed(parameters, 1, parameters.largest_sum)


def test_four_times_the_largest_sum_comes_back_wrong_without_an_error() -> None:
    """Why there are bounds: nothing else would tell."""
    them = holder("ckks-4096")
    beyond = 4 * CKKS_4096.largest_sum

    found = them.read(doubled(them.ciphertext(CKKS_4096.largest), 2 + int(math.log2(CKKS_4096.most_values))))

    assert abs(found[0] - beyond) > beyond / 2


@pytest.mark.parametrize("name", SETS)
def test_a_value_outside_of_the_bound_is_refused_before_it_is_encrypted(name: str) -> None:
    them = holder(name)
    for value in (math.nextafter(them.parameters.largest, math.inf), math.inf, -math.inf, math.nan):
        with pytest.raises(ValueOutOfBounds):
            them.blob(1.0, value)


@pytest.mark.parametrize("name", SETS)
def test_a_fresh_ciphertext_is_off_by_less_than_stated_in_every_slot(name: str) -> None:
    """Under the public key, too, whose noise is the larger one."""
    import tenseal

    context, parameters = plain_context(name), params.parameter_set(name)
    values = [random.Random(slot).uniform(-1, 1) for slot in range(parameters.slots)]
    for _ in range(5):
        slots = tenseal.ckks_vector(context, values).decrypt()
        assert max(abs(a - b) for a, b in zip(slots, values, strict=True)) <= parameters.fresh_error
        own = holder(name)
        slots = own.read(own.ciphertext(*values))
        assert max(abs(a - b) for a, b in zip(slots, values, strict=True)) <= parameters.fresh_error


@pytest.mark.parametrize("name", SETS)
def test_independent_noises_add_up_by_the_root_of_their_count(name: str) -> None:
    them, count = holder(name), 60
    numbers = [random.Random(index).uniform(-1000, 1000) for index in range(count)]

    total = evaluate.total(them.ciphertext(each) for each in numbers)

    assert abs(them.read(total)[0] - math.fsum(numbers)) <= them.parameters.sum_error(count, 1000 * count)


def test_the_largest_weights_of_the_largest_sums_come_out_right() -> None:
    them = holder("ckks-8192")
    most = CKKS_8192.most_values
    half = doubled(them.ciphertext(CKKS_8192.largest), int(math.log2(most)) - 1)
    weight = CKKS_8192.largest_weight

    found = them.read(evaluate.weighted_sum([half, half], [weight, weight]))[0]

    wanted = CKKS_8192.largest_sum * weight
    assert abs(found - wanted) <= allowed(CKKS_8192, most * weight, wanted)


def test_a_weight_between_two_binary_places_is_off_by_half_of_one_at_most() -> None:
    them = holder("ckks-8192")
    value, weight = CKKS_8192.largest, 1 / 3

    found = them.read(evaluate.weighted_sum([them.ciphertext(value)], [weight]))[0]

    rounding = value * 2.0 ** -(CKKS_8192.weight_bits + 1)
    assert abs(found - value * weight) <= allowed(CKKS_8192, 1, value) + rounding


def test_the_most_squares_of_the_largest_value_are_summed_rightly() -> None:
    them = holder("ckks-8192")
    value, most = CKKS_8192.largest, CKKS_8192.most_values
    squarer = multiply.Squarer(contexts.read_public_context(them.public))

    squared = squarer.square(them.ciphertext(value))
    total = doubled(squared, int(math.log2(most)))

    assert squared.level == 1
    error = abs(them.read(total)[0] - value**2 * most)
    assert error <= allowed(CKKS_8192, (2 * value + 1) * most, value**2 * most)


def test_a_line_through_the_largest_values_at_the_widest_times_is_right() -> None:
    them = holder("ckks-8192")
    low, high = them.ciphertext(-CKKS_8192.largest), them.ciphertext(CKKS_8192.largest)
    width = CKKS_8192.largest_weight

    steep = evaluate.trend([low, high], [0, 1])
    wide = evaluate.trend([low, high], [0, 2 * width])

    assert abs(them.read(steep.slope)[0] - 2 * CKKS_8192.largest) <= allowed(CKKS_8192, 2, 2 * CKKS_8192.largest)
    assert abs(them.read(wide.slope)[0] - CKKS_8192.largest / width) <= allowed(CKKS_8192, 1, 1)
    assert abs(them.read(wide.average)[0]) <= allowed(CKKS_8192, 1, CKKS_8192.largest)
    assert (wide.mean_time, wide.count) == (width, 2)


def test_more_values_or_larger_weights_than_the_bound_are_refused() -> None:
    one = holder("ckks-8192").ciphertext(1.0)
    small = holder("ckks-4096").ciphertext(1.0)

    with pytest.raises(TooManyValues):
        evaluate.average(one, CKKS_8192.most_values + 1)
    for weight in (math.nextafter(CKKS_8192.largest_weight, math.inf), -math.inf, math.nan):
        with pytest.raises(ValueOutOfBounds):
            evaluate.weighted_sum([one], [weight])
    for count in (0, -1):
        with pytest.raises(ValueOutOfBounds):
            evaluate.average(one, count)
    with pytest.raises(ValueOutOfBounds):
        evaluate.trend([one, one], [3, 3])
    with pytest.raises(UnsupportedOperation):
        evaluate.weighted_sum([small], [1])
    with pytest.raises(UnsupportedOperation):
        evaluate.trend([small, small], [1, 2])
    with pytest.raises(UnsupportedOperation):
        multiply.Squarer(contexts.read_public_context(holder("ckks-4096").public))
