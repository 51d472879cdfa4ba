"""Second factors: what shows, beside the secret, that its owner is there (PROTOCOL section 12)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from lockleaf.wire.account_fields import Name
from lockleaf.wire.base import Body
from lockleaf.wire.fields import Instant, Secret

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
    "Factors",
    "HasFactor",
    "NamedFactor",
    "TotpSecret",
]

CODES = 10
"""How many factor codes make a set."""

FactorKind = Literal["totp"]
AnswerKind = Literal["totp", "code"]
"""With what a question is answered: a code of an authenticator app, or one of the factor codes kept on paper."""

CodeText = Annotated[str, StringConstraints(min_length=6, max_length=40)]
ChallengeText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]


class FactorAnswer(Body):
    """What shows that the owner of a factor is there."""

    code: CodeText | None = Field(
        default=None, description="Six digits of an authenticator app, or one of the account's factor codes."
    )
    challenge: ChallengeText | None = Field(
        default=None, description="Of the refusal that asked. A code may come without one."
    )

    @model_validator(mode="after")
    def _an_answer(self) -> Self:
        if self.code is None:
            raise ValueError("code is needed")
        return self


def _text_is_a_code(given: Any) -> Any:
    return {"code": given} if isinstance(given, str) else given


class HasFactor(Body):
    """A body whose account may have a second factor: then it is refused without one, as ``second_factor_required``."""

    factor: Annotated[
        FactorAnswer | None, BeforeValidator(_text_is_a_code, json_schema_input_type=FactorAnswer | CodeText | None)
    ] = Field(default=None, description="Where the account has a second factor: the answer, or the text of a code.")


class FactorChallenge(Body):
    """The facts of a refusal for want of a second factor: what is asked for, once and for this purpose alone."""

    kinds: tuple[str, ...] = Field(description="With what it may be answered.")
    challenge: ChallengeText
    expires_in: int = Field(description="Seconds.")


class Factor(Body):
    """A second factor of an account."""

    id: UUID
    kind: FactorKind
    name: str | None = None
    created_at: Instant
    last_used_at: Instant | None = None


class Factors(Body):
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


class FactorBegun(Body):
    """A factor that counts once it is confirmed, with `POST /auth/factors/{id}/confirm`."""

    id: UUID
    kind: FactorKind
    totp: TotpSecret | None = None


class FactorConfirmation(Body):
    """What shows that a new factor works."""

    current_password: Secret
    code: CodeText | None = Field(default=None, description="An app's: six digits.")


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
