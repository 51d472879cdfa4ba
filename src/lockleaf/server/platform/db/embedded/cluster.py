"""The cluster: how it is created and how PostgreSQL is configured on it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lockleaf.server.platform.db.embedded.account import Account
from lockleaf.server.platform.db.embedded.binaries import POSTGRES_MAJOR, Binaries
from lockleaf.server.platform.db.embedded.errors import EmbeddedPostgresError
from lockleaf.server.platform.db.embedded.folders import PORT, DataFolder
from lockleaf.server.platform.db.embedded.leftover import processes_in, wait_for_end
from lockleaf.server.platform.db.embedded.probe import ADMINISTRATOR
from lockleaf.server.platform.db.embedded.sizing import memory_bytes, settings_for

__all__ = [
    "SETTINGS",
    "UNSAFE_BUT_FAST",
    "ensure_cluster",
    "environment",
    "order_for",
    "postgres_arguments",
    "sync_folder",
]

SETTINGS: Mapping[str, str] = {
    # Reached by the private socket alone.
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    # Nothing acknowledged is lost.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_compression": "on",
    # When a session's process crashes, PostgreSQL ends and is started anew from outside. Its own way, to start over in
    # place, was seen here (18.4) never to end when a fast shutdown was asked for in the middle of it.
    "restart_after_crash": "off",
    # Short statements by key, and no helper processes for big queries. How much memory is by the machine: `sizing.py`.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "max_logical_replication_workers": "0",
    "io_workers": "1",
    # A few megabytes that the server fills with zeros as it starts: 4 MB and 64 reads for each process by default.
    "wal_buffers": "1MB",
    "io_max_concurrency": "8",
    # Room for the locks of serializable transactions, of which there are none, times the number of connections.
    "max_pred_locks_per_transaction": "10",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    # The log holds no value of a user. Messages of errors quote values ('invalid input syntax for type uuid: "..."'),
    # so that errors and warnings of sessions stay out of it: `log` lets through LOG, FATAL and PANIC alone. DETAIL
    # prints keys and the statements of crashed sessions; `terse` drops it.
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] ",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_duration": "off",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_lock_waits": "off",
    "debug_print_parse": "off",
    "debug_print_rewritten": "off",
    "debug_print_plan": "off",
}
"""Given on the command line, where neither postgresql.conf nor ALTER SYSTEM overrides them."""

UNSAFE_BUT_FAST: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For databases that may be lost: tests."""

_SCRIPTS = Path(__file__).resolve().parent
_TEMPORARY = "postgres.initdb-"


