"""Keeping the account's encrypted sums: agreeing with the other devices on a census, and sending what changed.

It goes along with each sync: `look` before it, `arrive` where the end of the server's history is reached and entries
are about to be sealed, `settle` when everything was pushed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from lockleaf.client.errors import (
    ApiError,
    InvalidAnswer,
    MetricKeyRolledBack,
    MetricsNotInstalled,
    NotFound,
    TransportError,
    VersionConflict,
)
from lockleaf.client.metrics import recounts
from lockleaf.client.metrics.census import PARAMETERS, Census, sealed_under
from lockleaf.client.metrics.census_state import State, prepared_pair
from lockleaf.client.metrics.deltas import make_deltas, send_deltas
from lockleaf.client.store import LocalStore
from lockleaf.client.store.verified_history import Position
from lockleaf.client.transport.http import Transport
from lockleaf.wire.analytics import SealedKey, SealedKeyChange, SealedKeyVersion
from lockleaf.wire.privacy import Privacy, PrivacyChange, PrivacyChanged

__all__ = ["EncryptedSums", "MetricsReport"]

_KEY_PATH = f"/encryption/keys/{PARAMETERS.name}"
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class MetricsReport:
    """What a sync did for the account's sums.

    ``on``: they are kept. ``sent`` deltas were counted; ``waiting`` are changes and deltas that are not yet. ``error``
    is why: the code of a refusal, or the name of what kept the server from answering.
    """

    on: bool = False
    sent: int = 0
    waiting: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Held:
    """What the server holds of the key."""

    version: int
    census: Census
    sealed_under: int


class EncryptedSums:
    """The account's sums, as this device keeps them.

    Args:
        user_id: the account's UUID as lower-case text.
        device_id: this device's id.
        clock: gives the present time, with a zone.
        again: begin a census anew, whatever there is.
    """

    def __init__(
        self,
        store: LocalStore,
        transport: Transport,
        *,
        user_id: str,
        device_id: str,
        clock: Callable[[], datetime],
        again: bool = False,
    ) -> None:
        self._store = store
        self._transport = transport
        self._user_id = user_id
        self._device_id = device_id
        self._clock = clock
        self._again = again
        self._held: _Held | None = None
        self._failure: ApiError | TransportError | None = None

    # ---- along with a sync ----

    async def look(self) -> None:
        """Ask the server for the key of the present census, and open it.

        Raises:
            SealBroken: it is not what a device of the account sealed.
        """
        self._held, self._failure = None, None
        try:
            answer = await self._transport.request("GET", _KEY_PATH, answer=SealedKey, msgpack=True)
        except NotFound:
            return
        except (ApiError, TransportError) as error:
            self._failure = error
            return
        census = Census.open(self._store.keyring, self._user_id, answer.version, answer.sealed_key)
        self._held = _Held(answer.version, census, sealed_under(answer.sealed_key))

    async def is_outdated(self) -> bool:
        """Tell whether other devices count under a key that this one has not taken up."""
        await self.look()
        held, known = self._held, (await asyncio.to_thread(State.load, self._store)).census
        if held is None or held.census.off:
            return False
        return known is None or known.census_id != held.census.census_id

    @property
    def are_kept(self) -> bool:
        """Whether the server keeps sums, as far as it told when it was asked last."""
        return self._failure is not None or (self._held is not None and not self._held.census.off)

    def present(self) -> str | None:
        """Return the census whose marks on entries count, as they are pulled."""
        held = self._held
        if held is not None and not held.census.off and held.sealed_under == self._store.keyring.newest.key_id:
            return held.census.census_id
        census = State.load(self._store).census
        return census.census_id if census is not None else None

    def arrive(self, position: Position | None) -> str | None:
        """Take over what `look` found, at the end of the verified history; None where the server holds no entries.

        Returns:
            The census under which entries are counted that are sealed from now on, None if they are not.

        Raises:
            MetricKeyRolledBack: the server showed a later key before.
        """
        with self._store.transaction():
            state = State.load(self._store)
            if self._failure is not None:
                return state.census.census_id if state.census is not None and state.version else None
            after = self._compared(state, position)
            if after != state:
                after.save(self._store)
                self._store.contributions.clear(but=after.census.census_id if after.census is not None else None)
            return after.census.census_id if after.census is not None else None

    def _compared(self, state: State, position: Position | None) -> State:
        held, known = self._held, state.census
        if held is None:
            # Gone with the tier that held it, or never there.
            return state.without(wanted=state.wanted or self._again)
        census = held.census
        highest = max(state.number, census.number)
        if self._again:
            return replace(state.without(wanted=True), number=highest)
        same = known is not None and known.census_id == census.census_id
        fits = census.off or position is None or census.epoch == position.epoch
        if census.number < state.number or (same and held.version < state.version):
            if fits or position is None or (known is not None and known.epoch == position.epoch):
                raise MetricKeyRolledBack
            # A restored server. Whether anything is to be counted stays as it was.
            return state.without(wanted=state.wanted or known is not None)
        if not fits:
            # The sums are of another history: the server was restored, or had given up its entries for a while.
            return replace(state.without(wanted=True), number=highest)
        if held.sealed_under != self._store.keyring.newest.key_id:
            # A retired key opens it, so whoever has an old keyring could read what is counted from now on, or have
            # made the key. The sums begin anew under one that nobody else has.
            return replace(state.without(wanted=state.wanted or not census.off), number=highest)
        if census.off:
            return replace(state.without(wanted=state.wanted), number=highest)
        if same:
            return replace(state, version=held.version, wanted=False)
        if census.maker == self._device_id:
            # Begun here, and what was to be counted is lost with a store that is no more.
            return replace(state.without(wanted=True), number=highest)
        if position is not None and position.seq < census.seq:
            # Begun at a point that the next sync comes to.
            return state.without(wanted=False)
        recounts.join(self._store, census)
        return state.within(census, held.version)

    async def settle(self, *, holds_entries: bool = True) -> MetricsReport:
        """Begin a census if one is wanted, and send what changed.

        Args:
            holds_entries: whether the server holds the account's entries; where it does not, they are counted as they
                are here.
        """
        if self._failure is not None:
            return await self._report(0, self._failure)
        sent = 0
        failure: ApiError | TransportError | MetricsNotInstalled | None = None
        try:
            state = await asyncio.to_thread(State.load, self._store)
            if state.wanted:
                state = await self._begin(state, holds_entries)
            if state.census is not None and state.version:
                if not holds_entries:
                    await asyncio.to_thread(self._collect, state.census)
                await asyncio.to_thread(make_deltas, self._store, state.census)
                sent = await send_deltas(self._store, self._transport, state.census)
        except (ApiError, TransportError, MetricsNotInstalled) as error:
            failure = error
        return await self._report(sent, failure)

    def _collect(self, census: Census) -> None:
        with self._store.transaction():
            recounts.collect(self._store, census)

    async def _report(self, sent: int, failure: Exception | None) -> MetricsReport:
        error = failure.code if isinstance(failure, ApiError) else type(failure).__name__ if failure else None

        def read() -> MetricsReport:
            state = State.load(self._store)
            return MetricsReport(state.census is not None, sent, sum(self._store.contributions.counts()), error)

        return await asyncio.to_thread(read)

    # ---- beginning and ending ----

    async def _begin(self, state: State, holds_entries: bool) -> State:
        """Begin a census, or take up the one that another device began at the same time."""
        version = self._held.version if self._held is not None else 0
        if self._held is not None and not self._held.census.off:
            # Nobody counts while the old sums are deleted: what is counted from then on stays.
            version = await self._end(state.number)
        if version:
            await self._transport.command("DELETE", "/sync/metrics/all")
        key, public = await asyncio.to_thread(prepared_pair, self._store)
        await self._register(public)
        state = await asyncio.to_thread(self._new_census, key, holds_entries)
        assert state.census is not None
        try:
            stored = await self._put(state.census, version)
        except VersionConflict:
            await self.look()
            position = self._store.history.position() if holds_entries else None
            await asyncio.to_thread(self.arrive, position)
        else:
            self._held = _Held(stored, state.census, self._store.keyring.newest.key_id)
            await asyncio.to_thread(self._confirm, state.within(state.census, stored))
        return await asyncio.to_thread(State.load, self._store)

    def _new_census(self, key: bytes, holds_entries: bool) -> State:
        with self._store.transaction():
            state = State.load(self._store)
            position = self._store.history.position() if holds_entries else None
            census = Census.new(
                number=state.number + 1,
                epoch=position.epoch if position is not None else None,
                seq=position.seq if position is not None else 0,
                maker=self._device_id,
                key=key,
            )
            recounts.begin(self._store, census)
            # Wanted until the server has it: a run that ends here begins again, with another.
            state = State(True, state.number, census, 0)
            state.save(self._store)
            return state

    def _confirm(self, state: State) -> None:
        with self._store.transaction():
            prepared_pair(self._store, spend=True)
            state.save(self._store)

    async def stop(self) -> None:
        """Count nothing any more, on any device, and have the server delete its sums.

        Raises:
            ApiError, TransportError: it is not known to have done so.
        """
        await self.look()
        if self._failure is not None:
            raise self._failure
        if self._held is not None and not self._held.census.off:
            await self._end((await asyncio.to_thread(State.load, self._store)).number)
        await asyncio.to_thread(self._drop)
        await self._transport.command("DELETE", "/sync/metrics/all")

    def _drop(self) -> None:
        with self._store.transaction():
            State.load(self._store).without(wanted=False).save(self._store)
            self._store.contributions.clear()

    async def _end(self, number: int) -> int:
        """Tell all devices that nothing is counted any more; return the version of that.

        Args:
            number: the highest of a census so far.
        """
        for _ in range(_ATTEMPTS):
            version = self._held.version if self._held is not None else 0
            highest = max(number, self._held.census.number if self._held is not None else 0)
            off = Census.new(number=highest + 1, epoch=None, seq=0, maker=self._device_id, key=b"")
            try:
                stored = await self._put(off, version)
            except VersionConflict:
                await self.look()
                continue
            await asyncio.to_thread(self._forget, off.number)
            return stored
        raise InvalidAnswer

    def _forget(self, number: int) -> None:
        with self._store.transaction():
            state = State.load(self._store)
            replace(state.without(wanted=state.wanted), number=number).save(self._store)
            self._store.contributions.clear()

    async def _put(self, census: Census, base_version: int) -> int:
        sealed = census.seal(self._store.keyring, self._user_id, base_version + 1)
        body = SealedKeyChange(sealed_key=sealed, base_version=base_version)
        answer = await self._transport.request("PUT", _KEY_PATH, body=body, answer=SealedKeyVersion, msgpack=True)
        return answer.version

    async def _register(self, public: bytes) -> None:
        """Give the server the public context of a key, which it asks for before it takes a metric."""
        tier = (await self._transport.request("GET", "/users/me/privacy", answer=Privacy)).current_tier
        body = PrivacyChange(privacy_tier=tier, consent_timestamp=self._clock(), he_public_key=public)
        await self._transport.request("PUT", "/users/me/privacy", body=body, answer=PrivacyChanged)
