"""An operator's figures: what is held and what is left, and that dashboard and alerts ask for nothing else."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import shutil
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
import yaml
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from docs.generate_metrics import names as names_on_the_page
from lockleaf import __version__
from lockleaf.server.features.operation.inventory import Inventory
from lockleaf.server.platform.db.engine import Database, asyncpg_url
from lockleaf.server.platform.db.migrate import head_revision
from lockleaf.server.platform.settings import Settings
from tests.conftest import migrated_database
from tests.support.accounts import change, register
from tests.support.debian import debian_program
from tests.support.deployments import DEPLOY
from tests.support.diaries import thin
from tests.support.measurers import measurer
from tests.support.process import RunningServer, running_server
from tests.support.searching import contents, write

Samples = dict[str, list[tuple[dict[str, str], float]]]
PATIENCE_SECONDS = 60


def _samples(text: str) -> Samples:
    found: Samples = defaultdict(list)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name].append((sample.labels, sample.value))
    return found


async def _asked(app: FastAPI) -> Samples:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lockleaf.test") as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    return _samples(answer.text)


def _accounts(samples: Samples) -> float:
    return sum(value for _, value in samples["lockleaf_accounts"])


async def test_what_is_held_and_what_is_left_is_told(
    own_app: FastAPI, own_http: httpx.AsyncClient, settings: Settings
) -> None:
    (settings.data_dir / "blobs").mkdir(parents=True, exist_ok=True)  # as a server does when it starts
    await register(own_http)
    samples = await _asked(own_app)
    labels = [labels for labels, _ in samples["lockleaf_accounts"]]
    assert {"custody": "e2e", "privacy_tier": "full_sync"} in labels
    assert _accounts(samples) >= 1
    [(told, one)] = samples["lockleaf_build_info"]
    assert (told["version"], told["schema"], one) == (__version__, head_revision(), 1)
    [(_, database)] = samples["lockleaf_database_size_bytes"]
    assert database > 1_000_000
    assert samples["lockleaf_store_objects"][0][1] >= 0
    assert samples["lockleaf_store_size_bytes"][0][1] >= 0
    free = {labels["place"]: value for labels, value in samples["lockleaf_disk_free_bytes"]}
    size = {labels["place"]: value for labels, value in samples["lockleaf_disk_size_bytes"]}
    assert free.keys() == size.keys() == {"data", "files"}
    assert all(0 < free[place] <= size[place] for place in free)
    memory = {labels["process"]: value for labels, value in samples["lockleaf_process_resident_memory_bytes"]}
    assert memory["web_worker"] > 10 * 2**20


async def test_it_is_looked_up_once_in_a_while_however_often_it_is_asked_for(
    own_app: FastAPI, own_http: httpx.AsyncClient
) -> None:
    app, http = own_app, own_http
    before = _accounts(await _asked(app))
    await register(http)
    assert [_accounts(await _asked(app)) for _ in range(3)] == [before] * 3
    parts = app.state.parts
    anew = await Inventory().metrics(parts[Database], parts[Settings])
    [accounts] = [metric for metric in anew if metric.name == "lockleaf_accounts"]
    assert sum(sample.value for sample in accounts.samples) == before + 1


async def test_nobody_waits_for_a_database_that_takes_long_to_count(own_app: FastAPI, database_url: str) -> None:
    app = own_app
    holder = await asyncpg.connect(asyncpg_url(database_url))
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE")
            samples = await _asked(app)  # while it is locked
            assert samples["lockleaf_database_up"] == [({}, 1)]
            assert "lockleaf_database_size_bytes" not in samples
            assert samples["lockleaf_process_resident_memory_bytes"]
    finally:
        await holder.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "lockleaf_database_size_bytes" not in await _asked(app):
            pass


# ---- what dashboard and alerts ask for ----


@pytest.fixture(scope="module")
def busy(
    server_environment: dict[str, str], worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server of two workers that does its background work too, on a database of its own."""
    folder = tmp_path_factory.mktemp("busy")
    url = migrated_database(f"lockleaf_busy_{worker_id}_{secrets.token_hex(4)}")
    environment = {
        **server_environment,
        "DATABASE_URL": url,
        "LOCKLEAF_DATA_DIR": str(folder),
        "LOCKLEAF_JOBS__IN_PROCESS": "true",
        "LOCKLEAF_METRICS__COLLECT_SECONDS": "1",
        "LOCKLEAF_RATES__ENABLED": "true",
        "LOCKLEAF_RATES__SIGNUP": "off",
        "LOCKLEAF_RATES__PRELOGIN": "2/hour",
    }
    with running_server(environment, log=folder / "log", workers=2) as running:
        yield running


