"""What an account is known by: an email, or a name without an @, as vault clients have it."""

from __future__ import annotations

from typing import TypedDict

__all__ = ["Identification", "identification", "is_email"]


class Identification(TypedDict):
    """An email or a name, in the field that is meant for it; the other is None."""

    email: str | None
    username: str | None


def is_email(login_name: str) -> bool:
    """Tell whether what an account is known by is an email; a name has no @ in it."""
    return "@" in login_name


def identification(login_name: str) -> Identification:
    """Return the fields that identify an account by ``login_name``."""
    known_by_email = is_email(login_name)
    return {"email": login_name if known_by_email else None, "username": None if known_by_email else login_name}
