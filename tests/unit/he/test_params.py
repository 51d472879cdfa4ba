"""The parameter sets are what SEAL makes of their sizes, and cheap to know."""

from __future__ import annotations

import subprocess
import sys

import pytest
import tenseal

from lockleaf.he import codec, contexts, params
from lockleaf.he.errors import UnknownParameterSet
from tests.support.metrics import plain_context

SETS = list(params.PARAMETER_SETS)


@pytest.mark.parametrize("name", SETS)
def test_the_primes_are_those_that_seal_finds_for_the_sizes(name: str) -> None:
    """A context of TenSEAL's own is recognised, which compares every byte of its parameters."""
    data = plain_context(name).serialize(save_secret_key=False, save_relin_keys=False)

    assert codec.check_public_context(data) == name


@pytest.mark.parametrize("name", SETS)
def test_each_prime_has_its_bits_and_admits_the_transform_of_its_degree(name: str) -> None:
    parameters = params.parameter_set(name)

    assert tuple(prime.bit_length() for prime in parameters.primes) == parameters.coeff_mod_bit_sizes
    assert all(prime % (2 * parameters.degree) == 1 for prime in parameters.primes)
    assert len(set(parameters.primes)) == len(parameters.primes)


@pytest.mark.parametrize("name", SETS)
def test_the_moduli_are_within_128_bits_of_security(name: str) -> None:
    """The table of the Homomorphic Encryption Standard for ternary secrets."""
    most = {4096: 109, 8192: 218}
    parameters = params.parameter_set(name)

    assert sum(parameters.coeff_mod_bit_sizes) <= most[parameters.degree]


@pytest.mark.parametrize("name", SETS)
def test_a_context_of_parameters_alone_is_read_by_tenseal_and_holds_no_key(name: str) -> None:
    parameters = params.parameter_set(name)

    context = tenseal.context_from(contexts.parameters_context(parameters))

    assert context.is_public()
    assert not context.has_public_key()
    assert context.global_scale == parameters.scale


@pytest.mark.parametrize("name", SETS)
def test_the_largest_sum_leaves_room_below_half_of_the_modulus(name: str) -> None:
    """Magnitude times scale must stay below half of the modulus at the level where it is added up."""
    parameters = params.parameter_set(name)
    modulus = 1
    for prime in parameters.primes_at(0):
        modulus *= prime
    weights = parameters.largest_weight * 2**parameters.weight_bits or 1

    assert parameters.largest_sum * parameters.scale * weights * 2 <= modulus


def test_an_unknown_set_is_named_so() -> None:
    with pytest.raises(UnknownParameterSet):
        params.parameter_set("ckks-16384")


def test_knowing_the_sets_and_the_codec_loads_neither_numpy_nor_tenseal() -> None:
    program = (
        "import sys; from lockleaf.he import params, codec, keys, layout, encrypt, decrypt, errors;"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'tenseal')))"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
