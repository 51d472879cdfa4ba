"""What can go wrong with encrypted metrics. No message holds a value, a key or a ciphertext."""

from __future__ import annotations

from typing import Literal

__all__ = [
    "HeError",
    "ImplausibleResult",
    "InvalidCiphertext",
    "InvalidContext",
    "InvalidKeys",
    "Mismatch",
    "Reason",
    "Refused",
    "SecretKeyReceived",
    "TooManyValues",
    "UnknownParameterSet",
    "UnsupportedOperation",
    "ValueOutOfBounds",
]

Reason = Literal[
    "too_large",
    "envelope",
    "header",
    "version",
    "compression",
    "truncated",
    "trailing",
    "parameters",
    "degree",
    "modulus_count",
    "level",
    "form",
    "polynomials",
    "scale",
    "length",
    "seeded",
    "slots",
    "coefficients",
    "keys",
    "galois_keys",
]
"""Why bytes were refused; stable, and safe to show to whoever sent them.

- ``too_large``: longer, or longer when decompressed, than anything of the parameter set can be.
- ``envelope``: neither SEAL's object nor TenSEAL's message, whose fields are known, in order and there once.
- ``header``: an object inside does not begin with SEAL's header. ``version``: that names a version that is not read.
- ``compression``: an unknown way to compress, or bytes that do not decompress.
- ``truncated``, ``trailing``: shorter or longer than they say.
- ``parameters``: those of no named set. ``degree``, ``modulus_count``, ``level``, ``form``, ``polynomials``, ``scale``:
  a ciphertext of another degree, with another count of moduli, at another level, not in NTT form, not of two
  polynomials, at another scale.
- ``length``: another count of coefficients than all this makes. ``seeded``: half of them are left to a seed.
- ``slots``: says that it holds no value, or more than there are slots, or is more than one ciphertext.
- ``coefficients``: one is not below its modulus.
- ``keys``: the public key is missing. ``galois_keys``: there are Galois keys, which no operation needs.
"""


class HeError(Exception):
    """The base of every error of ``lockleaf.he``."""


class Refused(HeError):
    """Bytes are not what they should be; ``reason`` says how."""

    def __init__(self, reason: Reason) -> None:
        self.reason: Reason = reason
        super().__init__(f"refused: {reason}")


class InvalidContext(Refused):
    """A public context is invalid, or not of a known parameter set."""


class InvalidCiphertext(Refused):
    """A ciphertext is invalid, or not one of its parameter set."""


class InvalidKeys(Refused):
    """A secret key is invalid, or not one of its parameter set."""


class SecretKeyReceived(HeError):
    """A context that should be public carries its secret key, or a key that should be public is the secret one."""


class UnknownParameterSet(HeError):
    """No parameter set has that name."""


class ValueOutOfBounds(HeError):
    """A value is outside of what its metric type or parameter set holds: it would come back wrong, without an error."""


class TooManyValues(HeError):
    """More is to be added up than the parameter set sums correctly, or more types to be packed than there are slots."""


class UnsupportedOperation(HeError):
    """The parameter set cannot do this, or a key for it is missing."""


class Mismatch(HeError):
    """Ciphertexts of different parameter sets, levels, scales or lengths cannot be added."""


class ImplausibleResult(HeError):
    """A decrypted result is larger than anything that was encrypted could add up to: another key, or a wrong answer."""
