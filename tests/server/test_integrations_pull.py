"""Posts come into the sealed inbox: each once, with its pictures, whatever the network does in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from lockleaf.crypto import identity
from lockleaf.server.features.integrations import jobs as syncing
from lockleaf.server.main.features import HANDLERS
from lockleaf.server.main.maintenance import users
from lockleaf.server.platform.settings import Settings
from tests.support.account_holders import problem
from tests.support.connected import JPEG, PNG, Connected, connect, connected
from tests.support.graph_api import GraphApi
from tests.support.mastodon_instance import MastodonInstance
from tests.support.social_network import running_network
from tests.support.syncing import sync_runs

NETWORKS = {"mastodon": MastodonInstance, "facebook": GraphApi}


@pytest.fixture(params=list(NETWORKS))
def network(request: pytest.FixtureRequest) -> Iterator[Any]:
    with running_network(NETWORKS[request.param]()) as running:
        yield running


@pytest.fixture
def instance() -> Iterator[MastodonInstance]:
    with running_network(MastodonInstance()) as running:
        yield running


@pytest.fixture
def graph() -> Iterator[GraphApi]:
    with running_network(GraphApi()) as running:
        yield running


@pytest.fixture
async def them(settings: Settings, network: Any) -> AsyncIterator[Connected]:
    async with connected(settings, network) as somebody:
        yield somebody


def old(days: int) -> datetime:
    """A time some days ago, with whole seconds."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)


async def test_an_instance_that_has_forgotten_our_application_is_told_of_it_anew(
    settings: Settings, instance: MastodonInstance
) -> None:
    async with connected(settings, instance) as them:
        (first,) = instance.applications
        await connect(them.app, them.http, instance, them.clock, them.person)
        assert list(instance.applications) == [first]
        instance.applications.clear()
        await connect(them.app, them.http, instance, them.clock, them.person)
        assert first not in instance.applications


async def test_all_posts_come_in_over_many_pages_and_a_second_pull_adds_nothing(them: Connected, network: Any) -> None:
    for number in range(47):
        network.write(f"post {number}", at=old(200 - number))
    first = await them.pull()
    assert first == {"added": 47, "known": 0, "skipped": 0, "complete": True}
    assert Counter(item["body"] for item in await them.take_out()) == Counter(f"post {n}" for n in range(47))
    again = await them.pull()
    assert (again["added"], again["complete"]) == (0, True)
    network.write("news")
    assert (await them.pull())["added"] == 1
    (item,) = await them.inbox()
    assert item["body"] == "news"


async def test_an_item_says_when_and_where_it_was_written(them: Connected, network: Any) -> None:
    written = network.write("In the evening.\n\nAnd at night.", at=old(3))
    await them.pull()
    (item,) = await them.inbox()
    assert (item["provider"], item["body"]) == (them.provider, "In the evening.\n\nAnd at night.")
    assert datetime.fromisoformat(item["occurred_at"]) == written.created_at
    assert item["link"].endswith(written.id)
    assert item["external_id"].endswith(written.id)


async def test_pictures_come_as_attachments_that_the_account_alone_opens(them: Connected, network: Any) -> None:
    if isinstance(network, MastodonInstance):
        network.write("Two", media=[network.picture(PNG, "image/png"), network.picture(JPEG, "image/jpeg")])
    else:
        network.write("Two", photos=[network.photo(PNG, "image/png"), network.photo(JPEG)])
    await them.pull()
    (item,) = await them.inbox()
    assert [each["media_type"] for each in item["attachments"]] == ["image/png", "image/jpeg"]
    for attached, plain in zip(item["attachments"], (PNG, JPEG), strict=True):
        answer = await them.http.get(f"/media/{attached['media_id']}/download", headers=them.person.headers)
        path = answer.json()["path"]
        sealed = (await them.http.get(f"http://lockleaf.test{path}")).content
        assert len(sealed) == attached["sealed_size"]
        assert identity.open_sealed([identity.identity_from_seed(them.person.identity_seed)], sealed) == plain


async def test_the_files_of_a_refused_item_go_with_it_and_those_of_an_accepted_one_stay(
    them: Connected, network: Any
) -> None:
    for text in ("refused", "accepted"):
        if isinstance(network, MastodonInstance):
            network.write(text, media=[network.picture(PNG)])
        else:
            network.write(text, photos=[network.photo(PNG)])
        await them.pull()
        await them.take_out(refused=text == "refused")
    listed = (await them.http.get("/media", headers=them.person.headers)).json()["items"]
    assert len(listed) == 1


