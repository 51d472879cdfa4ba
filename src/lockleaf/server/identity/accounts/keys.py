"""The rules of an account's keys: what must come together, what must follow what (PROTOCOL section 2).

The server opens nothing of this. It keeps the order of versions, and holds each new pair of public keys to the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.crypto import identity
from lockleaf.crypto.errors import BadRecipient
from lockleaf.server.identity.accounts.errors import (
    InvalidRecipient,
    InvalidSignature,
    KeyDerivationRequired,
    KeyringConflict,
    KeyringRequired,
    KeysRequired,
)
from lockleaf.server.identity.accounts.models import Account
from lockleaf.server.identity.accounts.prelogin import kdf_to_stored
from lockleaf.server.identity.accounts.repository import AccountRepository
from lockleaf.server.identity.errors import CustodyRequired
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.records import service as records
from lockleaf.wire.account_fields import Kdf, RecoveryEntry
from lockleaf.wire.accounts import Register
from lockleaf.wire.credentials import KeyringReplacement, PasswordChange
from lockleaf.wire.fields import decode_base64
from lockleaf.wire.recovery import Recover, RecoveryCodesReplacement

__all__ = [
    "KeySet",
    "brings",
    "is_stored",
    "keys_of_registration",
    "refuse_brought",
    "replace_keyring",
    "replace_recovery_codes",
    "require_rotation",
    "require_version",
    "reseal",
    "usable_recipient",
]

RAW_RECIPIENT = 44
"""Characters of 32 bytes in base64; an age recipient has 62."""


_KEYS = (
    "kdf",
    "keyring",
    "keyring_version",
    "recipient",
    "signing_key",
    "rotation_signature",
    "recovery",
    "key_id",
    "retired_at",
)

FURTHEST_VERSION = 10_000
"""By how much a client may go beyond the present version: more than a restore takes back, and far from the last one."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of an account, whole: sealed keyring, public keys, recovery set."""

    keyring: bytes
    kdf: Kdf
    recipient: str
    signing_key: bytes
    recovery: tuple[RecoveryEntry, ...]

    def codes(self) -> list[tuple[bytes, bytes]]:
        """Return the recovery set as (verifier hash, sealed keyring)."""
        return _codes(self.recovery)


def _codes(recovery: tuple[RecoveryEntry, ...]) -> list[tuple[bytes, bytes]]:
    return [(entry.verifier_hash, entry.keyring) for entry in recovery]


def usable_recipient(text: str) -> str:
    """Return the recipient in its one text form, from that or from 32 raw bytes in base64.

    Raises:
        InvalidRecipient: nothing could be sealed to it, or not safely.
    """
    try:
        return identity.parse_recipient(decode_base64(text) if len(text) == RAW_RECIPIENT else text)
    except (BadRecipient, ValueError):
        raise InvalidRecipient from None


def keys_of_registration(body: Register, *, required: bool) -> KeySet | None:
    """Return the keys that a new account brings; None for one whose client keeps them to itself.

    Such a client may give a public key alone, to which the server can seal what arrives.

    Args:
        body: the registration.
        required: whether the account cannot be without, or at least without a public key.

    Raises:
        KeysRequired: some are missing.
        InvalidRecipient: the recipient is unusable.
    """
    needed = {
        "id": body.id,
        "kdf": body.kdf,
        "keyring": body.keyring,
        "recipient": body.recipient,
        "signing_key": body.signing_key,
        "recovery": body.recovery,
    }
    missing = [name for name, value in needed.items() if value is None]
    brings_any = any(needed[name] is not None for name in ("keyring", "signing_key", "recovery"))
    if not missing:
        assert body.kdf and body.keyring and body.recipient and body.signing_key and body.recovery
        return KeySet(body.keyring, body.kdf, usable_recipient(body.recipient), body.signing_key, body.recovery)
    if brings_any or (required and body.recipient is None):
        raise KeysRequired(missing=missing)
    if body.recipient is not None:
        usable_recipient(body.recipient)
    return None


def refuse_brought(body: Register | PasswordChange | KeyringReplacement | RecoveryCodesReplacement | Recover) -> None:
    """Let no client bring keys to a uce account, whose server makes them: taken or dropped, both would lock it out.

    Raises:
        CustodyRequired: the body does so.
    """
    if brings(body):
        raise CustodyRequired(required="e2e")


def brings(body: Register | PasswordChange | KeyringReplacement | RecoveryCodesReplacement | Recover) -> bool:
    """Tell whether a body brings keys, or anything that belongs to them."""
    return any(getattr(body, name, None) is not None for name in _KEYS)


async def reseal(session: AsyncSession, account: Account, body: PasswordChange | Recover) -> None:
    """Take the keyring of ``account`` as it is sealed under a new password.

    Raises:
        KeyringRequired: the account has a keyring, and the body has not, or not with all that belongs to it.
        KeyDerivationRequired: it has no parameters for the new password.
        KeyringConflict: it was made from another version.
        KeysRequired: the account has no keyring, and a first one comes with more than this.
    """
    recovery = body.recovery if isinstance(body, Recover) else None
    if account.keyring is None:
        if body.keyring is not None or recovery is not None:
            raise KeysRequired(missing=["recipient", "signing_key"])
        if body.kdf is not None:
            account.kdf = kdf_to_stored(body.kdf)
        return
    missing = [name for name in ("keyring", "base_keyring_version") if getattr(body, name) is None]
    if missing:
        raise KeyringRequired(missing=missing)
    if body.kdf is None:
        raise KeyDerivationRequired
    require_version(account, body.base_keyring_version)
    version = _version_of(account, body)
    account.keyring = body.keyring
    account.kdf = kdf_to_stored(body.kdf)
    account.keyring_version = version
    if recovery is not None:
        await AccountRepository(session, account.user_id).replace_recovery_codes(
            _codes(recovery), account.keyring_version
        )


