"""Passkeys (WebAuthn level 3): what an authenticator made and signs, verified."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from lockleaf.lazy import late
from lockleaf.server.identity.factors.models import Factor
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.factors import PasskeyAssertion, PasskeyAttestation

if TYPE_CHECKING:
    import webauthn
    from webauthn import helpers
    from webauthn.helpers import cose, structs
else:
    # With certificates and their syntax it takes 6 MB, and few accounts have a passkey.
    webauthn, helpers = late("webauthn"), late("webauthn.helpers")
    cose, structs = late("webauthn.helpers.cose"), late("webauthn.helpers.structs")

__all__ = ["ALGORITHMS", "MadeCredential", "RelyingParty", "made", "relying_party", "signed"]

T = TypeVar("T")

ALGORITHMS = (-8, -7)
"""EdDSA, and ECDSA with SHA-256, by their numbers in COSE."""
# Others carry certificates, whose chains would be followed for a statement about the make that nobody asked for.
_FORMATS = ("none", "packed")
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
        attested = helpers.parse_attestation_object(attestation.attestation_object)
        data = attested.auth_data.attested_credential_data
        if attested.fmt not in _FORMATS or data is None:
            return None
        verified = webauthn.verify_registration_response(
            credential=structs.RegistrationCredential(
                id=helpers.bytes_to_base64url(data.credential_id),
                raw_id=data.credential_id,
                response=structs.AuthenticatorAttestationResponse(
                    attestation.client_data, attestation.attestation_object
                ),
            ),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
            supported_pub_key_algs=[cose.COSEAlgorithmIdentifier(each) for each in ALGORITHMS],
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
            verified = webauthn.verify_authentication_response(
                credential=structs.AuthenticationCredential(
                    id=helpers.bytes_to_base64url(assertion.credential_id),
                    raw_id=assertion.credential_id,
                    response=structs.AuthenticatorAssertionResponse(
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
