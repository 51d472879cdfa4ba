"""The rules of encrypted metrics beside taking them in and adding them up: listing, deleting, and what they take."""

from __future__ import annotations

import contextlib
from datetime import date, datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.features.analytics import listing
from lockleaf.server.features.analytics.errors import MetricNotFound
from lockleaf.server.features.analytics.evaluators import Evaluators
from lockleaf.server.features.analytics.periods import instant
from lockleaf.server.features.analytics.repository import USAGE, MetricRepository
from lockleaf.server.features.analytics.sums import take_from_sums
from lockleaf.server.features.analytics.uploads import TIER
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.errors import SessionRevoked
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database, driver
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.holdings import Holding
from lockleaf.server.platform.paging import Paging
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.analytics import Metric, Metrics

__all__ = ["HOLDING", "KEYS_HOLDING", "delete", "list_packs", "list_values", "warm_if_needed"]

log = structlog.get_logger("lockleaf.analytics")


async def delete(tx: Transaction, clock: Clock, evaluators: Evaluators, user_id: UUID, metric_id: str) -> None:
    """Delete a single value, and take it away from what it was added to.

    Raises:
        MetricNotFound: there is no such metric.
        EvaluatorsBusy, EvaluationUnavailable: the server cannot compute now.
    """
    async with evaluators.turn():
        await tx.begin()
        await accounts.lock(tx.session, user_id)
        repository = MetricRepository(tx.connection, user_id)
        metric = await repository.remove_metric(metric_id)
        if metric is None:
            raise MetricNotFound
        await take_from_sums(repository, evaluators, metric, now=clock())


async def list_values(database: Database, user_id: UUID, paging: Paging, *, metric_type: str | None) -> Metrics:
    """Return a page of single values by time, oldest first.

    Args:
        metric_type: only these.

    Raises:
        InvalidCursor: the cursor is not of this list.
    """
    window = paging.window(f"metrics/{metric_type or ''}", user_id, datetime, str)
    async with database.read_driver() as connection:
        page = await listing.values(connection, user_id, window, metric_type=metric_type)
    return Metrics(
        items=tuple(
            Metric(
                id=row["metric_id"],
                metric_type=row["metric_type"],
                parameter_set=row["parameter_set"],
                timestamp=row["at"],
                size=row["size"],
            )
            for row in page.items
        ),
        **window.answer(page),
    )


async def list_packs(database: Database, user_id: UUID, paging: Paging) -> Metrics:
    """Return a page of the accumulators of packed months, by parameter set, layout and month.

    Raises:
        InvalidCursor: the cursor is not of this list.
    """
    window = paging.window("metrics/packed", user_id, str, str, date)
    async with database.read_driver() as connection:
        page = await listing.packs(connection, user_id, window)
    return Metrics(
        items=tuple(
            Metric(
                parameter_set=row["parameter_set"],
                timestamp=instant(row["month"]),
                size=row["size"],
                layout=row["layout"],
                additions=row["additions"],
            )
            for row in page.items
        ),
        **window.answer(page),
    )


async def warm_if_needed(database: Database, settings: Settings, evaluators: Evaluators) -> None:
    """Start an evaluator if the settings say so, or if there is anything that it may be asked for."""
    wanted = settings.analytics.prewarm
    try:
        if wanted is None:
            async with database.read_driver() as connection:
                wanted = await listing.any_at_all(connection)
        if wanted:
            await evaluators.warm()
    except Exception:
        log.warning("no evaluator was started; the first request that needs one starts it")


async def _locked(session: AsyncSession, user_id: UUID) -> MetricRepository:
    # Nobody may be counting meanwhile. Where the account itself has just been deleted, nobody is.
    with contextlib.suppress(SessionRevoked):
        await accounts.lock(session, user_id)
    return MetricRepository(await driver(session), user_id)


async def _delete(tx: Transaction, user_id: UUID) -> int:
    return await (await _locked(tx.session, user_id)).delete_metrics()


async def _delete_keys(tx: Transaction, user_id: UUID) -> int:
    return await (await _locked(tx.session, user_id)).delete_keys()


HOLDING = Holding(TIER, _delete, counted_as="metrics", usage=USAGE)
KEYS_HOLDING = Holding(TIER, _delete_keys)
"""A key apart from what it encrypts: who deletes all metrics goes on with the same key on every device."""
