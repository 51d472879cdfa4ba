"""How long requests took, by route."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from benchmarks.people import Times

__all__ = ["print_failures", "print_latencies", "quantile"]

_SHARES = (0.5, 0.95, 0.99)


def quantile(times: list[float], share: float) -> float:
    """Return how many milliseconds a share of requests took at most."""
    ordered = sorted(times)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def print_latencies(title: str, times: Times) -> float:
    """Print a line for each route, and return the p95 of the slowest, in milliseconds."""
    table = Table(title=title)
    for column in ("route", "requests", *(f"p{100 * share:.0f} ms" for share in _SHARES)):
        table.add_column(column, justify="left" if column == "route" else "right")
    worst = 0.0
    for name, taken in sorted(times.items()):
        table.add_row(name, str(len(taken)), *(f"{quantile(taken, share):.1f}" for share in _SHARES))
        worst = max(worst, quantile(taken, 0.95))
    Console(width=132).print(table)
    return worst


def print_failures(failures: Mapping[str, int]) -> None:
    """Print what was refused, and how often."""
    for what, count in sorted(failures.items()):
        print(f"  FAILED {count} times: {what}")
