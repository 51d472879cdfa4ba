"""What a server refuses about second factors."""

from __future__ import annotations

from lockleaf.client.errors.base import ApiError
from lockleaf.client.errors.local import LocalError
from lockleaf.exit_codes import ExitCode

__all__ = [
    "InvalidFactor",
    "InvalidPasskey",
    "PasskeyOfAnotherServer",
    "PasskeysNotConfigured",
    "SecondFactorRequired",
    "SecurityKeyFailed",
    "TooManyFactorAttempts",
    "TooManyFactors",
]


class SecondFactorRequired(ApiError):
    """The account has a second factor, and none was given. Run it in a terminal, or set LOCKLEAF_SECOND_FACTOR.

    A code of your authenticator app answers, or one of your factor codes, each of which works once.
    """

    exit_code = ExitCode.CREDENTIALS


class InvalidFactor(ApiError):
    """The code is wrong, was used before, or came too late. An app's code changes every 30 seconds: take the next one.

    If every code is wrong, the clock of the phone may be: it may differ from the server's by half a minute.
    """

    exit_code = ExitCode.CREDENTIALS


class TooManyFactorAttempts(ApiError):
    """Too many wrong codes were sent, so the server looks at none of an app's for a while. A factor code works at once.

    Whoever sent the wrong codes knows your password. If that was not you, change it, on a device that is logged in.
    """

    exit_code = ExitCode.CREDENTIALS


class TooManyFactors(ApiError):
    """The account has as many second factors as one can have, so another one would have to go first."""


class PasskeysNotConfigured(ApiError):
    """This server takes no passkeys: it does not know at which address its users reach it. Ask whoever runs it."""


class InvalidPasskey(ApiError):
    """The server did not take the passkey. Is its address the one by which you reach it? Begin again."""


class PasskeyOfAnotherServer(LocalError):
    """The server asks for a passkey of another address than its own, so the security key was not asked.

    Passkeys are bound to the name in the server's address, and need https. If the address is right, tell whoever runs
    the server.
    """

    exit_code = ExitCode.INTEGRITY


class SecurityKeyFailed(LocalError):
    """The security key did not answer. It has to be one of the account's, be touched in time, and verify its user.

    A key without a PIN or a fingerprint cannot do the last: give it a PIN with the program of its maker.
    """

    exit_code = ExitCode.CREDENTIALS
