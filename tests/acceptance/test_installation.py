"""What is installed is what the lock names, whatever the index offers by now: by the project's own Makefile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.package_index import package_index

pytestmark = [
    pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed"),
]

ROOT = Path(__file__).parents[2]

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "project"
version = "1.0"
dependencies = ["plugin"]
"""

BACKEND = """
import pathlib, zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "project-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory, name), "w") as wheel:
        wheel.writestr("project-1.0.dist-info/METADATA",
                       "Metadata-Version: 2.1\\nName: project\\nVersion: 1.0\\nRequires-Dist: plugin\\n")
        wheel.writestr("project-1.0.dist-info/WHEEL",
                       "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("project-1.0.dist-info/RECORD", "")
    return name
"""


def test_make_installs_what_is_locked_though_a_newer_release_of_what_an_extra_asks_for_is_out(tmp_path: Path) -> None:
    with package_index() as index:
        locked = [
            index.offer("plugin", "1.0", requires=["tool[full]>=1"]),
            index.offer("tool", "1.0", requires=["part>=1; extra == 'full'"], extras=["full"]),
            index.offer("part", "1.0"),
        ]
        index.offer("plugin", "1.1", requires=["tool[full]>=2", "surprise"])
        index.offer("tool", "2.0", requires=["part>=2; extra == 'full'", "surprise"], extras=["full"])
        index.offer("part", "2.0")
        index.offer("surprise", "1.0")
        checker = index.offer("checker", "1.0", requires=["tool"])
        shutil.copy(ROOT / "Makefile", tmp_path)
        (tmp_path / "pyproject.toml").write_text(PYPROJECT)
        (tmp_path / "backend.py").write_text(BACKEND)
        (tmp_path / "requirements").mkdir()
        (tmp_path / "requirements" / "run.txt").write_text("".join(locked))
        (tmp_path / "requirements" / "dev.txt").write_text("".join((*locked, checker)))
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE", "MFLAGS"))}
        environment = {"PIP_INDEX_URL": index.url, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
        command = ["make", "setup", f"PYTHON={sys.executable}"]
        made = subprocess.run(
            command,
            check=False,
            cwd=tmp_path,
            env=clean | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stdout + made.stderr
    python = tmp_path / ".venv" / "bin" / "python"
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True)
    installed = {each["name"]: each["version"] for each in json.loads(listed.stdout)}
    ours = {name: installed.get(name) for name in {*installed} - {"pip", "setuptools"}}
    assert ours == {"plugin": "1.0", "tool": "1.0", "part": "1.0", "checker": "1.0", "project": "1.0"}
    fetched = {path.rpartition("/")[2].removesuffix("-py3-none-any.whl") for path in index.asked if "/files/" in path}
    assert fetched == {"plugin-1.0", "tool-1.0", "part-1.0", "checker-1.0"}
    assert not any("surprise" in path or "hatchling" in path for path in index.asked)
