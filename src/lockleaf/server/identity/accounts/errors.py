"""What can go wrong about accounts and their keys. A class's docstring is the message that a person reads."""

from __future__ import annotations

from lockleaf.server.platform.errors import Conflict, Forbidden, Invalid, Unauthenticated
from lockleaf.wire.problems import ErrorCode

__all__ = [
    "OF_REGISTRATION",
    "OF_RESEALING",
    "ConsentRequired",
    "EmailTaken",
    "HeKeyRequired",
    "IdTaken",
    "InvalidHePublicKey",
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
    "RegistrationClosed",
    "SecretKeyReceived",
]


class EmailTaken(Conflict):
    """There is an account with this email or name already. Log in instead, or recover it with a recovery code."""

    code = ErrorCode.EMAIL_TAKEN


class RegistrationClosed(Forbidden):
    """No accounts are made on this server. Its operator makes an exception, or nobody does."""

    code = ErrorCode.REGISTRATION_CLOSED


class InvitationRequired(Forbidden):
    """Accounts are made on this server by invitation. Ask its operator for a code, and send it as `invitation`."""

    code = ErrorCode.INVITATION_REQUIRED


class InvalidInvitation(Forbidden):
    """The invitation is wrong, used up, or has expired. Ask the operator for another one."""

    code = ErrorCode.INVALID_INVITATION


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


class ConsentRequired(Invalid):
    """A higher tier, or a key for metrics, needs `consent_timestamp`: when the user chose so.

    It does not lie in the future, which is after `not_after`; check the device's clock.
    """

    code = ErrorCode.CONSENT_REQUIRED


class HeKeyRequired(Conflict):
    """No public key for encrypted metrics is registered. Make a pair on the device, and register its public key.

    That is done by `PUT /users/me/privacy` with the present tier, and `he_public_key`.
    """

    code = ErrorCode.HE_KEY_REQUIRED


class SecretKeyReceived(Invalid):
    """The key that was sent is, or carries, the secret one, with which anybody could read the metrics.

    Nothing of it was kept. Make a new pair, and send the public key, or a context that was made public first.
    """

    code = ErrorCode.SECRET_KEY_RECEIVED


class InvalidHePublicKey(Invalid):
    """The key is no public key of SEAL's and no public TenSEAL context of a parameter set of this server.

    `GET /encryption/context` lists the sets. `reason` says, where it can be said, what is wrong with the key.
    """

    code = ErrorCode.INVALID_HE_PUBLIC_KEY


OF_REGISTRATION = (
    ConsentRequired,
    EmailTaken,
    IdTaken,
    KeysRequired,
    InvalidRecipient,
    RegistrationClosed,
    InvitationRequired,
    InvalidInvitation,
)
"""What can be wrong about a new account."""
OF_RESEALING = (KeyringRequired, KeyDerivationRequired, KeysRequired, KeyringConflict)
"""What can be wrong about a keyring that is sealed again."""
