"""A browser's ciphertexts are summed here, and the sums are read there: SEAL compiled to WebAssembly, under Node."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from lockleaf.he import codec, contexts, evaluate, keys, multiply, seal_keys
from lockleaf.he.params import PARAMETER_SETS
from tests.support.browser import NEEDS_NODE_SEAL, run
from tests.support.metrics import holder

pytestmark = NEEDS_NODE_SEAL
SETS = list(PARAMETER_SETS)


def browser(*arguments: str, ciphertexts: list[bytes] | None = None) -> list[str]:
    """The lines that the browser's program answers."""
    return run("metrics.js", *arguments, sent="\n".join(b64encode(each).decode() for each in ciphertexts or []))


@pytest.fixture
def secret(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The file of the holder's secret key, under the browser's version."""
    key = holder(request.node.callspec.params["name"]).key
    (tmp_path / "secret").write_bytes(seal_keys.write_secret_key(key.residues, key.parameters, "4.1"))
    return str(tmp_path / "secret")


@pytest.mark.parametrize("name", SETS)
def test_what_a_browser_encrypts_is_summed_here_and_its_sum_read_there(name: str, secret: str) -> None:
    values = [500.0, -12.25, 731.5]
    blobs = [b64decode(line) for line in browser("encrypt", name, secret, *map(str, values))]

    total = evaluate.total(codec.check_ciphertext(blob, name) for blob in blobs)
    answers = [total, evaluate.average(total, len(values))]
    read = [
        float(line) for line in browser("decrypt", name, secret, ciphertexts=list(map(codec.write_ciphertext, answers)))
    ]

    assert total.version == "4.1"
    error = PARAMETER_SETS[name].sum_error(len(values), 2000)
    assert read == pytest.approx([sum(values), sum(values) / 3], abs=error)


def test_a_browser_reads_every_kind_of_answer(tmp_path: Path) -> None:
    them = holder("ckks-8192")
    (tmp_path / "secret").write_bytes(seal_keys.write_secret_key(them.key.residues, them.parameters, "4.1"))
    some = [them.ciphertext(value) for value in (1.0, 2.0, 6.0)]
    line = evaluate.trend(some, [0, 1, 2])
    square = multiply.Squarer(contexts.read_public_context(them.public)).square(some[2])
    answers = [line.slope, line.average, evaluate.weighted_sum(some, [1, -1, 0.5]), square]

    sent = [codec.write_ciphertext(each, "4.1") for each in answers]
    read = [float(line) for line in browser("decrypt", "ckks-8192", str(tmp_path / "secret"), ciphertexts=sent)]

    assert read == pytest.approx([2.5, 3.0, 2.0, 36.0], abs=1e-4)


@pytest.mark.parametrize("name", SETS)
def test_a_browsers_keys_are_taken_here(name: str) -> None:
    secret, public = map(b64decode, browser("context", name))

    assert codec.check_public_context(public) == name
    assert contexts.read_public_context(public).version == "4.1"
    parameters = PARAMETER_SETS[name]
    key = keys.SecretKey(parameters, seal_keys.read_secret_key(secret, parameters))
    assert keys.SecretKey.from_bytes(key.to_bytes()).parameters is parameters
