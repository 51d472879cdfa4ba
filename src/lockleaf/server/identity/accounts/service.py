"""The rules of accounts: making, finding and deleting them, and the keys and codes that belong to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.crypto.normalise import normalise_email
from lockleaf.server.identity.accounts import consent, prelogin, profiles, repository
from lockleaf.server.identity.accounts.errors import EmailTaken, IdTaken
from lockleaf.server.identity.accounts.keys import KeySet, usable_recipient
from lockleaf.server.identity.accounts.models import Account, RecoveryCode
from lockleaf.server.identity.accounts.prelogin import kdf_to_stored
from lockleaf.server.identity.accounts.privacy_repository import PrivacyRepository
from lockleaf.server.identity.accounts.repository import AccountRepository
from lockleaf.server.identity.custody.custodian import DrawnCodes, KeyMaterial
from lockleaf.server.identity.errors import SessionRevoked
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.platform.settings import PreloginSettings
from lockleaf.server.records import service as records
from lockleaf.wire.accounts import Register
from lockleaf.wire.recovery import RecoveryCodesLeft
from lockleaf.wire.sessions import PreloginAnswer
from lockleaf.wire.tiers import Custody, PrivacyTier

__all__ = [
    "by_email",
    "create",
    "delete",
    "get",
    "is_disabled",
    "is_repeated",
    "lock",
    "recovery_code",
    "recovery_codes_left",
    "shown_derivation",
    "signing_keys",
    "spend_recovery_code",
    "take_codes",
    "take_keys",
]


async def by_email(session: AsyncSession, email: str) -> Account | None:
    """Return the account of an ``email``, or of a name, as its user writes it."""
    return await repository.account_of_email(session, normalise_email(email))


async def get(session: AsyncSession, user_id: UUID) -> Account:
    """Return the account of a session.

    Raises:
        SessionRevoked: it was deleted a moment ago.
    """
    return _existing(await AccountRepository(session, user_id).get())


async def lock(session: AsyncSession, user_id: UUID) -> Account:
    """Return the account of a session as it stays until the transaction ends.

    Raises:
        SessionRevoked: it was deleted a moment ago.
    """
    return _existing(await AccountRepository(session, user_id).get(lock=True))


def _existing(account: Account | None) -> Account:
    if account is None:
        raise SessionRevoked
    return account


async def create(
    session: AsyncSession,
    body: Register,
    keys: KeySet | None,
    *,
    verifier_hash: str,
    privacy_tier: PrivacyTier,
    now: datetime,
    user_id: UUID | None = None,
    custody: Custody = "e2e",
) -> Account:
    """Make an account with an empty store.

    Arguments:
        body: what the client sent.
        keys: the account's keys, as they were found in the body; a uce account takes its own after this.
        verifier_hash: the slow hash of its authentication secret.
        privacy_tier: where the body names none, and no vault client sent it; the choice is the consent.

    Raises:
        ConsentRequired: the time of consent lies in the future.
        EmailTaken: the email has an account.
        IdTaken: the id has one.
    """
    consented_at = consent.require(body.consent_timestamp or now, now)
    email = normalise_email(body.login_name)
    user_id = user_id or body.id or uuid7(now)
    accounts = AccountRepository(session, user_id)
    if not await accounts.claim_email(email):
        raise EmailTaken
    kdf = None if body.kdf is None else kdf_to_stored(body.kdf)
    recipient = None if body.recipient is None else usable_recipient(body.recipient)
    account = await accounts.insert(
        {
            "email": email,
            "email_shown": body.login_name,
            "display_name": body.display_name,
            "timezone": body.timezone or "UTC",
            "locale": body.locale or "en",
            "custody": custody,
            "privacy_tier": body.privacy_tier or ("full_sync" if body.is_of_a_vault_client else privacy_tier),
            "consented_at": consented_at,
            "preferences": profiles.given_preferences(body),
            "verifier_hash": verifier_hash,
            "kdf": kdf,
            "salt": body.salt,
            "vault_id": body.vault_id,
            "keyring": None if keys is None else keys.keyring,
            "keyring_version": 0 if keys is None else 1,
            "recipient": recipient if keys is None else keys.recipient,
            "signing_key": None if keys is None else keys.signing_key,
            "created_at": now,
            "updated_at": now,
        }
    )
    if account is None:
        raise IdTaken
    if keys is not None:
        await accounts.add_signing_key(1, keys.recipient, keys.signing_key, None)
        await accounts.replace_recovery_codes(keys.codes(), 1)
    await PrivacyRepository(session, user_id).add_consent(account.privacy_tier, consented_at=consented_at, now=now)
    await records.open_store(session, user_id)
    if keys is not None:
        await records.require_seals(session, user_id)
    return account


async def take_keys(session: AsyncSession, account: Account, keys: KeyMaterial, *, now: datetime) -> None:
    """Store the keys of a uce account, made or wrapped anew; new public keys and codes are stored with them."""
    accounts = AccountRepository(session, account.user_id)
    if account.keyring is None:
        await records.require_seals(session, account.user_id)
    if account.signing_key != keys.signing_key:
        await accounts.add_signing_key(keys.version, keys.recipient, keys.signing_key, keys.rotation_signature)
    if keys.codes is not None:
        await accounts.replace_recovery_codes(keys.codes.kept, keys.version)
    account.kek_salt = keys.kek_salt
    account.keyring = keys.keyring
    account.keyring_version = keys.version
    account.recipient = keys.recipient
    account.signing_key = keys.signing_key
    account.updated_at = now


async def take_codes(session: AsyncSession, account: Account, codes: DrawnCodes) -> None:
    """Put recovery codes that the server drew for an account in the place of those before."""
    await AccountRepository(session, account.user_id).replace_recovery_codes(codes.kept, account.keyring_version)


async def is_repeated(session: AsyncSession, account: Account, body: Register, keys: KeySet | None) -> bool:
    """Tell whether ``body`` asks for just the ``account`` that is there: its first answer may have been lost.

    Every byte of the keys has to agree: a client that is told "made" believes that its own are the ones kept.
    """
    if body.id != account.user_id or (body.salt, body.vault_id) != (account.salt, account.vault_id):
        return False
    kdf = None if body.kdf is None else kdf_to_stored(body.kdf)
    if keys is None:
        recipient = None if body.recipient is None else usable_recipient(body.recipient)
        return account.keyring is None and (kdf, recipient) == (account.kdf, account.recipient)
    return (
        account.keyring_version == 1
        and (account.keyring, account.kdf, account.recipient, account.signing_key)
        == (keys.keyring, kdf, keys.recipient, keys.signing_key)
        and await AccountRepository(session, account.user_id).recovery_code_hashes()
        == {verifier_hash for verifier_hash, _ in keys.codes()}
    )


async def shown_derivation(
    session: AsyncSession, login_name: str, prelogin_key: bytes, form: PreloginSettings
) -> PreloginAnswer:
    """Return how an account's client derives its secret, or something that nobody can tell from it.

    Arguments:
        login_name: the account's email or name, as its user writes it.
        form: how an invented salt is written.
    """
    known_as = normalise_email(login_name)
    kdf, salt = await repository.derivation_of_email(session, known_as)
    return PreloginAnswer(
        kdf=prelogin.shown_kdf(prelogin_key, known_as, kdf),
        salt=prelogin.shown_salt(prelogin_key, known_as, salt, form),
    )


async def recovery_codes_left(session: AsyncSession, user_id: UUID) -> RecoveryCodesLeft:
    """Return how many recovery codes are unspent."""
    remaining, created_at = await AccountRepository(session, user_id).recovery_codes_left()
    return RecoveryCodesLeft(remaining=remaining, created_at=created_at)


async def recovery_code(session: AsyncSession, email: str, verifier_hash: bytes) -> repository.FoundCode | None:
    """Return an unspent recovery code of ``email``, with the account's present keyring version."""
    return await repository.recovery_code_of_email(session, normalise_email(email), verifier_hash)


async def signing_keys(session: AsyncSession, user_id: UUID) -> list[bytes]:
    """Return every public signing key that the account has registered, retired ones included."""
    return await AccountRepository(session, user_id).signing_keys()


async def spend_recovery_code(session: AsyncSession, user_id: UUID, verifier_hash: bytes) -> RecoveryCode | None:
    """Spend a recovery code, and return it if it was there to be spent."""
    return await AccountRepository(session, user_id).spend_recovery_code(verifier_hash)


async def is_disabled(session: AsyncSession, user_id: UUID) -> bool:
    """Tell whether the operator lets nobody into an account."""
    return await AccountRepository(session, user_id).is_disabled()


async def delete(session: AsyncSession, user_id: UUID) -> None:
    """Delete the account and its records. Its sessions are deleted by who keeps them."""
    await records.delete_all(session, user_id)
    await PrivacyRepository(session, user_id).delete()
    await AccountRepository(session, user_id).delete()
