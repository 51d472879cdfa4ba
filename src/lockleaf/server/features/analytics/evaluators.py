"""The processes that read and add ciphertexts: started when they are needed, replaced when they die or hang."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

import ormsgpack
import structlog

from lockleaf.server.features.analytics import evaluator
from lockleaf.server.features.analytics.errors import EvaluationUnavailable, EvaluatorsBusy, InvalidCiphertext
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.sandbox import environment
from lockleaf.server.platform.settings import AnalyticsSettings

__all__ = ["Checked", "EvaluationFailed", "Evaluators", "Sum"]

START_SECONDS = 30.0
PIPE_BYTES = 2**20
TURNS = 2
"""Requests at a time for each process: while the database works for one of them the process works for another."""

A = TypeVarTuple("A")
R = TypeVar("R")

log = structlog.get_logger("lockleaf.analytics")


class EvaluationFailed(RuntimeError):
    """An evaluator could not do what only a fault of the server's own asks of it."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a client reads ciphertexts.

    Attributes:
        version: of its SEAL.
        raw: whether it reads SEAL's own, and no message of TenSEAL's around it.
    """

    version: str
    raw: bool


@dataclass(frozen=True, slots=True)
class Sum:
    """What shall be added up.

    Attributes:
        plus: stored ciphertexts, one at least; the result bears the version of SEAL of the last.
        minus: stored ciphertexts that are taken away.
        weights: of each of ``plus``.
        divisor: by what the sum is divided.
        form: how a client reads it, if the result is for one; it is stored otherwise.
    """

    plus: Sequence[bytes]
    minus: Sequence[bytes] = ()
    weights: Sequence[float] | None = None
    divisor: float | None = None
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in an upload.

    Attributes:
        items: of each its stored value, its stored square, which of the kinds that is, how many slots it uses, and the
            version of SEAL that wrote it.
        sums: by group and kind, of the groups that have more than one.
    """

    items: list[tuple[bytes, bytes | None, str | None, int, str]]
    sums: dict[tuple[int, str], bytes]


