"""What is installed without extras writes and syncs a journal; what is missing for more is told in a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lockleaf.cli.errors import OF_THE_SERVER

ROOT = Path(__file__).parents[2]
OPTIONAL = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

WITHOUT = """
import json, sys
from importlib.machinery import PathFinder
hidden = frozenset(json.loads(sys.argv.pop(1)))
class Hiding:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else PathFinder.find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
"""
"""Python as it is where these modules are not installed."""

IMPORTS = """
import importlib, pkgutil
import lockleaf.app, lockleaf.client, lockleaf.cli
for package in (lockleaf.app, lockleaf.client, lockleaf.cli):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if "demonstration" not in module.name:  # which fills a server with examples
            importlib.import_module(module.name)
"""
RUNS = "from lockleaf.cli.main import main; sys.exit(main())"


def modules_of(extra: str) -> set[str]:
    """The modules of everything that an extra names."""
    wanted = {canonicalize_name(Requirement(text).name) for text in OPTIONAL[extra]} - {"lockleaf"}
    packages = metadata.packages_distributions()
    return {
        module
        for module, distributions in packages.items()
        if wanted & {canonicalize_name(each) for each in distributions} and not module.startswith("_")
    }


def without(
    extras: set[str], program: str, *arguments: str, home: Path | None = None
) -> subprocess.CompletedProcess[str]:
    hidden = json.dumps(sorted(set[str]().union(*map(modules_of, extras))))
    environment = {**os.environ, "LOCKLEAF_HOME": str(home), "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT + program, hidden, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_every_part_of_the_journal_loads_without_the_server_and_without_encrypted_numbers() -> None:
    done = without({"server", "metrics"}, IMPORTS)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_the_server_needs_is_known_by_name() -> None:
    assert {each for each in modules_of("server") if not each.endswith("_test")} <= OF_THE_SERVER
    assert {"asyncpg", "fastapi", "sqlalchemy"} <= OF_THE_SERVER


def test_a_server_that_is_not_installed_is_told_in_a_sentence(tmp_path: Path) -> None:
    for command in (("serve", "--data-dir", str(tmp_path)), ("admin", "doctor"), ("worker",)):
        done = without({"server"}, RUNS, *command, home=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (8, False), done.stderr
        assert "pip install 'lockleaf[server]'" in done.stderr.replace("\n", " ")


def test_encrypted_numbers_that_are_not_installed_are_told_in_a_sentence() -> None:
    program = """
from lockleaf.client.errors import MetricsNotInstalled
from lockleaf.client.metrics.native import require_native
try:
    require_native()
except MetricsNotInstalled as error:
    print(error)
"""
    assert "pip install 'lockleaf[metrics]'" in without({"metrics"}, program).stdout
    assert without(set(), program).stdout == ""
