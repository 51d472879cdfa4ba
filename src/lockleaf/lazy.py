"""Modules that are loaded when something of them is first used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["late", "lazily"]


def late(module: str) -> Any:
    """Return what stands for a module, and loads it when it is first asked for one of its names.

    The type checker is shown the import itself, under ``if TYPE_CHECKING``.
    """
    return _Late(module)


class _Late:
    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # whoever looks around does not load anything
            raise AttributeError(f"{self._module!r} is asked for public names alone, not for {name!r}")
        found = getattr(import_module(self._module), name)
        setattr(self, name, found)
        return found


def lazily(face: dict[str, Any], places: Mapping[str, str], *, whole: Iterable[str] = ()) -> Callable[[str], Any]:
    """Return the ``__getattr__`` (PEP 562) of a module that hands on names of others, each loaded at its first use.

    The face imports the same names for the type checker alone, under ``if TYPE_CHECKING``.

    Args:
        face: the module's ``globals()``; a name that was found is kept there.
        places: modules, each with the names that it gives, between spaces; ``Here=There`` hands ``There`` on as
            ``Here``, and ``Here=.`` the module itself.
        whole: modules of which everything in ``__all__`` is handed on.
    """
    found_in = {}
    for module, names in places.items():
        for name in names.split():
            here, _, there = name.partition("=")
            found_in[here] = (module, there or here)

    def find(name: str) -> Any:
        if name in found_in:
            module, there = found_in[name]
            whole_module = import_module(module)
            face[name] = found = whole_module if there == "." else getattr(whole_module, there)
            return found
        # Not for names such as __file__ and __path__: whoever looks around does not load anything.
        for module in whole if not name.startswith("_") else ():
            if name in import_module(module).__all__:
                face[name] = found = getattr(import_module(module), name)
                return found
        raise AttributeError(f"module {face['__name__']!r} has no attribute {name!r}")

    return find
