"""What is typed as what a command takes, without Pydantic where that is plain to see.

Typer has Pydantic make a validator for each parameter of a command, and loads it for that. Most of what is typed is a
text, a path, a number, or one of several words, and most parameters are not given at all. What is refused is refused in
our words: they say what to type.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args, get_origin

from typer import BadParameter
from typer._coercion import build_runtime_param
from typer._param_types import coerce_cli_path
from typer._typing import is_literal_type, literal_values

__all__ = ["coerce_plainly"]

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}", re.ASCII)


class _NotPlain(Exception):
    """Typer is to say what it is."""


class _Coercion:
    """Coerces the values of one parameter, as Typer does it; see `typer._coercion.RuntimeParam`."""

    def __init__(self, descriptor: Any) -> None:
        self._descriptor = descriptor

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return what a command takes for what was typed, or for a default.

        Raises:
            BadParameter: it is nothing that the parameter takes.
        """
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        try:
            if several and isinstance(value, str):
                raise _NotPlain
            return self._plain(self._descriptor.annotation, value, param, ctx)
        except _NotPlain:
            pass
        try:
            return build_runtime_param(self._descriptor).coerce(value, param=param, ctx=ctx)
        except BadParameter as error:
            raise BadParameter(self._advice() or error.message, ctx=ctx, param=param) from None

    def _advice(self) -> str | None:
        """Return what to type, None where Typer has to say it."""
        if choices := self._descriptor.choices:
            *words, last = (str(getattr(each, "value", each)) for each in choices)
            return f"use {', '.join(words)} or {last}" if words else f"use {last}"
        annotation, info = self._descriptor.annotation, self._descriptor.parameter_info
        if get_origin(annotation) is list:
            annotation = get_args(annotation)[0]
        if annotation not in (int, float):
            return None
        number = "use a whole number" if annotation is int else "use a number"
        if info.min is not None and info.max is not None:
            return f"{number} from {info.min} to {info.max}"
        return number if info.min is None else f"{number}, at least {info.min}"

    def _plain(self, annotation: Any, value: Any, param: Any, ctx: Any) -> Any:
        info = self._descriptor.parameter_info
        if self._descriptor.file_annotation is not None or info.parser is not None:
            raise _NotPlain
        if get_origin(annotation) is list and isinstance(value, (list, tuple)):
            return [self._plain(get_args(annotation)[0], each, param, ctx) for each in value]
        if annotation in (str, bool) and type(value) is annotation:
            return value
        if is_literal_type(annotation) and value in literal_values(annotation):
            return value
        if annotation is int and not info.clamp:
            return _within(_number(value), info)
        if annotation is Path and info.path_type is None and isinstance(value, (str, Path)):
            return coerce_cli_path(Path(value), info, path_type=Path, param=param, ctx=ctx)
        raise _NotPlain


def _number(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise _NotPlain


def _within(number: int, info: Any) -> int:
    if (info.min is not None and number < info.min) or (info.max is not None and number > info.max):
        raise _NotPlain
    return number


def coerce_plainly(parameters: list[Any]) -> list[Any]:
    """Have Typer's parameters coerce what is plain without Pydantic, and all else as ever; return them."""
    for each in parameters:
        if getattr(each, "_runtime_param", each) is None:
            each._runtime_param = _Coercion(each.type_descriptor)
    return parameters
