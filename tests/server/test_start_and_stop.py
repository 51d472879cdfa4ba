"""A server stops with what it has in hand finished, and where it cannot start it says why in a sentence."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
from sqlalchemy.engine import make_url

from lockleaf.cli.errors import Complaint
from lockleaf.cli.serve import settings_of
from lockleaf.server.main.preparation import prepare
from lockleaf.server.platform.db.unusable import DatabaseUnusable
from tests.conftest import fresh_database, migrated_database
from tests.support.accounts import Owner, change, register
from tests.support.process import running_server, start_server
from tests.support.processes import family, wait_until_gone, workers


async def test_asked_to_stop_a_server_finishes_what_it_has_in_hand(
    server_environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    environment = {**server_environment, "LOCKLEAF_DATA_DIR": str(tmp_path)}
    with running_server(environment, log=tmp_path / "log", workers=2) as server:
        processes = family(server)
        # Of the parent's sockets each worker has its own alone: else it would keep the port of one that has ended.
        assert [len(_listening(each)) for each in workers(server)] == [1, 1]
        # Nor was anything of the parent cut in two as they were forked.
        assert processes[0].num_threads() == 1
        async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as http:
            owner = await register(http)
            async with _locked(database_url, owner) as unlock:
                headers = {"Authorization": f"Bearer {owner.token}"}
                async with http.stream("GET", "/sync/events", headers=headers) as stream:
                    lines = stream.aiter_lines()
                    await anext(lines)
                    pushing = asyncio.create_task(owner.push(change()))
                    await unlock.somebody_waits()
                    server.process.terminate()
                    async for _ in lines:  # it ends by itself, and with it this loop
                        pass
                async with asyncio.timeout(30):
                    with pytest.raises(ConnectionRefusedError):
                        while True:  # refused, and not left waiting until the last request has ended
                            (await asyncio.open_connection("127.0.0.1", server.port))[1].close()
                            await asyncio.sleep(0.02)
                assert not pushing.done()
                await unlock()
                assert (await pushing)["results"][0]["status"] == "applied"
        assert await asyncio.to_thread(server.process.wait, 20) == 0
        wait_until_gone(processes)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/health")


def test_at_a_hangup_each_worker_is_replaced_by_one_on_the_same_socket(
    server_environment: dict[str, str], tmp_path: Path
) -> None:
    environment = {**server_environment, "LOCKLEAF_DATA_DIR": str(tmp_path)}
    with running_server(environment, log=tmp_path / "log", workers=2) as server:
        before = workers(server)
        sockets = {socket for each in before for socket in _listening(each)}
        assert len(sockets) == 2
        server.process.send_signal(signal.SIGHUP)
        wait_until_gone(before)
        assert {socket for each in workers(server) for socket in _listening(each)} == sockets


def _listening(process: psutil.Process) -> set[str]:
    """The sockets by which a process takes connections."""
    found = [each.fd for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    return {str(Path(f"/proc/{process.pid}/fd/{descriptor}").readlink()) for descriptor in found}


class _Lock:
    """Holds the row that a push of the account needs."""

    def __init__(self, connection: asyncpg.Connection, transaction: Any) -> None:
        self._connection = connection
        self._transaction = transaction

    async def __call__(self) -> None:
        await self._transaction.rollback()

    async def somebody_waits(self) -> None:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid))"
        async with asyncio.timeout(30):
            while not await self._connection.fetchval(waiting, self._connection.get_server_pid()):
                await asyncio.sleep(0.01)


class _locked:
    def __init__(self, database_url: str, owner: Owner) -> None:
        self._url, self._user = database_url, owner.answer["id"]

    async def __aenter__(self) -> _Lock:
        self._connection = await asyncpg.connect(self._url)
        transaction = self._connection.transaction()
        await transaction.start()
        await self._connection.execute("SELECT 1 FROM heads WHERE user_id = $1 FOR UPDATE", self._user)
        return _Lock(self._connection, transaction)

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()


def _refusal(environment: dict[str, str], folder: Path, *, port: int = 0) -> str:
    with pytest.raises(RuntimeError) as refused:
        start_server({"LOCKLEAF_DATA_DIR": str(folder), **environment}, log=folder.parent / "log", port=port)
    return " ".join(str(refused.value).split())


def test_a_port_that_is_taken_is_named(server_environment: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = _refusal(server_environment, tmp_path / "data", port=port)
    assert f"Cannot listen on 127.0.0.1:{port}: it is in use." in told
    assert "choose another with --port" in told


async def test_until_a_server_is_ready_its_port_refuses_and_one_that_was_ready_before_it_has_the_port(
    server_environment: dict[str, str], worker_id: str, tmp_path: Path
) -> None:
    url = await asyncio.to_thread(migrated_database, f"lockleaf_starting_{worker_id}_{secrets.token_hex(4)}")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    slow = {**server_environment, "DATABASE_URL": url, "LOCKLEAF_DATA_DIR": str(tmp_path / "slow")}
    quick = {**server_environment, "LOCKLEAF_DATA_DIR": str(tmp_path / "quick")}
    connection = await asyncpg.connect(url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("LOCK TABLE alembic_version")
        starting = asyncio.create_task(
            asyncio.to_thread(start_server, slow, log=tmp_path / "slow-log", port=port, workers=2)
        )
        unlock = _Lock(connection, transaction)
        await unlock.somebody_waits()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        with running_server(quick, log=tmp_path / "quick-log", port=port, workers=2) as server:
            assert not starting.done()
            await unlock()
            with pytest.raises(RuntimeError, match="it is in use"):
                await starting
            assert httpx.get(f"{server.url}/health").status_code == 200
    finally:
        await connection.close()


def test_a_data_folder_that_is_in_use_is_named(tmp_path: Path) -> None:
    environment = {"LOCKLEAF_DATA_DIR": str(tmp_path / "data")}
    with running_server(environment, log=tmp_path / "first-log") as first:
        told = _refusal({}, tmp_path / "data")
        assert "DataFolderInUseError" in told
        assert httpx.get(f"{first.url}/ready").status_code == 200


def test_an_external_database_that_is_behind_is_not_touched(
    server_environment: dict[str, str], worker_id: str, tmp_path: Path
) -> None:
    url = fresh_database(f"lockleaf_behind_{worker_id}_{secrets.token_hex(4)}")
    told = _refusal({**server_environment, "DATABASE_URL": url}, tmp_path / "data")
    assert (
        "SchemaBehind: The database has an older schema than this version needs. Run `lockleaf admin migrate`" in told
    )
    assert asyncio.run(_number_of_tables(url)) == 0


async def _number_of_tables(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        found: int = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        return found
    finally:
        await connection.close()


def test_an_external_database_that_does_not_answer_is_told_in_a_sentence(
    server_environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"postgresql://canary:canary-password@127.0.0.1:{port}/lockleaf"
    told = _refusal({**server_environment, "DATABASE_URL": url}, tmp_path / "data")
    assert "ServeError: The database of DATABASE_URL does not answer." in told
    assert "canary-password" not in told


@pytest.mark.parametrize("missing", ["LOCKLEAF_SECRETS__ROOTS", "LOCKLEAF_SECRETS__PRELOGIN"])
def test_secrets_for_an_external_database_must_be_given(
    server_environment: dict[str, str], tmp_path: Path, missing: str
) -> None:
    environment = {name: value for name, value in server_environment.items() if name != missing}
    told = _refusal(environment, tmp_path / "data")
    assert "SecretsMissing: The server has no root secrets, or not all of them." in told
    for name in ("LOCKLEAF_SECRETS__ROOTS", "LOCKLEAF_SECRETS__PRELOGIN"):
        assert server_environment[name] not in told


def test_a_secret_from_some_documentation_is_refused_without_repeating_it(
    server_environment: dict[str, str], tmp_path: Path
) -> None:
    placeholder = "changeme-changeme-changeme-changeme-0123456789"
    told = _refusal({**server_environment, "LOCKLEAF_SECRETS__ROOTS": placeholder}, tmp_path / "data")
    assert "looks like a placeholder" in told
    assert placeholder not in told


def test_a_folder_for_attached_files_that_cannot_be_is_named(
    server_environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file")
    told = _refusal(
        {**server_environment, "LOCKLEAF_BLOBS__PATH": str(tmp_path / "taken" / "blobs")}, tmp_path / "data"
    )
    assert "Attached files cannot be kept in" in told
    assert "Set LOCKLEAF_BLOBS__PATH to a folder that this user may write to." in told


def test_a_server_whose_workers_cannot_be_put_together_gives_up(
    server_environment: dict[str, str], tmp_path: Path
) -> None:
    nowhere = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "nowhere")}
    told = _refusal({**server_environment, **nowhere}, tmp_path / "data")
    assert "worker_unusable" in told
    assert "The server's workers could not start; the log above says why." in told


def test_a_database_that_cannot_be_used_is_told_by_its_cause() -> None:
    url = fresh_database(f"lockleaf_causes_{secrets.token_hex(4)}")
    there = make_url(url)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    causes = {
        f"postgresql://canary:canary-password@127.0.0.1:{port}/x": "Nothing listens at its host and port",
        "postgresql://canary:canary-password@canary.invalid/x": "check the host",
        "postgresql://canary:canary-password@/x?host=/nowhere/at/all": "no socket in the folder",
        there.set(drivername="postgresql", database="canary_absent").render_as_string(
            False
        ): "has no database of the name",
        there.set(drivername="postgresql", username="canary").render_as_string(
            False
        ): "refuses the user or the password",
    }
    for address, said in causes.items():
        with pytest.raises(DatabaseUnusable, match=said) as refused:
            prepare(address, False, False)
        assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DATABASE_URL", "mysql://canary@localhost/x", "DATABASE_URL: it does not begin with postgresql://"),
        ("DATABASE_URL", "postgresql://u:can:ary@host:x/y", "DATABASE_URL: its port is not a number"),
        ("LOCKLEAF_DATABASE__URL", "canary", "DATABASE_URL: it does not begin with postgresql://"),
        ("LOCKLEAF_LIMITS__BODY_BYTES", "canary", "LOCKLEAF_LIMITS__BODY_BYTES: Input should be a valid integer"),
        ("LOCKLEAF_LIMITS__BODY_BITES", "1", "no such setting; did you mean LOCKLEAF_LIMITS__BODY_BYTES?"),
        ("LOCKLEAF_ENVIRONMENT", "canary", "LOCKLEAF_ENVIRONMENT: Input should be"),
    ],
)
def test_a_setting_that_is_wrong_is_told_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(Complaint) as refused:
        settings_of(None)
    assert said in refused.value.message
    assert "canary" not in refused.value.message
