"""What computes with metrics works apart: it may die, hang or grow, and nothing else notices but one request."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from fastapi import FastAPI

from lockleaf.server.features.analytics.evaluators import EvaluationFailed, Evaluators, Sum
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.settings import AnalyticsSettings, Settings
from tests.support.account_holders import problem, served
from tests.support.measurers import Measurer, measurer
from tests.support.process import RunningServer

AT = "2024-05-05T05:05:05Z"


@pytest.fixture
def app(own_app: FastAPI) -> FastAPI:
    """One that has started no process yet."""
    return own_app


@pytest.fixture
def http(own_http: httpx.AsyncClient) -> httpx.AsyncClient:
    return own_http


@pytest.fixture
async def someone(http: httpx.AsyncClient) -> Measurer:
    return await measurer(http)


def evaluators_of(app: FastAPI) -> Evaluators:
    found: Evaluators = app.state.parts[Evaluators]
    return found


def limited(settings: Settings, **limits: Any) -> Settings:
    return settings.model_copy(update={"analytics": AnalyticsSettings(**limits)})


async def until_one_computes(app: FastAPI) -> None:
    async with asyncio.timeout(20):
        while not app.state.parts[Metrics].registry.get_sample_value("lockleaf_evaluations_running"):
            await asyncio.sleep(0)


async def test_one_that_is_killed_while_it_rests_is_replaced_unnoticed(app: FastAPI, someone: Measurer) -> None:
    await someone.sent(someone.value(1, AT))
    [pid] = evaluators_of(app).idle_pids
    os.kill(pid, signal.SIGKILL)
    psutil.Process(pid).wait(20) if psutil.pid_exists(pid) else None
    assert await someone.total() == pytest.approx(1, abs=0.01)
    assert evaluators_of(app).idle_pids != [pid]


async def test_one_that_is_killed_at_work_is_a_503_and_the_next_request_works(app: FastAPI, someone: Measurer) -> None:
    await someone.sent(someone.value(1, AT))
    [pid] = evaluators_of(app).idle_pids
    os.kill(pid, signal.SIGSTOP)
    metric = someone.value(2, AT)
    uploading = asyncio.create_task(someone.send(metric))
    await until_one_computes(app)
    os.kill(pid, signal.SIGKILL)
    refused = await uploading
    problem(refused, 503, "evaluation_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    await someone.sent(metric)
    assert await someone.total() == pytest.approx(3, abs=0.01)


async def test_one_that_hangs_is_killed_in_time_and_replaced(settings: Settings) -> None:
    async with served(limited(settings, task_seconds=0.5)) as (app, http):
        someone = await measurer(http)
        await someone.sent(someone.value(1, AT))
        [pid] = evaluators_of(app).idle_pids
        os.kill(pid, signal.SIGSTOP)
        problem(await someone.aggregate(), 503, "evaluation_unavailable")
        assert not psutil.pid_exists(pid)
        assert await someone.total() == pytest.approx(1, abs=0.01)
        exposed = app.state.parts[Metrics].registry
        outcomes = {
            outcome: exposed.get_sample_value("lockleaf_evaluations_total", {"operation": "sum", "outcome": outcome})
            for outcome in ("done", "unavailable")
        }
        assert outcomes == {"done": 1, "unavailable": 1}


async def test_what_waits_behind_a_lock_when_one_hangs_changes_nothing(settings: Settings) -> None:
    async with served(limited(settings, task_seconds=0.5)) as (app, http):
        someone = await measurer(http)
        metric = someone.value(1, AT)
        await someone.sent(metric)
        [pid] = evaluators_of(app).idle_pids
        await someone.sent(someone.value(2, AT))
        os.kill(pid, signal.SIGSTOP)
        # The value is deleted by then, and the sum without it is not there yet.
        problem(await someone.ask("DELETE", f"/metrics/{metric['id']}"), 503, "evaluation_unavailable")
        assert await someone.total() == pytest.approx(3, abs=0.01)
        assert (await someone.ask("DELETE", f"/metrics/{metric['id']}")).status_code == 204
        assert await someone.total() == pytest.approx(2, abs=0.01)


async def test_a_request_that_is_given_up_leaves_no_process_in_the_middle_of_an_answer(
    app: FastAPI, someone: Measurer
) -> None:
    await someone.sent(someone.value(1, AT))
    [pid] = evaluators_of(app).idle_pids
    os.kill(pid, signal.SIGSTOP)
    asking = asyncio.create_task(someone.aggregate())
    await until_one_computes(app)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not psutil.pid_exists(pid)
    assert await someone.total() == pytest.approx(1, abs=0.01)


async def test_they_are_replaced_after_so_many_answers(settings: Settings) -> None:
    async with served(limited(settings, tasks_per_process=2, prewarm=False)) as (app, http):
        someone = await measurer(http)
        seen = set()
        for index in range(3):
            await someone.sent(someone.value(index, f"202{index}-01-01T00:00:00Z"))
            seen |= set(evaluators_of(app).idle_pids)
        assert len(seen) == 2


async def test_one_that_nobody_asks_leaves_and_another_comes_when_somebody_does(settings: Settings) -> None:
    async with served(limited(settings, idle_seconds=0.5, prewarm=False)) as (app, http):
        someone = await measurer(http)
        for index in range(2):
            await someone.sent(someone.value(1, f"202{index}-01-01T00:00:00Z"))
            for pid in evaluators_of(app).idle_pids:
                async with asyncio.timeout(30):
                    while psutil.pid_exists(pid):
                        await asyncio.sleep(0.01)
            assert evaluators_of(app).idle_pids == []
        assert await someone.total() == pytest.approx(2, abs=0.01)


async def test_more_than_may_wait_are_asked_to_come_back(settings: Settings) -> None:
    async with served(limited(settings, queue=1)) as (app, http):
        someone = await measurer(http)
        await someone.sent(someone.value(1, AT))
        [pid] = evaluators_of(app).idle_pids
        os.kill(pid, signal.SIGSTOP)
        asked = [asyncio.create_task(someone.aggregate()) for _ in range(8)]
        done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        for refused in done:
            problem(refused.result(), 429, "too_many_requests")
            assert int(refused.result().headers["retry-after"]) > 0
        os.kill(pid, signal.SIGCONT)
        codes = [(await each).status_code for each in asked]
        assert set(codes) == {200, 429}
        assert codes.count(200) == 3  # two had their turn, and one waited


async def test_an_evaluator_has_no_secret_no_socket_and_so_much_memory(
    server: RunningServer, server_environment: dict[str, str]
) -> None:
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as http:
        someone = await measurer(http)
        await someone.sent(someone.value(1, AT))
    processes = [
        child
        for child in psutil.Process(server.process.pid).children(recursive=True)
        if "lockleaf.server.features.analytics.evaluator" in child.cmdline()
    ]
    assert processes
    for process in processes:
        environment = process.environ()
        assert not set(environment) & {"DATABASE_URL", "LOCKLEAF_DATA_DIR", *server_environment}
        secrets = {value for value in server_environment.values() if len(value) > 20}
        assert secrets
        assert not secrets & set(environment.values())
        opened = [str(each.readlink()) for each in Path(f"/proc/{process.pid}/fd").iterdir()]
        assert opened
        assert not [each for each in opened if each.startswith("socket:")]
        assert process.rlimit(psutil.RLIMIT_AS) == (1024 * 2**20,) * 2
        assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
        assert 0 < process.rlimit(psutil.RLIMIT_CPU)[0] < 60


async def test_one_is_started_with_the_server_where_there_are_metrics(settings: Settings, someone: Measurer) -> None:
    await someone.sent(someone.value(1, AT))
    for prewarm, expected in ((None, 1), (True, 1), (False, 0)):
        async with served(limited(settings, prewarm=prewarm)) as (app, _):
            async with asyncio.timeout(30):
                while len(evaluators_of(app).idle_pids) < expected:
                    await asyncio.sleep(0)
            assert len(evaluators_of(app).idle_pids) == expected


async def test_they_end_with_the_server(settings: Settings) -> None:
    async with served(limited(settings, prewarm=True)) as (app, http):
        someone = await measurer(http)
        await someone.sent(someone.value(1, AT))
        [pid] = evaluators_of(app).idle_pids
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


async def test_what_no_client_can_ask_for_names_no_more_than_the_kind_of_fault() -> None:
    evaluators = Evaluators(AnalyticsSettings(), Metrics())
    try:
        with pytest.raises(EvaluationFailed, match=r"^an evaluator failed: InvalidCiphertext$"):
            await evaluators.combine("sum", [Sum([b"canary"])])
        assert len(evaluators.idle_pids) == 1
    finally:
        await evaluators.close()


async def test_evaluations_are_counted_by_operation(http: httpx.AsyncClient, someone: Measurer) -> None:
    await someone.sent(someone.value(1, datetime.now(UTC).isoformat()))
    await someone.total("average")
    told = (await http.get("http://lockleaf.test/metrics")).text
    assert 'lockleaf_evaluations_total{operation="upload",outcome="done"} 1.0' in told
    assert 'lockleaf_evaluations_total{operation="average",outcome="done"} 1.0' in told
    assert 'lockleaf_evaluation_duration_seconds_count{operation="average"} 1.0' in told
