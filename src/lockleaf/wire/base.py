"""The base of every body that travels."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Body"]


class Body(BaseModel):
    """A request or response body.

    Unknown fields are ignored, so that newer and older programs can talk; values are never echoed in errors, since
    an input may be a secret.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
        validate_by_name=True,
        validate_by_alias=True,
        ser_json_temporal="iso8601",
    )
