"""The embedded PostgreSQL as the rest of Lockleaf sees it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import structlog

from lockleaf.server.platform.db.embedded import leftover, probe
from lockleaf.server.platform.db.embedded.account import choose_account
from lockleaf.server.platform.db.embedded.binaries import find_binaries
from lockleaf.server.platform.db.embedded.cluster import UNSAFE_BUT_FAST, ensure_cluster, order_for, postgres_arguments
from lockleaf.server.platform.db.embedded.errors import EmbeddedPostgresError
from lockleaf.server.platform.db.embedded.folders import PORT, DataFolder, FolderLock
from lockleaf.server.platform.db.embedded.process import GuardedProcess
from lockleaf.server.platform.db.embedded.upgrade import upgrade_if_older

__all__ = ["EmbeddedPostgres"]

_PATIENCE = 120.0
"""Seconds that a fast shutdown gets: it ends sessions at once, but writes what is in memory to disk first."""

_ORPHAN_PATIENCE = 1.0
"""Seconds that sessions of a killed postmaster get to end by themselves."""

_STILL_IN_USE = "pre-existing shared memory block"
"""From PostgreSQL's message when processes of an earlier one are still at work on the folder."""

_RETRY_WHILE_IN_USE = 30.0

_LONGEST_PAUSE = 10.0

_instances: weakref.WeakSet[EmbeddedPostgres] = weakref.WeakSet()


