"""Where the values of a metric lie: the standard ones together, each of one's own alone.

So two devices with different metrics of their own need not agree on anything. The server's name of a layout also names
the census, so that nothing is ever added up that was encrypted under two keys.
"""

from __future__ import annotations

from lockleaf.client.metrics.census import PARAMETERS
from lockleaf.he.layout import Layout
from lockleaf.he.metric_types import STANDARD, metric_type

__all__ = ["STANDARD_LAYOUT", "layout_of", "names_of", "wire_name"]

STANDARD_LAYOUT = tuple(each.name for each in STANDARD)


def names_of(metric: str) -> tuple[str, ...]:
    """Return the metrics in whose layout a metric lies."""
    return STANDARD_LAYOUT if metric in STANDARD_LAYOUT else (metric,)


def layout_of(names: tuple[str, ...]) -> Layout:
    """Return the layout of these metrics."""
    return Layout(PARAMETERS, tuple(metric_type(name) for name in names))


def wire_name(names: tuple[str, ...], census_id: str) -> str:
    """Return how the server calls a layout."""
    form, _, metrics = layout_of(names).identifier.partition(":")
    return f"{form}-{census_id}:{metrics}"