class Evaluators:
    """The evaluators of one server process.

    Args:
        settings: how many, and within which limits.
        metrics: where evaluations are counted.
    """

    def __init__(self, settings: AnalyticsSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._turns = asyncio.Semaphore(TURNS * settings.processes)
        self._waiting = 0
        self._free = asyncio.Semaphore(settings.processes)
        self._idle: list[_Process] = []
        self._threads = ThreadPoolExecutor(settings.processes + 1, thread_name_prefix="lockleaf-evaluator")

    @property
    def idle_pids(self) -> list[int]:
        """The processes that wait for work."""
        return [process.pid for process in self._idle]

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Let so many requests at a time use evaluators, and so many wait, before they take a connection or a lock.

        Raises:
            EvaluatorsBusy: too many wait.
        """
        if self._turns.locked() and self._waiting >= self._settings.queue:
            raise EvaluatorsBusy(retry_after=2)
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()

    async def check(self, items: Sequence[Mapping[str, Any]], contexts: Mapping[str, bytes]) -> Checked:
        """Read what was uploaded; see ``evaluator``.

        Raises:
            InvalidCiphertext: one of them is invalid.
            EvaluationUnavailable: an evaluator died, or took too long.
        """
        said = await self._ask("upload", {"do": "check", "items": list(items), "contexts": dict(contexts)})
        if "refused" in said:
            raise InvalidCiphertext(**said["refused"])
        return Checked(
            [tuple(item) for item in said["items"]], {(group, kind): data for group, kind, data in said["sums"]}
        )

    async def combine(self, operation: str, sums: Sequence[Sum]) -> list[bytes]:
        """Return each of ``sums``.

        Args:
            operation: under which it is counted.
            sums: what to add up; a few dozen ciphertexts in all.

        Raises:
            EvaluationUnavailable: an evaluator died, or took too long.
        """
        asked = [
            {
                "plus": list(each.plus),
                "minus": list(each.minus),
                "weights": None if each.weights is None else list(each.weights),
                "divisor": each.divisor,
                "version": None if each.form is None else each.form.version,
                "raw": each.form is not None and each.form.raw,
            }
            for each in sums
        ]
        said = await self._ask(operation, {"do": "combine", "sums": asked})
        made: list[bytes] = said["sums"]
        return made

    async def warm(self) -> None:
        """Start one process, so that the first request need not wait for it."""
        with contextlib.suppress(EvaluationUnavailable):
            await self._ask("warm", {"do": "warm"})

    async def close(self) -> None:
        """End the processes."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(self._in_thread(process.end) for process in idle))
        self._threads.shutdown(wait=False)

    async def _ask(self, operation: str, question: dict[str, Any]) -> dict[str, Any]:
        started, outcome = time.perf_counter(), "unavailable"
        async with self._free:
            with self._metrics.evaluating.track_inprogress():
                try:
                    said = await self._asked(question)
                    outcome = "refused" if "refused" in said else "failed" if "failed" in said else "done"
                finally:
                    self._metrics.evaluations.labels(operation, outcome).inc()
                    self._metrics.evaluation_seconds.labels(operation).observe(time.perf_counter() - started)
        if "failed" in said:
            raise EvaluationFailed(f"an evaluator failed: {said['failed']}")
        return said

    async def _asked(self, question: dict[str, Any]) -> dict[str, Any]:
        process = await self._process()
        kept = False
        try:
            async with asyncio.timeout(self._settings.task_seconds):
                said = await self._in_thread(process.ask, question)
            process.answered += 1
            kept = process.answered < self._settings.tasks_per_process
        except TimeoutError:
            log.warning("an evaluator took too long")
            raise EvaluationUnavailable from None
        except _Died:
            log.warning("an evaluator died")
            raise EvaluationUnavailable from None
        finally:
            if kept:
                self._rest(process)
            else:
                # At once, also where this request was given up: a thread may still wait for the answer.
                process.kill()
                await asyncio.shield(self._in_thread(process.end))
        return said

    async def _process(self) -> _Process:
        while self._idle:
            process = self._idle.pop()
            if process.leaves is not None:
                process.leaves.cancel()
            if process.alive():
                return process
            await self._in_thread(process.end)
        process = await self._started()
        try:
            # Apart from the question: what it loads at its start takes none of the question's time.
            async with asyncio.timeout(START_SECONDS):
                await self._in_thread(process.ask, {"do": "warm"})
        except BaseException as error:
            process.kill()
            await asyncio.shield(self._in_thread(process.end))
            if isinstance(error, TimeoutError | _Died):
                log.exception("an evaluator did not start")
                raise EvaluationUnavailable from None
            raise
        return process

    def _rest(self, process: _Process) -> None:
        """Keep a process for what comes next, and end it where nothing comes: it takes some 40 MB."""
        self._idle.append(process)
        if self._settings.idle_seconds:
            loop = asyncio.get_running_loop()
            process.leaves = loop.call_later(self._settings.idle_seconds, self._let_go, process)

    def _let_go(self, process: _Process) -> None:
        if process in self._idle:
            self._idle.remove(process)
            self._threads.submit(process.end)

    async def _started(self) -> _Process:
        starting = asyncio.ensure_future(self._in_thread(_Process, self._settings))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # What is half started would be nobody's.
            process = await starting
            process.kill()
            await self._in_thread(process.end)
            raise

    async def _in_thread(self, function: Callable[[*A], R], *arguments: *A) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


class _Died(Exception):
    """The process ended before it answered."""


class _Process:
    """One evaluator. Its methods block, but for ``kill``."""

    def __init__(self, settings: AnalyticsSettings) -> None:
        self.answered = 0
        self.leaves: asyncio.TimerHandle | None = None
        self._popen = subprocess.Popen(  # noqa: S603  (this Python, and a module of ours)
            [sys.executable, "-m", evaluator.__name__, str(settings.memory_mib), str(int(settings.task_seconds) + 1)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**environment(), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            close_fds=True,
        )
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None and sys.platform == "linux":
                # Megabytes go through. Where an account has used up its share of such memory they take a little longer.
                with contextlib.suppress(OSError):
                    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def alive(self) -> bool:
        return self._popen.poll() is None

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Send a question, and wait for its answer.

        Raises:
            _Died: the process ended.
        """
        said = ormsgpack.packb(question)
        try:
            self._write(len(said).to_bytes(evaluator.HEAD_BYTES, "big"))
            self._write(said)
            length = int.from_bytes(self._read(evaluator.HEAD_BYTES), "big")
            if length > evaluator.MOST_BYTES:
                raise _Died
            answer: dict[str, Any] = ormsgpack.unpackb(self._read(length))
        except (OSError, ValueError) as error:  # a broken pipe, one that was closed, or no MessagePack
            raise _Died from error
        return answer

    def _write(self, data: bytes) -> None:
        assert self._popen.stdin is not None
        view = memoryview(data)
        while view:
            view = view[self._popen.stdin.write(view) :]

    def _read(self, length: int) -> bytearray:
        assert self._popen.stdout is not None
        data = bytearray(length)
        view, filled = memoryview(data), 0
        while filled < length:
            count = self._popen.stdout.readinto(view[filled:])  # type: ignore[attr-defined]
            if not count:
                raise _Died
            filled += count
        return data

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._popen.kill()

    def end(self) -> None:
        """Let the process end, which it does when there is nothing more to read, and forget it."""
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._popen.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
