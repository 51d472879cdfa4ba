"""Connections to social networks: connected, looked at, written to and left, by way of the server.

The server speaks to the network, and holds the token. What it is given to publish is what its user wants published.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from lockleaf.client.errors import CodeMissing, OtherConnection
from lockleaf.client.media.bare_pictures import bare_picture
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.lists import fetch_list
from lockleaf.wire.base import Body
from lockleaf.wire.integrations import (
    Callback,
    Connect,
    Connecting,
    Integration,
    Integrations,
    Picture,
    Pull,
    Pulled,
    PushRequest,
    PushResult,
)

__all__ = ["Connecting", "Integration", "Networks", "Picture", "Pulled", "PushResult", "authorization_code"]

_PATIENCE = 150.0
"""Seconds: a server waits up to a minute for each answer of a network, and asks more than once."""

M = TypeVar("M", bound=Body)


class Networks:
    """The social networks of an account.

    All of it raises NotLoggedIn without a session, TransportError where the server does not answer, and ApiError for
    what it refuses: ReconnectRequired, NetworkBusy, NetworkRefused, NetworkUnavailable, ...
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> tuple[Integration, ...]:
        """Return the connections."""
        return tuple(await fetch_list(self._transport, "/integrations", Integrations))

    async def connect(
        self, provider: str, *, instance: str | None = None, redirect_uri: str | None = None
    ) -> Connecting:
        """Begin to connect a network: return the address that its user opens, and the state for `finish`.

        Args:
            provider: ``facebook`` or ``mastodon``.
            instance: with mastodon, as ``mastodon.social``.
        """
        body = Connect(instance=instance, redirect_uri=redirect_uri)
        return await self._ask(provider, "connect", body, Connecting)

    async def finish(self, provider: str, *, state: str, code: str) -> Integration:
        """Keep what the user allowed, by the code that the network gave."""
        body = Callback(state=state, code=code)
        return await self._ask(provider, "callback", body, Integration)

    async def disconnect(self, integration_id: UUID) -> None:
        """Leave a network. What was imported and published stays."""
        await self._transport.command("DELETE", f"/integrations/{integration_id}", patience=_PATIENCE)

    async def pull(self, provider: str, integration_id: UUID | None = None) -> Pulled:
        """Have the server put new posts into the inbox; the next sync brings them here."""
        body = Pull(integration_id=integration_id)
        return await self._ask(provider, "pull", body, Pulled)

    async def publish(
        self,
        entry_id: str,
        provider: str,
        *,
        text: str,
        target: str | None = None,
        visibility: str | None = None,
        pictures: Sequence[Picture] = (),
        with_metadata: bool = False,
        integration_id: UUID | None = None,
    ) -> PushResult:
        """Publish an entry that the server has; one that is published there is not published again.

        Args:
            text: just what is published: show it to its user before.
            target: with facebook, the id of a Page.
            with_metadata: pictures keep the place, the camera and the time that were written into them.

        Raises:
            PictureUnreadable: a picture is damaged, or none that networks take; nothing was published.
        """
        if not with_metadata:
            pictures = [await asyncio.to_thread(_bare, each) for each in pictures]
        body = PushRequest(
            entry_id=UUID(entry_id),
            text=text,
            target=target,
            visibility=visibility,
            pictures=tuple(pictures),
            integration_id=integration_id,
        )
        return await self._ask(provider, "push", body, PushResult)

    async def _ask(self, provider: str, what: str, body: Body, answer: type[M]) -> M:
        path = f"/integrations/{provider}/{what}"
        return await self._transport.request("POST", path, body=body, answer=answer, patience=_PATIENCE)


def authorization_code(pasted: str, state: str) -> str:
    """Return the code of what a person pasted: the code that they were shown, or the address that bears it.

    Args:
        state: that of the `Connecting`, which the address has to bear if it bears any.

    Raises:
        CodeMissing: the address has none.
        OtherConnection: the address bears another state.
    """
    pasted = pasted.strip()
    if "://" not in pasted:
        return pasted
    try:
        fields = {name: values[0] for name, values in parse_qs(urlsplit(pasted).query).items()}
    except ValueError:
        raise CodeMissing from None
    if "code" not in fields:
        raise CodeMissing
    if fields.get("state", state) != state:
        raise OtherConnection
    return fields["code"]


def _bare(picture: Picture) -> Picture:
    return picture.model_copy(update={"data": bare_picture(picture.data, picture.media_type)})
