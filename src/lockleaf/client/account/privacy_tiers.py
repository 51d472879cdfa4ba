"""How much leaves this device: reading and changing the account's privacy tier."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Final

from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    EpochEndOutdated,
    IntegrityError,
    InvalidCredentials,
    InvalidFactor,
    SecondFactorRequired,
    TooManyFactorAttempts,
    WrongPassword,
)
from lockleaf.client.history.statements import StatementBook, Transition
from lockleaf.client.metrics.census_state import State, prepared_pair
from lockleaf.client.transport.second_factor import answered
from lockleaf.wire.epochs import Statement
from lockleaf.wire.factors import FactorAnswer
from lockleaf.wire.privacy import Privacy, PrivacyChange, PrivacyChanged
from lockleaf.wire.tiers import PrivacyTier

__all__ = ["TIERS", "change", "show"]

TIERS: Final = ("local_only", "analytics_sync", "full_sync")
"""The tiers, each leaving more on the server than the one before."""

_ATTEMPTS = 5


async def show(device: Device) -> Privacy:
    """Return the account's tier; see `PrivacyChoices.tier`."""
    return await device.session.transport.request("GET", "/users/me/privacy", answer=Privacy)


async def change(
    device: Device,
    tier: PrivacyTier,
    he_public_key: bytes | None,
    catch_up: Callable[[], Awaitable[None]],
    prove: Callable[[], Awaitable[str]],
) -> PrivacyChanged:
    """Set the account's tier; see `PrivacyChoices.set_tier`.

    Args:
        catch_up: fetches and verifies what is new at the server, and sends nothing.
        prove: gives the account's current secret, which is needed where the tier is lowered.
    """
    session = device.session
    present = await show(device)
    rises = TIERS.index(tier) > TIERS.index(present.current_tier)
    lowers = TIERS.index(tier) < TIERS.index(present.current_tier)
    secret = await prove() if lowers else None
    if rises and he_public_key is None and not present.he_public_key_registered:
        _, he_public_key = await asyncio.to_thread(prepared_pair, session.store)
        await asyncio.to_thread(State.want, session.store)
    body = PrivacyChange(
        privacy_tier=tier, consent_timestamp=device.clock(), he_public_key=he_public_key, current_password=secret
    )
    try:
        if present.current_tier == "full_sync" and lowers:
            return await _end_epoch(device, body, catch_up)
        return await _send(device, body)
    except InvalidCredentials:
        raise WrongPassword from None


async def _send(device: Device, body: PrivacyChange) -> PrivacyChanged:
    transport = device.session.transport

    async def send(factor: FactorAnswer | None) -> PrivacyChanged:
        request = body.model_copy(update={"factor": factor})
        return await transport.request("PUT", "/users/me/privacy", body=request, answer=PrivacyChanged)

    return await answered(transport, send)


async def _end_epoch(device: Device, body: PrivacyChange, catch_up: Callable[[], Awaitable[None]]) -> PrivacyChanged:
    """Lower the tier with a signed end of the account's epoch, so that other devices need not believe the server.

    The end is kept before it is sent: an answer that is lost must not leave this device astonished at an empty server.
    """
    session = device.session
    for attempt in range(_ATTEMPTS):
        try:
            if attempt or session.store.history.position() is None:
                await catch_up()
        except IntegrityError:
            break
        book, end = await asyncio.to_thread(_signed_end, device)
        try:
            return await _send(device, body.model_copy(update={"epoch_end": end}))
        except EpochEndOutdated:
            # Something was written meanwhile. It never came into force, so nobody has it.
            await asyncio.to_thread(session.store.history.drop_statement, book.id_of(end))
        except (InvalidCredentials, SecondFactorRequired, InvalidFactor, TooManyFactorAttempts):
            # Nor did this one.
            await asyncio.to_thread(session.store.history.drop_statement, book.id_of(end))
            raise
    # Whoever takes everything back must not be kept from it by a server that cannot be verified.
    device.notice(
        "The end of the history could not be signed, since the server shows another one than this device verified. "
        "Your other devices will ask you before they go on."
    )
    return await _send(device, body)


def _signed_end(device: Device) -> tuple[StatementBook, Statement]:
    session = device.session
    store, position = session.store, session.store.history.position()
    assert position is not None
    book = StatementBook(str(session.profile.user_id), store.keyring, store.history.statements().values())
    transition = Transition(position.epoch, position.seq, position.head, str(uuid.uuid4()), ends=True)
    end = book.sign(transition, book.highest + 1, device_id=session.profile.device_id, time=device.now())
    store.history.keep_statements({book.id_of(end): end})
    return book, end
