"""The checks hold the order of server, SDK and command line: what is planted against it makes them fail, by name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = Path("src/lockleaf")

PLANTED = {
    "a circle of features": (
        "server/features/tags/service.py",
        "from lockleaf.server.features.sync import service as planted\n",
        "no package of the server takes part in a circle",
    ),
    "HTTP in a service": (
        "server/features/inbox/service.py",
        "from fastapi import Request as Planted\n",
        "nothing but routes knows HTTP",
    ),
    "HTTP in the store": (
        "server/records/service.py",
        "from lockleaf.server.platform.http import problems as planted\n",
        "nothing but routes knows HTTP",
    ),
    "a platform that knows the store": (
        "server/platform/cursors.py",
        "from lockleaf.server.records import quota as planted\n",
        "the server points one way: main, features, identity, records, platform",
    ),
    "a store that knows who asks": (
        "server/records/quota.py",
        "from lockleaf.server.identity import principal as planted\n",
        "the server points one way: main, features, identity, records, platform",
    ),
    "SQL that knows its rules": (
        "server/features/inbox/repository.py",
        "from lockleaf.server.features.inbox import service as planted\n",
        "within a feature: routes, service, repository, models",
    ),
    "a package beside the strata": (
        "server/planted/__init__.py",
        '"""Stands nowhere."""\n',
        "the server points one way: main, features, identity, records, platform",
    ),
    "a key in a feature": (
        "server/features/vault/service.py",
        "from lockleaf.crypto import envelope as planted\n",
        "the server cannot open an end-to-end encrypted record",
    ),
    "a circle of packages of the SDK": (
        "client/store/outbox.py",
        "from lockleaf.client.sync import push as planted\n",
        "no package of the SDK, and no module of one, takes part in a circle",
    ),
    "a circle of modules in a package of the SDK": (
        "client/account/recovery_codes.py",
        "from lockleaf.client.account import credentials as planted\n",
        "no package of the SDK, and no module of one, takes part in a circle",
    ),
    "a package of the SDK that knows one above it": (
        "client/device/device.py",
        "from lockleaf.client.search import query_text as planted\n",
        "the packages of the SDK stand on one another in this order",
    ),
    "a package beside those of the SDK": (
        "client/planted/__init__.py",
        '"""Stands nowhere."""\n',
        "the packages of the SDK stand on one another in this order",
    ),
    "a command that goes behind the face of the SDK": (
        "cli/prompts.py",
        "from lockleaf.client.store import outbox as planted\n",
        "the command line imports nothing below the face of the SDK",
    ),
    "a circle of commands": (
        "cli/prompts.py",
        "from lockleaf.cli import account as planted\n",
        "no module of the command line or the local page is in a circle",
    ),
}


def checked(folder: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the tree in a folder, by the contracts in it."""
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources and their contracts."""
    folder: Path = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_tree_keeps_its_contracts(tree: Path) -> None:
    said = checked(tree)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "0 broken" in said.stdout


@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_breaks_its_contract(tree: Path, what: str) -> None:
    place, line, contract = PLANTED[what]
    file = tree / PACKAGE / place
    before = file.read_text() if file.exists() else None
    file.parent.mkdir(exist_ok=True)
    try:
        file.write_text(line if before is None else f"{before}\n{line}")
        said = checked(tree)
    finally:
        if before is None:
            shutil.rmtree(file.parent)
        else:
            file.write_text(before)
    assert said.returncode == 1, said.stdout + said.stderr
    assert f"{contract} BROKEN" in said.stdout


@pytest.mark.parametrize("part", ["cli", "client", "crypto", "he", "search", "server", "wire"])
def test_no_file_is_longer_than_a_reader_takes_in(part: str) -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in (ROOT / PACKAGE / part).rglob("*.py")}
    assert {str(file) for file, length in lengths.items() if length > 350} == set()
