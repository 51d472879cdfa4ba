"""What groups of settings are made of."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_settings import NoDecode

__all__ = ["HTTP_URL", "ORIGIN", "Group", "Several"]

ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
HTTP_URL = r"^https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~/-]*)?$"


class Group(BaseModel):
    """A group of settings."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, extra="forbid")


def _split(value: object) -> object:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


Several = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Texts that the environment separates by commas."""
