"""Real proxies before several servers, and PgBouncer before a database, with the configuration that the page shows."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.debian import debian_program

__all__ = ["Pooler", "caddy", "free_port", "nginx", "pgbouncer", "running"]

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-several-servers.md"
READY_SECONDS = 30


def snippet(language: str) -> str:
    """The block of the page in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, language
    return found[1]


def changed(text: str, **lines: str) -> str:
    """A text with whole lines changed, each found by a regular expression that has to match."""
    for pattern, line in lines.items():
        text, count = re.subn(pattern.replace("__", r"\s+"), lambda _, line=line: line, text, flags=re.MULTILINE)
        assert count, pattern
    return text


def free_port() -> int:
    """A port of the loopback that nobody has at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: Sequence[str | Path], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that listens on ``port``, from when it does."""
    with log.open("ab") as told:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=told, stderr=told, start_new_session=True)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def caddy(ports: Sequence[int]) -> Iterator[str]:
    """Caddy before the servers at ``ports``; its address."""
    program = debian_program("caddy", "caddy")
    with tempfile.TemporaryDirectory(prefix="caddy-") as name:
        folder, port = Path(name), free_port()
        text = snippet("caddyfile").replace("journal.example.org {", f"http://127.0.0.1:{port} {{")
        for number, there in enumerate(ports, 11):
            text = text.replace(f"10.0.0.{number}:8000", f"127.0.0.1:{there}")
        # No port for its own administration, and no waiting for connections at its end.
        (folder / "Caddyfile").write_text("{\n    admin off\n    grace_period 1s\n}\n" + text)
        command = ["env", f"HOME={folder}", program, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]
        with running(command, port, folder / "log"):
            yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def nginx(ports: Sequence[int]) -> Iterator[str]:
    """nginx before the servers at ``ports``; its address."""
    program = debian_program("nginx", "nginx-light")
    with tempfile.TemporaryDirectory(prefix="nginx-") as name:
        folder, port = Path(name), free_port()
        text = re.sub(r"^ *(ssl_\w+|server_name) .*\n", "", snippet("nginx"), flags=re.MULTILINE)
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
        for number, there in enumerate(ports, 11):
            text = text.replace(f"10.0.0.{number}:8000", f"127.0.0.1:{there}")
        kept = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{each}_temp_path {folder}/{each};\n" for each in kept)
        (folder / "nginx.conf").write_text(
            f"daemon off;\npid {folder}/pid;\nworker_processes 1;\nerror_log stderr warn;\n"
            f"events {{ worker_connections 512; }}\nhttp {{\naccess_log off;\n{places}{text}}}\n"
        )
        folder.chmod(0o755)
        command = [program, "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf"]
        with running(command, port, folder / "log"):
            yield f"http://127.0.0.1:{port}"


class Pooler:
    """A PgBouncer that can be killed and started again."""

    def __init__(self, folder: Path, program: str, place: tuple[int, str, str], more: str) -> None:
        database_port, role, database = place
        self.port = free_port()
        self.url = f"postgresql://{role}@127.0.0.1:{self.port}/{database}?sslmode=disable"
        self._log = folder / "log"
        text = snippet("ini")
        self.connect_query = re.findall(r"connect_query='([^']*)'", text)[0]
        text = re.sub(
            r"^lockleaf = host=\S+ port=\d+ dbname=\S+",
            f"{database} = host=127.0.0.1 port={database_port}",
            text,
            flags=re.M,
        )
        text = changed(
            text,
            **{
                "^listen_addr = .*": "listen_addr = 127.0.0.1",
                "^listen_port = .*": f"listen_port = {self.port}\nunix_socket_dir =",
                "^auth_type = .*": "auth_type = trust",
                "^auth_file = .*": f"auth_file = {folder}/users",
                # Fewer sessions than requests at once, so that they do change hands.
                "^default_pool_size = .*": "default_pool_size = 4",
            },
        )
        (folder / "users").write_text(f'"{role}" ""\n')
        (folder / "pgbouncer.ini").write_text(text + more)
        folder.chmod(0o755)
        # It refuses to be root.
        self._command = [program, *(["-u", "nobody"] if os.geteuid() == 0 else []), str(folder / "pgbouncer.ini")]
        self._stack = contextlib.ExitStack()

    def start(self) -> None:
        """Start it."""
        self._process = self._stack.enter_context(running(self._command, self.port, self._log))

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it."""
        self._stack.close()


@contextlib.contextmanager
def pgbouncer(url: str, more: str = "") -> Iterator[Pooler]:
    """PgBouncer in transaction mode before a PostgreSQL on a port of the loopback that asks for no password.

    Args:
        more: lines of its configuration.
    """
    there = urlsplit(url)
    place = there.port or 0, there.username or "", there.path.lstrip("/")
    program = debian_program("pgbouncer", "pgbouncer")
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as folder:
        pooler = Pooler(Path(folder), program, place, more)
        pooler.start()
        try:
            yield pooler
        finally:
            pooler.stop()
