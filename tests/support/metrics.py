"""Keys, ciphertexts and plain TenSEAL for the tests of encrypted metrics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from struct import pack
from typing import Any

import tenseal

from lockleaf.he import codec, contexts, decrypt, encrypt, keys, messages, seal, seal_keys
from lockleaf.he.params import PARAMETER_SETS, ParameterSet
from lockleaf.he.seal import SealVersion

__all__ = [
    "Holder",
    "holder",
    "plain_context",
    "plain_public",
    "plain_sum",
    "raw_public_key",
    "raw_secret_key",
    "replaced",
    "sealed_object",
]


@dataclass(frozen=True, eq=False)
class Holder:
    """Somebody with keys of one parameter set."""

    key: keys.SecretKey
    public: bytes

    @property
    def parameters(self) -> ParameterSet:
        return self.key.parameters

    def blob(self, *slots: float, largest: float | None = None) -> bytes:
        """The numbers, encrypted and serialised."""
        return encrypt.encrypt_slots(self.key, slots, largest=largest)

    def ciphertext(self, *slots: float, largest: float | None = None) -> codec.Ciphertext:
        """The numbers, encrypted, as a server reads them."""
        return codec.check_ciphertext(self.blob(*slots, largest=largest), self.parameters.name)

    def read(self, ciphertext: codec.Ciphertext, *, largest: float = 2.0**90) -> list[float]:
        """What a ciphertext holds, when it has travelled."""
        return decrypt.decrypt_slots(
            self.key,
            codec.write_ciphertext(ciphertext),
            largest=largest,
            scale=ciphertext.scale,
            level=ciphertext.level,
        )


@cache
def holder(name: str) -> Holder:
    """One and the same holder of keys of the set, with relinearisation keys where it has products."""
    key, public = keys.make_keys(name, relinearisation="square" in PARAMETER_SETS[name].operations)
    return Holder(key, public)


@cache
def plain_context(name: str) -> Any:
    """A context with a public and a secret key, as a client makes it that has TenSEAL and nothing of ours."""
    parameters = PARAMETER_SETS[name]
    context = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS,
        poly_modulus_degree=parameters.degree,
        coeff_mod_bit_sizes=list(parameters.coeff_mod_bit_sizes),
    )
    context.global_scale = parameters.scale
    return context


def plain_public(context: Any) -> bytes:
    """A context as its client makes it public."""
    public: bytes = context.serialize(save_secret_key=False, save_galois_keys=False, save_relin_keys=False)
    return public


def plain_sum(context: Any, blobs: list[bytes]) -> bytes:
    """The sum that SEAL makes of them, serialised."""
    total = tenseal.ckks_vector_from(context, blobs[0])
    for blob in blobs[1:]:
        total += tenseal.ckks_vector_from(context, blob)
    serialised: bytes = total.serialize()
    return serialised


def sealed_object(blob: bytes) -> bytes:
    """SEAL's object within a ciphertext of TenSEAL's, as its maker compressed it."""
    return messages.bytes_of(messages.read(blob, {1: messages.BYTES, 2: messages.BYTES, 3: messages.DOUBLE}), 2)


def raw_public_key(name: str, version: SealVersion = "4.1") -> bytes:
    """The holder's public key, as ``PublicKey.save()`` of SEAL writes it."""
    context = contexts.read_public_context(holder(name).public)
    return seal.write_object(seal.write_polynomials(context.public_key, context.parameters, None, version), version)


def raw_secret_key(name: str, version: SealVersion = "4.1") -> bytes:
    """The holder's secret key, as ``SecretKey.save()`` of SEAL writes it."""
    key = holder(name).key
    return seal_keys.write_secret_key(key.residues, key.parameters, version)


BODY = 16
"""Where the body of an uncompressed SEAL object begins."""

# Where each field of a ciphertext stands in that body.
FIELDS = {
    "parms_id": (0, "32s"),
    "is_ntt_form": (32, "<B"),
    "size": (33, "<Q"),
    "degree": (41, "<Q"),
    "modulus_count": (49, "<Q"),
    "scale": (57, "<d"),
    "correction": (65, "<Q"),
    "array_header": (73, "<Q"),
    "array_version": (77, "<B"),
    "array_length": (81, "<Q"),
    "count": (89, "<Q"),
    "first_coefficient": (97, "<Q"),
}


def replaced(ciphertext: codec.Ciphertext, field: str, value: Any) -> bytes:
    """A serialised ciphertext with another value in one field of SEAL's structure."""
    data = bytearray(codec.write_ciphertext(replace(ciphertext)))
    start = data.index(b"\x5e\xa1\x10") + BODY
    offset, form = FIELDS[field]
    raw = pack(form, value)
    data[start + offset : start + offset + len(raw)] = raw
    return bytes(data)
