"""Keys for metrics: made on a client, used on clients. A server gets the public context and never the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lockleaf.he import messages, seal, seal_keys
from lockleaf.he.contexts import (
    ALL_FLAGS,
    CONTEXT,
    PRIVATE,
    PUBLIC,
    SYMMETRIC,
    PublicContext,
    read_public_context,
    write_public_context,
)
from lockleaf.he.errors import InvalidKeys, Refused, UnsupportedOperation
from lockleaf.he.messages import bytes_of
from lockleaf.he.params import PARAMETER_SETS, ParameterSet, parameter_set
from lockleaf.he.seal import NATIVE

if TYPE_CHECKING:
    import tenseal

    from lockleaf.he.seal import Residues

__all__ = ["SecretKey", "make_keys"]


@dataclass(frozen=True, eq=False)
class SecretKey:
    """The secret key of a parameter set. It encrypts too: who holds it needs no public key, and none from a server.

    Attributes:
        parameters: the set it belongs to, as built in here.
        residues: uint64 of shape (primes, degree).
    """

    parameters: ParameterSet
    residues: Residues

    def __repr__(self) -> str:
        return f"SecretKey({self.parameters.name})"

    def to_bytes(self) -> bytes:
        """Return the key as a TenSEAL context with symmetric encryption, to be sealed by the caller."""
        parameters = self.parameters
        return messages.write(
            {
                1: seal.write_parameters(parameters, NATIVE),
                2: messages.write({2: ALL_FLAGS, 3: parameters.scale}),
                3: messages.write({1: seal_keys.write_secret_key(self.residues, parameters, NATIVE)}),
                4: SYMMETRIC,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> SecretKey:
        """Return the key that ``to_bytes`` wrote, under any version of SEAL that is read; its seal is open already.

        Raises:
            InvalidKeys: it is not such a key.
        """
        try:
            fields = messages.read(data, CONTEXT)
            parameters = seal.read_parameters(bytes_of(fields, 1), tuple(PARAMETER_SETS.values()))
            public = messages.read(bytes_of(fields, 2), PUBLIC)
            if fields.get(4) != SYMMETRIC or public.get(3) != parameters.scale:
                raise Refused("parameters")
            private = messages.read(bytes_of(fields, 3), PRIVATE)
            return cls(parameters, seal_keys.read_secret_key(bytes_of(private, 1), parameters))
        except Refused as refused:
            raise InvalidKeys(refused.reason) from None

    @cached_property
    def context(self) -> tenseal.Context:
        """TenSEAL's context with this key, made from the set that is built in."""
        import tenseal  # noqa: PLC0415  (heavy)

        return tenseal.context_from(self.to_bytes(), n_threads=1)


def make_keys(name: str, *, relinearisation: bool = False) -> tuple[SecretKey, bytes]:
    """Return a new secret key, and the serialised public context that goes with it.

    Args:
        name: of the parameter set.
        relinearisation: whether the public context has the keys with which a server multiplies; they are three times
            as long as the rest of it.

    Raises:
        UnknownParameterSet: no set has that name.
        UnsupportedOperation: relinearisation keys for a set that has no products.
    """
    import tenseal  # noqa: PLC0415  (heavy)

    parameters = parameter_set(name)
    if relinearisation and "square" not in parameters.operations:
        raise UnsupportedOperation(f"{name} has no products")
    context = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS,
        parameters.degree,
        coeff_mod_bit_sizes=list(parameters.coeff_mod_bit_sizes),
        n_threads=1,
    )
    context.global_scale = parameters.scale
    with_secret = messages.read(
        context.serialize(save_public_key=False, save_secret_key=True, save_galois_keys=False, save_relin_keys=False),
        CONTEXT,
    )
    private = messages.read(bytes_of(with_secret, 3), PRIVATE)
    secret = SecretKey(parameters, seal_keys.read_secret_key(bytes_of(private, 1), parameters))
    public = context.serialize(save_secret_key=False, save_galois_keys=False, save_relin_keys=relinearisation)
    return secret, _rewritten(public)


def _rewritten(public: bytes) -> bytes:
    # What TenSEAL chose must be what is built in; and the server is sent what its own check has read already.
    context: PublicContext = read_public_context(public)
    return write_public_context(context, NATIVE)
