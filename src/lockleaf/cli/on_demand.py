"""Commands whose modules are loaded when one of them is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.main import get_group

__all__ = ["OnDemand"]


class OnDemand(Mapping[str, Any]):
    """Commands by name, in the order of the help. Their names are known; a command is loaded with those of its module.

    Args:
        places: modules, each with the names of its commands, between spaces. ``install`` of a module adds them to an
            application.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        self._module_of = {name: module for module, names in places.items() for name in names.split()}
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            app = typer.Typer()
            import_module(self._module_of[name]).install(app)
            self._loaded |= get_group(app).commands
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._module_of)

    def __len__(self) -> int:
        return len(self._module_of)