async def test_a_picture_that_is_none_or_too_large_is_left_out_and_counted(
    settings: Settings, instance: MastodonInstance
) -> None:
    async with connected(settings, instance, picture_bytes=4000) as them:
        media = [
            instance.picture(b"<html>no picture</html>"),
            instance.picture(PNG + bytes(4000)),
            instance.picture(PNG),
            instance.picture(b"a film", "video/mp4"),
        ]
        instance.write("Four", media=media)
        assert (await them.pull())["added"] == 1
        (item,) = await them.inbox()
        assert (len(item["attachments"]), item["missing"]) == (1, 3)


async def test_answers_to_others_letters_and_what_others_wrote_are_not_imported(
    settings: Settings, instance: MastodonInstance
) -> None:
    async with connected(settings, instance) as them:
        instance.write("mine", visibility="private")
        instance.write("a thread of mine", reply_to=instance.account_id)
        instance.write("to somebody", reply_to="4")
        instance.write("a letter", visibility="direct")
        instance.write("not mine", reblog=True)
        await them.pull()
        assert {item["body"] for item in await them.inbox()} == {"mine", "a thread of mine"}


async def test_a_post_that_no_entry_could_hold_is_skipped_once_and_holds_up_nothing(
    settings: Settings, graph: GraphApi
) -> None:
    async with connected(settings, graph) as them:
        graph.write("before", at=old(3))
        graph.write("x" * (5 * 1024 * 1024), at=old(2))
        graph.write("behind", at=old(1))
        told = await them.pull()
        assert (told["added"], told["skipped"]) == (2, 1)
        assert (await them.pull())["skipped"] == 0


# ---- troubles ----


async def test_a_page_that_comes_twice_is_no_progress_and_the_next_pull_goes_on(them: Connected, network: Any) -> None:
    for number in range(45):
        network.write(f"post {number}", at=old(200 - number))
    network.repeats = 1
    problem(await them.call("pull"), 503, "network_unavailable")
    assert (await them.pull())["complete"]
    assert Counter(item["body"] for item in await them.inbox()) == Counter(f"post {n}" for n in range(45))


@pytest.mark.parametrize("trouble", ["refuse", "fail", "fail after", "lose", "half", "page", "nonsense"])
async def test_a_trouble_of_the_network_is_told_and_costs_nothing(them: Connected, network: Any, trouble: str) -> None:
    network.write("one")
    network.troubles = [trouble]
    answer = await them.call("pull")
    problem(answer, 503, "network_unavailable")
    assert answer.headers["retry-after"]
    assert (await them.listed())["last_error"] == "network_unavailable"
    assert (await them.pull())["added"] == 1
    assert (await them.listed())["last_error"] is None


async def test_a_network_that_says_nothing_is_given_up(settings: Settings, network: Any) -> None:
    async with connected(settings, network, request_seconds=0.5) as them:
        network.troubles = ["silence"]
        problem(await them.call("pull"), 503, "network_unavailable")


async def test_a_network_that_wants_fewer_calls_is_left_alone_until_then(them: Connected, network: Any) -> None:
    network.write("one")
    network.troubles = ["throttle"]
    answer = await them.call("pull")
    problem(answer, 429, "network_busy")
    assert 60 <= int(answer.headers["retry-after"]) <= 121
    asked = len(network.asked)
    problem(await them.call("pull"), 429, "network_busy")
    assert len(network.asked) == asked
    await them.wait(minutes=3)
    assert (await them.pull())["added"] == 1


async def test_a_token_that_is_revoked_between_two_pages_asks_to_connect_again_and_nothing_is_lost(
    them: Connected, network: Any
) -> None:
    for number in range(45):
        network.write(f"post {number}", at=old(200 - number))
    ends = "/statuses" if isinstance(network, MastodonInstance) else "/me/posts"

    def revoke(asked: Any) -> None:
        if asked.path.endswith(ends) and network.calls("GET", ends) == 2:
            network.revoke()

    network.before = revoke
    problem(await them.call("pull"), 409, "reconnect_required")
    network.before = lambda asked: None
    shown = await them.listed()
    assert (shown["state"], shown["last_error"]) == ("reconnect_required", "reconnect_required")
    asked = len(network.asked)
    problem(await them.call("pull"), 409, "reconnect_required")
    assert len(network.asked) == asked
    begun = await them.call("connect", **({"instance": network.url} if them.provider == "mastodon" else {}))
    code = network.allow(begun.json()["authorization_url"])
    done = await them.call("callback", state=begun.json()["state"], code=code)
    assert (done.json()["id"], done.json()["state"]) == (them.integration_id, "connected")
    assert (await them.pull())["complete"]
    assert Counter(item["body"] for item in await them.inbox()) == Counter(f"post {n}" for n in range(45))


