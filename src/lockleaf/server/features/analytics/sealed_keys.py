"""The clients' secret keys, sealed by them: kept for their other devices, version after version."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.features.analytics.errors import SealedKeyConflict, SealedKeyNotFound
from lockleaf.server.features.analytics.repository import MetricRepository
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database, driver
from lockleaf.server.platform.tiers import TierRequired
from lockleaf.wire.analytics import ParameterSetName, SealedKey, SealedKeyChange, SealedKeyVersion

__all__ = ["get", "put"]


async def get(database: Database, user_id: UUID, parameter_set: ParameterSetName) -> SealedKey:
    """Return the sealed key of a parameter set.

    Raises:
        SealedKeyNotFound: there is no such key.
    """
    async with database.read_driver() as connection:
        found = await MetricRepository(connection, user_id).key(parameter_set)
    if found is None:
        raise SealedKeyNotFound
    version, sealed_key, updated_at = found
    return SealedKey(parameter_set=parameter_set, version=version, updated_at=updated_at, sealed_key=sealed_key)


async def put(
    session: AsyncSession, clock: Clock, user_id: UUID, parameter_set: ParameterSetName, body: SealedKeyChange
) -> SealedKeyVersion:
    """Store the next version of a sealed key. The same one sent again is answered like the first time.

    Raises:
        SealedKeyConflict: ``base_version`` is not the present one.
        TierRequired: the account's tier holds no metrics any more.
    """
    # What encrypts all of an account's metrics must not be decided by two devices at once.
    account = await accounts.lock(session, user_id)
    if account.privacy_tier == "local_only":
        raise TierRequired(required="analytics_sync")
    repository = MetricRepository(await driver(session), user_id)
    present = await repository.key(parameter_set)
    version = present[0] if present else 0
    if present is not None and (version, present[1]) == (body.base_version + 1, body.sealed_key):
        return SealedKeyVersion(parameter_set=parameter_set, version=version, updated_at=present[2])
    if version != body.base_version:
        raise SealedKeyConflict(current_version=version)
    now = clock()
    await repository.write_key(parameter_set, version + 1, body.sealed_key, now=now)
    return SealedKeyVersion(parameter_set=parameter_set, version=version + 1, updated_at=now)
