"""The embedded PostgreSQL, as whoever runs the tests: root (then it drops to another account) or an ordinary user."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from multiprocessing.connection import wait
from pathlib import Path

import asyncpg
import pytest

from lockleaf.server.platform.db.embedded import DataFolderInUseError, EmbeddedPostgres, EmbeddedPostgresError
from lockleaf.server.platform.db.embedded.account import choose_account
from lockleaf.server.platform.db.embedded.binaries import find_binaries
from lockleaf.server.platform.db.embedded.cluster import order_for, postgres_arguments
from lockleaf.server.platform.db.embedded.folders import DataFolder
from lockleaf.server.platform.db.embedded.leftover import processes_in, wait_for_end
from lockleaf.server.platform.db.embedded.sizing import memory_bytes, settings_for

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="drops privileges, which only root has")
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="rests on Linux")
LONG = 30.0
"""Seconds after which something that should have happened is taken not to happen: a bound, never a measure."""

RUN_UNTIL_KILLED = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from lockleaf.server.platform.db.embedded import EmbeddedPostgres
    server = EmbeddedPostgres(Path(sys.argv[1]))
    server.start()
    worker = os.fork()
    if worker == 0:
        signal.pause()
    os.write(1, f"ready {server.pid} {worker}\\n".encode())
    signal.pause()
""")


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A data folder with a cluster in it that no test leaves running."""
    with tempfile.TemporaryDirectory(prefix="lockleaf-test-") as folder:
        path = Path(folder) / "data"
        with EmbeddedPostgres(path):
            pass
        yield path


@pytest.fixture
def server(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(data_dir) as running:
        yield running


@contextlib.contextmanager
def another_parent(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """Another process that runs PostgreSQL and has a forked worker: process, postmaster's pid, worker's pid."""
    with subprocess.Popen(
        [sys.executable, "-c", RUN_UNTIL_KILLED, str(data_dir)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        while not (line := parent.stdout.readline()).startswith("ready "):  # its log goes to the same place
            assert line, "the other parent ended early"
        postmaster, worker = map(int, line.split()[1:])
        try:
            yield parent, postmaster, worker
        finally:
            parent.kill()
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


async def fetch(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def crash_a_session(server: EmbeddedPostgres, query: str = "SELECT 1") -> None:
    """Let a session's process die by its own hand in the middle of a statement."""
    superuser = await asyncpg.connect(server.dsn("postgres", role="postgres"))
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await superuser.execute(f"COPY ({query}) TO PROGRAM 'kill -9 $PPID'")
    superuser.terminate()


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_what_was_written_is_there_after_a_stop_and_a_start(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as first:
        await fetch(first.dsn(), "CREATE TABLE kept AS SELECT 42 AS value")
    assert not first.is_running()
    with EmbeddedPostgres(data_dir) as second:
        assert await fetch(second.dsn(), "SELECT value FROM kept") == 42


async def test_a_second_start_changes_nothing(server: EmbeddedPostgres) -> None:
    before = server.pid
    server.start()
    assert server.pid == before
    assert not server.ensure_alive()


async def test_databases_belong_to_a_role_that_is_no_superuser(server: EmbeddedPostgres) -> None:
    server.ensure_database("extra")
    server.ensure_database("extra")
    assert await fetch(server.dsn("extra"), "SELECT current_setting('is_superuser')") == "off"
    assert await fetch(
        server.dsn("extra"), "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname='extra'"
    ) == ("lockleaf")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await fetch(server.dsn("extra"), "SET log_statement = 'all'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await fetch(server.dsn("extra"), "SELECT pg_read_file('/etc/hostname')")


@pytest.mark.parametrize("name", ["", 'a"b', "Upper", "1a", "a" * 64, "a; DROP DATABASE postgres"])
def test_a_name_that_is_no_database_name_is_refused(server: EmbeddedPostgres, name: str) -> None:
    with pytest.raises(EmbeddedPostgresError, match="not a database name"):
        server.ensure_database(name)


async def test_the_cluster_is_durable_checked_utf8_and_has_no_network_port(server: EmbeddedPostgres) -> None:
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "jit": "off",
        "log_parameter_max_length": "0",
        "log_error_verbosity": "terse",
    }
    for name, value in expected.items():
        assert await fetch(server.dsn(), f"SELECT current_setting('{name}')") == value, name
    provider = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'lockleaf'"
    assert await fetch(server.dsn(), provider) == "bC.UTF-8"


async def test_sqlalchemy_reaches_it_by_its_url(server: EmbeddedPostgres) -> None:
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(server.sqlalchemy_url())
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT current_database()")) == "lockleaf"
    await engine.dispose()


def test_no_folder_becomes_readable_to_others(data_dir: Path, server: EmbeddedPostgres) -> None:
    assert mode(data_dir.parent) == 0o700
    assert mode(data_dir) in ({0o700, 0o710} if os.geteuid() == 0 else {0o700})
    assert mode(data_dir / "postgres") == 0o700
    assert mode(data_dir / "run") == 0o700
    assert mode(data_dir / "log") == 0o700
    assert mode(data_dir / "log" / "postgres.log") == 0o600
    readable = [path for path in (data_dir / "postgres").rglob("*") if mode(path) & 0o077]
    assert readable == []


@as_root
def test_as_root_it_runs_as_an_account_that_is_not_root(data_dir: Path, server: EmbeddedPostgres) -> None:
    assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert (data_dir / "postgres").stat().st_uid == Path(f"/proc/{server.pid}").stat().st_uid


@on_linux
def test_our_environment_does_not_reach_it(data_dir: Path) -> None:
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from lockleaf.server.platform.db.embedded import EmbeddedPostgres
        with EmbeddedPostgres(Path(sys.argv[1])) as server:
            try:
                sys.exit(b"canary" in Path(f"/proc/{server.pid}/environ").read_bytes())
            except PermissionError:
                sys.exit(77)
    """)
    environment = {**os.environ, "SECRET_KEY": "canary"}
    status = subprocess.call([sys.executable, "-c", script, str(data_dir)], env=environment, stdout=subprocess.DEVNULL)
    if status == 77:
        pytest.skip("this system does not let us look at another account's process")
    assert status == 0


async def test_its_log_holds_no_value_of_a_user(data_dir: Path, server: EmbeddedPostgres) -> None:
    canary = "canary7d1f"
    connection = await asyncpg.connect(server.dsn())
    try:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS secret (word text PRIMARY KEY, number int CHECK (number > 0))"
        )
        await connection.execute("INSERT INTO secret VALUES ($1, 1) ON CONFLICT DO NOTHING", canary)
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO secret VALUES ($1, 1)", canary)
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("INSERT INTO secret VALUES ($1, -1)", canary + "x")
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await connection.execute(f"SELEC '{canary}'")
        with pytest.raises(asyncpg.UndefinedColumnError):
            await connection.execute(f"SELECT {canary}")
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            await connection.execute(f"SELECT '{canary}'::int")
        with pytest.raises(asyncpg.RaiseError):
            await connection.execute(f"DO $$BEGIN RAISE WARNING '{canary}'; RAISE EXCEPTION '{canary}'; END$$")
        # A session that dies in the middle of a statement : PostgreSQL logs that with a detail.
        postmaster = server.pid
        assert postmaster is not None
        await crash_a_session(server, f"SELECT '{canary}'")
        assert wait_for_end(postmaster, LONG)
    finally:
        connection.terminate()  # there may be nobody left to say goodbye to
    server.stop()
    log = (data_dir / "log" / "postgres.log").read_text()
    assert "was terminated by signal 9" in log
    assert canary not in log


async def test_stop_ends_open_sessions(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.dsn())
    server.stop()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT 1")
    connection.terminate()
    with pytest.raises(EmbeddedPostgresError, match="does not run"):
        server.dsn()


@pytest.mark.parametrize("name", ["x" * 120, "with space, comma & 'quotes'"])
async def test_a_folder_unfit_for_a_socket_gets_it_in_a_private_temporary_folder(data_dir: Path, name: str) -> None:
    unfit = data_dir.parent / name / "data"
    unfit.parent.mkdir()
    data_dir.rename(unfit)
    try:
        with EmbeddedPostgres(unfit) as server:
            assert await fetch(server.dsn(), "SELECT 1") == 1
            socket_dir = Path((unfit / "postgres.socket").read_text().strip())
            assert not socket_dir.is_relative_to(unfit)
            assert mode(socket_dir) == 0o700
        assert not socket_dir.exists()
        assert not (unfit / "postgres.socket").exists()
    finally:
        unfit.rename(data_dir)


async def test_it_ends_when_its_parent_is_killed_though_a_forked_worker_lives_on(data_dir: Path) -> None:
    with another_parent(data_dir) as (parent, postmaster, worker):
        parent.kill()
        assert wait_for_end(postmaster, LONG)
        os.kill(worker, 0)
        with EmbeddedPostgres(data_dir) as server:
            assert await fetch(server.dsn(), "SELECT 1") == 1


async def test_a_folder_in_use_by_a_live_process_is_refused_by_name(data_dir: Path) -> None:
    with another_parent(data_dir) as (parent, postmaster, _worker):
        with pytest.raises(DataFolderInUseError, match=f"in use by the process {parent.pid}"):
            EmbeddedPostgres(data_dir).start()
        os.kill(postmaster, 0)
        parent.kill()
        assert wait_for_end(postmaster, LONG)


def test_two_objects_of_one_process_do_not_share_a_folder(data_dir: Path, server: EmbeddedPostgres) -> None:
    with pytest.raises(DataFolderInUseError):
        EmbeddedPostgres(data_dir).start()
    assert server.is_running()


@contextlib.contextmanager
def unguarded_postgres(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """PostgreSQL on the data folder as a killed guard leaves it behind where there are no parent-death signals."""
    folder = DataFolder(data_dir)
    account, binaries = choose_account(folder.cluster), find_binaries()
    socket_dir = folder.make_socket_folder(account)
    argv = postgres_arguments(binaries, folder.cluster, socket_dir)
    reach = (*binaries.must_be_reachable, folder.cluster)
    with subprocess.Popen(
        order_for(argv, account, reach, signal.SIGKILL), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as left:
        assert left.stderr is not None
        while b"ready to accept" not in (line := left.stderr.readline()):
            assert line, "the PostgreSQL to be left behind did not start"
        try:
            yield left
        finally:
            if left.poll() is None:
                left.send_signal(signal.SIGQUIT)


async def test_a_leftover_postgresql_of_the_folder_is_stopped_and_replaced(data_dir: Path) -> None:
    with unguarded_postgres(data_dir) as left:
        with EmbeddedPostgres(data_dir) as server:
            assert await fetch(server.dsn(), "SELECT 1") == 1
            assert server.pid != left.pid
        assert left.wait(LONG) == 0


async def test_a_stale_pid_file_that_names_a_stranger_is_ignored_and_the_stranger_lives(data_dir: Path) -> None:
    account = choose_account(data_dir / "postgres")
    # The same account and a program called postgres, but not on this folder: the likeliest mistake.
    stand_in = shutil.copy(shutil.which("sleep") or "/bin/sleep", data_dir.parent / "postgres")
    argv = [str(stand_in), "600"]
    pid_file = data_dir / "postgres" / "postmaster.pid"
    with subprocess.Popen(order_for(argv, account, (Path(stand_in),), signal.SIGKILL)) as stranger:
        try:
            pid_file.write_text(f"{stranger.pid}\n{data_dir}/postgres\n1\n5432\n{data_dir}/run\n\n0 0\nready\n")
            socket_lock = data_dir / "run" / ".s.PGSQL.5432.lock"
            shutil.copy(pid_file, socket_lock)
            if account is not None:
                os.chown(pid_file, account.uid, account.gid)
                os.chown(socket_lock, account.uid, account.gid)
            with EmbeddedPostgres(data_dir) as server:
                assert await fetch(server.dsn(), "SELECT 1") == 1
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_an_interrupted_creation_is_noticed_and_done_again(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with subprocess.Popen(
        [sys.executable, "-c", RUN_UNTIL_KILLED, str(data_dir)], stdout=subprocess.DEVNULL
    ) as creating:
        while not list(data_dir.glob("postgres.initdb-*/base/*")):
            assert creating.poll() is None
        creating.kill()
    assert list(data_dir.glob("postgres.initdb-*"))
    assert not (data_dir / "postgres").exists()
    with EmbeddedPostgres(data_dir) as server:
        assert server.is_running()
    assert not list(data_dir.glob("postgres.initdb-*"))


@contextlib.contextmanager
def supervision(server: EmbeddedPostgres) -> Iterator[threading.Event]:
    """Look after it in a thread, as the parent of a server does in its loop; the event is set at a restart."""
    stopped, stop = os.pipe()
    restarted = threading.Event()

    def supervise() -> None:
        while True:
            ended = server.ended()
            if stopped in wait([stopped] if ended is None else [stopped, ended]):
                return
            if server.keep_alive():
                restarted.set()

    thread = threading.Thread(target=supervise)
    thread.start()
    try:
        yield restarted
    finally:
        os.close(stop)
        thread.join(LONG)
        assert not thread.is_alive()
        os.close(stopped)


async def test_a_killed_postmaster_is_restarted_and_nothing_acknowledged_is_lost(server: EmbeddedPostgres) -> None:
    killed = server.pid
    assert killed is not None
    await fetch(server.dsn(), "DROP TABLE IF EXISTS acknowledged")
    await fetch(server.dsn(), "CREATE TABLE acknowledged AS SELECT n FROM generate_series(1, 100) AS n")
    with supervision(server) as restarted:
        os.kill(killed, signal.SIGKILL)
        assert restarted.wait(LONG)
    assert server.pid != killed
    assert await fetch(server.dsn(), "SELECT count(*) FROM acknowledged") == 100


async def test_a_crashed_session_is_followed_by_a_restart(server: EmbeddedPostgres) -> None:
    with supervision(server) as restarted:
        await crash_a_session(server)
        assert restarted.wait(LONG)
    assert await fetch(server.dsn(), "SELECT 1") == 1


@on_linux
async def test_sessions_that_a_killed_postmaster_left_behind_do_not_hinder_the_restart(
    data_dir: Path, server: EmbeddedPostgres
) -> None:
    killed = server.pid
    assert killed is not None
    connection = await asyncpg.connect(server.dsn())
    busy = await connection.fetchval("SELECT pg_backend_pid()")
    # A stopped session notices nothing, as one in a long computation would.
    os.kill(busy, signal.SIGSTOP)
    with supervision(server) as restarted:
        os.kill(killed, signal.SIGKILL)
        assert restarted.wait(LONG)
    assert busy not in processes_in(data_dir / "postgres")
    assert await fetch(server.dsn(), "SELECT 1") == 1
    connection.terminate()


@on_linux
async def test_a_killed_guard_takes_postgresql_along_and_both_are_restarted(server: EmbeddedPostgres) -> None:
    orphan = server.pid
    assert orphan is not None
    guard = parent_of(orphan)
    with supervision(server) as restarted:
        os.kill(guard, signal.SIGKILL)
        assert wait_for_end(orphan, LONG)
        assert restarted.wait(LONG)
    assert await fetch(server.dsn(), "SELECT 1") == 1


@on_linux
async def test_a_restart_is_called_off_and_made_up_for_later(server: EmbeddedPostgres) -> None:
    killed = server.pid
    assert killed is not None
    guard = parent_of(killed)
    os.kill(killed, signal.SIGKILL)
    assert wait_for_end(guard, LONG)
    assert not server.keep_alive(called_off=lambda: True)
    assert not server.is_running()
    assert server.ended() is None
    async with asyncio.timeout(LONG):
        while not server.keep_alive():  # it is in a pause, since that attempt failed
            await asyncio.sleep(0.01)
    assert await fetch(server.dsn(), "SELECT 1") == 1
    assert not server.keep_alive()


@on_linux
def test_ensure_alive_restarts_what_died_and_refuses_what_was_stopped(server: EmbeddedPostgres) -> None:
    killed = server.pid
    assert killed is not None
    guard = parent_of(killed)
    os.kill(killed, signal.SIGKILL)
    assert wait_for_end(guard, LONG)
    assert server.ensure_alive()
    server.stop()
    with pytest.raises(EmbeddedPostgresError, match="stopped, or never started"):
        server.ensure_alive()


def test_a_damaged_cluster_is_an_error_that_says_what_happened_and_what_to_do(data_dir: Path) -> None:
    control = data_dir / "postgres" / "global" / "pg_control"
    away = data_dir / "postgres" / "global" / "pg_control.away"
    control.rename(away)
    try:
        server = EmbeddedPostgres(data_dir)
        with pytest.raises(EmbeddedPostgresError, match=r"(?s)pg_control.*Remove the cause and start again"):
            server.start()
        assert not server.is_running()
    finally:
        away.rename(control)
    with server:
        assert server.is_running()


def test_a_cluster_of_a_later_version_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("19\n")
    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 19"):
        EmbeddedPostgres(tmp_path).start()
    assert [path.name for path in (tmp_path / "postgres").iterdir()] == ["PG_VERSION"]


def test_a_data_folder_that_cannot_be_made_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedPostgresError, match="cannot be prepared"):
        EmbeddedPostgres(tmp_path / "file" / "data").start()


async def test_it_is_told_of_the_machine_that_it_is_on(server: EmbeddedPostgres) -> None:
    same = "SELECT pg_size_bytes(current_setting($1)) = pg_size_bytes($2)"
    connection = await asyncpg.connect(server.dsn())
    try:
        for name, value in settings_for(memory_bytes()).items():
            assert await connection.fetchval(same, name, value), name
    finally:
        await connection.close()
