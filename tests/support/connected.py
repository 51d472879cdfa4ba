"""People whose accounts are connected with networks of our own, spoken to over plain HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from lockleaf.crypto import identity
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.codec import unpack
from lockleaf.wire.fields import decode_base64, encode_base64
from tests.support.account_holders import Clock, Person, served
from tests.support.graph_api import GraphApi
from tests.support.mastodon_instance import MastodonInstance
from tests.support.social_network import SocialNetwork

__all__ = [
    "JPEG",
    "NETWORKS",
    "PAGE",
    "PICTURE",
    "PNG",
    "Connected",
    "connect",
    "connected",
    "knowing",
    "published_at",
    "sealed_entry",
    "where",
]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8
NETWORKS = {"mastodon": MastodonInstance, "facebook": GraphApi}
PICTURE = {"name": "sea.png", "media_type": "image/png", "data": encode_base64(PNG), "description": "The sea"}
PAGE = "20001"


def where(network: SocialNetwork) -> dict[str, str]:
    """What a push says of its place there."""
    return {"target": PAGE} if isinstance(network, GraphApi) else {}


def published_at(network: SocialNetwork) -> list[str]:
    """The texts that were published there."""
    if isinstance(network, GraphApi):
        return [post.message for post in network.fed[PAGE]]
    return [status.text for status in network.statuses] if isinstance(network, MastodonInstance) else []


def knowing(settings: Settings, *networks: SocialNetwork, **more: Any) -> Settings:
    """Settings of a server that may reach these networks on the loopback."""
    changed: dict[str, Any] = {"private_hosts": tuple(each.host for each in networks), "request_seconds": 20, **more}
    for network in networks:
        if isinstance(network, GraphApi):
            changed |= {
                "facebook_app_id": network.app_id,
                "facebook_app_secret": SecretStr(network.app_secret),
                "facebook_graph_url": network.url,
                "facebook_dialog_url": network.url,
                "facebook_redirect_uri": network.redirect_uri,
            }
    return settings.model_copy(update={"integrations": settings.integrations.model_copy(update=changed)})


@dataclass
class Connected:
    """Somebody, and their connection."""

    app: FastAPI
    http: httpx.AsyncClient
    person: Person
    provider: str
    clock: Clock
    integration_id: str = ""
    opened: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What came into the inbox so far, by the item's id."""

    async def wait(self, **duration: float) -> None:
        """Let time pass, and log in anew."""
        self.clock.advance(**duration)
        self.person = await self.person.log_in(self.http)

    async def call(self, verb: str, **body: Any) -> httpx.Response:
        """Ask for something of the provider's."""
        return await self.http.post(f"/integrations/{self.provider}/{verb}", json=body, headers=self.person.headers)

    async def pull(self) -> dict[str, Any]:
        """Pull, with success."""
        answer = await self.call("pull")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def push(self, entry_id: str, text: str = "The sea at noon.", **more: Any) -> dict[str, Any]:
        """Push, with an answer."""
        answer = await self.call("push", entry_id=entry_id, text=text, **more)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def listed(self) -> dict[str, Any]:
        """The connection as its user sees it."""
        answer = await self.http.get("/integrations", headers=self.person.headers)
        (found,) = answer.json()["items"]
        return dict(found)

    async def inbox(self) -> list[dict[str, Any]]:
        """What waits in the inbox, opened, with the item's id as `item_id`."""
        answer = await self.http.get("/inbox", params={"limit": 500}, headers=self.person.headers)
        keys = [identity.identity_from_seed(self.person.identity_seed)]
        found = []
        for item in answer.json()["items"]:
            content = unpack(identity.open_sealed(keys, decode_base64(item["sealed"])))
            found.append({**content, "item_id": item["id"]})
        return found

    async def take_out(self, *, refused: bool = False) -> list[dict[str, Any]]:
        """Empty the inbox; return what was in it."""
        found = await self.inbox()
        for item in found:
            answer = await self.http.delete(
                f"/inbox/{item['item_id']}", params={"refused": refused}, headers=self.person.headers
            )
            assert answer.status_code == 204, answer.text
        return found

    async def entry(self) -> str:
        """Have an entry; its id."""
        return await sealed_entry(self.http, self.person)

    async def rows(self, statement: str, *arguments: Any) -> list[Any]:
        """What the database says."""
        async with self.app.state.parts[Database].read_driver() as connection:
            return list(await connection.fetch(statement, *arguments))


async def sealed_entry(http: httpx.AsyncClient, person: Person) -> str:
    """Have an entry in an account whose content only its client opens; its id."""
    entry_id = str(uuid4())
    body = {
        "id": entry_id,
        "base_revision": 0,
        "parent": encode_base64(bytes(32)),
        "payload": encode_base64(b"\x01\x01\x00\x00\x00\x01" + UUID(entry_id).bytes * 20),
    }
    answer = await http.post("/entries", json=body, headers=person.headers)
    assert answer.status_code == 201, answer.text
    return entry_id


async def connect(
    app: FastAPI, http: httpx.AsyncClient, network: SocialNetwork, clock: Clock, person: Person | None = None
) -> Connected:
    """Connect a person, a new one by default, with a network."""
    person = person or await Person().sign_up(http)
    provider = "mastodon" if isinstance(network, MastodonInstance) else "facebook"
    them = Connected(app, http, person, provider, clock)
    begun = await them.call("connect", **({"instance": network.url} if provider == "mastodon" else {}))
    assert begun.status_code == 200, begun.text
    assert isinstance(network, MastodonInstance | GraphApi)
    code = network.allow(begun.json()["authorization_url"])
    done = await them.call("callback", state=begun.json()["state"], code=code)
    assert done.status_code == 200, done.text
    them.integration_id = done.json()["id"]
    return them


@asynccontextmanager
async def connected(settings: Settings, network: SocialNetwork, **more: Any) -> AsyncIterator[Connected]:
    """A server, and somebody there whose account is connected with a network."""
    clock = Clock()
    async with served(knowing(settings, network, **more), clock=clock) as (app, http):
        yield await connect(app, http, network, clock)