@pytest.fixture
async def exported(busy: RunningServer) -> AsyncIterator[Samples]:
    """What that server tells, after everything that it counts has happened once."""
    async with httpx.AsyncClient(base_url=f"{busy.url}/api/v1", timeout=60) as http:
        owner = await register(http)
        await owner.results(change())
        reader = await thin(http)
        await write(reader, "walked to the river")
        assert await contents(reader, "river") == {"walked to the river"}
        someone = await measurer(http)
        await someone.sent(someone.value(3.0, "2026-03-01T10:00:00Z"))
        job = await owner.request("POST", "/users/me/export")
        assert job.status_code == 202, job.text
        for _ in range(3):
            refused = await http.post("/auth/prelogin", json={"email": owner.email})
        assert refused.status_code == 429
    async with httpx.AsyncClient(base_url=busy.url, timeout=60) as client, asyncio.timeout(PATIENCE_SECONDS):
        while True:
            text = (await client.get("/metrics")).text
            if "lockleaf_jobs_ended_total{" in text and "lockleaf_accounts{" in text:
                yield _samples(text)
                return


def _dashboard() -> list[str]:
    told = json.loads((DEPLOY / "grafana/lockleaf.json").read_text())
    return [target["expr"] for panel in told["panels"] for target in panel.get("targets", ())]


def _alerts() -> list[str]:
    groups = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


ADDED = {"job", "instance"}
"""Labels that Prometheus adds."""


async def test_what_dashboard_and_alerts_ask_for_is_told_by_a_server_that_runs(exported: Samples) -> None:
    known: dict[str, set[str]] = {name: set(samples[0][0]) | ADDED for name, samples in exported.items()}
    known["up"] = ADDED
    # They come and go with the jobs that wait: only one that is caught while it does shows these labels.
    known.setdefault("lockleaf_jobs_present", {"kind", "state", *ADDED})
    known.setdefault("lockleaf_jobs_overdue_seconds", {"kind", *ADDED})
    # It is there once a backup was made: tests/server/test_backup.py asks for it then.
    known.setdefault("lockleaf_backup_age_seconds", ADDED)
    asked = [*_dashboard(), *_alerts()]
    assert len(asked) > 40
    seen = set()
    for expression in asked:
        names = set(re.findall(r"\b(lockleaf_[a-z_]+|up)\b", re.sub(r'"[^"]*"', '""', expression)))
        assert names, expression
        assert names <= known.keys(), expression
        seen |= names
        for name, selector in re.findall(r"\b(lockleaf_[a-z_]+|up)\{([^}]*)\}", re.sub(r'"[^"]*"', '""', expression)):
            assert set(re.findall(r"([a-z_]+)(?:=~|!~|!=|=)", selector)) <= known[name], expression
        grouped = {label.strip() for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(",")}
        assert grouped <= set.union(*(known[name] for name in names)), expression
    series = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in exported}
    assert {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in known} - {"up"} == names_on_the_page()
    # And nothing is told that nobody looks at.
    assert series - {re.sub(r"_bucket$", "", name) for name in seen} == set()


async def test_a_busy_server_tells_of_its_processes_apart(exported: Samples) -> None:
    memory = {labels["process"]: value for labels, value in exported["lockleaf_process_resident_memory_bytes"]}
    assert memory.keys() == {"supervisor", "web_worker", "job_worker", "evaluator"}
    assert all(value > 10 * 2**20 for value in memory.values())


def test_every_panel_of_the_dashboard_has_a_place_of_its_own() -> None:
    panels = json.loads((DEPLOY / "grafana/lockleaf.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24, panel["title"]
        assert not taken & cells, panel["title"]
        taken |= cells


def test_the_alerts_are_rules_that_prometheus_takes_and_each_fires_and_keeps_quiet(tmp_path: Path) -> None:
    names = {
        rule["alert"]
        for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())["groups"]
        for rule in group["rules"]
    }
    tested = yaml.safe_load((DEPLOY / "prometheus/alerts.test.yaml").read_text())["tests"]
    cases = [case for test in tested for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == names
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == names
    promtool = debian_program("promtool", "prometheus")
    (tmp_path / "lockleaf-metrics-token").write_text("x")
    for file in ("alerts.yaml", "alerts.test.yaml", "prometheus.example.yaml"):
        shutil.copy(DEPLOY / "prometheus" / file, tmp_path)
    for command in (
        ["check", "rules", "alerts.yaml"],
        ["check", "config", "prometheus.example.yaml"],
        ["test", "rules", "alerts.test.yaml"],
    ):
        done = subprocess.run([promtool, *command], cwd=tmp_path, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
