"""``/integrations`` as its table has it, with networks of our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from lockleaf.server.platform.settings import Settings
from tests.server.contract.test_entries import unreadable
from tests.support.account_holders import Person, problem
from tests.support.accounts import Owner, register
from tests.support.connected import PNG, Connected, connect, knowing
from tests.support.contract import NOWHERE, Contract, Running, shows
from tests.support.graph_api import GraphApi
from tests.support.mastodon_instance import MastodonInstance
from tests.support.social_network import running_network
from tests.support.uce_holders import Thin


@pytest.fixture
def instance() -> Iterator[MastodonInstance]:
    with running_network(MastodonInstance()) as running:
        yield running


@pytest.fixture
def second() -> Iterator[MastodonInstance]:
    with running_network(MastodonInstance()) as running:
        yield running


@pytest.fixture
def graph() -> Iterator[GraphApi]:
    with running_network(GraphApi()) as running:
        yield running


@pytest.fixture
def running(own_running: Running) -> Running:
    return own_running


@pytest.fixture
def settings(settings: Settings, instance: MastodonInstance, second: MastodonInstance, graph: GraphApi) -> Settings:
    """A server that reaches them all, with little room."""
    limits = settings.limits.model_copy(update={"inbox_items": 3, "storage_bytes": 20_000})
    return knowing(settings.model_copy(update={"limits": limits}), instance, second, graph)


async def at(contract: Contract, network: Any, person: Person | None = None) -> Connected:
    return await connect(contract.app, contract.http, network, contract.clock, person)


@shows(
    "POST /integrations/{provider}/connect 200",
    "POST /integrations/{provider}/callback 200",
    "GET /integrations 200",
    "DELETE /integrations/{integration_id} 204",
    "DELETE /integrations/{integration_id} 404 not_found",
)
async def test_a_network_is_connected_listed_and_left(
    contract: Contract, instance: MastodonInstance, graph: GraphApi
) -> None:
    them = await at(contract, instance)
    await at(contract, graph, them.person)
    listed = (await contract.http.get("/integrations", headers=them.person.headers)).json()["items"]
    assert [(each["provider"], each["state"]) for each in listed] == [
        ("mastodon", "connected"),
        ("facebook", "connected"),
    ]
    assert {each["name"] for each in listed[1]["targets"]} == set(graph.pages.values())
    pages = [
        (await contract.http.get("/integrations", headers=them.person.headers, params=asked)).json()
        for asked in ({"limit": 1}, {"page": 2, "page_size": 1})
    ]
    assert [each["items"] for each in pages] == [listed[:1], listed[1:]]
    assert (pages[1]["total"], pages[0]["next_cursor"] is not None) == (2, True)
    assert instance.tokens
    for each in listed:
        path = f"/integrations/{each['id']}"
        assert (await contract.http.delete(path, headers=them.person.headers)).status_code == 204
        problem(await contract.http.delete(path, headers=them.person.headers), 404, "not_found")
    assert not instance.tokens | dict.fromkeys(graph.long, ""), "the networks were told"
    other = await Person().sign_up(contract.http)
    assert (await contract.http.get("/integrations", headers=other.headers)).json()["items"] == []


@shows(
    "POST /integrations/{provider}/connect 404 not_found",
    "POST /integrations/{provider}/connect 422 invalid_instance",
    "POST /integrations/{provider}/connect 409 network_refused",
    "POST /integrations/{provider}/connect 429 network_busy",
    "POST /integrations/{provider}/connect 503 network_unavailable",
    "POST /integrations/{provider}/callback 404 not_found",
    "POST /integrations/{provider}/callback 422 invalid_state",
    "POST /integrations/{provider}/callback 409 authorization_refused",
    "POST /integrations/{provider}/callback 429 network_busy",
    "POST /integrations/{provider}/callback 503 network_unavailable",
)
async def test_a_connection_that_does_not_come_about_is_refused_by_name(
    contract: Contract, instance: MastodonInstance
) -> None:
    person = await Person().sign_up(contract.http)
    them = Connected(contract.app, contract.http, person, "mastodon", contract.clock)
    for verb, body in (("connect", {}), ("callback", {"state": "x", "code": "x"})):
        answer = await contract.http.post(f"/integrations/nowhere/{verb}", json=body, headers=person.headers)
        problem(answer, 404, "not_found")
    for named in ("localhost", "10.0.0.7", "https://127.0.0.1", "http://mastodon.example", "a.example/b"):
        problem(await them.call("connect", instance=named), 422, "invalid_instance")
    instance.troubles = ["throttle", "page"]
    problem(await them.call("connect", instance=instance.url), 429, "network_busy")
    problem(await them.call("connect", instance=instance.url), 503, "network_unavailable")
    instance.refusals = [422]
    problem(await them.call("connect", instance=instance.url), 409, "network_refused")

    begun = (await them.call("connect", instance=instance.url)).json()
    problem(await them.call("callback", state="x", code="x"), 422, "invalid_state")
    other = Connected(contract.app, contract.http, await Person().sign_up(contract.http), "mastodon", contract.clock)
    problem(await other.call("callback", state=begun["state"], code="x"), 422, "invalid_state")
    instance.troubles = ["throttle", "half"]
    problem(await them.call("callback", state=begun["state"], code="x"), 429, "network_busy")
    problem(await them.call("callback", state=begun["state"], code="x"), 503, "network_unavailable")
    problem(await them.call("callback", state=begun["state"], code="x"), 409, "authorization_refused")
    await them.wait(hours=1)
    problem(await them.call("callback", state=begun["state"], code="x"), 422, "invalid_state")


@shows("POST /integrations/{provider}/push 200", "POST /integrations/{provider}/pull 200")
async def test_posts_come_in_and_an_entry_goes_out(
    contract: Contract, instance: MastodonInstance, graph: GraphApi
) -> None:
    them = await at(contract, instance)
    instance.write("one")
    assert await them.pull() == {"added": 1, "known": 0, "skipped": 0, "complete": True}
    entry_id = await them.entry()
    pushed = await them.push(entry_id, "Hello world", visibility="unlisted")
    assert (pushed["status"], pushed["external_id"]) == ("published", instance.statuses[-1].id)
    there = await at(contract, graph, them.person)
    pushed = await there.push(entry_id, "Hello Page", target="20001")
    assert (pushed["status"], pushed["external_id"]) == ("published", graph.fed["20001"][-1].id)
    history = (await contract.http.get(f"/entries/{entry_id}/history", headers=them.person.headers)).json()["items"]
    assert [each["event"] for each in history] == ["created", "published", "published"]


@shows(
    "POST /integrations/{provider}/push 404 not_found",
    "POST /integrations/{provider}/push 409 content_unreadable",
    "POST /integrations/{provider}/push 409 integration_not_named",
    "POST /integrations/{provider}/push 409 network_refused",
    "POST /integrations/{provider}/push 409 reconnect_required",
    "POST /integrations/{provider}/push 429 network_busy",
    "POST /integrations/{provider}/push 503 network_unavailable",
    "POST /integrations/{provider}/pull 404 not_found",
    "POST /integrations/{provider}/pull 409 integration_not_named",
    "POST /integrations/{provider}/pull 409 network_refused",
    "POST /integrations/{provider}/pull 409 reconnect_required",
    "POST /integrations/{provider}/pull 409 recipient_required",
    "POST /integrations/{provider}/pull 429 network_busy",
    "POST /integrations/{provider}/pull 503 network_unavailable",
    "POST /integrations/{provider}/pull 507 inbox_full",
    "POST /integrations/{provider}/pull 507 quota_exceeded",
)
async def test_what_the_network_or_the_account_does_not_take_is_refused_by_name(
    contract: Contract, instance: MastodonInstance, second: MastodonInstance
) -> None:
    nobody = Connected(contract.app, contract.http, await Person().sign_up(contract.http), "mastodon", contract.clock)
    problem(await nobody.call("push", entry_id=NOWHERE, text="x"), 404, "not_found")
    problem(await nobody.call("pull"), 404, "not_found")

    them = await at(contract, instance)
    problem(await them.call("push", entry_id=str(uuid4()), text="x"), 404, "not_found")
    entry_id = await them.entry()
    for field, value in (("text", None), ("visibility", "everybody"), ("target", "1")):
        body = {"entry_id": entry_id, "text": "x", field: value}
        problem(await them.call("push", **body), 422, "invalid_request")
    problem(await them.call("push", entry_id=entry_id, text="x" * 501), 409, "network_refused")
    picture = {"name": "a.png", "media_type": "image/png", "data": "iVBORw0KGgo="}
    instance.troubles = ["throttle"]
    problem(await them.call("push", entry_id=entry_id, text="x"), 429, "network_busy")
    instance.troubles = ["fail"]
    problem(await them.call("push", entry_id=entry_id, text="x", pictures=[picture]), 503, "network_unavailable")
    assert instance.statuses == []

    instance.write("one", media=[instance.picture(PNG * 10)])
    instance.refusals = [403]
    problem(await them.call("pull"), 409, "network_refused")
    instance.troubles = ["fail"]
    problem(await them.call("pull"), 503, "network_unavailable")
    problem(await them.call("pull"), 507, "quota_exceeded")
    instance.statuses.clear()
    for number in range(5):
        instance.write(f"post {number}")
    problem(await them.call("pull"), 507, "inbox_full")
    instance.troubles = ["throttle"]
    problem(await them.call("pull"), 429, "network_busy")
    await them.wait(minutes=5)
    await at(contract, second, them.person)
    problem(await them.call("pull"), 409, "integration_not_named")
    problem(await them.call("push", entry_id=entry_id, text="x"), 409, "integration_not_named")
    instance.revoke()
    named = {"integration_id": them.integration_id}
    problem(await them.call("push", entry_id=entry_id, text="x", **named), 409, "reconnect_required")
    problem(await them.call("pull", **named), 409, "reconnect_required")

    uma = await Thin().sign_up(contract.http)
    of_uma = await at(contract, instance, uma)
    foreign = await unreadable(Owner(contract.http, uma.email, uma.secret, uma.tokens))
    problem(await of_uma.call("push", entry_id=foreign), 409, "content_unreadable")
    older = await register(contract.http, privacy_tier="full_sync")
    known = Person(email=older.email, secret=older.password, tokens=older.answer)
    of_older = await at(contract, instance, known)
    problem(await of_older.call("pull"), 409, "recipient_required")
