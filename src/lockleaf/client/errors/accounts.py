"""What a server refuses of accounts, credentials, keys and rights."""

from __future__ import annotations

from lockleaf.client.errors.base import ApiError
from lockleaf.exit_codes import ExitCode

__all__ = [
    "AccountDisabled",
    "ConsentRequired",
    "CustodyRequired",
    "EmailTaken",
    "IdTaken",
    "InsufficientScope",
    "InvalidCredentials",
    "InvalidInvitation",
    "InvalidRecipient",
    "InvalidRecoveryCode",
    "InvalidRecoveryToken",
    "InvalidSignature",
    "InvitationRequired",
    "KeyDerivationRequired",
    "KeyringConflict",
    "KeyringRequired",
    "KeysRequired",
    "NotAuthenticated",
    "RecipientRequired",
    "RefreshTokenReused",
    "RegistrationClosed",
    "SessionRevoked",
    "TierRequired",
    "TokenExpired",
    "TokenInvalid",
]


class InvalidRecipient(ApiError):
    """The server refused the account's public encryption key."""


class KeysRequired(ApiError):
    """An end-to-end encrypted account cannot be made without its keys."""


class KeyDerivationRequired(ApiError):
    """The request names a sealed keyring without the parameters by which its key is derived."""


class NotAuthenticated(ApiError):
    """You are not logged in. Log in and try again."""

    exit_code = ExitCode.CREDENTIALS
    hint = "lockleaf login"


class InvalidCredentials(ApiError):
    """Wrong email address or name, or wrong password."""

    exit_code = ExitCode.CREDENTIALS


class TokenExpired(ApiError):
    """The session has expired. Log in again; nothing that you wrote is lost."""

    exit_code = ExitCode.CREDENTIALS
    hint = "lockleaf login"


class TokenInvalid(ApiError):
    """The server does not accept this session. Log in again; nothing that you wrote is lost."""

    exit_code = ExitCode.CREDENTIALS
    hint = "lockleaf login"


class SessionRevoked(ApiError):
    """This device was signed out, here or from another device. Log in again; nothing that you wrote is lost."""

    exit_code = ExitCode.CREDENTIALS
    hint = "lockleaf login"


class AccountDisabled(ApiError):
    """The operator of the server has disabled this account. Nothing of it is deleted; ask the operator.

    Your journal works on this device as before, and is sent when the account is enabled again.
    """

    exit_code = ExitCode.CREDENTIALS


class RefreshTokenReused(ApiError):
    """The server ended this session, because it was continued from an earlier state of it. Log in again.

    Nothing that you wrote is lost. It happens when a profile is put back from a backup, or copied to another machine.
    If you did neither, somebody else may have a copy: change your password.
    """

    exit_code = ExitCode.CREDENTIALS
    hint = "lockleaf login"


class InsufficientScope(ApiError):
    """This login was not given the right to do that. Log in again without limiting its scope."""

    exit_code = ExitCode.CREDENTIALS


class TierRequired(ApiError):
    """The account's privacy tier keeps this off the server. What you wrote is kept on this device.

    If the server shall hold it too, set a higher tier, and try again.
    """

    hint = "lockleaf privacy shows what is off; lockleaf privacy set full_sync turns it on"


class CustodyRequired(ApiError):
    """The account's kind of encryption does not allow this."""


class InvalidRecoveryCode(ApiError):
    """The recovery code is wrong, was used before, or belongs to an older set. Check it, or try another one."""

    exit_code = ExitCode.CREDENTIALS


class InvalidRecoveryToken(ApiError):
    """The time to set a new password is over. Start again with a recovery code; the code is not used up yet."""

    exit_code = ExitCode.CREDENTIALS


class InvalidSignature(ApiError):
    """The server could not verify the signature of the new keys."""


class ConsentRequired(ApiError):
    """The server did not take the time of your consent. Check this device's clock, and try again."""


class EmailTaken(ApiError):
    """There is an account with this email address or name already. Log in instead."""

    hint = "lockleaf login --server URL --email you@example.org"


class RegistrationClosed(ApiError):
    """No accounts are made on this server. Ask whoever runs it, or run one of your own."""

    hint = "lockleaf serve"


class InvitationRequired(ApiError):
    """Accounts are made on this server by invitation. Ask whoever runs it for a code."""

    exit_code = ExitCode.CREDENTIALS
    hint = "lockleaf register --invitation CODE"


class InvalidInvitation(ApiError):
    """The invitation is wrong, used up, or has expired. Ask whoever runs the server for another one."""

    exit_code = ExitCode.CREDENTIALS


class IdTaken(ApiError):
    """The id that was chosen for the account is taken. Try again."""


class KeyringConflict(ApiError):
    """Another device changed the keyring in the meantime. Try again: the new keyring is fetched first."""


class KeyringRequired(ApiError):
    """The account holds a sealed keyring, so new credentials must bring it sealed again."""


class RecipientRequired(ApiError):
    """The account has no public key that others could seal to, so nothing can be put into its inbox."""
