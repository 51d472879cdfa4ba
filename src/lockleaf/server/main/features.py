"""The features of the server: the only list of them. Adding one is its folder, and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from lockleaf.server.features.access.feature import feature as access
from lockleaf.server.features.analytics.feature import feature as analytics
from lockleaf.server.features.auth.feature import feature as auth
from lockleaf.server.features.backups.feature import feature as backups
from lockleaf.server.features.entries.feature import feature as entries
from lockleaf.server.features.export.feature import feature as export
from lockleaf.server.features.factors.feature import feature as factors
from lockleaf.server.features.inbox.feature import feature as inbox
from lockleaf.server.features.integrations.feature import feature as integrations
from lockleaf.server.features.jobs.feature import feature as jobs
from lockleaf.server.features.media.feature import feature as media
from lockleaf.server.features.objects.feature import feature as objects
from lockleaf.server.features.operation.feature import feature as operation
from lockleaf.server.features.privacy.feature import feature as privacy
from lockleaf.server.features.profile.feature import feature as profile
from lockleaf.server.features.recovery.feature import feature as recovery
from lockleaf.server.features.search.feature import feature as search
from lockleaf.server.features.sync.feature import feature as sync
from lockleaf.server.features.tags.feature import feature as tags
from lockleaf.server.features.vault.feature import feature as vault
from lockleaf.server.identity.accounts.feature import feature as accounts
from lockleaf.server.identity.auth.feature import feature as sessions
from lockleaf.server.identity.custody.feature import feature as custody
from lockleaf.server.identity.factors.feature import feature as second_factors
from lockleaf.server.platform.feature import Archive, Feature
from lockleaf.server.platform.holdings import Holding, Holdings
from lockleaf.server.platform.http.examples import Examples
from lockleaf.server.platform.jobs.attempt import Handler
from lockleaf.server.platform.parts import Parts
from lockleaf.server.records.feature import feature as records
from lockleaf.server.records.writer import Addition, Observer

__all__ = [
    "ADDITIONS",
    "ARCHIVE",
    "FEATURES",
    "HANDLERS",
    "OBJECTS",
    "OPERATION",
    "SCHEDULES",
    "examples",
    "holdings",
    "observers",
]

FEATURES: tuple[Feature, ...] = (
    records,
    accounts,
    sessions,
    second_factors,
    custody,
    sync,
    backups,
    vault,
    entries,
    tags,
    media,
    search,
    analytics,
    auth,
    factors,
    recovery,
    profile,
    privacy,
    access,
    inbox,
    integrations,
    jobs,
    export,
)
"""Below the prefixes of the API, in the order in which routes are looked for."""

OBJECTS, OPERATION = objects, operation
"""Those whose endpoints stand elsewhere: below the newest prefix alone, and below none."""

_ALL = (*FEATURES, OBJECTS, OPERATION)

ARCHIVE = Archive(
    facts=tuple(facts for each in _ALL for facts in each.archive.facts),
    sections=tuple(section for each in _ALL for section in each.archive.sections),
)
"""What an archive of an account tells."""

HANDLERS: Mapping[str, Handler] = {kind: handler for each in _ALL for kind, handler in each.jobs(ARCHIVE).items()}
"""What does each kind of job. A kind that a worker does not know waits for one that does."""

ADDITIONS: tuple[Addition, ...] = tuple(addition for each in _ALL for addition in each.additions)
"""Who adds to what the server writes to records."""

SCHEDULES = tuple(schedule for each in _ALL for schedule in each.schedules)
"""What is due by the clock, in UTC. One that is missed while nobody works is done when somebody does."""


def holdings(parts: Parts) -> Holdings:
    """Return what the server holds of an account beside the account itself and its records.

    It is deleted in this order: first what every tier has, jobs among it, which lock themselves before what they make.
    """
    found = [
        holding if isinstance(holding, Holding) else holding(parts)
        for each in reversed(_ALL)
        for holding in each.deletion
    ]
    return Holdings(sorted(found, key=lambda holding: holding.tier != "local_only"))


def observers(parts: Parts) -> tuple[Observer, ...]:
    """Return who follows what is written to records."""
    return tuple(observer(parts) for each in _ALL for observer in each.observers)


def examples() -> dict[str, Examples]:
    """Return the examples of every operation, as in ``POST /vault``, for the OpenAPI document."""
    return {name: found for each in _ALL for name, found in each.examples().items()}
