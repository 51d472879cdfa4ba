"""The units for systemd: it takes them as they are, and they leave a server little to do harm with."""

from __future__ import annotations

import configparser
import ctypes
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from lockleaf.cli.app import build
from tests.support.deployments import DEPLOY, known_settings
from tests.support.process import start_server

UNITS = ("lockleaf-server.service", "lockleaf-worker.service", "lockleaf-migrate.service", "lockleaf-backup.service")
FOLDER = DEPLOY / "systemd"
MOST_EXPOSED = 2.0
"""Of 10, by the measure of systemd-analyze: what must reach the network cannot have 0."""

_UNDER_RULES = """
import ctypes, json, sys
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0):
    raise SystemExit("refused")
from lockleaf.server.main.supervisor import serve
from lockleaf.server.platform.settings import Settings
serve(Settings(), host=sys.argv[3], port=int(sys.argv[2]), workers=int(sys.argv[1]),
      announce=lambda running: print(json.dumps({"url": running.url, "port": running.port}), flush=True))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder with the units in it, and as much else as they name."""
    units = tmp_path / "etc/systemd/system"
    shutil.copytree(FOLDER, units)
    for name in ("sysinit", "basic", "shutdown", "multi-user", "network-online", "timers", "time-set", "time-sync"):
        (units / f"{name}.target").write_text("[Unit]\n")
    program = tmp_path / "opt/lockleaf/bin/lockleaf"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return tmp_path


def _analyze(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here (Debian's package systemd has it): systemd was not asked")
    return subprocess.run(
        ["systemd-analyze", f"--root={root}", *arguments], check=False, capture_output=True, text=True
    )


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_takes_the_units_as_they_are(root: Path, unit: str) -> None:
    said = _analyze(root, "verify", unit).stderr
    assert [line for line in said.splitlines() if "lockleaf" in line] == []
    path = root / "etc/systemd/system" / unit
    path.write_text(path.read_text().replace("KillMode=mixed", "KilMode=mixed").replace("Type=", "Tipe="))
    assert "Tipe" in _analyze(root, "verify", unit).stderr  # it would have said so


@pytest.mark.parametrize("unit", UNITS)
def test_little_is_left_to_do_harm_with(root: Path, unit: str) -> None:
    done = _analyze(root, "security", "--offline=true", "--json=short", f"--threshold={int(MOST_EXPOSED * 10)}", unit)
    assert done.returncode == 0, done.stderr
    open_to = {each["json_field"] for each in json.loads(done.stdout) if each["set"] is False}
    assert not open_to & {"NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateDevices", "MemoryDenyWriteExecute"}


def test_a_backup_is_made_each_night_and_made_up_for_after_a_night_off(root: Path) -> None:
    said = _analyze(root, "verify", "lockleaf-backup.timer").stderr
    assert [line for line in said.splitlines() if "lockleaf" in line] == []
    timer = _unit("lockleaf-backup.timer")["Timer"]
    assert (timer["OnCalendar"], timer["Persistent"]) == ("*-*-* 03:15:00", "true")


def _unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string((FOLDER / name).read_text())
    return parser


def test_each_starts_a_command_that_there_is_and_the_schema_comes_first() -> None:
    commands: Any = typer.main.get_command(build())
    for name in UNITS:
        program, *words = _unit(name)["Service"]["ExecStart"].split()
        assert program == "/opt/lockleaf/bin/lockleaf"
        command = commands
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert command is not commands
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, name
    first = _unit("lockleaf-migrate.service")
    assert first["Unit"]["Before"] == "lockleaf-server.service lockleaf-worker.service"
    assert first["Install"]["RequiredBy"] == first["Unit"]["Before"]
    assert _unit("lockleaf-server.service")["Service"]["KillMode"] == "mixed"
    shared = (FOLDER / "lockleaf-.service.d/10-lockleaf.conf").read_text()
    set_here = re.findall(r"^Environment=([A-Z_]+)=", shared, re.MULTILINE)
    assert set_here
    assert set(set_here) <= known_settings()


def test_a_server_and_its_database_run_where_no_memory_is_both_written_and_run(tmp_path: Path) -> None:
    """As MemoryDenyWriteExecute has it; here by the kernel's own switch for it."""
    if sys.platform != "linux" or ctypes.CDLL(None).prctl(66, 0, 0, 0, 0) < 0:
        pytest.skip("this kernel has no such switch (Linux 6.3 has)")
    environment = {"LOCKLEAF_DATA_DIR": str(tmp_path / "data")}
    server = start_server(environment, log=tmp_path / "log", program=_UNDER_RULES)
    try:
        assert httpx.get(f"{server.url}/ready", timeout=60).json()["ready"]
    finally:
        assert server.stop() == 0
        assert server.process.stdout is not None
        server.process.stdout.close()
