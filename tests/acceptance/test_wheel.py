"""The wheel is whole: what it installs serves, migrates its own database, and keeps a journal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import lockleaf
from tests.support.command_line import CommandLine, fresh_email
from tests.support.locked_environment import locked_environment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sources as they are."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    [found] = folder.glob("*.whl")
    return found


def test_it_brings_the_manual_page(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as whole:
        [name] = [each for each in whole.namelist() if each.endswith("share/man/man1/lockleaf.1")]
        assert whole.read(name) == (ROOT / "src" / "man" / "lockleaf.1").read_bytes()


@pytest.fixture(scope="module")
def program(wheel: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The command ``lockleaf`` of an empty environment with what the lock names and the wheel, and nothing else."""
    assert request.config.cache is not None
    # Beside the environment of the tests, whose files it shares if it is on the same disk.
    with tempfile.TemporaryDirectory(dir=request.config.cache.mkdir("environments")) as folder:
        python = locked_environment(Path(folder), ROOT / "requirements" / "run.txt")
        uv = [sys.executable, "-m", "uv", "pip"]
        on = ["--quiet", "--python", str(python), "--offline"]
        # The last one says whether the lock has everything that the wheel declares.
        for command in ([*uv, "install", *on, "--no-deps", str(wheel)], [*uv, "check", *on]):
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
        yield python.with_name("lockleaf")


@contextmanager
def serving(command: CommandLine, folder: Path) -> Iterator[str]:
    """A server run by the command, on a database of its own; its address."""
    settings = {
        "LOCKLEAF_LOG__LEVEL": "WARNING",
        "LOCKLEAF_HASHING__MEMORY_KIB": "64",
        "LOCKLEAF_HASHING__ITERATIONS": "1",
    }
    with command.start(*("serve", "--json", "--port", "0", "--data-dir", str(folder)), environment=settings) as server:
        try:
            assert server.stdout is not None
            told = server.stdout.readline()
            assert told, server.communicate()[1].decode()
            yield json.loads(told)["url"]
        finally:
            server.send_signal(signal.SIGTERM)
            _, said = server.communicate(timeout=60)
    assert server.returncode == 0, said.decode()


def test_the_wheel_holds_the_package_with_its_migrations_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    told, placed = (f"lockleaf-{lockleaf.__version__}.{each}" for each in ("dist-info", "data"))
    assert {name.split("/")[0] for name in names} == {"lockleaf", told, placed}
    assert [name for name in names if name.startswith(placed)] == [f"{placed}/data/share/man/man1/lockleaf.1"]
    assert "lockleaf/server/platform/db/migrations/versions/0001_the_first_schema.py" in names
    assert "lockleaf/server/platform/db/embedded/guard.py" in names
    sources = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src" / "lockleaf").rglob("*.py")}
    assert sources <= set(names)
    assert not [name for name in names if name.endswith((".pyc", ".pyi.bak", "~"))]


def test_from_the_wheel_alone_a_first_entry_is_written_synced_and_read_elsewhere(program: Path, tmp_path: Path) -> None:
    python = program.with_name("python")
    show = [python, "-c", "import lockleaf, uvicorn; print(lockleaf.__file__)"]
    found = subprocess.run(show, capture_output=True, text=True, check=True, cwd=program.parent).stdout
    assert Path(found.strip()).is_relative_to(program.parents[1])
    version = CommandLine(program.parent, program=program).run("--version").out
    assert lockleaf.__version__ in version
    laptop, phone = (CommandLine(tmp_path / "home", name, program=program) for name in ("laptop", "phone"))
    with serving(laptop, tmp_path / "data") as url:
        assert httpx.get(f"{url}/ready").json()["ready"] is True
        email = fresh_email()
        laptop.run("register", "--server", url, "--email", email, "--device-name", "laptop")
        body = "Up betimes, and wrote of it."
        entry = laptop.run("write", "--date", "1660-01-01", "--title", "First", "-", stdin=body.encode()).out.strip()
        assert laptop.run("sync", "--json").value()["pushed"] == 1
        phone.run("login", "--server", url, "--email", email, "--device-name", "phone")
        phone.run("sync")
        [listed] = phone.run("list", "--json", "--all").values()
        assert (listed["id"], listed["title"], listed["body"]) == (entry, "First", body)
    with serving(laptop, tmp_path / "data") as url:  # what was kept is there, under a schema that is there already
        assert httpx.get(f"{url}/ready").json()["ready"] is True
