"""Second factors: what shows, beside the secret, that its owner is there (PROTOCOL section 12)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from annotated_types import Len
from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from lockleaf.wire.account_fields import Name
from lockleaf.wire.base import Body
from lockleaf.wire.fields import Bytes, Instant, Secret

__all__ = [
    "CODES",
    "AnswerKind",
    "Factor",
    "FactorAnswer",
    "FactorBegun",
    "FactorChallenge",
    "FactorCodes",
    "FactorConfirmation",
    "FactorConfirmed",
    "FactorKind",
    "FactorList",
    "HasFactor",
    "NamedFactor",
    "PasskeyAssertion",
    "PasskeyAttestation",
    "PasskeyOptions",
    "PasskeyQuestion",
    "TotpSecret",
]

CODES = 10
"""How many factor codes make a set."""

FactorKind = Literal["totp", "passkey"]
AnswerKind = Literal["totp", "passkey", "code"]
"""With what a question is answered: a code of an authenticator app, a passkey, or a factor code kept on paper."""

CodeText = Annotated[str, StringConstraints(min_length=6, max_length=40)]
CredentialId = Annotated[Bytes, Len(1, 1023)]
ClientData = Annotated[Bytes, Len(1, 4096)]
RelyingPartyId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,252}$")]
ChallengeText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]


class PasskeyAssertion(Body):
    """What an authenticator signed (WebAuthn, `navigator.credentials.get()`)."""

    credential_id: CredentialId
    client_data: ClientData = Field(description="The JSON that was hashed, to the letter.")
    authenticator_data: Annotated[Bytes, Len(37, 4096)]
    signature: Annotated[Bytes, Len(1, 1024)]


class FactorAnswer(Body):
    """What shows that the owner of a factor is there."""

    code: CodeText | None = Field(
        default=None, description="Six digits of an authenticator app, or one of the account's factor codes."
    )
    challenge: ChallengeText | None = Field(
        default=None, description="Of the refusal that asked. A code may come without one."
    )
    passkey: PasskeyAssertion | None = Field(default=None, description="In place of a code; it needs the challenge.")

    @model_validator(mode="after")
    def _an_answer(self) -> Self:
        if (self.code is None) == (self.passkey is None):
            raise ValueError("either code or passkey is needed")
        if self.passkey is not None and self.challenge is None:
            raise ValueError("a passkey answers a challenge: both are needed")
        return self


def _text_is_a_code(given: Any) -> Any:
    return {"code": given} if isinstance(given, str) else given


class HasFactor(Body):
    """A body whose account may have a second factor: then it is refused without one, as ``second_factor_required``."""

    factor: Annotated[
        FactorAnswer | None, BeforeValidator(_text_is_a_code, json_schema_input_type=FactorAnswer | CodeText | None)
    ] = Field(default=None, description="Where the account has a second factor: the answer, or the text of a code.")


class PasskeyQuestion(Body):
    """Which authenticators may answer, and at which relying party; they have to verify their user."""

    rp_id: RelyingPartyId
    credentials: tuple[CredentialId, ...]


class FactorChallenge(Body):
    """The facts of a refusal for want of a second factor: what is asked for, once and for this purpose alone."""

    kinds: tuple[str, ...] = Field(description="With what it may be answered.")
    challenge: ChallengeText
    expires_in: int = Field(description="Seconds.")
    passkey: PasskeyQuestion | None = None


class Factor(Body):
    """A second factor of an account."""

    id: UUID
    kind: FactorKind
    name: str | None = None
    created_at: Instant
    last_used_at: Instant | None = None


class FactorList(Body):
    """The second factors of the account, and what else lets its owner in."""

    items: tuple[Factor, ...]
    codes_left: int = Field(description="Factor codes that are unspent.")
    wrong_codes: int = Field(
        description="Codes of an app that were wrong since the last right one: whoever sent them knew the password."
    )
    retry_at: Instant | None = Field(
        default=None, description="Until when codes of an app are refused unseen, after too many wrong ones."
    )


class TotpSecret(Body):
    """What an authenticator app needs: SHA-1, six digits, 30 seconds (RFC 6238). Shown once."""

    secret: Annotated[str, StringConstraints(pattern=r"^[A-Z2-7]{16,128}$")] = Field(description="Base32.")
    uri: Annotated[str, StringConstraints(pattern=r"^otpauth://totp/[!-~]{1,2000}$")] = Field(
        description="The same for a QR code."
    )


class PasskeyOptions(Body):
    """What an authenticator needs to make a credential; it has to verify its user, and need not store it."""

    rp_id: RelyingPartyId
    rp_name: str
    user_id: Bytes
    user_name: str
    challenge: ChallengeText
    algorithms: tuple[int, ...] = Field(description="Of COSE, the first is preferred.")
    exclude: tuple[CredentialId, ...] = Field(description="Credentials that the account has already.")


class PasskeyAttestation(Body):
    """The credential that an authenticator made (WebAuthn, `navigator.credentials.create()`)."""

    client_data: ClientData
    attestation_object: Annotated[Bytes, Len(1, 16384)]


class FactorBegun(Body):
    """A factor that counts once it is confirmed, with `POST /auth/factors/{id}/confirm`."""

    id: UUID
    kind: FactorKind
    totp: TotpSecret | None = None
    passkey: PasskeyOptions | None = None


class FactorConfirmation(Body):
    """What shows that a new factor works."""

    current_password: Secret
    code: CodeText | None = Field(default=None, description="An app's: six digits.")
    passkey: PasskeyAttestation | None = None


class FactorCodes(Body):
    """Factor codes, shown once: each stands for the second factor one time."""

    codes: tuple[str, ...]


class FactorConfirmed(Body):
    """A factor that counts from now on."""

    factor: Factor
    codes: tuple[str, ...] | None = Field(
        default=None, description="With the first factor of an account: its factor codes, shown once."
    )


class NamedFactor(Body):
    """Of which kind a new factor is, and what its owner calls it."""

    kind: FactorKind
    name: Name | None = None