class EmbeddedPostgres:
    """A PostgreSQL 18 in a data folder, run by this process for itself and its workers.

    It ends with this process, however this process ends. Methods may be called from any thread.

    Args:
        data_dir: the data folder; created (private) if it is not there.
        log: a structlog logger for what happens to the server.
        durable: False switches off the waiting for the disk. Only for data that may be lost: tests.
        settings: more PostgreSQL settings by name; they override those of `cluster.SETTINGS`.
    """

    def __init__(
        self, data_dir: Path, *, log: Any = None, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        self._folder = DataFolder(Path(os.path.realpath(data_dir)))
        self._log = log if log is not None else structlog.get_logger("lockleaf.postgres")
        self._settings = {**({} if durable else UNSAFE_BUT_FAST), **(settings or {})}
        self._change = threading.RLock()
        self._stopping = threading.Event()
        self._lock: FolderLock | None = None
        self._process: GuardedProcess | None = None
        self._socket_dir: Path | None = None
        self._inherited: GuardedProcess | None = None
        self._ready = False
        self._called_off: Callable[[], bool] = lambda: False
        self._pause = self._again_at = 0.0
        _instances.add(self)

    def start(self) -> None:
        """Start PostgreSQL and wait until it answers a query; do nothing if it already runs.

        Creates the cluster, the role and the database `lockleaf` on first use. Recovery after a crash takes the time it
        takes; `stop` from another thread ends the waiting.

        Raises:
            DataFolderInUseError: another live process runs the PostgreSQL of this data folder.
            EmbeddedPostgresError: PostgreSQL cannot be started; the message says why and what to do.
        """
        with self._change:
            if self.is_running():
                return
            self._stopping.clear()
            try:
                self._start()
            except BaseException:
                self._release()
                raise

    def stop(self) -> None:
        """Stop PostgreSQL: sessions end, everything is written to disk. Do nothing if it does not run."""
        self._stopping.set()
        with self._change:
            was_running = self.is_running()
            self._release()
            if was_running:
                self._log.info("postgres_stopped")

    def ensure_alive(self) -> bool:
        """Start PostgreSQL again if it has died; True if that was necessary.

        Raises:
            EmbeddedPostgresError: as `start`, and also if it was never started or was stopped.
        """
        with self._change:
            if self.is_running():
                return False
            if self._lock is None or self._stopping.is_set():
                raise EmbeddedPostgresError(
                    "The embedded PostgreSQL was stopped, or never started. Call start() first."
                )
            if self._process is not None:
                self._log.warning("postgres_died", pid=self.pid)
            try:
                self._start()
            except BaseException:
                self._end_process()
                raise
            return True

    def keep_alive(self, called_off: Callable[[], bool] = lambda: False) -> bool:
        """Start PostgreSQL again if it has died, and wait until it answers; True if that was done.

        To be called again and again, whenever `ended` can be read, and from time to time: between attempts that fail,
        pauses grow from 0.1 to 10 seconds, in which it does nothing.

        Args:
            called_off: asked whether to wait no longer.
        """
        if self.is_running() or self._stopping.is_set() or time.monotonic() < self._again_at:
            return False
        self._called_off = called_off
        try:
            restarted = self.ensure_alive()
        except EmbeddedPostgresError as error:
            self._pause = min(max(self._pause * 2, 0.1), _LONGEST_PAUSE)
            self._again_at = time.monotonic() + self._pause
            if not (self._stopping.is_set() or called_off()):
                self._log.error("postgres_restart_failed", reason=str(error), retry_in_seconds=self._pause)
            return False
        finally:
            self._called_off = lambda: False
        self._pause = 0.0
        return restarted

    def ended(self) -> int | None:
        """Return the descriptor that can be read once PostgreSQL has ended; None if it does not run."""
        process = self._process
        return None if process is None else process.status

    def ensure_database(self, name: str) -> None:
        """Create the database `name`, owned by the role `lockleaf`, if it is not there.

        Raises:
            EmbeddedPostgresError: PostgreSQL does not run, or the name is invalid.
        """
        if probe.ensure_database(self._running_socket_dir(), name):
            self._log.info("postgres_database_created", database=name)

    def dsn(self, database: str = probe.ROLE, *, role: str = probe.ROLE) -> str:
        """Return the connection URL for asyncpg and libpq.

        Args:
            database: name of the database.
            role: `lockleaf`, or `postgres` for the superuser (tests and maintenance).

        Raises:
            EmbeddedPostgresError: PostgreSQL does not run.
        """
        return f"postgresql://{role}@/{database}?host={quote(str(self._running_socket_dir()))}&port={PORT}"

    @staticmethod
    def running_dsn(data_dir: Path) -> str | None:
        """Return the connection URL of the PostgreSQL that another process runs in ``data_dir``, None if none does."""
        folder = DataFolder(Path(os.path.realpath(data_dir))).socket_folder()
        if folder is None:
            return None
        return f"postgresql://{probe.ROLE}@/{probe.ROLE}?host={quote(str(folder))}&port={PORT}"

    def sqlalchemy_url(self, database: str = probe.ROLE) -> str:
        """Return the connection URL for SQLAlchemy with asyncpg."""
        return self.dsn(database).replace("postgresql://", "postgresql+asyncpg://", 1)

    @property
    def pid(self) -> int | None:
        """Number of the postmaster's process; None if none was started."""
        process = self._process
        return process.pid if process is not None else None

    @property
    def data_dir(self) -> Path:
        """The data folder, absolute and without links."""
        return self._folder.root

    def is_running(self) -> bool:
        """Tell whether PostgreSQL has become ready and its process lives."""
        process = self._process
        return process is not None and self._ready and process.is_alive()

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _running_socket_dir(self) -> Path:
        if self._socket_dir is None:
            raise EmbeddedPostgresError("The embedded PostgreSQL does not run. Call start() first.")
        return self._socket_dir

    def _start(self) -> None:
        try:
            self._start_or_raise()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise EmbeddedPostgresError(
                f"The embedded PostgreSQL in {self._folder.root} could not be started ({error}). Nothing in it was "
                f"changed by that. Remove the cause and start again; more may be in {self._folder.log}."
            ) from error

    def _start_or_raise(self) -> None:
        begun = time.monotonic()
        self._end_process()
        self._folder.prepare()
        if self._lock is None:
            lock = FolderLock(self._folder)
            lock.acquire()
            self._lock = lock
        binaries = find_binaries()
        account = choose_account(self._folder.cluster)
        self._folder.let_pass(account)
        upgrade_if_older(self._folder, account, binaries, self._log, EmbeddedPostgres)
        created = ensure_cluster(self._folder, binaries, account)
        stopped = leftover.stop_leftover(self._folder.cluster, _PATIENCE)
        if stopped is not None:
            self._log.warning("postgres_leftover_stopped", pid=stopped)
        self._clear_orphans()
        self._socket_dir = self._folder.make_socket_folder(account)
        reach = (*binaries.must_be_reachable, self._folder.cluster, self._socket_dir)
        argv = postgres_arguments(binaries, self._folder.cluster, self._socket_dir, self._settings)
        self._launch(order_for(argv, account, reach, signal.SIGINT), self._socket_dir)
        probe.ensure_database(self._socket_dir, probe.ROLE)
        self._ready = True
        seconds = round(time.monotonic() - begun, 3)
        self._log.info("postgres_started", pid=self.pid, created=created, seconds=seconds)

    def _launch(self, argv: list[str], socket_dir: Path) -> None:
        deadline = time.monotonic() + _RETRY_WHILE_IN_USE
        while True:
            self._process = GuardedProcess(argv, self._folder.log, patience=_PATIENCE)
            try:
                probe.wait_until_ready(socket_dir, self._check_starting)
            except EmbeddedPostgresError as error:
                # Sessions of a killed postmaster that we were not allowed to see; they end by themselves.
                if _STILL_IN_USE not in str(error) or time.monotonic() > deadline:
                    raise
                self._log.warning("postgres_waits", reason="sessions of an earlier PostgreSQL are still ending")
                self._end_process()
                self._stopping.wait(0.5)
            else:
                return

    def _check_starting(self) -> None:
        process = self._process
        if self._stopping.is_set() or self._called_off():
            raise EmbeddedPostgresError("The start of the embedded PostgreSQL was called off.")
        if process is None or not process.is_alive():
            words = process.last_words() if process is not None else []
            raise EmbeddedPostgresError(
                f"The embedded PostgreSQL ended while it was starting: {' / '.join(words) or 'it said nothing'}. "
                f"The data in {self._folder.root} was left as it is. Remove the cause and start again; more is in "
                f"{self._folder.log}."
            )

    def _clear_orphans(self) -> None:
        """Wait for the sessions of a killed postmaster; those that do not notice its end are ended.

        Until they are gone PostgreSQL refuses to start: two generations writing to one folder would destroy it. What
        they had in hand was never acknowledged, and recovery undoes it.
        """
        for number in (None, signal.SIGQUIT, signal.SIGKILL):
            pids = leftover.processes_in(self._folder.cluster)
            if not pids:
                return
            self._log.warning("postgres_sessions_left_behind", count=len(pids), signal=number and number.name)
            deadline = time.monotonic() + _ORPHAN_PATIENCE
            for pid in pids:
                if number is not None:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, number)
            for pid in pids:
                leftover.wait_for_end(pid, max(deadline - time.monotonic(), 0.0))

    def _end_process(self) -> None:
        self._ready = False
        process, self._process = self._process, None
        if process is not None and not process.stop():
            leftover.stop_leftover(self._folder.cluster, _PATIENCE)

    def _release(self) -> None:
        self._end_process()
        self._socket_dir = None
        if self._lock is not None:
            self._folder.remove_socket_folder()
            self._lock.release()
            self._lock = None

    def _forget_in_child(self) -> None:
        if self._process is not None:
            self._process.forget()
        if self._lock is not None:
            self._lock.forget()
        # From here on the child can use the database, and neither stop nor restart it.
        self._inherited, self._process, self._lock = self._process, None, None
        self._change = threading.RLock()  # a thread that the child does not have may have held it


def _after_fork_in_child() -> None:
    # A forked worker must not keep the database alive, or the folder locked, when its parent was killed.
    for instance in list(_instances):
        instance._forget_in_child()


os.register_at_fork(after_in_child=_after_fork_in_child)
