"""What an operator asks a server."""

from __future__ import annotations

from lockleaf.server.features.operation.models import Installation
from lockleaf.server.features.operation.routes import router
from lockleaf.server.platform.feature import Feature, examples_of
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.parts import Parts
from lockleaf.server.records.writer import Observer, Written

__all__ = ["feature"]


def _counter(parts: Parts) -> Observer:
    """Return what counts what became of changes, behind those who follow them and may refuse them."""
    metrics = parts[Metrics]

    async def count(written: Written) -> None:
        for outcome in written.outcomes:
            metrics.count_change(outcome.status)

    return count


feature = Feature(router=router, tables=(Installation,), observers=(_counter,), examples=examples_of(__package__))
