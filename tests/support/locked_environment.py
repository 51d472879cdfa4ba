"""An environment with what the lock names and nothing else, made of what is installed where the tests run.

`make setup` has fetched all of it by its hashes. To unpack it another time takes longer than what is tried with it.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import venv
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path

from packaging.requirements import Requirement

__all__ = ["locked_environment"]


def locked_environment(folder: Path, lock: Path) -> Path:
    """Make an environment of what a lock names for this machine; return its Python.

    Args:
        folder: where.
        lock: requirements with ``==``.

    Raises:
        PackageNotFoundError: something that the lock names is not installed here.
        ValueError: another version of it is.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    packages = Path(sysconfig.get_path("purelib"))
    for requirement in _named(lock):
        distribution = metadata.distribution(requirement.name)
        if distribution.version not in requirement.specifier:
            raise ValueError(f"{requirement} is locked, and {distribution.version} is installed")
        for each in distribution.files or ():
            file = Path(distribution.locate_file(each))
            # Not its programs, which would run in the environment of the tests.
            if ".." not in each.parts and file.is_relative_to(packages):
                _share(file, folder)
    return folder / "bin" / "python"


def _named(lock: Path) -> list[Requirement]:
    lines = [line.removesuffix("\\") for line in lock.read_text().splitlines() if "==" in line]
    named = [Requirement(line) for line in lines]
    return [each for each in named if each.marker is None or each.marker.evaluate()]


def _share(file: Path, folder: Path) -> None:
    """Put a file, and what was compiled of it, at the same place in the other environment."""
    for each in (file, Path(cache_from_source(str(file)))) if file.suffix == ".py" else (file,):
        place = folder / each.relative_to(sys.prefix)
        if each.exists() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(each, place)
            except OSError:  # on another file system
                shutil.copy2(each, place)
