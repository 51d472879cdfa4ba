"""What a part of the server brings along, in one object: ``main/features.py`` lists them, and is the only list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, cast

from lockleaf.server.platform.archive import Facts, Section
from lockleaf.server.platform.holdings import Holding
from lockleaf.server.platform.http.examples import Examples
from lockleaf.server.platform.http.routing import Router
from lockleaf.server.platform.jobs.attempt import Handler
from lockleaf.server.platform.jobs.worker import Schedule
from lockleaf.server.platform.parts import Parts

__all__ = ["Archive", "Feature", "examples_of"]


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive of an account tells of a feature: in its manifest (facts), and in files (sections)."""

    facts: tuple[Facts, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What a part of the server is.

    Attributes:
        router: its endpoints.
        jobs: what does each kind of its background jobs; given everything that an archive tells.
        schedules: what is due by the clock.
        tables: the models of its tables.
        archive: what an archive of an account tells of it.
        deletion: what it holds of an account, and how that is deleted; made with the parts of a process where it needs
            them.
        observers: who follows, in the same transaction, what is written to records; made with the parts of a process.
        additions: who adds to what the server writes to records.
        examples: gives the examples of its endpoints for the OpenAPI document, which are loaded when it is asked for.
    """

    router: Router | None = None
    jobs: Callable[[Archive], Mapping[str, Handler]] = field(default=lambda archive: {})
    schedules: tuple[Schedule, ...] = ()
    tables: tuple[type[Any], ...] = ()
    archive: Archive = Archive()
    deletion: tuple[Holding | Callable[[Parts], Holding], ...] = ()
    examples: Callable[[], Mapping[str, Examples]] = field(default=dict)
    observers: tuple[Callable[[Parts], Callable[[Any], Awaitable[None]]], ...] = ()
    additions: tuple[Callable[[Any, Any, Any], Awaitable[Any]], ...] = ()


def examples_of(package: str) -> Callable[[], Mapping[str, Examples]]:
    """Return what loads the examples of a feature's folder: only the OpenAPI document needs them."""
    return lambda: cast("Mapping[str, Examples]", import_module(f"{package}.examples").EXAMPLES)
