"""One run of PostgreSQL: the guard process, its control pipe, and what it tells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

__all__ = ["GuardedProcess"]

_GUARD = Path(__file__).resolve().parent / "guard.py"
_LOG_BYTES = 4 * 1024 * 1024


class GuardedProcess:
    """PostgreSQL below its guard (see guard.py). Whoever constructs it has to call `stop`.

    Args:
        argv: the command line for run_as.py, which becomes PostgreSQL.
        log: file for PostgreSQL's log; moved aside to `postgres.log.1` at 4 MiB.
        patience: seconds that the guard gives a fast shutdown before it asks for an immediate one.

    """

    def __init__(self, argv: list[str], log: Path, patience: float) -> None:
        self._log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        self._buffer = b""
        self._pid: int | None = None
        order = {"argv": argv, "log": str(log), "log_bytes": _LOG_BYTES, "patience": patience}
        control_read, self._control = os.pipe()
        errors = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            self._guard = subprocess.Popen(  # noqa: S603 (our own script, no input of a user)
                [sys.executable, "-I", "-S", str(_GUARD), json.dumps(order)],
                stdin=control_read,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd="/",
                # Ctrl-C in the terminal is for Lockleaf, which then stops PostgreSQL when it no longer needs it.
                start_new_session=True,
            )
        except BaseException:
            os.close(self._control)
            raise
        finally:
            os.close(control_read)
            os.close(errors)
        assert self._guard.stdout is not None
        self._status = self._guard.stdout.fileno()
        self._read_pid()

    def _read_pid(self) -> None:
        while b"\n" not in self._buffer:
            data = os.read(self._status, 4096)
            if not data:
                return
            self._buffer += data
        self._pid = int(json.loads(self._buffer.splitlines()[0])["pid"])

    @property
    def pid(self) -> int | None:
        """Number of the postmaster; None if the guard could not start it."""
        return self._pid

    @property
    def status(self) -> int:
        """The descriptor that becomes readable when the guard has ended, until `stop` closes it."""
        return self._status

    def is_alive(self) -> bool:
        """Tell whether the guard, and so PostgreSQL, runs."""
        return self._guard.poll() is None

    def stop(self) -> bool:
        """Ask for a fast shutdown, wait for the end of it however long it takes, and release everything.

        Returns:
            False if the guard itself was killed, so that PostgreSQL may still run.

        """
        self.forget()
        status = self._guard.wait()
        if self._guard.stdout is not None:
            self._guard.stdout.close()
        return status == 0

    def forget(self) -> None:
        """Close the control pipe; in a forked child: its copy, so that the guard sees the end of the parent alone."""
        if self._control >= 0:
            os.close(self._control)
            self._control = -1

    def last_words(self) -> list[str]:
        """Return the last lines that this run, now ended, has logged. They hold no value of a user (see cluster.py)."""
        try:
            with self._log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(self._log_start if self._log_start <= size else 0, size - 4096))
                return [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()][
                    -6:
                ]
        except OSError:
            return []