def require_rotation(account: Account, body: KeyringReplacement) -> None:
    """Let a keyring that replaces another bring all that a rotation changes.

    Raises:
        KeysRequired: something is missing.
    """
    if account.keyring is None:
        return
    missing = [name for name in ("password", "kdf", "key_id", "retired_at") if getattr(body, name) is None]
    if missing:
        raise KeysRequired(missing=missing)


async def replace_keyring(session: AsyncSession, account: Account, body: KeyringReplacement) -> None:
    """Take a first keyring, or one that has gained a key, with its public keys and its recovery set.

    Raises:
        InvalidRecipient: the new recipient is unusable.
        KeyringConflict: the keyring was made from another version.
        InvalidSignature: the account's present signing key did not sign the new pair.
        KeyDerivationRequired: a first keyring without parameters, or others than the password's.
        HistoryMoved: the history goes on behind the end that a rotation names.
    """
    needed = {name: getattr(body, name) for name in ("keyring", "recipient", "signing_key", "recovery")}
    missing = [name for name, value in needed.items() if value is None]
    if missing or body.keyring is None or body.recipient is None or body.signing_key is None or body.recovery is None:
        raise KeysRequired(missing=missing)
    recipient = usable_recipient(body.recipient)
    require_version(account, body.base_keyring_version)
    version = _version_of(account, body)
    signature = None
    if account.signing_key is not None:
        signature = body.rotation_signature
        message = identity.rotation_message(str(account.user_id), version, recipient, body.signing_key)
        if not identity.verify(account.signing_key, message, signature or b""):
            raise InvalidSignature
    offered = None if body.kdf is None else kdf_to_stored(body.kdf)
    if account.kdf is None or body.password is not None:
        account.kdf = offered
    # Other parameters without a new verifier would lock the user out: the password would give another secret.
    if account.kdf is None or (offered is not None and offered != account.kdf):
        raise KeyDerivationRequired
    if body.retired_at is not None and body.key_id is not None:
        end = records.End(body.retired_at.epoch, body.retired_at.seq, body.retired_at.head)
        await records.retire(session, account.user_id, end, key_id=body.key_id)
    elif account.keyring is None:
        await records.require_seals(session, account.user_id)
    account.keyring = body.keyring
    account.keyring_version = version
    account.recipient = recipient
    account.signing_key = body.signing_key
    repository = AccountRepository(session, account.user_id)
    await repository.add_signing_key(version, recipient, body.signing_key, signature)
    await repository.replace_recovery_codes(_codes(body.recovery), version)


async def replace_recovery_codes(session: AsyncSession, account: Account, body: RecoveryCodesReplacement) -> None:
    """Take a new recovery set for the present keyring.

    Raises:
        KeyringRequired: the account has no keyring that could be recovered.
        KeyringConflict: the set was made from another version.
    """
    if account.keyring is None:
        raise KeyringRequired(missing=["keyring"])
    if body.recovery is None:
        raise KeysRequired(missing=["recovery"])
    require_version(account, body.base_keyring_version)
    await AccountRepository(session, account.user_id).replace_recovery_codes(
        _codes(body.recovery), account.keyring_version
    )


def is_stored(account: Account, body: KeyringReplacement) -> bool:
    """Tell whether the account's present keyring is the one of ``body``: then the request is a repeated one."""
    return (
        body.base_keyring_version is not None
        and account.keyring_version == (body.keyring_version or body.base_keyring_version + 1)
        and account.keyring is not None
        and body.keyring is not None
        and compare_digest(account.keyring, body.keyring)
    )


def _version_of(account: Account, body: PasswordChange | KeyringReplacement | Recover) -> int:
    """Return the version under which a keyring is to be stored: the next, or a later one that its client names.

    Devices remember the highest version that they have seen, and refuse a lower one. After a restore the next one is
    not enough for them.

    Raises:
        KeyringConflict: it is not later than the present one.
        InvalidRequest: it is so much later that soon no version would be left for a change.
    """
    version = getattr(body, "keyring_version", None) or account.keyring_version + 1
    if version <= account.keyring_version:
        raise KeyringConflict(current_version=account.keyring_version)
    if version > account.keyring_version + FURTHEST_VERSION:
        beyond = f"at most {FURTHEST_VERSION} beyond the present version"
        raise InvalidRequest(errors=[{"field": "keyring_version", "type": "less_than_equal", "message": beyond}])
    return version


def require_version(account: Account, base: int | None) -> None:
    """Let pass what was made from the present version of the keyring.

    Raises:
        KeyringConflict: it was made from another, or names none.
    """
    if base != account.keyring_version:
        raise KeyringConflict(current_version=account.keyring_version)
