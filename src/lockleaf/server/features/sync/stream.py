"""The live stream of one device: a line whenever something of its account changed, and a sign of life in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from uuid import UUID

from fastapi.responses import StreamingResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from lockleaf.server.features.inbox import service as inbox
from lockleaf.server.features.sync.errors import TooManyStreams
from lockleaf.server.identity.principal import authenticate, require_tier
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.errors import DRIVER_ERRORS
from lockleaf.server.platform.errors import DomainError
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.settings import LimitSettings
from lockleaf.server.records import feed
from lockleaf.wire.sync import Event

__all__ = ["LiveStream"]

HEARTBEAT_SECONDS = 15.0
SIGNS_PER_LOOK = 4
"""After so many signs of life a stream looks for itself, in case that it was not woken. Ten thousand streams that
looked at each one would be two thousand statements a second."""


class LiveStream(StreamingResponse):
    """A live stream, until its token is no longer good or the server stops.

    It counts from the moment when it is made, not from its first line: requests that come together would otherwise all
    find a place of their own.

    Raises:
        TooManyStreams: the account has as many as it may.
    """

    def __init__(
        self,
        database: Database,
        limits: LimitSettings,
        token_codec: TokenCodec,
        hub: EventHub,
        user_id: UUID,
        token: str,
    ) -> None:
        if hub.open_streams(user_id) >= limits.streams_per_account:
            raise TooManyStreams(retry_after=30, limit=limits.streams_per_account)
        self._subscription = ExitStack()
        woken = self._subscription.enter_context(hub.subscription(user_id))
        lines = _lines(database, token_codec, hub, user_id, token, woken)
        super().__init__(lines, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream; it no longer counts when that ends, however it does."""
        with self._subscription:
            await super().__call__(scope, receive, send)


async def _lines(
    database: Database, token_codec: TokenCodec, hub: EventHub, user_id: UUID, token: str, woken: asyncio.Event
) -> AsyncIterator[bytes]:
    last: Event | None = None
    yield b"retry: 2000\n\n"
    while not hub.closing.is_set():
        woken.clear()
        try:
            # A connection for as long as the question takes, never for as long as the stream lives.
            async with database.read_driver() as connection:
                principal = await authenticate(connection, token_codec, token)
                require_tier(principal, "full_sync")
                seq, conflicts = await feed.read_end(connection, user_id)
                waiting = await inbox.count(connection, user_id)
        except (DomainError, SQLAlchemyError, OSError, *DRIVER_ERRORS):
            return  # signed out, a lower tier, or no database: the client comes back, and is then told which
        event = Event(seq=seq, inbox=waiting, conflicts=conflicts)
        if event != last:
            last = event
            yield b"data: " + event.model_dump_json().encode() + b"\n\n"
        for _ in range(SIGNS_PER_LOOK):
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await woken.wait()
                break
            except TimeoutError:
                yield b": alive\n\n"
