"""Entries go out: each to one place exactly once, or it is said that nobody knows."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from lockleaf.server.features.integrations.resealing import reseal_all
from lockleaf.server.features.integrations.sealing import Seals
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import SecretSettings, Settings
from tests.support.account_holders import Clock, problem, served
from tests.support.connected import (
    NETWORKS,
    PAGE,
    PICTURE,
    PNG,
    Connected,
    connect,
    connected,
    knowing,
    published_at,
    where,
)
from tests.support.graph_api import GraphApi
from tests.support.killed_pushes import Kill, killed_push, points
from tests.support.mastodon_instance import MastodonInstance
from tests.support.social_network import running_network
from tests.support.uce_holders import Thin, written_entry


@pytest.fixture(params=list(NETWORKS))
def network(request: pytest.FixtureRequest) -> Iterator[Any]:
    with running_network(NETWORKS[request.param]()) as running:
        yield running


@pytest.fixture
async def them(settings: Settings, network: Any) -> AsyncIterator[Connected]:
    async with connected(settings, network) as somebody:
        yield somebody


def publishes(network: Any, asked: Any) -> bool:
    ends = "/api/v1/statuses" if isinstance(network, MastodonInstance) else f"/{PAGE}/feed"
    return bool(asked.method == "POST" and asked.path.endswith(ends))


async def test_an_entry_is_published_with_its_pictures_and_once(them: Connected, network: Any) -> None:
    entry_id = await them.entry()
    first = await them.push(entry_id, "The sea at noon.", pictures=[PICTURE], **where(network))
    again = await them.push(entry_id, "Other words.", **where(network))
    assert first["status"] == "published"
    assert again == first
    assert published_at(network) == ["The sea at noon."]
    if isinstance(network, MastodonInstance):
        (media_id,) = network.statuses[0].media
        assert network.pictures[media_id] == ("image/png", PNG, "The sea")
    else:
        (photo,) = network.fed[PAGE][0].photos
        assert network.photos[photo] == ("image/png", PNG)


async def test_what_was_published_does_not_come_in_as_news(settings: Settings) -> None:
    with running_network(MastodonInstance()) as network:
        async with connected(settings, network) as them:
            await them.push(await them.entry())
            network.write("news")
            assert await them.pull() == {"added": 1, "known": 1, "skipped": 0, "complete": True}


async def test_a_picture_that_the_instance_works_on_for_a_while_is_waited_for(settings: Settings) -> None:
    with running_network(MastodonInstance()) as network:
        network.slow_media = 2
        async with connected(settings, network) as them:
            assert (await them.push(await them.entry(), pictures=[PICTURE]))["status"] == "published"


async def test_with_uce_the_server_opens_the_entry_and_the_history_of_access_says_so(
    settings: Settings, network: Any
) -> None:
    clock = Clock()
    async with served(knowing(settings, network), clock=clock) as (app, http):
        uma = await Thin().sign_up(http)
        them = await connect(app, http, network, clock, uma)
        entry_id = await written_entry(app, uma, {"type": "entry", "title": "A day", "body": "The sea."})
        answer = await them.call("push", entry_id=entry_id, **where(network))
        assert answer.json()["status"] == "published", answer.text
        assert published_at(network) == ["A day\n\nThe sea."]
        accesses = (await http.get("/users/me/access", headers=uma.headers)).json()["items"]
        assert "integrations.push" in {each["purpose"] for each in accesses}


async def test_facebook_takes_an_entry_on_a_page_alone(settings: Settings) -> None:
    with running_network(GraphApi()) as network:
        async with connected(settings, network) as them:
            entry_id = await them.entry()
            for target in (None, network.person, "99"):
                body = {"entry_id": entry_id, "text": "x"} | ({} if target is None else {"target": target})
                problem(await them.call("push", **body), 422, "invalid_request")
            assert network.calls("POST", "/feed") == 0


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        (190, 409, "reconnect_required"),
        (4, 429, "network_busy"),
        (17, 429, "network_busy"),
        (32, 429, "network_busy"),
        (613, 429, "network_busy"),
        (10, 409, "network_refused"),
        (200, 409, "network_refused"),
        (299, 409, "network_refused"),
    ],
)
async def test_what_the_graph_api_says_is_told_by_what_to_do(
    settings: Settings, code: int, status: int, told: str
) -> None:
    with running_network(GraphApi()) as network:
        async with connected(settings, network) as them:
            entry_id = await them.entry()
            network.failures = [(400, code)]
            answer = problem(await them.call("push", entry_id=entry_id, text="x", target=PAGE), status, told)
            if told == "network_refused":
                assert answer["network_code"] == code
            assert published_at(network) == []


async def test_a_permission_that_was_not_given_is_told(settings: Settings) -> None:
    with running_network(GraphApi()) as network:
        network.declined = {"pages_manage_posts"}
        async with connected(settings, network) as them:
            answer = await them.call("push", entry_id=await them.entry(), text="x", target=PAGE)
            assert problem(answer, 409, "network_refused")["network_code"] == 200


# ---- doubt ----


@pytest.mark.parametrize("trouble", ["refuse", "fail", "fail after", "lose", "half", "page", "nonsense"])
async def test_whatever_happens_to_the_call_that_publishes_it_is_published_once_or_unknown(
    them: Connected, network: Any, trouble: str
) -> None:
    entry_id = await them.entry()

    def strike(asked: Any) -> None:
        if publishes(network, asked) and network.counted.total() == 0:
            network.troubles = [trouble]

    network.heard = strike
    first = await them.push(entry_id, **where(network))
    assert (first["status"], first["retry_after"] > 0) == ("unknown", True)
    assert (await them.listed())["unknown"] == 1
    await them.wait(minutes=11)
    again = await them.push(entry_id, **where(network))
    assert again["status"] == "published"
    assert published_at(network) == ["The sea at noon."]
    assert (await them.listed())["unknown"] == 0


async def test_a_lost_push_that_a_pull_meets_is_linked_and_not_imported(settings: Settings) -> None:
    with running_network(MastodonInstance()) as network:
        async with connected(settings, network) as them:
            entry_id = await them.entry()
            network.troubles = ["lose"]
            assert (await them.push(entry_id))["status"] == "unknown"
            pulled = await them.pull()
            assert (pulled["added"], pulled["known"]) == (0, 1)
            assert (await them.push(entry_id))["status"] == "published"
            history = (await them.http.get(f"/entries/{entry_id}/history", headers=them.person.headers)).json()["items"]
            assert [each["event"] for each in history] == ["created", "published"]


async def test_two_pushes_at_once_publish_once(them: Connected, network: Any) -> None:
    entry_id = await them.entry()
    await asyncio.gather(*(them.push(entry_id, **where(network)) for _ in range(4)))
    await them.wait(minutes=11)
    assert (await them.push(entry_id, **where(network)))["status"] == "published"
    assert published_at(network) == ["The sea at noon."]


@pytest.mark.parametrize("provider", list(NETWORKS))
def test_a_server_that_is_killed_at_any_point_of_a_push_publishes_once(settings: Settings, provider: str) -> None:
    with running_network(NETWORKS[provider]()) as network:
        known = knowing(settings, network)
        for number, point in enumerate(points(provider)):
            text = f"words {number}"
            outcome = killed_push(known, network, text, point, picture=PICTURE, **where(network))
            assert published_at(network).count(text) == 1, (point, outcome)
        assert outcome.killed or point == Kill(99, "before")


# ---- secrets ----


async def test_no_token_and_no_text_of_a_post_lies_anywhere_in_the_clear(
    settings: Settings, log: io.StringIO, tmp_path: Path
) -> None:
    with running_network(MastodonInstance()) as instance, running_network(GraphApi()) as graph:
        async with served(knowing(settings, instance, graph), clock=Clock()) as (app, http):
            them = await connect(app, http, instance, Clock())
            there = await connect(app, http, graph, Clock(), them.person)
            instance.write("Ammonite under the pear tree", media=[instance.picture(PNG + b"Zirconpicture")])
            graph.write("Belemnite behind the bakery", photos=[graph.photo(PNG + b"Zirconpicture", "image/png")])
            entry_id = await them.entry()
            for somebody, target in ((them, {}), (there, {"target": PAGE})):
                await somebody.pull()
                for network in (instance, graph):
                    network.troubles = ["lose"]
                await somebody.call("push", entry_id=entry_id, text="Celestine on the cellar stairs", **target)
                for network in (instance, graph):
                    network.troubles = []
                await somebody.call("pull")
            canaries = ["Ammonite under the pear tree", "Belemnite behind the bakery", "Celestine on the cellar stairs"]
            canaries += ["Zirconpicture", *instance.tokens, *graph.long, *graph.short, *graph.page_tokens]
            canaries += [graph.app_secret, "@ada@", *(secret for secret, _, _ in instance.applications.values())]
            found = log.getvalue().encode()
            for path in tmp_path.rglob("*"):
                found += path.read_bytes() if path.is_file() else b""
            tables = await them.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for table in tables:
                rows = await them.rows(f"SELECT t::text AS row FROM {table['tablename']} t")
                found += "\n".join(row["row"] for row in rows).encode()
    for canary in canaries:
        raw = canary.encode()
        forms = (raw, raw.hex().encode(), base64.b64encode(raw)[:-4], base64.urlsafe_b64encode(raw)[:-4])
        assert not any(form in found for form in forms), canary


async def test_what_older_roots_sealed_is_known_and_put_under_the_newest(
    settings: Settings, own_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", own_database_url)
    settings = Settings()
    with running_network(MastodonInstance()) as network:
        async with connected(settings, network) as them:
            network.write("one", media=[network.picture(PNG)])
            await them.pull()
            entry_id = await them.entry()
            await them.push(entry_id)
            old = settings.secrets.roots[0].get_secret_value().encode()
            async with them.app.state.parts[Database].transaction() as tx:
                done = await reseal_all(tx.connection, Seals(ServerKeys([b"n" * 48, old], b"p" * 48)))
            assert (done.connections, done.posts, done.applications, done.lost) == (1, 2, 1, 0)
        # A server to which the old root means nothing any more.
        roots = SecretSettings(roots=(SecretStr("n" * 48),), prelogin=settings.secrets.prelogin)
        alone = knowing(settings.model_copy(update={"secrets": roots}), network)
        async with served(alone, clock=them.clock) as (app, http):
            again = Connected(app, http, await them.person.log_in(http), them.provider, them.clock)
            assert (await again.listed())["state"] == "connected"
            network.write("two")
            assert (await again.pull())["added"] == 1
            assert (await again.push(entry_id))["status"] == "published"
            assert published_at(network).count("The sea at noon.") == 1
