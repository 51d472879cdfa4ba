"""The key pair of encrypted metrics: made on this device, its secret half kept sealed in the local store."""

from __future__ import annotations

from lockleaf.client.store import LocalStore
from lockleaf.he.params import CKKS_8192, ParameterSet

__all__ = ["PARAMETERS", "public_context"]

PARAMETERS = CKKS_8192
"""The set that can do everything: sums, averages, variance."""

_WITHOUT = {"save_galois_keys": False, "save_relin_keys": False}


def public_context(store: LocalStore) -> bytes:
    """Return the serialised public context of this device's key pair, which is made if there is none yet.

    The secret half is kept before the public one is given away: metrics under a key that nobody has would be lost. It
    is kept as TenSEAL's context with its secret key, which no other copy of exists.
    """
    from lockleaf.he.codec import check_public_context  # noqa: PLC0415  (native code, of which most runs have no need)

    name = f"he/{PARAMETERS.name}"
    with store.transaction():
        secret = store.get_secret(name)
        if secret is None:
            secret = _new_pair(PARAMETERS)
            store.set_secret(name, secret)
    public = _public_half(secret)
    check_public_context(public)  # whatever the library does: a secret key never leaves
    return public


def _new_pair(parameters: ParameterSet) -> bytes:
    import tenseal  # noqa: PLC0415

    context = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS, parameters.degree, coeff_mod_bit_sizes=list(parameters.coeff_mod_bit_sizes)
    )
    context.global_scale = parameters.scale
    packed: bytes = context.serialize(save_public_key=True, save_secret_key=True, **_WITHOUT)
    return packed


def _public_half(secret: bytes) -> bytes:
    import tenseal  # noqa: PLC0415

    context = tenseal.context_from(secret)
    packed: bytes = context.serialize(save_public_key=True, save_secret_key=False, **_WITHOUT)
    return packed
