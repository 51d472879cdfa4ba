"""The base of every body that travels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError, model_validator
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

__all__ = ["OF_THE_SERVER", "Body", "Listed", "RefusesSome", "SeveralNames", "invalid_field"]

T = TypeVar("T")

OF_THE_SERVER: Mapping[str, str] = dict.fromkeys(
    ("id", "user_id", "log_id", "parent", "seq", "created_at", "updated_at", "deleted_at"),
    "an answer says it: a client sends back what it was given, with its changes",
)
"""What answers say beside a resource's own fields."""


def invalid_field(name: str, why: str) -> ValidationError:
    """Return the error of one field that a check of a whole body finds invalid, to be raised; its value is not told."""
    found = PydanticCustomError("value_error", "{why}", {"why": why})  # type: ignore[type-abstract, unused-ignore]
    details = InitErrorDetails(type=found, loc=(name,), input=None)
    return ValidationError.from_exception_data("body", [details], hide_input=True)


_OF_MANY = frozenset({"list", "tuple", "set", "frozenset", "dict"})
_NO_SCHEMAS = frozenset({"metadata", "default", "serialization"})


def _fail_fast(schema: Any) -> None:
    if isinstance(schema, dict):
        if isinstance(kind := schema.get("type"), str) and kind in _OF_MANY:
            schema["fail_fast"] = True
        for name, inner in schema.items():
            if name not in _NO_SCHEMAS:
                _fail_fast(inner)
    elif isinstance(schema, list | tuple):
        for inner in schema:
            _fail_fast(inner)


class Body(BaseModel):
    """A request or response body.

    Whoever reads an answer ignores unknown fields, so that newer and older programs can talk; the server refuses those
    of a request, which may ask for something. Values are never echoed in errors, since an input may be a secret. Of a
    list that is wrong the first wrong item is told: an error for each of a million items
    would take seconds, and thousands of times the memory of the body.
    """

    asks_for_nothing: ClassVar[Mapping[str, str]] = {}
    """Fields of a request that are known to ask for nothing, by their names, and why somebody sends them."""

    null_takes_away: ClassVar[bool] = False
    """Whether a field that is sent as null takes something away, where an absent one leaves it."""

    model_config = ConfigDict(
        extra="ignore",
        # A command of one body would wait for what pydantic makes of all.
        defer_build=True,
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
        validate_by_name=True,
        validate_by_alias=True,
        ser_json_temporal="iso8601",
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let every list within the body end at its first wrong item."""
        schema = handler(source)
        _fail_fast(schema)
        return schema


def _is_none(value: object) -> bool:
    return value is None


class Listed(Body, Generic[T]):
    """A page of a list."""

    items: tuple[T, ...]
    next_cursor: str | None = None
    page: int | None = Field(default=None, exclude_if=_is_none, description="Where a page was asked for by its number.")
    page_size: int | None = Field(default=None, exclude_if=_is_none)
    total: int | None = Field(
        default=None, exclude_if=_is_none, description="With `page`: how many items fit, on all pages."
    )


class RefusesSome(Body):
    """A body that refuses fields which ask for what is done elsewhere, or not at all.

    Any unknown field of a request is refused; these are told what to do instead.
    """

    refused: ClassVar[Mapping[str, str]] = {}
    """What is refused, by its name, and what to do instead."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_some(cls, data: Any) -> Any:
        for name, instead in cls.refused.items():
            if isinstance(data, dict) and data.get(name) is not None:
                raise invalid_field(name, f"this is not done here: {instead}")
        return data


class SeveralNames(Body):
    """A body with fields that go by several names: they may not say different things, of which one would be ignored."""

    @classmethod
    def further_names(cls) -> frozenset[str]:
        """Return all names of the fields that go by several."""
        aliases = (field.validation_alias for field in cls.model_fields.values())
        return frozenset(str(name) for alias in aliases if isinstance(alias, AliasChoices) for name in alias.choices)

    @model_validator(mode="before")
    @classmethod
    def _say_one_thing(cls, data: Any) -> Any:
        for field in cls.model_fields.values() if isinstance(data, dict) else ():
            if not isinstance(field.validation_alias, AliasChoices):
                continue
            given = [name for name in field.validation_alias.choices if data.get(name) is not None]
            for name in given[1:]:
                if data[name] != data[given[0]]:
                    raise invalid_field(str(name), f"this differs from `{given[0]}`: send one of them")
        return data
