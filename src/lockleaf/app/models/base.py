"""What every body has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Answer", "Body", "Problem"]


class Body(BaseModel):
    """What the page sends. Its errors never quote what was sent."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)


class Answer(BaseModel):
    """What the page is answered: with every field, whether it has a default or not."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, json_schema_serialization_defaults_required=True)


class Problem(Answer):
    """What went wrong, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    hint: str | None = None
