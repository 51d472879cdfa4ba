"""The installed command ``lockleaf`` as a process, with a profile of its own for each device."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lockleaf.client import Client
from tests.support import warm_program
from tests.support.started import Started

__all__ = ["PASSWORD", "CommandLine", "Outcome", "fresh_email"]

PASSWORD = "six herons over a cold dyke"
SECONDS = 60
INSTALLED = Path(sys.executable).with_name("lockleaf")


def fresh_email() -> str:
    """Return an address that no other test has."""
    return f"reader-{secrets.token_hex(6)}@example.org"


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    def value(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)

    def values(self) -> list[Any]:
        """The JSON values on standard output, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def error(self) -> dict[str, Any]:
        """The error as JSON, the last line of standard error."""
        error: dict[str, Any] = json.loads(self.err.splitlines()[-1])["error"]
        return error


@dataclass
class CommandLine:
    """One device: a home and a profile."""

    home: Path
    profile: str = "default"
    environment: dict[str, str] = field(default_factory=dict)
    program: Path = INSTALLED
    folder: Path | None = None
    """Where commands are started; where the tests are, by default."""

    async def client(self) -> Client:
        """Open the same profile with the SDK, for the parts of a story that are not about the command line."""
        return await Client.open(self.home, self.profile, password=PASSWORD)

    def variables(self) -> dict[str, str]:
        """Return the environment of this device's commands."""
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("LOCKLEAF_", "DATABASE_URL"))
        }
        own = {
            "LOCKLEAF_HOME": str(self.home),
            "LOCKLEAF_PROFILE": self.profile,
            "LOCKLEAF_PASSWORD": PASSWORD,
            "TZ": "UTC",
        }
        return clean | warm_program.LOADED_WITH | own | self.environment

    def start(
        self, *arguments: str, environment: Mapping[str, str] | None = None, loads: bool = False
    ) -> subprocess.Popen[bytes] | Started:
        """Start a command with pipes at its three ends.

        Args:
            environment: set on top.
            loads: it loads what it needs itself, as a user's does. A server of several workers has to: the library of
                metrics looks up a folder while it loads.
        """
        variables = self.variables() | dict(environment or {})
        if self.program == INSTALLED and not loads and warm_program.fits(variables, b""):
            return warm_program.start_command(self.program, arguments, variables, self.folder)
        return subprocess.Popen(
            [str(self.program), *arguments],
            env=variables,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(
        self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None, code: int | None = 0
    ) -> Outcome:
        """Run a command to its end.

        Args:
            stdin: what it reads.
            environment: set on top.
            code: the exit code that it must have; None takes any.
        """
        variables = self.variables() | dict(environment or {})
        if self.program == INSTALLED and warm_program.fits(variables, stdin):
            ended, out, err = warm_program.run(self.program, arguments, variables, self.folder, stdin)
        else:
            with self.start(*arguments, environment=environment) as process:
                out, err = process.communicate(stdin, timeout=SECONDS)
            ended = process.returncode
        outcome = Outcome(ended, out.decode(), err.decode())
        assert code is None or outcome.code == code, outcome
        return outcome
