"""The key pair of encrypted metrics: made on this device, its secret half kept sealed in the local store."""

from __future__ import annotations

from lockleaf.client.store import LocalStore

__all__ = ["PARAMETER_SET", "public_context"]

PARAMETER_SET = "ckks-8192"
"""The set that can do everything: sums, averages, variance."""


def public_context(store: LocalStore) -> bytes:
    """Return the serialised public context of this device's key pair, which is made if there is none yet.

    The secret half is kept before the public one is given away: metrics under a key that nobody has would be lost.
    """
    from lockleaf.he import keys  # noqa: PLC0415  (native code, of which most runs have no need)

    name = f"he/{PARAMETER_SET}"
    with store.transaction():
        kept = store.get_secret(name)
        pair = keys.KeyPair.generate(PARAMETER_SET) if kept is None else keys.KeyPair.unpack(kept)
        if kept is None:
            store.set_secret(name, pair.pack())
    return pair.public
