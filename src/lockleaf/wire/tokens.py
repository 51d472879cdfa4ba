"""Tokens of a session, and the request for the next ones."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from lockleaf.wire.base import Body

__all__ = [
    "Refresh",
    "Tokens",
]


class Tokens(Body):
    """The two tokens of a session."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = Field(description="Seconds until the access token expires.")
    scope: str | None = None
    session_id: UUID | None = None
    user_id: UUID | None = Field(default=None, description="Whose session it is.")
    jwt_token: str | None = Field(default=None, description="The access token, as diary clients call it.")


class Refresh(Body):
    """A refresh token to rotate. The same token with the same ``retry_id`` is answered alike for 60 seconds."""

    refresh_token: Annotated[str, StringConstraints(max_length=2048)]
    retry_id: Annotated[str, StringConstraints(min_length=8, max_length=64)] | None = None
