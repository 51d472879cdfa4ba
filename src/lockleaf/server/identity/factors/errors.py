"""What can go wrong about second factors. A class's docstring is the message that a person reads."""

from __future__ import annotations

from lockleaf.server.platform.errors import Busy, Conflict, Invalid, Unauthenticated
from lockleaf.wire.problems import ErrorCode

__all__ = [
    "OF_FACTORS",
    "InvalidFactor",
    "InvalidPasskey",
    "PasskeysNotConfigured",
    "SecondFactorRequired",
    "TooManyFactorAttempts",
    "TooManyFactors",
]


class SecondFactorRequired(Unauthenticated):
    """The account has a second factor, and the request brings none. Send it again with `factor`.

    `kinds` says with what it may be answered. `challenge` is good for one answer, for this purpose, for `expires_in`
    seconds; a code may come without it.
    """

    code = ErrorCode.SECOND_FACTOR_REQUIRED


class InvalidFactor(Unauthenticated):
    """The second factor is wrong, was used before, or came too late. Answer again; an app's code changes in 30 seconds.

    `kinds`, `challenge` and `expires_in` are those of the next attempt.
    """

    code = ErrorCode.INVALID_FACTOR


class TooManyFactorAttempts(Busy):
    """Too many wrong codes were sent, so an app's codes are not looked at for a while. `Retry-After` says how long.

    A factor code works at once. Whoever sent the wrong codes knows the password: if that was not you, change it.
    """

    code = ErrorCode.TOO_MANY_FACTOR_ATTEMPTS


class TooManyFactors(Conflict):
    """The account has as many second factors as one can have. `limit` says how many; remove one first."""

    code = ErrorCode.TOO_MANY_FACTORS


class PasskeysNotConfigured(Conflict):
    """This server does not know at which address its users reach it, so passkeys cannot be bound to it.

    An operator sets LOCKLEAF_FACTORS__ORIGINS, or LOCKLEAF_BLOBS__PUBLIC_URL.
    """

    code = ErrorCode.PASSKEYS_NOT_CONFIGURED


class InvalidPasskey(Invalid):
    """The passkey is not the answer to this server's question: it was made for another address, challenge or account.

    Or its authenticator did not verify its user. Begin again.
    """

    code = ErrorCode.INVALID_PASSKEY


OF_FACTORS = (SecondFactorRequired, InvalidFactor, TooManyFactorAttempts)
"""What a request can be refused for where an account's second factor is asked for."""
