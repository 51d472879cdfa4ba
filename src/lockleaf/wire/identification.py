"""How a request says whose account it is about, and proves it: an email or a name, and one secret by several names.

Clients of several generations are served. A vault client calls its account by a name without an @, and its secret by
what it is, the authentication hash that was derived from a password.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, AliasChoices, Field, GetJsonSchemaHandler, StringConstraints, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from lockleaf.wire.account_fields import LONGEST_EMAIL, EmailText
from lockleaf.wire.base import Body, SeveralNames, invalid_field
from lockleaf.wire.login_names import is_email
from lockleaf.wire.names import login_form

__all__ = [
    "PASSWORD",
    "SECRET",
    "SECRET_NAMES",
    "HasSecret",
    "Identified",
    "LoginName",
    "secret_name",
]

PASSWORD: Final = "password"  # noqa: S105
SECRET_NAMES: Final = (PASSWORD, "h_auth", "H_auth", "auth_hash", "auth_secret")
"""What clients call the one secret that proves who they are; the first is what Lockleaf's own call it."""
SECRET: Final = AliasChoices(*SECRET_NAMES)


def _name(value: str) -> str:
    """Refuse what is a name only as it is written: a compatibility character can stand for "@", or for a blank."""
    form = login_form(value)
    if not 0 < len(form) <= LONGEST_EMAIL or is_email(form) or any(map(str.isspace, form)):
        raise ValueError("not a name: it has no @, no blank, and at most 254 characters")
    return value


NameText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_EMAIL, pattern=r"^[^\s@\x00-\x1f\x7f]+$"),
    AfterValidator(_name),
]
LoginName = EmailText | NameText
"""What an account is known by: an email, or a name without an @."""


class Identified(Body):
    """Whose account a request is about."""

    email: EmailText | None = None
    username: LoginName | None = Field(
        default=None, description="In place of `email`: that, or a name without an @, as vault clients have it."
    )

    @model_validator(mode="after")
    def _by_one_of_them(self) -> Self:
        if self.email is None and self.username is None:
            raise invalid_field("email", "the email or the name of the account is missing")
        if self.email is not None and self.username is not None and login_form(self.email) != login_form(self.username):
            raise invalid_field("username", "an account has an email or a name: send `email` or `username`")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say that one of them is needed."""
        described = super().__get_pydantic_json_schema__(schema, handler)
        _require_one(handler.resolve_ref_schema(described), ("email", "username"))
        return described

    @property
    def login_name(self) -> str:
        """What the account is known by, as its user writes it."""
        return self.email or self.username or ""


def secret_name(data: Any) -> str:
    """Return the name by which a body, as it came, gives its secret."""
    given = (name for name in SECRET_NAMES if isinstance(data, dict) and data.get(name) is not None)
    return next(given, PASSWORD)


class HasSecret(SeveralNames):
    """A body with a secret, under any of its names."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the secret under each of its names."""
        described = super().__get_pydantic_json_schema__(schema, handler)
        found = handler.resolve_ref_schema(described)
        found["properties"].update(dict.fromkeys(SECRET_NAMES, found["properties"][PASSWORD]))
        if PASSWORD in found.get("required", ()):
            found["required"] = [name for name in found["required"] if name != PASSWORD]
            _require_one(found, SECRET_NAMES)
        return described


def _require_one(schema: JsonSchemaValue, names: Iterable[str]) -> None:
    schema.setdefault("allOf", []).append({"anyOf": [{"required": [name]} for name in names]})
