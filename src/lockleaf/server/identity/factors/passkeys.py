"""Passkeys (WebAuthn level 3): what an authenticator made and signs, verified."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import bytes_to_base64url, parse_attestation_object
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from lockleaf.server.identity.factors.models import Factor
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.factors import PasskeyAssertion, PasskeyAttestation

__all__ = ["ALGORITHMS", "MadeCredential", "RelyingParty", "made", "relying_party", "signed"]

T = TypeVar("T")

_ALGORITHMS = [COSEAlgorithmIdentifier.EDDSA, COSEAlgorithmIdentifier.ECDSA_SHA_256]
ALGORITHMS = tuple(map(int, _ALGORITHMS))
# Others carry certificates, whose chains would be followed for a statement about the make that nobody asked for.
_FORMATS = (AttestationFormat.NONE, AttestationFormat.PACKED)
_ADDRESS = re.compile(r"[0-9.]+|.*[:\[\]].*")


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """What passkeys of this server are bound to: its id, a host's name, and the origins that may ask for them."""

    id: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MadeCredential:
    """A credential that an authenticator made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def relying_party(settings: Settings) -> RelyingParty | None:
    """Return what passkeys are bound to: as it is set, else by the server's public address; None without either."""
    origins = settings.factors.origins
    if not origins and settings.blobs.public_url is not None:
        address = urlsplit(settings.blobs.public_url)
        origins = (f"{address.scheme}://{address.netloc}",)
    if not origins:
        return None
    chosen = settings.factors.rp_id or urlsplit(origins[0]).hostname
    # An address has no name that a credential could be bound to.
    return None if not chosen or _ADDRESS.fullmatch(chosen) else RelyingParty(chosen, tuple(origins))


def made(party: RelyingParty, challenge: bytes, attestation: PasskeyAttestation) -> MadeCredential | None:
    """Return a credential that was made for this server, by an authenticator that verified its user; else None."""
    try:
        attested = parse_attestation_object(attestation.attestation_object)
        data = attested.auth_data.attested_credential_data
        if attested.fmt not in _FORMATS or data is None:
            return None
        verified = verify_registration_response(
            credential=RegistrationCredential(
                id=bytes_to_base64url(data.credential_id),
                raw_id=data.credential_id,
                response=AuthenticatorAttestationResponse(attestation.client_data, attestation.attestation_object),
            ),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
            supported_pub_key_algs=_ALGORITHMS,
        )
    except Exception:
        return None
    return MadeCredential(verified.credential_id, verified.credential_public_key, verified.sign_count)


def signed(
    party: RelyingParty, challenge: bytes, assertion: PasskeyAssertion, factors: Sequence[Factor]
) -> tuple[Factor, int] | None:
    """Return the factor whose authenticator answered this challenge, having verified its user, and what it counts."""
    for factor in factors:
        if factor.credential_id != assertion.credential_id or factor.public_key is None:
            continue
        try:
            verified = verify_authentication_response(
                credential=AuthenticationCredential(
                    id=bytes_to_base64url(assertion.credential_id),
                    raw_id=assertion.credential_id,
                    response=AuthenticatorAssertionResponse(
                        assertion.client_data, assertion.authenticator_data, assertion.signature
                    ),
                ),
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=list(party.origins),
                credential_public_key=factor.public_key,
                credential_current_sign_count=factor.sign_count,
                require_user_verification=True,
            )
        except Exception:
            return None
        return factor, verified.new_sign_count
    return None
