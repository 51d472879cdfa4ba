"""What the server keeps of a ciphertext is the ciphertext, in fewer bytes."""

from __future__ import annotations

import numpy as np
import pytest

from lockleaf.he import codec, contexts, evaluate, multiply, stored
from lockleaf.he.errors import InvalidCiphertext
from lockleaf.he.params import CKKS_4096, CKKS_8192, PARAMETER_SETS, ParameterSet
from tests.support.metrics import holder

SETS = list(PARAMETER_SETS)


def largest(parameters: ParameterSet) -> codec.Ciphertext:
    """A ciphertext whose residues are all as large as they can be."""
    rows = [[prime - 1] * parameters.degree for prime in parameters.primes_at(0)]
    return codec.Ciphertext(parameters, "4.1", np.array([rows] * 2, dtype=np.uint64), parameters.scale, 7)


@pytest.mark.parametrize("name", SETS)
def test_a_stored_ciphertext_comes_back_whole(name: str) -> None:
    them = holder(name)
    fresh = them.ciphertext(1.0, 2.0)
    for each in (fresh, evaluate.average(fresh, 3), largest(them.parameters)):
        again = stored.load(stored.dump(each))
        assert np.array_equal(again.residues, each.residues)
        facts = ("parameters", "version", "scale", "values", "level")
        assert [getattr(again, fact) for fact in facts] == [getattr(each, fact) for fact in facts]


def test_a_stored_square_comes_back_at_its_level() -> None:
    them = holder("ckks-8192")
    square = multiply.Squarer(contexts.read_public_context(them.public)).square(them.ciphertext(3.0))

    again = stored.load(stored.dump(square))

    assert again.level == 1
    assert them.read(again)[0] == pytest.approx(9.0, abs=1e-4)


def test_ten_years_of_months_fit_into_the_space_that_is_aimed_at() -> None:
    assert 120 * stored.stored_bytes(CKKS_8192) < 50e6
    assert 120 * stored.stored_bytes(CKKS_4096) < 10e6
    for parameters in PARAMETER_SETS.values():
        assert len(stored.dump(largest(parameters))) == stored.stored_bytes(parameters)


def test_something_else_is_not_taken_for_a_stored_ciphertext() -> None:
    data = stored.dump(holder("ckks-4096").ciphertext(1.0))

    for wrong, reason in (
        (b"", "truncated"),
        (data[:-1], "truncated"),
        (data + b"\0", "truncated"),
        (b"\x02" + data[1:], "header"),
        (data[:1] + b"\x09" + data[2:], "header"),
        (data[:2] + b"\x09" + data[3:], "header"),
        (data[:3] + b"\x09" + data[4:], "truncated"),
    ):
        with pytest.raises(InvalidCiphertext) as caught:
            stored.load(wrong)
        assert caught.value.reason == reason
