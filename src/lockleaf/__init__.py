"""Lockleaf: a private journal, and the backend on which others build private journals."""

from __future__ import annotations

from importlib import import_module

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """Return ``__version__``, looked up when it is asked for: the library for it takes long to load."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return str(import_module("importlib.metadata").version("lockleaf"))