async def test_a_full_inbox_stops_a_pull_and_the_rest_comes_when_there_is_room(
    settings: Settings, network: Any
) -> None:
    limits = settings.limits.model_copy(update={"inbox_items": 3})
    async with connected(settings.model_copy(update={"limits": limits}), network) as them:
        for number in range(8):
            network.write(f"post {number}", at=old(20 - number))
        came: list[str] = []
        for _ in range(3):
            answer = await them.call("pull")
            came += [item["body"] for item in await them.take_out()]
            if answer.status_code == 200:
                break
            problem(answer, 507, "inbox_full")
        assert Counter(came) == Counter(f"post {n}" for n in range(8))


async def test_a_quota_that_has_no_room_for_a_picture_is_told_and_keeps_no_half_of_a_post(
    settings: Settings, instance: MastodonInstance
) -> None:
    limits = settings.limits.model_copy(update={"storage_bytes": 1000})
    async with connected(settings.model_copy(update={"limits": limits}), instance) as them:
        instance.write("with a picture", media=[instance.picture(PNG)])
        problem(await them.call("pull"), 507, "quota_exceeded")
        assert await them.inbox() == []
        assert await them.rows("SELECT 1 FROM external_posts WHERE user_id = $1", them.person.id) == []


# ---- the hourly sync ----


async def test_the_hourly_sync_queues_a_job_for_each_account_that_is_due_and_the_job_takes_everything_over(
    them: Connected, network: Any, database_url: str
) -> None:
    network.write("one")
    parts = them.app.state.parts
    await users.set_disabled(database_url, UUID(str(them.person.id)), disabled=True)
    await parts.call(syncing.sync)
    assert await them.rows("SELECT job_id FROM jobs WHERE user_id = $1", them.person.id) == [], "it is disabled"
    await users.set_disabled(database_url, UUID(str(them.person.id)), disabled=False)
    await parts.call(syncing.sync)
    await parts.call(syncing.sync)  # one that waits is enough
    jobs = await them.rows("SELECT job_id FROM jobs WHERE user_id = $1 AND kind = $2", them.person.id, syncing.KIND)
    assert len(jobs) == 1
    await _run(them, jobs[0]["job_id"])
    assert len(await them.inbox()) == 1
    await parts.call(syncing.sync)
    jobs = await them.rows("SELECT job_id FROM jobs WHERE user_id = $1 AND kind = $2", them.person.id, syncing.KIND)
    assert len(jobs) == 1, "it was pulled a moment ago"
    await them.wait(hours=1)
    await parts.call(syncing.sync)
    jobs = await them.rows("SELECT job_id FROM jobs WHERE user_id = $1 AND kind = $2", them.person.id, syncing.KIND)
    assert len(jobs) == 2


async def _run(them: Connected, job_id: Any) -> None:
    import asyncio

    from lockleaf.server.platform.jobs.attempt import attempt

    await attempt(them.app.state.parts, syncing.KIND, HANDLERS[syncing.KIND], them.person.id, job_id, asyncio.Event())
    answer = await them.http.get(f"/jobs/{job_id}", headers=them.person.headers)
    assert answer.json()["state"] == "succeeded", answer.text


async def test_while_a_fifth_of_all_calls_fails_every_post_arrives_exactly_once(
    settings: Settings, network: Any
) -> None:
    async with connected(settings, network) as them:
        report = await sync_runs(them, network, runs=60, seed=1)
        assert report.arrived == report.written
        assert report.failures > 0


# ---- tokens that end ----


async def test_a_token_of_facebooks_is_renewed_before_its_end_and_the_connection_goes_on_for_a_year(
    settings: Settings,
) -> None:
    with running_network(GraphApi()) as graph:
        async with connected(settings, graph) as them:
            graph.clock = them.clock
            for week in range(52):
                await them.wait(days=7)
                graph.write(f"week {week}")
                assert (await them.pull())["added"] == 1
            assert len(graph.long) == 1 + 52 // 8  # one is used for about fifty days
            assert {item["body"] for item in await them.inbox()} == {f"week {week}" for week in range(52)}


async def test_a_renewal_that_fails_waits_while_the_token_is_good_and_ends_with_it(settings: Settings) -> None:
    with running_network(GraphApi()) as graph:
        async with connected(settings, graph) as them:
            graph.clock = them.clock
            await them.wait(days=55)
            graph.write("while the renewal fails")
            graph.troubles = ["fail"]
            assert (await them.pull())["added"] == 1
            graph.write("renewed")
            assert (await them.pull())["added"] == 1
            assert len(graph.long) == 2
            await them.wait(days=61)
            problem(await them.call("pull"), 409, "reconnect_required")
            assert (await them.listed())["state"] == "reconnect_required"
