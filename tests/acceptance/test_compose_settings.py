"""What compose.yaml starts runs: its commands, under its settings, on a PostgreSQL and a bucket that are there."""

from __future__ import annotations

import json
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import fresh_database
from tests.support.command_line import CommandLine
from tests.support.deployments import compose, generated_secrets
from tests.support.s3_front import running_s3_front

pytestmark = pytest.mark.timeout(600)


@contextmanager
def _started(device: CommandLine, arguments: list[str], environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    """A command that goes on, and what it says when it has begun."""
    with device.start(*arguments, "--json", environment=environment, loads=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.communicate()[1].decode()
            yield json.loads(line)
        finally:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate()
    assert process.returncode == 0, said.decode()


def test_migration_servers_and_worker_run_as_composed(tmp_path: Path, worker_id: str) -> None:
    services = compose("compose.yaml", generated_secrets(tmp_path))["services"]
    device = CommandLine(tmp_path / "home", folder=tmp_path / "empty")
    (tmp_path / "empty").mkdir()
    with running_s3_front() as front:
        # The addresses are of this machine; everything else is as it is composed.
        here = {
            **front.environment(),
            "DATABASE_URL": fresh_database(f"lockleaf_composed_{worker_id}_{secrets.token_hex(4)}"),
            "LOCKLEAF_DATA_DIR": str(tmp_path / "data"),
        }
        composed = {name: {**services[name]["environment"], **here} for name in ("migrate", "server", "worker")}
        with device.start(*services["migrate"]["command"], environment=composed["migrate"]) as migrating:
            _, said = migrating.communicate()
        assert migrating.returncode == 0, said.decode()
        # On the loopback alone, and on a port that is free.
        command = [{"0.0.0.0": "127.0.0.1", "8000": "0"}.get(word, word) for word in services["server"]["command"]]
        with (
            _started(device, command, composed["server"]) as told,
            _started(device, services["worker"]["command"], composed["worker"]) as working,
        ):
            assert (told["database"], told["workers"]) == ("external", 2)
            assert working["concurrency"] == 4
            url = told["url"]
            assert httpx.get(f"{url}/ready", timeout=60).json()["ready"]
            token = composed["server"]["LOCKLEAF_METRICS__TOKEN"]
            # From elsewhere nobody gets figures without it; a proxy's header says that this is from elsewhere.
            elsewhere = {"X-Forwarded-For": "203.0.113.9"}
            assert httpx.get(f"{url}/metrics", headers=elsewhere, timeout=60).status_code == 401
            elsewhere["Authorization"] = f"Bearer {token}"
            assert "lockleaf_build_info" in httpx.get(f"{url}/metrics", headers=elsewhere, timeout=60).text
