"""Whatever three devices do, and in whatever order they synchronise: nothing acknowledged is lost, and they agree."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.journal_devices import new_account
from tests.support.process import RunningServer
from tests.support.thin_client import ThinClient, new_uce_account
from tests.support.three_devices import COUNT, Household, household, texts_at_the_server

DEVICES = range(COUNT)
THOROUGHLY = os.environ.get("LOCKLEAF_TESTS_CONVERGENCE")
"""How many examples to try instead of the few that are the same in every run; one that fails is then made shorter."""
PHASES = [phase for phase in Phase if THOROUGHLY or phase is not Phase.shrink]
LONGEST = 30 if THOROUGHLY else 15

device = st.integers(0, COUNT - 1)
choice = st.integers(0, 2)
field = st.sampled_from(
    ["line", "new line", "cut line", "title", "mood", "new tag", "known tag", "known tag", "cut tag"]
)
version = st.sampled_from(["local", "remote", "merged"])

edit = st.tuples(st.just("edit"), device, choice, field, choice)
sync = st.tuples(st.just("sync"), device)
action = st.one_of(
    edit,
    edit,
    sync,
    sync,
    st.tuples(st.just("write"), device),
    st.tuples(st.just("delete"), device, choice),
    st.tuples(st.just("restore"), device, choice),
    st.tuples(st.just("resolve"), device, choice, version, field),
    st.tuples(st.just("meet"), st.sets(device, min_size=2), choice, field),
    st.tuples(st.just("sync cut short"), device, st.integers(0, 4), st.booleans(), choice, field),
    st.tuples(st.just("sync together"), st.sets(device, min_size=2)),
    st.tuples(st.just("tag"), device, st.sampled_from(["recolor", "rename", "remove", "clean up"]), st.integers(0, 3)),
    st.tuples(st.just("reopen"), device),
)


async def do(home: Household, step: tuple) -> None:
    """Do what ``step`` says."""
    match step:
        case ("edit", number, chosen, name, place):
            await home.edit(number, chosen, name, place)
        case ("sync", number):
            await home.sync(number)
        case ("write", number):
            await home.write(number)
        case ("delete", number, chosen):
            await home.delete(number, chosen)
        case ("restore", number, chosen):
            if not await home.restore(number, chosen):
                await home.delete(number, chosen)
        case ("resolve", number, chosen, side, name):
            if not await home.resolve(number, chosen, side):
                await home.meet([number, (number + 1) % COUNT], chosen, name)
        case ("meet", numbers, chosen, name):
            await home.meet(numbers, chosen, name)
        case ("sync cut short", number, after, loses_answer, chosen, name):
            await home.edit(number, chosen, name, 0)
            await home.sync_cut_short(number, after, loses_answer=loses_answer)
            await home.edit(number, chosen, name, 1)
        case ("sync together", numbers):
            await home.sync_together(numbers)
        case ("tag", number, what, which):
            await home.tag(number, what, which)
        case ("reopen", number):
            await home.reopen(number)
        case _:
            raise AssertionError(step)


few = settings(
    max_examples=int(THOROUGHLY or 12),
    derandomize=THOROUGHLY is None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.too_slow],
)


async def hold_to_agreement(home: Household, database_url: str) -> dict[str, Any]:
    """Let every device synchronise until there is no news; what all of them then show alike."""
    await home.come_to_rest()
    first, *others = [await home.state(number) for number in DEVICES]
    for other in others:
        assert other == first
    assert first["pending"] == 0
    assert home.acknowledged <= await texts_at_the_server(database_url, home.account)
    return first


@few
@given(steps=st.lists(action, min_size=6, max_size=LONGEST))
async def test_three_devices_agree_in_the_end_and_no_acknowledged_word_is_lost(
    server: RunningServer, database_url: str, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple]
) -> None:
    account = await new_account(server.url)
    async with household(account, tmp_path_factory.mktemp("household", numbered=True)) as home:
        await home.write(0)
        await home.come_to_rest()
        for step in steps:
            await do(home, step)
        await hold_to_agreement(home, database_url)


at_the_server = st.tuples(
    st.just("at the server"),
    st.sampled_from(["write", "change", "change", "delete", "restore", "local", "remote", "merged"]),
    choice,
    field,
)


@settings(few, max_examples=int(THOROUGHLY or 8))
@given(steps=st.lists(st.one_of(action, at_the_server), min_size=6, max_size=LONGEST))
async def test_devices_agree_with_a_client_that_has_its_server_write(
    server: RunningServer, database_url: str, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple]
) -> None:
    account, headers = await new_uce_account(server.url)
    async with household(account, tmp_path_factory.mktemp("household", numbered=True)) as home:
        thin = ThinClient(server.url, headers)
        async with thin.http:
            await home.write(0)
            await home.come_to_rest()
            for step in steps:
                if step[0] == "at the server":
                    await home.act_at_the_server(thin, *step[1:])
                else:
                    await do(home, step)
            shown = await hold_to_agreement(home, database_url)
            opened = {(item["id"], item["content"], item["title"], item["mood"]) for item in await thin.listed()}
            assert opened == {(entry[0], entry[3], entry[2], entry[4]) for entry in shown["entries"]}
            assert len((await thin.http.get("/sync/conflicts")).json()["conflicts"]) == len(shown["conflicts"])
