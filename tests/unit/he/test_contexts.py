"""A public context is taken with what the server needs of it, and never with a secret key."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tenseal

from lockleaf.he import codec, contexts, messages, seal, seal_keys
from lockleaf.he.errors import InvalidContext, Reason, SecretKeyReceived
from lockleaf.he.params import CKKS_4096, CKKS_8192, PARAMETER_SETS
from lockleaf.he.seal import Polynomials
from tests.support.metrics import holder, plain_context, raw_public_key, raw_secret_key

SETS = list(PARAMETER_SETS)


def refused(data: bytes) -> Reason:
    with pytest.raises(InvalidContext) as caught:
        codec.check_public_context(data)
    return caught.value.reason


@pytest.fixture(scope="module")
def public() -> bytes:
    return holder("ckks-4096").public


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("relinearisation", [False, True])
def test_what_tenseal_serialises_without_the_secret_is_taken(name: str, relinearisation: bool) -> None:
    data = plain_context(name).serialize(save_secret_key=False, save_relin_keys=relinearisation)

    read = contexts.read_public_context(data)

    assert read.parameters.name == name
    assert read.version == "4.3"
    assert (read.relinearisation_keys is not None) == relinearisation


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("options", [{}, {"save_public_key": False}, {"save_relin_keys": False}])
def test_a_context_with_its_secret_key_is_refused_as_that(name: str, options: dict[str, bool]) -> None:
    data = plain_context(name).serialize(save_secret_key=True, **options)

    with pytest.raises(SecretKeyReceived):
        codec.check_public_context(data)


def test_a_key_for_the_other_devices_is_refused_as_a_secret_key() -> None:
    with pytest.raises(SecretKeyReceived):
        codec.check_public_context(holder("ckks-4096").key.to_bytes())


def test_a_secret_key_is_found_whatever_else_is_wrong(public: bytes) -> None:
    secret = messages.write({3: messages.write({1: b"a secret key"})})
    for data in (secret, public + secret, public[:-1] + b"\0" + secret, secret + b"\x20\x01"):
        with pytest.raises(SecretKeyReceived):
            codec.check_public_context(data)
    large = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 8192, coeff_mod_bit_sizes=[60, 40, 40, 60])
    large.generate_galois_keys()
    everything = large.serialize(save_secret_key=True)
    with pytest.raises(SecretKeyReceived):
        codec.check_public_context(everything)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("version", seal.VERSIONS)
def test_seals_own_public_key_is_the_key_of_a_context(name: str, version: seal.SealVersion) -> None:
    raw = raw_public_key(name, version)

    read = contexts.read_public_context(raw)

    assert codec.check_public_context(raw) == name
    assert (read.version, read.relinearisation_keys) == (version, None)
    wrapped = contexts.wrap_public_key(raw, read.parameters)
    again = contexts.read_public_context(wrapped)
    assert np.array_equal(again.public_key.residues, read.public_key.residues)
    assert contexts.write_public_context(read, version) == wrapped
    # SEAL itself encrypts under it what the holder of the secret key reads.
    context = tenseal.context_from(contexts.write_public_context(again, "4.3"))
    blob = tenseal.ckks_vector(context, [3.0]).serialize()
    assert holder(name).read(codec.check_ciphertext(blob, name))[0] == pytest.approx(3.0, abs=1e-3)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("version", seal.VERSIONS)
def test_seals_own_secret_key_is_refused_as_that_however_it_is_compressed(name: str, version: seal.SealVersion) -> None:
    plain = raw_secret_key(name, version)
    squeezed = zlib.compress(plain[16:])
    squeezed = plain[:5] + b"\x01" + bytes(2) + (16 + len(squeezed)).to_bytes(8, "little") + squeezed
    fields = messages.read(plain_context(name).serialize(save_secret_key=True, save_relin_keys=False), contexts.CONTEXT)
    private = messages.read(messages.bytes_of(fields, 3), contexts.PRIVATE)

    for each in (plain, squeezed, messages.bytes_of(private, 1)):
        with pytest.raises(SecretKeyReceived):
            codec.check_public_context(each)


def test_a_secret_key_of_other_parameters_is_refused_as_that_too() -> None:
    context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 8192, coeff_mod_bit_sizes=[60, 40, 60])
    fields = messages.read(context.serialize(save_secret_key=True, save_relin_keys=False), contexts.CONTEXT)
    private = messages.read(messages.bytes_of(fields, 3), contexts.PRIVATE)
    public = messages.read(messages.bytes_of(fields, 2), contexts.PUBLIC)

    with pytest.raises(SecretKeyReceived):
        codec.check_public_context(messages.bytes_of(private, 1))
    assert refused(messages.bytes_of(public, 1)) == "parameters"


def test_seals_own_objects_that_are_no_public_key_are_refused_by_name() -> None:
    key = raw_public_key("ckks-8192")
    relinearisation = contexts.read_public_context(holder("ckks-8192").public).relinearisation_keys
    assert relinearisation is not None

    assert refused(codec.write_raw(holder("ckks-8192").ciphertext(1.0))) == "parameters"
    assert refused(seal.write_parameters(CKKS_8192, "4.1")) == "parameters"
    assert refused(seal_keys.write_relinearisation_keys(relinearisation, CKKS_8192, "4.1")) == "degree"
    assert refused(key[:-8]) == "truncated"
    assert refused(key + bytes(8)) == "trailing"
    assert refused(key[:4] + b"\x00" + key[5:]) == "version"
    assert refused(key[:16] + bytes(32) + key[48:]) == "parameters"
    assert refused(key[:-8] + b"\xff" * 8) == "coefficients"
    assert refused(key[:73] + bytes(8) + key[81:]) == "scale"
    assert refused(key + bytes(5 * 2**20)) == "too_large"


def test_what_was_read_is_written_so_that_tenseal_reads_it_in_either_version() -> None:
    context = plain_context("ckks-8192")
    data = context.serialize(save_secret_key=False)

    read = contexts.read_public_context(data)
    older = contexts.read_public_context(contexts.write_public_context(read, "4.1"))
    again = tenseal.context_from(contexts.write_public_context(older, "4.3"))

    assert older.version == "4.1"
    assert again.has_public_key() and again.has_relin_keys() and not again.has_secret_key()
    encrypted = tenseal.ckks_vector(again, [3.0])
    product = tenseal.ckks_vector_from(context, (encrypted * encrypted).serialize())
    assert product.decrypt()[0] == pytest.approx(9.0, abs=1e-4)


def test_parameters_of_no_named_set_are_refused() -> None:
    for degree, sizes in ((8192, [60, 40, 60]), (4096, [40, 40]), (8192, [60, 40, 40, 40])):
        context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, degree, coeff_mod_bit_sizes=sizes)
        assert refused(context.serialize(save_secret_key=False, save_relin_keys=False)) == "parameters"
    integers = tenseal.context(tenseal.SCHEME_TYPE.BFV, 4096, plain_modulus=1032193)
    assert refused(integers.serialize(save_secret_key=False, save_relin_keys=False)) in {"parameters", "too_large"}


def test_another_scale_is_refused_since_nothing_under_it_could_be_summed() -> None:
    context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 4096, coeff_mod_bit_sizes=[54, 55])
    context.global_scale = 2**40

    assert refused(context.serialize(save_secret_key=False, save_relin_keys=False)) == "scale"


def test_galois_keys_are_refused_since_nothing_needs_them() -> None:
    context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 4096, coeff_mod_bit_sizes=[54, 55])
    context.global_scale = 2**30
    context.generate_galois_keys()

    assert refused(context.serialize(save_secret_key=False)) == "galois_keys"
    data = context.serialize(save_secret_key=False, save_galois_keys=False)
    assert codec.check_public_context(data) == "ckks-4096"


def test_a_context_of_parameters_alone_lacks_a_key() -> None:
    assert refused(contexts.parameters_context(CKKS_8192)) == "keys"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"", "truncated"),
        (lambda data: data[:100], "truncated"),
        (lambda data: data[:-1], "truncated"),
        (lambda data: data + b"\0", "envelope"),
        (lambda data: data + data, "envelope"),
        (lambda data: data + b"\x20\x01", "envelope"),
        (lambda data: data + b"\x1a\x00", "envelope"),
        (lambda data: data + bytes(5 * 2**20), "envelope"),
        (lambda data: b"\xff" * 64, "envelope"),
        (lambda data: b"just a text", "envelope"),
    ],
)
def test_bytes_that_are_no_context_are_refused_by_name(
    public: bytes, change: Callable[[bytes], bytes], reason: Reason
) -> None:
    assert refused(change(public)) == reason


def rewritten(public: bytes, **fields: Any) -> bytes:
    """The context with other fields in its public part."""
    top = messages.read(public, contexts.CONTEXT)
    part = messages.read(messages.bytes_of(top, 2), contexts.PUBLIC)
    numbers = {"key": 1, "flags": 2, "scale": 3, "relinearisation": 4, "galois": 5}
    part |= {numbers[name]: value for name, value in fields.items()}
    return messages.write({1: top[1], 2: messages.write(dict(sorted(part.items())))})


def test_keys_that_are_none_are_refused_by_name(public: bytes) -> None:
    read = contexts.read_public_context(public)
    prime = CKKS_4096.primes[1]
    outside = read.public_key.residues.copy()
    outside[1, 1, 0] = prime
    key = seal.write_polynomials(read.public_key, CKKS_4096, None, "4.3")
    level = seal.write_polynomials(Polynomials(read.public_key.residues[:, :1], 1.0), CKKS_4096, 0, "4.3")
    scaled = seal.write_polynomials(Polynomials(read.public_key.residues, 2.0), CKKS_4096, None, "4.3")
    wrong = seal.write_polynomials(Polynomials(outside, 1.0), CKKS_4096, None, "4.3")

    assert refused(rewritten(public, key=b"")) == "keys"
    assert refused(rewritten(public, key=b"no key")) == "truncated"
    assert refused(rewritten(public, key=seal.write_object(wrong, "4.3"))) == "coefficients"
    assert refused(rewritten(public, key=seal.write_object(scaled, "4.3"))) == "scale"
    assert refused(rewritten(public, key=seal.write_object(level, "4.3"))) == "modulus_count"
    assert refused(rewritten(public, key=seal.write_object(key + bytes(8), "4.3"))) == "too_large"
    assert refused(rewritten(public, flags=8)) == "envelope"
    assert refused(rewritten(public, galois=b"x")) == "galois_keys"
    assert refused(rewritten(public, relinearisation=b"x")) == "truncated"
    foreign = seal.write_polynomials(read.public_key, CKKS_4096, None, "4.1")
    assert refused(rewritten(public, key=seal.write_object(foreign, "4.1"))) == "version"


def test_relinearisation_keys_are_held_to_their_form() -> None:
    public = holder("ckks-8192").public
    read = contexts.read_public_context(public)
    assert read.relinearisation_keys is not None
    outside = read.relinearisation_keys[2].residues.copy()
    outside[0, 3, 5] = 2**63

    def with_keys(keys: list[Polynomials]) -> bytes:
        return rewritten(public, relinearisation=seal_keys.write_relinearisation_keys(keys, CKKS_8192, "4.3"))

    assert codec.check_public_context(with_keys(read.relinearisation_keys)) == "ckks-8192"
    assert refused(with_keys([*read.relinearisation_keys[:2], Polynomials(outside, 1.0)])) == "coefficients"
    assert refused(with_keys(read.relinearisation_keys[:2])) == "length"
    assert refused(with_keys(read.relinearisation_keys * 2)) == "too_large"
