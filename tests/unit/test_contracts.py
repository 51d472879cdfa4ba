"""The checks hold the server's order: what is planted against it makes them fail, and is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER = Path("src/lockleaf/server")

PLANTED = {
    "a circle of features": (
        "features/tags/service.py",
        "from lockleaf.server.features.sync import service as planted\n",
        "no package of the server takes part in a circle",
    ),
    "HTTP in a service": (
        "features/inbox/service.py",
        "from fastapi import Request as Planted\n",
        "nothing but routes knows HTTP",
    ),
    "HTTP in the store": (
        "records/service.py",
        "from lockleaf.server.platform.http import problems as planted\n",
        "nothing but routes knows HTTP",
    ),
    "a platform that knows the store": (
        "platform/cursors.py",
        "from lockleaf.server.records import quota as planted\n",
        "the server points one way: main, features, identity, records, platform",
    ),
    "a store that knows who asks": (
        "records/quota.py",
        "from lockleaf.server.identity import principal as planted\n",
        "the server points one way: main, features, identity, records, platform",
    ),
    "SQL that knows its rules": (
        "features/inbox/repository.py",
        "from lockleaf.server.features.inbox import service as planted\n",
        "within a feature: routes, service, repository, models",
    ),
    "a package beside the strata": (
        "planted/__init__.py",
        '"""Stands nowhere."""\n',
        "the server points one way: main, features, identity, records, platform",
    ),
    "a key in a feature": (
        "features/vault/service.py",
        "from lockleaf.crypto import envelope as planted\n",
        "the server cannot open an end-to-end encrypted record",
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
    file = tree / SERVER / place
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


def test_no_file_of_the_server_is_longer_than_a_reader_takes_in() -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in (ROOT / SERVER).rglob("*.py")}
    assert {str(file) for file, length in lengths.items() if length > 350} == set()
