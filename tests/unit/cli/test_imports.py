"""What starting a command loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def loaded_by(tmp_path: Path, *arguments: str) -> set[str]:
    program = (
        "import sys; from lockleaf.cli.main import main; main(sys.argv[1:]); "
        "print(*sorted(sys.modules), file=open('modules', 'w'))"
    )
    subprocess.run(
        [sys.executable, "-c", program, *arguments, "--home", str(tmp_path)],
        cwd=tmp_path,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return set((tmp_path / "modules").read_text().split())


def test_help_loads_neither_the_sdk_nor_the_server(tmp_path: Path) -> None:
    loaded = loaded_by(tmp_path, "list", "--help")
    assert not {
        name
        for name in loaded
        if name.startswith(("lockleaf.client.", "lockleaf.server", "fastapi", "httpx", "rich.progress"))
    }


@pytest.mark.parametrize("command", ["list", "status"])
def test_daily_commands_do_not_load_the_server(tmp_path: Path, command: str) -> None:
    loaded = loaded_by(tmp_path, command)
    assert "lockleaf.client.client" in loaded
    assert not {name for name in loaded if name.startswith(("lockleaf.server", "fastapi", "sqlalchemy", "uvicorn"))}
