"""The web workers and what they need, as their parent looks after it: started, replaced where it dies, and stopped."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import SIGNALS, Multiprocess

from lockleaf.lazy import late
from lockleaf.server.main.background import BackgroundWork
from lockleaf.server.main.bell import Bell, Leaving, Message, News, ring
from lockleaf.server.platform.db.embedded import EmbeddedPostgres

if TYPE_CHECKING:
    from prometheus_client import multiprocess
else:
    # It decides as it is loaded where figures are kept, and what is loaded here is loaded in every worker.
    multiprocess = late("prometheus_client.multiprocess")

__all__ = ["Workers"]

UNHANDLED = 1
"""The exit code of a process that an error has ended."""
_FIRST_TICK_SECONDS, _TICK_SECONDS = 0.05, 0.5


class Workers(Multiprocess):
    """Uvicorn's supervisor, telling when all workers answer, and whether they could start at all.

    Each worker has a socket of its own on the one port, and listens there when it is ready.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        listening: list[socket.socket],
        database: EmbeddedPostgres | None,
        background: BackgroundWork | None,
        bell: Bell,
        *,
        on_ready: Callable[[], None],
    ) -> None:
        self._listening = listening
        self._replaced: Iterator[socket.socket] | None = None
        self._database = database
        self._background = background
        self._bell = bell
        super().__init__(config, listening)
        for number in SIGNALS:
            signal.signal(number, self._take)
        self._on_ready: Callable[[], None] | None = on_ready
        self.failed_to_start = False

    def _take(self, number: int, frame: object) -> None:
        self.signal_queue.append(number)
        ring(self._bell.rope, News.SIGNALLED)

    @property
    def sockets(self) -> list[socket.socket]:
        """The socket of the worker that is about to be started: a new one's, or that of one that is replaced."""
        if self._replaced is not None:
            return [next(self._replaced)]
        dead = (index for index, process in enumerate(self.processes) if not process.process.is_alive())
        return [self._listening[next(dead, len(self.processes)) % len(self._listening)]]

    @sockets.setter
    def sockets(self, sockets: list[socket.socket]) -> None:
        """Nothing: what the supervisor is given stands in the constructor."""

    def run(self) -> None:
        """Look after the workers until it is time to stop: often until they answer, and at once when a signal comes."""
        self.init_processes()
        while not self.should_exit.is_set():
            ended = None if self._database is None else self._database.ended()
            others = () if ended is None else (ended,)
            self._hear(self._bell.wait(_TICK_SECONDS if self._on_ready is None else _FIRST_TICK_SECONDS, *others))
            self.handle_signals()
            # Not in a thread, which a fork would cut in two. Without their database workers have nothing to do anyway.
            if self._database is not None and not self.should_exit.is_set():
                self._database.keep_alive(called_off=lambda: bool(self.signal_queue))
            self.keep_subprocess_alive()
        self.terminate_all()
        self.join_all()

    def _hear(self, messages: Iterable[Message]) -> None:
        if self._background is None:
            return
        for message in messages:
            if isinstance(message, Leaving):
                self._background.leaves(message)
            elif message is News.JOBS_QUEUED:
                self._background.want()

    def init_processes(self) -> None:
        """Start the workers."""
        super().init_processes()
        self._let_go_of_workers_ends()

    def restart_all(self) -> None:
        """Replace every worker, at SIGHUP, by one that listens where it did before it ends.

        A socket that no worker has any more would go on to take connections.
        """
        self._replaced = iter(self._listening * len(self.processes))
        try:
            super().restart_all()
        finally:
            self._replaced = None
        self._let_go_of_workers_ends()

    def handle_ttin(self) -> None:
        """Do nothing: there are as many workers as sockets."""

    def handle_ttou(self) -> None:
        """Do nothing, for the same reason: it would leave a socket without a worker."""

    def terminate_all(self) -> None:
        """Ask all to stop, and take no more connections.

        The workers close their sockets. While this process had them open too, the system would go on to take
        connections for which nobody is there any more: a proxy would wait on them instead of asking another server.
        """
        for each in self._listening:
            each.close()
        if self._background is not None:  # it has its time of grace while requests have theirs
            self._background.stop()
        super().terminate_all()

    def keep_subprocess_alive(self) -> None:
        """Replace what has died, and tell once that all workers answer."""
        before = {process.pid for process in self.processes}
        if self._on_ready and any(process.exitcode == UNHANDLED for process in self.processes):
            # It could not listen: another server on the port was ready first. The next one could not either.
            self.failed_to_start = True
            self.should_exit.set()
            return
        super().keep_subprocess_alive()
        if self._background is not None and not self.should_exit.is_set():
            self._background.keep_alive()
        self._let_go_of_workers_ends()
        for pid in before - {process.pid for process in self.processes}:
            if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
                multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]  # what it had open is open no longer
        self.failed_to_start = any(process.exitcode == STARTUP_FAILURE for process in self.processes)
        if self._on_ready and not self.should_exit.is_set() and all(process.is_ready() for process in self.processes):
            self._on_ready()
            self._on_ready = None

    def _let_go_of_workers_ends(self) -> None:
        """Close this process's copies of the workers' ends of their pipes.

        While one is open, a worker that is killed as it is asked for a sign of life looks like one that is slow to
        answer, and neither a replacement nor a signal to this process gets through until that patience has ended.
        """
        for process in self.processes:
            process.child_conn.close()
