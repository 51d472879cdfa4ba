"""Ciphertexts that other versions and makers of SEAL wrote are summed here; see ``tests/vectors/make_metrics.py``."""

from __future__ import annotations

from math import fsum

import pytest

from lockleaf.he import codec, contexts, decrypt, evaluate, keys, seal_keys
from lockleaf.he.params import CKKS_4096
from tests.support.metrics import sealed_object
from tests.support.vectors import FOLDER, vectors

METRICS = FOLDER / "metrics"
VALUES: dict[str, float] = vectors("metrics/values")
VERSIONS = {"node-seal-5.1.6-0.bin": "4.1", "tenseal-0.3.16-0.bin": "4.1", "tenseal-0.3.18-0.bin": "4.3"}


@pytest.fixture(scope="module")
def key() -> keys.SecretKey:
    return keys.SecretKey(CKKS_4096, seal_keys.read_secret_key((METRICS / "secret.bin").read_bytes(), CKKS_4096))


def read(name: str) -> codec.Ciphertext:
    return codec.check_ciphertext((METRICS / name).read_bytes(), "ckks-4096")


@pytest.mark.parametrize("name", VALUES)
def test_each_writers_ciphertext_is_read_and_decrypts_to_its_value(name: str, key: keys.SecretKey) -> None:
    data = (METRICS / name).read_bytes()

    assert codec.client_version(data) == VERSIONS[name]
    assert decrypt.decrypt_slots(key, data) == pytest.approx([VALUES[name]], abs=CKKS_4096.fresh_error)


def test_ciphertexts_of_different_writers_add_up(key: keys.SecretKey) -> None:
    total = evaluate.total(read(name) for name in VALUES)

    for version in codec.VERSIONS:
        answer = codec.write_ciphertext(total, version)
        assert codec.client_version(answer) == version
        found = decrypt.decrypt_slots(key, answer)
        assert found == pytest.approx([fsum(VALUES.values())], abs=CKKS_4096.sum_error(len(VALUES), 2000))


def test_what_a_browsers_seal_saved_is_read_without_the_message_around_it(key: keys.SecretKey) -> None:
    name = "node-seal-5.1.6-0.bin"
    found = codec.check_ciphertext(sealed_object((METRICS / name).read_bytes()), "ckks-4096", single=True)

    assert decrypt.decrypt_slots(key, codec.write_ciphertext(found)) == pytest.approx(
        [VALUES[name]], abs=CKKS_4096.fresh_error
    )
    assert codec.write_raw(found) == sealed_object(codec.write_ciphertext(read(name)))


def test_the_public_context_of_an_older_tenseal_is_taken() -> None:
    data = (METRICS / "public-tenseal-0.3.16.bin").read_bytes()

    assert codec.check_public_context(data) == "ckks-4096"
    assert contexts.read_public_context(data).version == "4.1"
