"""Taking in what clients encrypted: all of a request is counted, once, or nothing of it.

What takes time, reading and adding up what was sent, is done before anything is locked. Behind the account's lock it is
looked at again what was counted meanwhile, and the parts are added to the sums that hold them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from lockleaf.he.params import PARAMETER_SETS
from lockleaf.server.features.analytics.errors import AlreadyCounted, ChangeNotAccepted, MetricIdTaken
from lockleaf.server.features.analytics.evaluators import Checked, Evaluators, Sum
from lockleaf.server.features.analytics.periods import month_of
from lockleaf.server.features.analytics.repository import CauseKey, MetricRepository, PackKey, StoredMetric
from lockleaf.server.features.analytics.sums import PackPart, Part, add_to_packs, add_to_sums, combine
from lockleaf.server.features.privacy import service as privacy
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.accounts.errors import HeKeyRequired
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database, driver
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.platform.tiers import TIERS, TierRequired
from lockleaf.server.records import service as records
from lockleaf.server.records.quota import Quota
from lockleaf.wire.analytics import MetricBatch, MetricDetails, MetricsStored, NewMetric
from lockleaf.wire.codec import canonical

__all__ = ["TIER", "upload"]

TIER = "analytics_sync"
_ENTRIES = "entries"


@dataclass(slots=True)
class _Item:
    """A metric of an upload."""

    position: int
    id: str
    sent: NewMetric
    fingerprint: bytes
    value: bytes = b""
    square: bytes | None = None
    kind: str | None = None
    slots: int = 0
    seal_version: str = ""

    @property
    def month(self) -> date:
        return month_of(self.sent.timestamp)

    @property
    def group(self) -> tuple[str, str, bool, date]:
        """What is added up together."""
        name = self.sent.layout or self.sent.metric_type or ""
        return self.sent.parameter_set, name, self.sent.layout is not None, self.month

    @property
    def pack(self) -> bytes:
        digest = sha256(canonical({"parameter_set": self.sent.parameter_set, "layout": self.sent.layout})).digest()
        return digest[:16]


async def upload(
    tx: Transaction,
    clock: Clock,
    database: Database,
    quota: Quota,
    evaluators: Evaluators,
    user_id: UUID,
    batch: MetricBatch,
) -> MetricsStored:
    """Count metrics. Those that were counted before, under the same id and alike, are left as they are.

    Raises:
        HeKeyRequired: no public key of a parameter set is registered.
        InvalidCiphertext: one of them is not of its parameter set, or has other slots than its accumulator.
        MetricIdTaken: another metric has the id of one of them.
        ChangeNotAccepted: a delta names changes that the server does not have.
        AlreadyCounted: a delta names changes that are counted.
        TooManyValues: an accumulator would hold more than comes out right.
        EvaluatorsBusy, EvaluationUnavailable: the server cannot compute now.
        TierRequired: the account's tier holds no metrics any more.
        QuotaExceeded: the account would hold more than it may.
    """
    items = await asyncio.to_thread(_read, batch, clock())
    answer = MetricsStored(
        message="The metrics are counted.",
        details=MetricDetails(count=len(items), ids=tuple(item.id for item in items)),
    )
    async with evaluators.turn():
        new, contexts = await _prepare(database, user_id, _distinct(items))
        if not new:
            return answer
        parts = _Parts(new, await evaluators.check(*_question(new, contexts)))
        await tx.begin()
        account = await accounts.lock(tx.session, user_id)
        # Asked behind the lock: a tier that was lowered a moment ago must not find new metrics after its deletion.
        if TIERS.index(account.privacy_tier) < TIERS.index(TIER):
            raise TierRequired(required=TIER)
        connection = tx.connection
        repository = MetricRepository(connection, user_id)
        new = await _unknown(repository, new)
        causes = list(_causes(new)) if account.privacy_tier == "full_sync" else []
        if causes:
            unknown = await records.not_accepted(
                connection, user_id, _ENTRIES, [(cause.record_id, cause.revision) for _, cause in causes]
            )
            if unknown:
                raise ChangeNotAccepted(changes=_named(causes, unknown))
            await _require_uncounted(repository, causes)
        await _store(repository, clock, evaluators, new, parts)
        if causes:
            await repository.add_causes([cause for _, cause in causes])
        added = sum(len(item.sent.encrypted_value) + len(item.sent.encrypted_square or b"") for item in new)
        await quota.require_after(connection, user_id, added)
    return answer


def _read(batch: MetricBatch, now: datetime) -> list[_Item]:
    """Give each metric its id and its fingerprint: digests of megabytes, so not on the event loop."""
    return [
        _Item(position, sent.id or str(uuid7(now)), sent, _fingerprint(sent))
        for position, sent in enumerate(batch.metrics)
    ]


def _fingerprint(sent: NewMetric) -> bytes:
    facts = {
        "metric_type": None if sent.layout else sent.metric_type,
        "layout": sent.layout,
        "parameter_set": sent.parameter_set,
        "timestamp": sent.timestamp,
        "value": sha256(sent.encrypted_value).digest(),
        "square": sha256(sent.encrypted_square).digest() if sent.encrypted_square else None,
        "change": [[cause.record_id, cause.revision] for cause in sent.change] if sent.change else None,
    }
    return sha256(canonical(facts)).digest()


def _distinct(items: Sequence[_Item]) -> list[_Item]:
    """Leave out what stands in the request twice.

    Raises:
        MetricIdTaken: two different metrics have one id.
    """
    found: dict[tuple[bool, str], _Item] = {}
    for item in items:
        first = found.setdefault((item.sent.layout is not None, item.id), item)
        if first.fingerprint != item.fingerprint:
            raise MetricIdTaken(item=item.position)
    return list(found.values())


async def _prepare(database: Database, user_id: UUID, items: list[_Item]) -> tuple[list[_Item], dict[str, bytes]]:
    """Return what is not counted yet, and the public contexts under which squares are to be multiplied."""
    async with database.reader() as read:
        keys = await privacy.registered_keys(read, user_id)
        for item in items:
            if item.sent.parameter_set not in keys:
                raise HeKeyRequired(parameter_set=item.sent.parameter_set)
        new = await _unknown(MetricRepository(await driver(read), user_id), items)
        bare = {
            item.sent.parameter_set for item in new if item.sent.layout is None and item.sent.encrypted_square is None
        }
        multiplied = sorted(name for name in bare if keys[name])
        return new, {name: await privacy.public_context(read, user_id, name) for name in multiplied}


async def _unknown(repository: MetricRepository, items: list[_Item]) -> list[_Item]:
    """Return what is not counted yet.

    Raises:
        MetricIdTaken: another metric is counted under an id.
    """
    metrics = await repository.known_metrics([item.id for item in items if item.sent.layout is None])
    deltas = await repository.known_deltas([item.id for item in items if item.sent.layout is not None])
    unknown = []
    for item in items:
        known = (metrics if item.sent.layout is None else deltas).get(item.id)
        if known is None:
            unknown.append(item)
        elif known != item.fingerprint:
            raise MetricIdTaken(item=item.position)
    return unknown


def _question(items: list[_Item], contexts: dict[str, bytes]) -> tuple[list[dict[str, object]], dict[str, bytes]]:
    groups = {group: number for number, group in enumerate(dict.fromkeys(item.group for item in items))}
    asked: list[dict[str, object]] = [
        {
            "set": item.sent.parameter_set,
            "value": item.sent.encrypted_value,
            "square": item.sent.encrypted_square,
            "multiply": item.sent.layout is None and item.sent.parameter_set in contexts,
            "single": item.sent.layout is None,
            "group": groups[item.group],
            "position": item.position,
        }
        for item in items
    ]
    return asked, contexts


class _Parts:
    """What the groups of an upload add up to."""

    def __init__(self, items: list[_Item], checked: Checked) -> None:
        groups = list(dict.fromkeys(item.group for item in items))
        self._summed = {(groups[number], kind): data for (number, kind), data in checked.sums.items()}
        self._sizes: defaultdict[tuple[object, str], int] = defaultdict(int)
        for item, (value, square, kind, slots, version) in zip(items, checked.items, strict=True):
            item.value, item.square, item.kind, item.slots, item.seal_version = value, square, kind, slots, version
            for found in ("values", kind):
                if found is not None:
                    self._sizes[item.group, found] += 1

    async def of(
        self, evaluators: Evaluators, items: list[_Item]
    ) -> list[tuple[tuple[str, str, bool, date], str, bytes, list[_Item]]]:
        """Return group, kind, sum and members, of those of the items that are still to be counted."""
        members: defaultdict[tuple[tuple[str, str, bool, date], str], list[_Item]] = defaultdict(list)
        for item in items:
            members[item.group, "values"].append(item)
            if item.kind is not None:
                members[item.group, item.kind].append(item)
        found = []
        for (group, kind), those in members.items():
            alone = [item.value if kind == "values" else item.square or b"" for item in those]
            if len(alone) == 1:
                total = alone[0]
            elif len(alone) == self._sizes[group, kind]:
                total = self._summed[group, kind]
            else:  # somebody counted some of them a moment ago
                [total] = await combine(evaluators, "add", [Sum(alone)])
            found.append((group, kind, total, those))
        return found


async def _store(
    repository: MetricRepository, clock: Clock, evaluators: Evaluators, items: list[_Item], parts: _Parts
) -> None:
    now = clock()
    singles, packs = [], []
    for (parameter_set, name, packed, month), kind, total, members in await parts.of(evaluators, items):
        version = members[-1].seal_version
        if packed:
            key = PackKey(parameter_set, name, month)
            packs.append(PackPart(key, total, len(members), members[0].slots, version, members[0].position))
        else:
            singles.append(Part(name, parameter_set, kind, month, total, len(members), version))
    if singles:
        await add_to_sums(repository, evaluators, singles, now=now)
        stored = [
            StoredMetric(
                item.id,
                item.sent.metric_type or "",
                item.sent.parameter_set,
                item.sent.timestamp,
                item.value,
                item.square,
                item.kind == "products",
                item.fingerprint,
            )
            for item in items
            if item.sent.layout is None
        ]
        await repository.add_metrics(stored, now=now)
    if packs:
        most = {name: each.most_additions for name, each in PARAMETER_SETS.items()}
        await add_to_packs(repository, evaluators, packs, most_additions=most, now=now)
        deltas = [item for item in items if item.sent.layout is not None]
        await repository.add_deltas([item.id for item in deltas], [item.fingerprint for item in deltas], now=now)


def _causes(items: list[_Item]) -> Iterator[tuple[int, CauseKey]]:
    """Yield the changes behind the deltas, each with the place of its delta."""
    for item in items:
        if item.sent.change:
            pack = item.pack
            for cause in item.sent.change:
                yield item.position, CauseKey(pack, item.month, cause.record_id, cause.revision)


async def _require_uncounted(repository: MetricRepository, causes: list[tuple[int, CauseKey]]) -> None:
    counted = set(await repository.counted([cause for _, cause in causes]))
    seen: set[CauseKey] = set()
    for place, (_, cause) in enumerate(causes):
        if cause in seen:
            counted.add(place)
        seen.add(cause)
    if counted:
        raise AlreadyCounted(changes=_named(causes, sorted(counted)))


def _named(causes: list[tuple[int, CauseKey]], places: Sequence[int]) -> list[dict[str, object]]:
    return [
        {"item": causes[place][0], "record_id": causes[place][1].record_id, "revision": causes[place][1].revision}
        for place in places[:500]
    ]
