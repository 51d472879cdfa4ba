"""The live stream of one device: a line whenever something of its account changed, and a sign of life in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from lockleaf.server.auth.principal import authenticate
from lockleaf.server.context import Services
from lockleaf.server.db.errors import DRIVER_ERRORS
from lockleaf.server.errors import DomainError
from lockleaf.server.records import feed
from lockleaf.server.sync.errors import TooManyStreams
from lockleaf.wire.sync import Event

__all__ = ["open_stream"]

HEARTBEAT_SECONDS = 15.0


def open_stream(services: Services, user_id: UUID, token: str) -> AsyncIterator[bytes]:
    """Return the lines of a live stream, until its token is no longer good or the server stops.

    Raises:
        TooManyStreams: the account has as many as it may.
    """
    if services.events.open_streams(user_id) >= services.settings.limits.streams_per_account:
        raise TooManyStreams(retry_after=30, limit=services.settings.limits.streams_per_account)
    return _lines(services, user_id, token)


async def _lines(services: Services, user_id: UUID, token: str) -> AsyncIterator[bytes]:
    last: Event | None = None
    with services.events.subscription(user_id) as woken:
        yield b"retry: 2000\n\n"
        while not services.events.closing.is_set():
            woken.clear()
            try:
                # A connection for as long as the question takes, never for as long as the stream lives.
                async with services.database.read_driver() as connection:
                    await authenticate(connection, services.tokens, token)
                    seq, conflicts = await feed.read_end(connection, user_id)
            except (DomainError, SQLAlchemyError, OSError, *DRIVER_ERRORS):
                return  # signed out, or no database: the client comes back, and is then told which
            event = Event(seq=seq, inbox=0, conflicts=conflicts)
            if event != last:
                last = event
                yield b"data: " + event.model_dump_json().encode() + b"\n\n"
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await woken.wait()
            except TimeoutError:
                yield b": alive\n\n"
