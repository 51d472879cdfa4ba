"""What everybody may know before encrypting: the parameter sets, and within which bounds they add up correctly."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from lockleaf.he.contexts import parameters_context
from lockleaf.he.params import CKKS_8192, PARAMETER_SETS, ParameterSet
from lockleaf.wire.analytics import ContextParams, EncryptionContext, ParameterSetFacts, SealVersionName
from lockleaf.wire.codec import JSON, encode

__all__ = ["described", "tag"]


@cache
def described(version: SealVersionName) -> EncryptionContext:
    """Return the parameter sets, with contexts as TenSEAL with that version of SEAL reads them."""
    return EncryptionContext(
        context_params=ContextParams(**_params(CKKS_8192)),
        serialized_context=parameters_context(CKKS_8192, version),
        parameter_sets={
            name: ParameterSetFacts(
                **_params(each),
                slots=each.slots,
                largest=each.largest,
                most_values=each.most_values,
                most_additions=each.most_additions,
                fresh_error=each.fresh_error,
                operations=tuple(sorted(each.operations)),
                serialized_context=parameters_context(each, version),
            )
            for name, each in PARAMETER_SETS.items()
        },
    )


@cache
def tag(version: SealVersionName, media_type: str) -> str:
    """Return the entity tag of that answer in an encoding."""
    return f'"{sha256(encode(described(version), JSON) + media_type.encode()).hexdigest()[:32]}"'


def _params(parameters: ParameterSet) -> dict[str, object]:
    return {
        "poly_modulus_degree": parameters.degree,
        "coeff_mod_bit_sizes": parameters.coeff_mod_bit_sizes,
        "scale": int(parameters.scale),
    }
