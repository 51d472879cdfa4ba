"""What can go wrong about accounts and their keys. A class's docstring is the message that a person reads."""

from __future__ import annotations

from lockleaf.server.errors import Conflict, Forbidden, Invalid, Unauthenticated
from lockleaf.wire.problems import ErrorCode

__all__ = [
    "EmailTaken",
    "IdTaken",
    "InvalidRecipient",
    "InvalidRecoveryCode",
    "InvalidRecoveryToken",
    "InvalidSignature",
    "KeyDerivationRequired",
    "KeyringConflict",
    "KeyringRequired",
    "KeysRequired",
]


class EmailTaken(Conflict):
    """There is an account with this email already. Log in instead, or recover it with a recovery code."""

    code = ErrorCode.EMAIL_TAKEN


class IdTaken(Conflict):
    """The id chosen for the account is taken. Choose another one, and seal the keyring for it anew."""

    code = ErrorCode.ID_TAKEN


class KeysRequired(Invalid):
    """An account's keys come whole or not at all. `missing` names the fields that are needed too."""

    code = ErrorCode.KEYS_REQUIRED


class InvalidRecipient(Invalid):
    """The recipient is not a usable age X25519 recipient. Derive it from the newest master key."""

    code = ErrorCode.INVALID_RECIPIENT


class KeyDerivationRequired(Invalid):
    """A sealed keyring needs the parameters by which its key is derived; they change with the password alone."""

    code = ErrorCode.KEY_DERIVATION_REQUIRED


class KeyringRequired(Invalid):
    """The account's keyring has to be sealed again for this. `missing` names the fields that are needed too."""

    code = ErrorCode.KEYRING_REQUIRED


class KeyringConflict(Conflict):
    """The keyring has changed in the meantime. Fetch the version `current_version`, and build on that."""

    code = ErrorCode.KEYRING_CONFLICT


class InvalidSignature(Forbidden):
    """The new keys are not signed by the account's present signing key. Rotate on a device that has it."""

    code = ErrorCode.INVALID_SIGNATURE


class InvalidRecoveryCode(Unauthenticated):
    """The email or the recovery code is wrong, or the code was used, or belongs to an older set. Try another code."""

    code = ErrorCode.INVALID_RECOVERY_CODE


class InvalidRecoveryToken(Unauthenticated):
    """The time to set new credentials is over, or they have been set. Begin again with an unspent recovery code."""

    code = ErrorCode.INVALID_RECOVERY_TOKEN
