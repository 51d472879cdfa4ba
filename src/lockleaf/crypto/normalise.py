"""The one form of an email address or name, of a password and of a label's value before they are hashed."""

from __future__ import annotations

import unicodedata

from lockleaf.wire.names import known_as, login_form

__all__ = ["normalise_email", "normalise_password", "normalise_value"]


def normalise_email(email: str) -> str:
    """Return ``email``, or the name of an account that has none, in NFKC, trimmed, case-folded.

    That is what the server's directory and the KDF salt know the account by.
    """
    return login_form(email)


def normalise_password(password: str) -> str:
    """Return ``password`` in NFKC, so that two keyboards that compose a letter differently open the same account."""
    return unicodedata.normalize("NFKC", password)


def normalise_value(value: str) -> str:
    """Return the ``value`` of a label (a mood, a tag, a source) in the one form of all its spellings."""
    return known_as(value)
