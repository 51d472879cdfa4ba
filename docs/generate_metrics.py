"""Fills ``docs/reference/metrics.md`` from the metrics as the server exports them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prometheus_client import Metric

from docs.marks import fill, table
from lockleaf.server.features.operation.inventory import Inventory, _Disk, _Held
from lockleaf.server.platform.observability.metrics import Metrics, _AskedCollector
from lockleaf.server.platform.observability.queue import QueueNumbers

__all__ = ["PAGE", "names", "page"]

PAGE = Path(__file__).parent / "reference" / "metrics.md"


def page() -> str:
    """Return the page, with its tables as the code has them."""
    counted = [(_name(each), each.type, _labels(each), each.documentation) for each in _counted()]
    asked = [
        (f"`{each.name}{'_total' if each.type == 'counter' else ''}`", each.type, _labels_of(each), each.documentation)
        for each in _asked()
    ]
    head = ("name", "kind", "labels", "says")
    return fill(PAGE.read_text(encoding="utf-8"), {"counted": table(head, counted), "asked": table(head, asked)})


def names() -> set[str]:
    """Return the name of every family, as a scrape has it without `_bucket`, `_sum`, `_count` and `_created`."""
    told = [*((each.name, each.type) for each in _counted()), *((each.name, each.type) for each in _asked())]
    return {f"{name}_total" if kind == "counter" else name for name, kind in told}


def _counted() -> Iterator[Metric]:
    yield from Metrics().registry.collect()


def _asked() -> Iterator[Metric]:
    numbers = QueueNumbers({("", ""): 1}, {"": 1.0}, {("", ""): 1})
    inventory = Inventory(_Held({("", ""): 1}, 1, 1, 1, 1.0), [_Disk("", 1, 1)], {"": 1})
    yield from _AskedCollector(True, numbers, list(inventory._families())).collect()


def _name(metric: Metric) -> str:
    return f"`{metric.name}{'_total' if metric.type == 'counter' else ''}`"


def _labels(metric: Metric) -> str:
    told = next(each for each in vars(Metrics()).values() if getattr(each, "_name", "") == metric.name)
    return ", ".join(f"`{label}`" for label in told._labelnames)


def _labels_of(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.samples[0].labels)
