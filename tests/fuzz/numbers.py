"""What a server reads of SEAL's objects: public contexts, raw keys and ciphertexts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from lockleaf.he.codec import check_ciphertext, client_version, read_ciphertext, write_raw
from lockleaf.he.contexts import check_public_context
from lockleaf.he.errors import HeError
from lockleaf.he.params import PARAMETER_SETS
from tests.fuzz.target import Target

__all__ = ["TARGETS"]

_FOLDER = Path(__file__).parents[1] / "vectors" / "metrics"
_SET = "ckks-4096"


def _files(*patterns: str) -> Callable[[], Iterable[bytes]]:
    return lambda: [path.read_bytes() for pattern in patterns for path in sorted(_FOLDER.glob(pattern))]


def _ciphertexts() -> Iterable[bytes]:
    for data in _files("tenseal-*.bin", "node-seal-*.bin")():
        yield data
        yield write_raw(read_ciphertext(data, PARAMETER_SETS[_SET]))


TARGETS = (
    Target("he-context", check_public_context, (HeError,), _files("public-*.bin"), long=True),
    Target("he-secret", check_public_context, (HeError,), _files("secret.bin"), long=True),
    Target("he-ciphertext", lambda data: check_ciphertext(data, _SET), (HeError,), _ciphertexts, long=True),
    Target("he-version", client_version, (HeError,), _files("public-*.bin", "tenseal-*.bin"), long=True),
)
