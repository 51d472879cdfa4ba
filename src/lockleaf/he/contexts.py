"""Public contexts: parameters and public keys, as TenSEAL writes and reads them, and never a secret key.

Who has SEAL alone, as in a browser, sends its public key as SEAL saves it. Such a key names its parameters by their id,
and is held to the same; wrapped, it is a context like another.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockleaf.he import messages, seal, seal_keys
from lockleaf.he.errors import InvalidContext, Refused, SecretKeyReceived
from lockleaf.he.messages import BYTES, DOUBLE, VARINT, bytes_of
from lockleaf.he.params import PARAMETER_SETS, ParameterSet
from lockleaf.he.seal import NATIVE, Polynomials, SealVersion

__all__ = [
    "ALL_FLAGS",
    "ASYMMETRIC",
    "CONTEXT",
    "MAX_CONTEXT_BYTES",
    "PRIVATE",
    "PUBLIC",
    "SYMMETRIC",
    "PublicContext",
    "check_public_context",
    "parameters_context",
    "read_public_context",
    "wrap_public_key",
    "write_public_context",
]

# TenSEAL's messages, by field.
CONTEXT = {1: BYTES, 2: BYTES, 3: BYTES, 4: VARINT}  # parameters, public part, private part, kind of encryption
PUBLIC = {1: BYTES, 2: VARINT, 3: DOUBLE, 4: BYTES, 5: BYTES}  # public key, flags, scale, relinearisation, Galois
PRIVATE = {1: BYTES, 2: VARINT, 3: VARINT}  # secret key, whether the two kinds of keys are made from it

ALL_FLAGS = 7  # relinearise, rescale and switch the modulus without being asked
ASYMMETRIC, SYMMETRIC = range(2)

MAX_CONTEXT_BYTES = 4 * 2**20
"""How long a public context can be: that of ckks-8192 with relinearisation keys has 2.1 MB uncompressed."""


@dataclass(frozen=True, slots=True, eq=False)
class PublicContext:
    """A public context taken apart.

    Attributes:
        parameters: the set it belongs to.
        version: of SEAL, that wrote it.
        public_key: the public key.
        relinearisation_keys: one for each prime but the last, or none.
    """

    parameters: ParameterSet
    version: SealVersion
    public_key: Polynomials
    relinearisation_keys: list[Polynomials] | None


def check_public_context(data: bytes) -> str:
    """Return the name of the parameter set that a serialised public context belongs to.

    Args:
        data: as ``Context.serialize(save_secret_key=False)`` of TenSEAL writes it, with a public key, with or without
            relinearisation keys, without Galois keys; or as ``PublicKey.save()`` of SEAL does.

    Raises:
        SecretKeyReceived: it carries a secret key, or is one. Nothing of it was read beyond its length.
        InvalidContext: it is no such context.
    """
    return read_public_context(data).parameters.name


def read_public_context(data: bytes) -> PublicContext:
    """Return what is in a serialised public context, or in SEAL's own public key, all of it checked.

    Raises:
        SecretKeyReceived: it carries a secret key, or is one.
        InvalidContext: it is no such context.
    """
    try:
        return _read_public_key(data) if seal.is_object(data) else _read_context(data)
    except Refused as refused:
        raise InvalidContext(refused.reason) from None


def _read_context(data: bytes) -> PublicContext:
    if len(data) > MAX_CONTEXT_BYTES:
        # A context that is too long most often is one with every key: say which of the two it is, if that shows.
        _refuse_secret(data)
        raise Refused("too_large")
    fields = _refuse_secret(data)
    public = messages.read(bytes_of(fields, 2), PUBLIC)
    if 5 in public:
        raise Refused("galois_keys")
    serialised = bytes_of(fields, 1)
    parameters = seal.read_parameters(serialised, tuple(PARAMETER_SETS.values()))
    if fields.get(4, ASYMMETRIC) != ASYMMETRIC or public.get(2, 0) not in range(ALL_FLAGS + 1):
        raise Refused("envelope")
    if public.get(3, parameters.scale) != parameters.scale:
        raise Refused("scale")
    if not (key := bytes_of(public, 1)):
        raise Refused("keys")
    version, body = seal.read_object(key, seal.polynomials_length(parameters, len(parameters.primes)))
    public_key = _checked_key(body, parameters, version)
    relinearisation = seal_keys.read_relinearisation_keys(bytes_of(public, 4), parameters) if 4 in public else None
    if any(each.scale != 1.0 for each in relinearisation or ()):
        raise Refused("scale")
    versions = {seal.version_of(each) for each in (serialised, key, *([bytes_of(public, 4)] if 4 in public else []))}
    if len(versions) != 1:
        raise Refused("version")
    return PublicContext(parameters, version, public_key, relinearisation)


def _read_public_key(data: bytes) -> PublicContext:
    if len(data) > MAX_CONTEXT_BYTES:
        raise Refused("too_large")
    # With more room than a public key takes: a secret key of any parameters is to be called what it is.
    version, body = seal.read_object(data, MAX_CONTEXT_BYTES)
    if seal_keys.is_plaintext(body):
        raise SecretKeyReceived("a secret key, or another object that is not encrypted")
    for parameters in PARAMETER_SETS.values():
        if body[: len(parameters.key_id)] == parameters.key_id:
            return PublicContext(parameters, version, _checked_key(body, parameters, version), None)
    raise Refused("parameters")


def _checked_key(body: memoryview, parameters: ParameterSet, version: SealVersion) -> Polynomials:
    key = seal.read_polynomials(body, parameters, None, version)
    if key.scale != 1.0:
        raise Refused("scale")
    return key


def wrap_public_key(data: bytes, parameters: ParameterSet) -> bytes:
    """Return SEAL's own public key, which was checked, as a public context around its very bytes."""
    return _write_context(parameters, {1: data, **_settings(parameters)}, seal.version_of(data))


def _refuse_secret(data: bytes) -> dict[int, messages.Value]:
    fields = messages.read(data, CONTEXT)
    if 3 in fields:
        if 1 in messages.read(bytes_of(fields, 3), PRIVATE):
            raise SecretKeyReceived("the context carries its secret key")
        raise Refused("envelope")
    return fields


def write_public_context(context: PublicContext, version: SealVersion) -> bytes:
    """Return a public context as TenSEAL of that version reads it."""
    parameters = context.parameters
    public: dict[int, messages.Value] = {
        1: seal.write_object(seal.write_polynomials(context.public_key, parameters, None, version), version),
        **_settings(parameters),
    }
    if context.relinearisation_keys is not None:
        public[4] = seal_keys.write_relinearisation_keys(context.relinearisation_keys, parameters, version)
    return _write_context(parameters, public, version)


def parameters_context(parameters: ParameterSet, version: SealVersion = NATIVE) -> bytes:
    """Return a context that holds parameters and no keys, as TenSEAL of that version reads it."""
    return _write_context(parameters, _settings(parameters), version)


def _settings(parameters: ParameterSet) -> dict[int, messages.Value]:
    return {2: ALL_FLAGS, 3: parameters.scale}


def _write_context(parameters: ParameterSet, public: dict[int, messages.Value], version: SealVersion) -> bytes:
    return messages.write({1: seal.write_parameters(parameters, version), 2: messages.write(public)})
