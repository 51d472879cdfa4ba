"""Contexts of encrypted metrics as any TenSEAL writes them: with their secret key, and made public."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import tenseal

__all__ = ["Contexts", "contexts"]

_SETS = {
    "ckks-8192": (8192, [60, 40, 40, 60], 2.0**40),
    "ckks-4096": (4096, [54, 55], 2.0**30),
}


@dataclass(frozen=True)
class Contexts:
    """One key pair, serialised."""

    secret: bytes
    public: bytes


def contexts(parameter_set: str = "ckks-4096", *, pair: int = 1) -> Contexts:
    """A key pair of a set; the same ``pair`` is made once, since that takes a moment."""
    return _made(parameter_set, pair)


@cache
def _made(parameter_set: str, pair: int) -> Contexts:
    del pair
    degree, bits, scale = _SETS[parameter_set]
    context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, degree, coeff_mod_bit_sizes=bits)
    context.global_scale = scale
    without = {"save_galois_keys": False, "save_relin_keys": False}
    return Contexts(
        secret=context.serialize(save_public_key=True, save_secret_key=True, **without),
        public=context.serialize(save_public_key=True, save_secret_key=False, **without),
    )
