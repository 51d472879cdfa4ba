"""How much of an account the server holds: its user's choice, changed at any time.

Going up needs consent; the public key under which metrics will be encrypted may come with it, or later. Going down
deletes what the lower tier does not hold, at once and in one transaction with the change itself.
"""

from __future__ import annotations

from datetime import datetime
from hmac import compare_digest
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.identity.accounts import consent
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.accounts.errors import HeKeyRequired
from lockleaf.server.identity.accounts.models import Account
from lockleaf.server.identity.accounts.privacy_repository import PrivacyRepository, PublicContext, is_raw
from lockleaf.server.identity.auth.proving import Prover
from lockleaf.server.identity.errors import InvalidCredentials
from lockleaf.server.identity.factors.service import SecondFactors
from lockleaf.server.platform.db.engine import ReadSession
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.holdings import Holdings, delete_above
from lockleaf.server.platform.tiers import TIERS
from lockleaf.server.records import service as records
from lockleaf.server.records.statements import require_signed
from lockleaf.wire import privacy as bodies
from lockleaf.wire.tiers import PrivacyTier

__all__ = [
    "answers_raw",
    "change",
    "prove_if_needed",
    "public_context",
    "registered_keys",
    "revoke",
    "status",
]


async def status(session: AsyncSession, account: Account) -> bodies.Privacy:
    """Return the account's tier, and what works with it."""
    return bodies.Privacy(**await _shown(session, account))


async def _shown(session: AsyncSession, account: Account) -> dict[str, Any]:
    tier = account.privacy_tier
    full = tier == "full_sync"
    return {
        "current_tier": tier,
        "sync_enabled": tier != "local_only",
        "sync_enabled_at": None if tier == "local_only" else account.consented_at,
        "he_public_key_registered": await PrivacyRepository(session, account.user_id).has_key(),
        "features_available": bodies.FeaturesAvailable(
            cloud_sync=full, cross_device_search=full, encrypted_backup=full, analytics_sync=tier != "local_only"
        ),
    }


def _needs_secret(account: Account, tier: PrivacyTier) -> bool:
    """Tell whether ``tier`` deletes what a thief of an access token must not delete.

    Accounts without a keyring belong to older clients, which cannot send a secret with this request.
    """
    return account.keyring is not None and TIERS.index(tier) < TIERS.index(account.privacy_tier)


async def prove_if_needed(
    prover: Prover, read: ReadSession, user_id: UUID, tier: PrivacyTier, secret: str | None
) -> Account | None:
    """Check the current secret where a tier deletes what only the account's owner may delete.

    Raises:
        InvalidRequest: it is missing.
        InvalidCredentials: it is wrong.
    """
    needed = _needs_secret(await accounts.get(read, user_id), tier)
    # Hashing is slow: nobody waits for this connection meanwhile.
    await read.close()
    if not needed:
        return None
    if secret is None:
        missing = "Needed to delete what the server holds of this account: send its current secret"
        raise InvalidRequest(errors=[{"field": "current_password", "type": "missing", "message": missing}])
    return await prover.prove(read, user_id, secret)


