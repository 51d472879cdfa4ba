"""Which lines of the server and the SDK a run of the tests reaches: `pytest -p tests.coverage`.

Slipcover inserts a call at the start of every line of compiled code, which costs a few percent; a tracer costs as much
as the tests themselves. Its own command wraps the import of every module, and pytest then cannot import a package of
tests; the finder here wraps the package's modules alone. What is counted, and the least that passes, stands in
pyproject.toml under ``tool.slipcover``. Lines count in pytest's own processes, not in programs that a test starts.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from slipcover import FileMatcher, Slipcover, merge_coverage, print_coverage, wrap_spec_from_file_location
from slipcover.config import read_config
from slipcover.importer import SlipcoverMetaPathFinder

import tests.fuzz  # noqa: F401 - pytest would put a module in its place that is no package, once `tests` is loaded

SETTINGS: dict[str, Any] = read_config()

KEEP_CALLS = -1
"""A threshold that is never reached: removing calls replaces the code of functions while other threads run it."""


class _PackageFinder(SlipcoverMetaPathFinder):
    """Finds the modules of the package, and leaves all others to the finders after it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return super().find_spec(fullname, path, target) if fullname.startswith("lockleaf.") else None


class _Coverage:
    """The lines of this process and, where it leads others, of theirs."""

    def __init__(self) -> None:
        matcher = FileMatcher(sources=SETTINGS["source"], omit=SETTINGS["omit"])
        self.lines = Slipcover(
            d_miss_threshold=KEEP_CALLS, omit=SETTINGS["omit"], exclude_also=SETTINGS["exclude-also"]
        )
        self.workers: list[dict[str, Any]] = []
        self.total: dict[str, Any] = {}
        sys.meta_path.insert(0, _PackageFinder(self.lines, matcher))
        # Alembic loads migrations by their files.
        wrap_spec_from_file_location(self.lines, matcher)

    def sum_up(self) -> None:
        """Add the lines of all processes, and those of files that none of them loaded."""
        for of_worker in self.workers:
            for name in of_worker["files"]:
                # Whoever loaded a file says which lines it has: to compile all of them again takes seconds, at the end.
                self.lines.code_lines.setdefault(str(Path(name).absolute()), set())
        self.lines.source = SETTINGS["source"]
        self.total = self.lines.get_coverage()
        for of_worker in self.workers:
            merge_coverage(self.total, of_worker)

    @property
    def percent(self) -> float:
        return float(self.total["summary"]["percent_covered"])

    @property
    def suffices(self) -> bool:
        return self.percent >= float(SETTINGS["fail-under"])


_coverage = _Coverage()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the lines of a worker that ended; one that crashed has none, and fails the run."""
    if hasattr(node, "workeroutput"):
        _coverage.workers.append(json.loads(node.workeroutput["coverage"]))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's lines over; in the process that leads, fail the run if too few were reached."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["coverage"] = json.dumps(_coverage.lines.get_coverage())
        return
    _coverage.sum_up()
    if session.exitstatus == pytest.ExitCode.OK and not _coverage.suffices:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the files with lines that were not reached, and the total."""
    report = io.StringIO()
    print_coverage(_coverage.total, outfile=report, skip_covered=True, missing_width=60)
    terminalreporter.section("lines that no test reached")
    terminalreporter.write_line(report.getvalue().strip())
    verdict = "" if _coverage.suffices else f", which is less than {SETTINGS['fail-under']}"
    terminalreporter.write_line(f"Coverage of the server and the SDK: {_coverage.percent:.1f} %{verdict}")
