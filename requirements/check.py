"""Check that both locks are whole: what they name can be installed as it stands, with nothing looked up.

For each Python that is supported, on Linux and on macOS, everything that the project asks for, and everything that a
locked distribution asks for in turn (extras that are asked for included), has to be in the lock, in a version that fits
and with hashes. What a distribution asks for is read from where it is installed, so this runs in the project's own
environment; of one that is locked in several versions, the installed one speaks for all, and of one that is not for
this machine nothing is known.

    .venv/bin/python requirements/check.py
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = (
    ("linux", "Linux", "x86_64"),
    ("linux", "Linux", "aarch64"),
    ("darwin", "macOS", "x86_64"),
    ("darwin", "macOS", "arm64"),
)

_PIN = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!+]+)( ; [^\\]+?)?( \\)?")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


@dataclass(frozen=True)
class Distribution:
    """What an installed distribution says of itself."""

    requires: tuple[Requirement, ...]
    python: SpecifierSet


Known = Callable[[str], Distribution | None]


@cache
def installed(name: str) -> Distribution | None:
    """Return what a distribution says of itself; None if it is not installed."""
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    requires = tuple(Requirement(text) for text in found.requires or ())
    return Distribution(requires, SpecifierSet(found.metadata.get("Requires-Python") or ""))


def environments() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each supported Python on each machine: its name, and what markers know of it."""
    for python in PYTHONS:
        for platform, system, machine in MACHINES:
            yield (
                f"Python {python} on {system} ({machine})",
                {
                    "implementation_name": "cpython",
                    "implementation_version": f"{python}.0",
                    "os_name": "posix",
                    "platform_machine": machine,
                    "platform_python_implementation": "CPython",
                    "platform_release": "",
                    "platform_system": "Darwin" if platform == "darwin" else system,
                    "platform_version": "",
                    "python_full_version": f"{python}.0",
                    "python_version": python,
                    "sys_platform": platform,
                },
            )


def read(text: str) -> tuple[list[Requirement], list[str]]:
    """Return what a lock pins, and what of it is no pin with hashes: options, addresses, ranges."""
    pins: list[Requirement] = []
    problems: list[str] = []
    hashed = True
    for line in text.splitlines():
        if _HASH.fullmatch(line):
            hashed = True
        elif _PIN.fullmatch(line):
            if not hashed:
                problems.append(f"{pins[-1].name} has no hash")
            try:
                pins.append(Requirement(line.removesuffix(" \\")))
                hashed = False
            except InvalidRequirement:
                problems.append(f"this line cannot be read: {line}")
        else:
            problems.append(f"this line is no pin of a version and no hash: {line}")
    if not hashed:
        problems.append(f"{pins[-1].name} has no hash")
    return pins, problems


def _applies(requirement: Requirement, environment: dict[str, str], extras: Iterable[str] = ()) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras))


def _pinned(pins: Iterable[Requirement], environment: dict[str, str]) -> dict[str, str]:
    """Return the version of each name that is locked for an environment."""
    found: dict[str, str] = {}
    for pin in pins:
        if _applies(pin, environment):
            [specifier] = pin.specifier
            found.setdefault(canonicalize_name(pin.name), specifier.version)
    return found


def missing(pins: list[Requirement], wanted: Iterable[Requirement], known: Known = installed) -> list[str]:
    """Return what is asked for somewhere and is not locked, or not in a version that fits.

    Args:
        pins: what the lock pins.
        wanted: what the project asks for.
        known: gives what a distribution says of itself.
    """
    problems: dict[str, None] = {}
    for where, environment in environments():
        pinned = _pinned(pins, environment)
        asked = [("the project", requirement) for requirement in wanted if _applies(requirement, environment)]
        asked += [("the lock", Requirement(name)) for name in pinned]
        seen: set[tuple[str, frozenset[str]]] = set()
        while asked:
            asker, requirement = asked.pop()
            name = canonicalize_name(requirement.name)
            version = pinned.get(name)
            if version is None:
                problems[f"{where}: {asker} asks for {requirement}, which is not in the lock"] = None
                continue
            if not requirement.specifier.contains(version, prereleases=True):
                problems[f"{where}: {asker} asks for {requirement}, and {version} is in the lock"] = None
            extras = frozenset(requirement.extras)
            if (name, extras) in seen:
                continue
            seen.add((name, extras))
            distribution = known(name)
            if distribution is None:
                continue
            if not distribution.python.contains(environment["python_full_version"]):
                problems[f"{where}: {name} {version} is not for this Python ({distribution.python})"] = None
            asked += [(name, each) for each in distribution.requires if _applies(each, environment, extras)]
    return list(problems)


def differing(run: list[Requirement], dev: list[Requirement]) -> list[str]:
    """Return what the two locks, installed one over the other, pin differently."""
    problems: dict[str, None] = {}
    for where, environment in environments():
        versions = _pinned(dev, environment)
        for name, version in _pinned(run, environment).items():
            if versions.get(name) != version:
                problems[f"{where}: {name} is {version} in run.txt and {versions.get(name)} in dev.txt"] = None
    return list(problems)


def project(pyproject: dict[str, Any], group: str) -> list[Requirement]:
    """Return what the project asks for to be built and run, with all of its extras, and what a group of it does."""
    texts = [*pyproject["project"]["dependencies"], *pyproject["build-system"]["requires"]]
    ours = f"{pyproject['project']['name']}["
    for extra in pyproject["project"].get("optional-dependencies", {}).values():
        texts += [text for text in extra if not text.startswith(ours)]
    groups = [group]
    while groups:
        for each in pyproject["dependency-groups"][groups.pop()]:
            if isinstance(each, dict):
                groups.append(each["include-group"])
            else:
                texts.append(each)
    return [Requirement(text) for text in texts]


def check(root: Path = ROOT) -> list[str]:
    """Return everything that is wrong with the locks of the project in ``root``."""
    pyproject = tomllib.loads((root / "pyproject.toml").read_text())
    problems: list[str] = []
    locks: dict[str, list[Requirement]] = {}
    for file, group in (("run.txt", "build"), ("dev.txt", "dev")):
        locks[file], wrong = read((root / "requirements" / file).read_text())
        wrong += missing(locks[file], project(pyproject, group))
        problems += [f"requirements/{file}: {each}" for each in wrong]
    return problems + differing(locks["run.txt"], locks["dev.txt"])


if __name__ == "__main__":
    found = check()
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    if found:
        sys.stderr.write("The locks are not whole: `make lock` makes them anew from pyproject.toml.\n")
    sys.exit(bool(found))