async def change(
    tx: Transaction,
    user_id: UUID,
    body: bodies.PrivacyChange,
    context: PublicContext | None,
    *,
    proven: Account | None = None,
    factors: SecondFactors,
    holdings: Holdings,
    now: datetime,
) -> bodies.PrivacyChanged:
    """Set the tier that the user chose; register the public context that came with it.

    Args:
        context: what was found in the body's key.
        proven: the account as it was when its owner gave its current secret; None if nobody did.
        factors: asked where the secret is needed too.
        holdings: what the server holds beside records.

    Raises:
        InvalidCredentials: what the lower tier deletes needs a secret, and none proves the account as it is now.
        SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.require`.
        ConsentRequired: the tier rises, or a key is registered, without a time of consent; or that is still to come,
            where the tier does not fall.
        InvalidStatement, EpochEndOutdated: the signed end of the epoch is not of this account, or not its present end.
    """
    await tx.begin()
    # The account comes first here as where it is deleted, and its store second.
    account = await accounts.lock(tx.session, user_id)
    if _needs_secret(account, body.privacy_tier):
        if proven is None or not compare_digest(account.verifier_hash, proven.verifier_hash):
            # The tier, the keyring or the secret changed after it was looked at.
            raise InvalidCredentials
        await factors.require(tx, user_id, body.factor, "privacy")
    repository = PrivacyRepository(tx.session, user_id)
    before, after = TIERS.index(account.privacy_tier), TIERS.index(body.privacy_tier)
    given = body.consent_timestamp
    if after > before or context is not None or (after == before and given is not None):
        consent.require(given, now)
    replaced = context is not None and await repository.register_key(context, now=now)
    # A wrong clock keeps nobody from having something deleted.
    consented_at = now if given is None or consent.is_to_come(given, now) else given
    deleted = bodies.DeletedCounts()
    if after < before:
        deleted = await _lower(tx, account, body, holdings)
    if after != before:
        account.privacy_tier, account.consented_at, account.updated_at = body.privacy_tier, consented_at, now
        tx.wake(user_id)  # live streams look at the tier again
    if after != before or replaced:
        await repository.add_consent(body.privacy_tier, consented_at=consented_at, now=now)
    return bodies.PrivacyChanged(**await _shown(tx.session, account), deleted=deleted)


async def revoke(
    tx: Transaction,
    user_id: UUID,
    body: bodies.PrivacyRevocation,
    *,
    proven: Account | None = None,
    factors: SecondFactors,
    holdings: Holdings,
    now: datetime,
) -> bodies.PrivacyRevoked:
    """Go down to ``local_only``: the server keeps the account and nothing else.

    Raises:
        InvalidCredentials, SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `change`.
    """
    lowest = bodies.PrivacyChange(privacy_tier="local_only", factor=body.factor)
    changed = await change(tx, user_id, lowest, None, proven=proven, factors=factors, holdings=holdings, now=now)
    gone = changed.deleted
    return bodies.PrivacyRevoked(
        message="Nothing but the account is left on the server. What is on your devices stays there.",
        new_tier=changed.current_tier,
        deleted_metrics=gone.metrics,
        deleted_backups=gone.backups,
        deleted_conflicts=gone.conflicts,
        deleted_media=gone.media,
    )


async def registered_keys(session: AsyncSession, user_id: UUID) -> dict[str, bool]:
    """Return the parameter sets of the account's public keys, and whether the server can multiply under each."""
    return await PrivacyRepository(session, user_id).keys()


async def answers_raw(connection: asyncpg.Connection, user_id: UUID, parameter_set: str) -> bool:
    """Tell whether the account is answered SEAL's own ciphertexts: it registered SEAL's own public key."""
    return await is_raw(connection, user_id, parameter_set)


async def public_context(session: AsyncSession, user_id: UUID, parameter_set: str) -> bytes:
    """Return the serialised public context under which the account's metrics of a parameter set are encrypted.

    Raises:
        HeKeyRequired: none is registered.
    """
    found = await PrivacyRepository(session, user_id).key(parameter_set)
    if found is None:
        raise HeKeyRequired
    return found


async def _lower(
    tx: Transaction, account: Account, body: bodies.PrivacyChange, holdings: Holdings
) -> bodies.DeletedCounts:
    emptied, tier, end = records.Emptied(), body.privacy_tier, body.epoch_end
    if account.privacy_tier == "full_sync":
        if end is not None:
            # The newest key's alone: whoever lowers the tier holds it.
            keys = () if account.signing_key is None else (account.signing_key,)
            require_signed((end,), account.user_id, keys)
        emptied = await records.empty(tx.session, account.user_id, end)
    counts = await delete_above(tx, account.user_id, holdings, tier)
    if tier == "local_only":
        await PrivacyRepository(tx.session, account.user_id).delete_keys()
    return bodies.DeletedCounts(
        metrics=counts["metrics"], media=counts["media"], backups=emptied.records, conflicts=emptied.conflicts
    )
