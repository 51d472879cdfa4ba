"""What is in ``deploy/``, as the tests of it read it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from lockleaf.server.platform.settings import Settings

__all__ = ["DEPLOY", "ROOT", "compose", "generated_secrets", "known_settings", "settings_from"]

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"

_VARIABLE = re.compile(r"\$\$|\$\{([A-Z_]+)(?::([-?])([^}]*))?\}")


def compose(name: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Read a compose file, with variables put in as compose does it.

    Raises:
        LookupError: a variable that has to be set is not.
    """

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        given = environment.get(found[1], "")
        if not given and found[2] == "?":
            raise LookupError(f"{found[1]}: {found[3]}")
        return given or (found[3] if found[2] == "-" else "")

    def filled(node: Any) -> Any:
        if isinstance(node, str):
            return _VARIABLE.sub(value, node)
        if isinstance(node, list):
            return [filled(each) for each in node]
        return {key: filled(each) for key, each in node.items()} if isinstance(node, dict) else node

    read: dict[str, Any] = filled(yaml.safe_load((DEPLOY / name).read_text()))
    return read


def generated_secrets(folder: Path) -> dict[str, str]:
    """Run the script that makes a file of secrets, and read that."""
    file = folder / ".env"
    subprocess.run(["sh", DEPLOY / "generate-secrets.sh", file], check=True, capture_output=True)
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def known_settings() -> set[str]:
    """Return the names of all variables that the server reads."""
    groups = {name: field.annotation for name, field in Settings.model_fields.items()}
    names = {
        f"LOCKLEAF_{group.upper()}__{name.upper()}"
        for group, model in groups.items()
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name in model.model_fields
    }
    return names | {
        *("LOCKLEAF_ALLOW_CORE_DUMPS", "LOCKLEAF_DATA_DIR", "LOCKLEAF_ENVIRONMENT", "LOCKLEAF_LOG_FORMAT"),
        *("DATABASE_URL", "SECRET_KEY", "ALGORITHM", "ACCESS_TOKEN_EXPIRE_MINUTES"),
    }


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Return the settings of a server that is given this environment and nothing else.

    Raises:
        ValidationError: the server would refuse them.
    """
    with pytest.MonkeyPatch.context() as patched:
        for name in known_settings() & os.environ.keys():
            patched.delenv(name)
        for name, value in environment.items():
            patched.setenv(name, value)
        return Settings(_env_file=None)