def environment() -> dict[str, str]:
    """Return the environment of PostgreSQL's processes: none of our secrets, and nothing that changes behaviour."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    # A given TZ spares initdb the search for the name of the machine's zone.
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **kept}


def order_for(
    argv: list[str], account: Account | None, reach: tuple[Path, ...], death_signal: signal.Signals
) -> list[str]:
    """Build the command line that runs `argv` as the account by way of run_as.py."""
    order = {
        "argv": argv,
        "env": environment(),
        "account": None if account is None else [account.uid, account.gid],
        "reach": [str(path) for path in reach],
        "parent": os.getpid(),
        "death_signal": int(death_signal),
    }
    return [sys.executable, "-I", "-S", str(_SCRIPTS / "run_as.py"), json.dumps(order)]


_SINCE = {"io_workers": 18, "io_max_concurrency": 18}
"""Settings that an earlier PostgreSQL does not know: one that is moved from is started a last time."""


def postgres_arguments(
    binaries: Binaries, cluster: Path, socket_dir: Path, more: Mapping[str, str] | None = None
) -> list[str]:
    """Build the command line of PostgreSQL itself."""
    settings = {**SETTINGS, **settings_for(memory_bytes()), "unix_socket_directories": str(socket_dir), **(more or {})}
    argv = [str(binaries.postgres), "-D", str(cluster)]
    for name, value in settings.items():
        if binaries.major >= _SINCE.get(name, 0):
            argv += ["-c", f"{name}={value}"]
    return argv


def ensure_cluster(folder: DataFolder, binaries: Binaries, account: Account | None) -> bool:
    """Create the cluster if there is none; True if it was created.

    It is created under another name, written to disk, and renamed, so that a cluster under its own name is whole.

    Raises:
        EmbeddedPostgresError: it cannot be created, or the one that is there is not of our version.

    """
    _remove_interrupted(folder.root)
    if folder.cluster.exists():
        _check_cluster(folder.cluster)
        return False
    temporary = folder.root / f"{_TEMPORARY}{secrets.token_hex(4)}"
    try:
        folder.make_cluster_folder(temporary, account)
        _initdb(binaries, temporary, account)
        temporary.rename(folder.cluster)
        sync_folder(folder.root)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"The database could not be created in {folder.root} ({error.strerror}). "
            "Choose a folder that this user may write, or free some space."
        ) from error
    finally:
        # A second time: where we cannot see other accounts' processes, one of an interrupted creation may have gone on
        # writing while its folder was removed. By now it has noticed that its parent is gone.
        _remove_interrupted(folder.root)
    return True


def _remove_interrupted(root: Path) -> None:
    """Remove clusters whose creation was interrupted, and end the processes that may still work on them."""
    for remains in root.glob(f"{_TEMPORARY}*"):
        for pid in processes_in(remains):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            wait_for_end(pid, 5.0)
        shutil.rmtree(remains, ignore_errors=True)


def _check_cluster(cluster: Path) -> None:
    try:
        version = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    except PermissionError as error:
        raise EmbeddedPostgresError(
            f"The database in {cluster} belongs to another account, and this user may not read it. "
            "Run Lockleaf as the user that created it."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise EmbeddedPostgresError(
            f"The folder {cluster} exists but holds no database. Move it away if nothing in it is needed, "
            "or restore it from a backup."
        ) from error
    if version != str(POSTGRES_MAJOR):
        raise EmbeddedPostgresError(
            f"The database in {cluster} was made by PostgreSQL {version}, and this Lockleaf brings "
            f"PostgreSQL {POSTGRES_MAJOR}. Back it up with the Lockleaf that made it and restore it with this one."
        )


def _initdb(binaries: Binaries, target: Path, account: Account | None) -> None:
    create = [
        str(binaries.initdb),
        f"--pgdata={target}",
        f"--username={ADMINISTRATOR}",
        "--auth-local=trust",  # who can reach the socket is who may: see folders.py
        "--auth-host=reject",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
        "--no-instructions",
        "--no-sync",  # many small waits while it works; the second command waits once for everything
    ]
    for argv in (create, [str(binaries.initdb), f"--pgdata={target}", "--sync-only"]):
        reach = (*binaries.must_be_reachable, target)
        result = subprocess.run(  # noqa: S603 (our own scripts and programs, no input of a user)
            order_for(argv, account, reach, signal.SIGKILL),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if result.returncode != 0:
            if "could not look up effective user ID" in result.stdout:
                raise EmbeddedPostgresError(
                    f"The database could not be created in {target.parent}: PostgreSQL wants its user to have a name, "
                    f"and this system knows none for the number {os.geteuid()}. Nothing was left behind. Give it one "
                    f"(a line in /etc/passwd, as in: lockleaf:x:{os.geteuid()}:{os.getegid()}::/:/bin/false), start as "
                    "another user, or set DATABASE_URL to a PostgreSQL of your own."
                )
            last = " / ".join(line.strip() for line in result.stdout.splitlines()[-4:] if line.strip())
            raise EmbeddedPostgresError(
                f"The database could not be created in {target.parent}: {last or f'exit status {result.returncode}'}. "
                "Nothing was left behind. Remove the cause and start again, or set DATABASE_URL to a PostgreSQL of "
                "your own."
            )


def sync_folder(path: Path) -> None:
    """Have the names in a folder on the disk, where its file system can do that."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # some file systems cannot sync a folder
            os.fsync(fd)
    finally:
        os.close(fd)
