"""What a route takes from the path, the query and the head of a request, by fields that FastAPI worked out.

FastAPI asks at every request what each field is: under which names it may stand, whether it is a list or a model, and
for a copy of its default. Of plain values under one name that is worked out here once. All other fields are left to it,
and so is what has to be said of one that is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin
from uuid import UUID

from fastapi import Request
from fastapi.dependencies.utils import get_validation_alias, request_params_to_args

__all__ = ["Fields", "query_of"]

_PLAIN = frozenset({str, int, float, bool, UUID, date, datetime, NoneType})
_LEFT: Any = object()


class _Field(NamedTuple):
    """One field.

    Attributes:
        alias: its one name in a request; None where FastAPI reads it.
        absent: what it is where nothing is said of it; ``_LEFT`` where FastAPI says so.
        place: where errors say that it stands.
    """

    field: Any
    name: str
    alias: str | None
    absent: Any
    place: tuple[str, ...]


class Fields:
    """The fields of one part of a request.

    Args:
        fields: as FastAPI worked them out.
    """

    def __init__(self, fields: Sequence[Any]) -> None:
        self._fields = tuple(map(_worked_out, fields))
        self._defaults = {each.name: each.absent for each in self._fields}
        self._may_be_absent = _LEFT not in self._defaults.values()
        self.are_plain = all(each.alias is not None for each in self._fields)
        """Whether each is one text in a request."""

    def read(self, said: Mapping[str, Any], into: dict[str, Any]) -> list[Any]:
        """Put what is said into ``into``, by the names of parameters; return what is wrong with the rest.

        Args:
            said: the part of the request, by the names of fields; a part without a word may be an empty map.
        """
        if not said and self._may_be_absent:
            into.update(self._defaults)
            return []
        errors: list[Any] = []
        for field, name, alias, absent, place in self._fields:
            value = None if alias is None else said.get(alias)
            if value is not None:
                read, wrong = field.validate(value, loc=place)
                if wrong:
                    errors += wrong
                else:
                    into[name] = read
            elif absent is not _LEFT:
                into[name] = absent
            else:
                values, wrong = request_params_to_args([field], said)
                into.update(values)
                errors += wrong
        return errors


def query_of(request: Request) -> Mapping[str, str]:
    """Return what the query of a request says, of each name the last value.

    Starlette's map has all values, and makes several passes, which most queries, in which nothing is escaped, need not.
    """
    found: Mapping[str, str] | None = request.scope.get("query")
    if found is None:
        text = request.scope["query_string"]
        if b"%" in text or b"+" in text:
            found = request.query_params
        else:
            pairs = [each.partition("=") for each in text.decode("latin-1").split("&") if each]
            found = {name: value for name, _, value in pairs}
        request.scope["query"] = found
    return found


def _worked_out(field: Any) -> _Field:
    info = field.field_info
    one_name = info.validation_alias is None or isinstance(info.validation_alias, str)
    if not one_name or field.config or not _is_plain(info.annotation):
        return _Field(field, field.name, None, _LEFT, ())
    alias = get_validation_alias(field)
    default = _LEFT if info.is_required() or info.validate_default else field.default
    absent = default if type(default) in _PLAIN else _LEFT  # what can be changed is copied for each request
    return _Field(field, field.name, alias, absent, (info.in_.value, alias))


def _is_plain(annotation: Any) -> bool:
    """Tell whether a field is one text in a request, and neither a list nor a model."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_plain(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        return all(map(_is_plain, get_args(annotation)))
    return origin is Literal or annotation in _PLAIN
