"""What can go wrong about who is asking. A class's docstring is the message that a person reads."""

from __future__ import annotations

from lockleaf.server.platform.errors import Busy, Forbidden, Unauthenticated
from lockleaf.server.platform.tiers import TierRequired
from lockleaf.wire.problems import ErrorCode

__all__ = [
    "OF_CALLERS",
    "OF_RIGHTS",
    "OF_SESSIONS",
    "AccountDisabled",
    "CustodyRequired",
    "HashingBusy",
    "InsufficientScope",
    "InvalidCredentials",
    "NotAuthenticated",
    "RefreshTokenReused",
    "SessionRevoked",
    "TokenExpired",
    "TokenInvalid",
]


class NotAuthenticated(Unauthenticated):
    """No session was named. Log in, and send its access token as `Authorization: Bearer`."""

    code = ErrorCode.NOT_AUTHENTICATED


class InvalidCredentials(Unauthenticated):
    """The email or the password is wrong. Which of them is not said, so that nobody can ask who has an account here."""

    code = ErrorCode.INVALID_CREDENTIALS


class TokenExpired(Unauthenticated):
    """The token has expired. Refresh the session; if it was the refresh token, log in again."""

    code = ErrorCode.TOKEN_EXPIRED


class TokenInvalid(Unauthenticated):
    """The token was not made by this server for this purpose. Log in again."""

    code = ErrorCode.TOKEN_INVALID


class SessionRevoked(Unauthenticated):
    """The session has ended: this device was signed out, here or from another one. Log in again."""

    code = ErrorCode.SESSION_REVOKED


class AccountDisabled(Forbidden):
    """The operator of this server has disabled the account. Nothing of it is deleted; ask the operator.

    A journal on a device goes on working there, and is sent when the account is enabled again.
    """

    code = ErrorCode.ACCOUNT_DISABLED


class RefreshTokenReused(Unauthenticated):
    """A refresh token was used again after it had been replaced, so the session was ended. Log in again.

    That happens where a device is put back from a backup or copied, where the answer to a refresh without `retry_id`
    was lost, and where somebody else holds the token. If none of the first three is so, change the password.
    """

    code = ErrorCode.REFRESH_TOKEN_REUSED


class InsufficientScope(Forbidden):
    """The session was opened without this right. `required` names it; log in again and ask for it."""

    code = ErrorCode.INSUFFICIENT_SCOPE


class CustodyRequired(Forbidden):
    """This works, on this server, only with accounts in another custody. `required` names it."""

    code = ErrorCode.CUSTODY_REQUIRED


class HashingBusy(Busy):
    """Too many passwords are being checked at once. Nothing was decided; wait as long as `Retry-After` says."""

    code = ErrorCode.TOO_MANY_REQUESTS


OF_SESSIONS = (NotAuthenticated, TokenExpired, TokenInvalid, SessionRevoked, AccountDisabled)
"""What a route can refuse a caller whatever is asked of it, where it wants a token."""
OF_RIGHTS = (*OF_SESSIONS, InsufficientScope)
"""The same, where it wants a token and a right."""
OF_CALLERS = (*OF_RIGHTS, TierRequired)
"""The same, where it wants a token, a right and a tier."""
