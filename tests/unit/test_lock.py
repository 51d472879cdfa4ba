"""The locks are whole, and the check that says so sees where they are not."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from requirements.check import ROOT, Distribution, check, differing, missing, project, read

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUN = (ROOT / "requirements" / "run.txt").read_text()
HASH = f"    --hash=sha256:{'0' * 64}\n"


def known(**said: tuple[str, ...]) -> Callable[[str], Distribution | None]:
    """Distributions that ask for these."""
    return lambda name: (
        Distribution(tuple(map(Requirement, said[name])), SpecifierSet(">=3.11")) if name in said else None
    )


def pinned(*pins: str) -> list[Requirement]:
    return read("".join(f"{pin} \\\n{HASH}" for pin in pins))[0]


def test_the_locks_of_the_project_are_whole() -> None:
    assert check() == []


@pytest.mark.parametrize("gone", ["greenlet", "starlette", "hatchling", "uvloop", "jeepney", "fastapi"])
def test_a_name_taken_out_of_the_lock_is_missed(gone: str) -> None:
    pins, problems = read(RUN)
    assert problems == []
    left = [pin for pin in pins if pin.name != gone]
    assert len(left) < len(pins)
    found = missing(left, project(PYPROJECT, "build"))
    assert found
    assert all(f"asks for {gone}" in each for each in found)


def test_what_an_extra_needs_is_needed() -> None:
    pins = pinned("tool==2.0", "part==1.0")
    said = known(tool=("part>=1", 'more[deep]; extra == "full"'), more=('deeper; extra == "deep"',))
    assert missing(pins, [Requirement("tool")], said) == []
    found = missing(pins, [Requirement("tool[full]")], said)
    assert len(found) == 16
    assert all(each.endswith('tool asks for more[deep]; extra == "full", which is not in the lock') for each in found)
    found = missing([*pins, *pinned("more==1")], [Requirement("tool[full]")], said)
    assert {each.partition(": ")[2] for each in found} == {
        'more asks for deeper; extra == "deep", which is not in the lock'
    }


def test_a_lock_for_one_python_is_not_one_for_the_next() -> None:
    pins = pinned("tool==2.0 ; python_full_version < '3.13'", "tool==3.0 ; python_full_version == '3.13.*'")
    found = missing(pins, [Requirement("tool")], known())
    assert {each.partition(" on ")[0] for each in found} == {"Python 3.14"}
    pins = pinned("tool==2.0 ; sys_platform == 'linux'")
    assert {each.partition(": ")[0] for each in missing(pins, [Requirement("tool")], known())} == {
        f"Python 3.{minor} on macOS ({machine})" for minor in (11, 12, 13, 14) for machine in ("x86_64", "arm64")
    }


def test_a_version_that_does_not_fit_is_none() -> None:
    pins = pinned("tool==2.0", "part==1.0")
    [told] = {each.partition(": ")[2] for each in missing(pins, [], known(tool=("part>=1.1",)))}
    assert told == "tool asks for part>=1.1, and 1.0 is in the lock"
    pins = pinned("old==1.0")
    found = missing(pins, [], lambda name: Distribution((), SpecifierSet("<3.14")))
    assert {each.partition(" on ")[0] for each in found} == {"Python 3.14"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("--index-url https://packages.example/simple\n", "no pin of a version"),
        ("tool @ https://packages.example/tool.whl \\\n" + HASH, "no pin of a version"),
        ("tool>=1 \\\n" + HASH, "no pin of a version"),
        ("tool[extra]==1 \\\n" + HASH, "no pin of a version"),
        ("# from packages.example\n", "no pin of a version"),
        ("tool==1\n", "tool has no hash"),
        ("tool==1 \\\n    --hash=md5:00\n", "no pin of a version"),
        ("tool==1 ; nonsense \\\n" + HASH, "cannot be read"),
    ],
)
def test_a_lock_holds_names_versions_and_hashes_and_nothing_else(line: str, problem: str) -> None:
    _, problems = read(RUN + line)
    assert any(problem in each for each in problems)


def test_two_locks_that_are_installed_one_over_the_other_agree() -> None:
    run = pinned("tool==2.0", "part==1.0")
    assert differing(run, pinned("tool==2.0", "part==1.0", "check==7")) == []
    assert {each.partition(": ")[2] for each in differing(run, pinned("tool==2.1", "part==1.0"))} == {
        "tool is 2.0 in run.txt and 2.1 in dev.txt"
    }
