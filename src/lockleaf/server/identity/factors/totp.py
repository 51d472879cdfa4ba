"""Codes of an authenticator app (RFC 6238): SHA-1, six digits, 30 seconds, as all apps have them."""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp

__all__ = ["DIGITS", "SECONDS", "is_code", "matching_step", "new_secret", "uri"]

DIGITS = 6
SECONDS = 30
_DRIFT = 1
"""Steps by which the clocks of an app and of the server may differ, either way."""


def new_secret() -> str:
    """Return 160 random bits in base32."""
    return pyotp.random_base32(32)


def uri(secret: str, login_name: str, issuer: str) -> str:
    """Return what a QR code tells an app.

    Args:
        secret: base32.
        login_name: of the account, as its user writes it.
        issuer: what the app calls the server.
    """
    return pyotp.TOTP(secret).provisioning_uri(name=login_name, issuer_name=issuer)


def is_code(text: str) -> bool:
    """Tell whether ``text`` looks like an app's code."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def matching_step(secret: str, code: str, now: datetime, *, after: int) -> int | None:
    """Return the step (its number since 1970) whose code is ``code``; None if there is none that may be accepted.

    Args:
        after: the newest step that was accepted: neither it nor one before it is accepted again (RFC 6238, 5.2).
    """
    totp = pyotp.TOTP(secret, digits=DIGITS, interval=SECONDS)
    present = int(now.timestamp()) // SECONDS
    # All of them, whichever fits: how long it takes tells nothing.
    fitting = [
        step
        for step in range(present - _DRIFT, present + _DRIFT + 1)
        if hmac.compare_digest(totp.generate_otp(step), code) and step > after
    ]
    return max(fitting, default=None)
