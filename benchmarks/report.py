"""Figures as they come: printed at once, each beside its baseline and its aim."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["Report"]


class Report:
    """The figures of one run.

    Args:
        title: what was measured, and on what.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.rows: list[dict[str, Any]] = []
        self._console = Console(width=132)

    def compare(
        self, what: str, value: float, unit: str, baseline: str, baseline_value: float, *, aim: str | None = None
    ) -> None:
        """Note a rate beside that of a baseline; ``aim`` is the least share of it, as a fraction."""
        share = value / baseline_value
        met = None if aim is None else share >= Fraction(aim)
        self._add(what, value, unit, f"{baseline}: {baseline_value:,.0f} {unit}", f"{share:.3f} of it", aim, met)

    def times(
        self, what: str, value: float, unit: str, baseline: str, baseline_value: float, *, at_most: float | None = None
    ) -> None:
        """Note a duration beside that of a baseline; ``at_most`` is the aim: so many times as long."""
        ratio = value / baseline_value
        aim, met = (None, None) if at_most is None else (f"{at_most:g} times", ratio <= at_most)
        self._add(what, value, unit, f"{baseline}: {baseline_value:,.2f} {unit}", f"{ratio:.2f} times it", aim, met)

    def value(self, what: str, value: float, unit: str, *, aim: str | None = None) -> None:
        """Note a figure; ``aim`` is `under N` or `over N`, in the same unit."""
        met = None
        if aim is not None:
            word, _, number = aim.partition(" ")
            met = value < float(number) if word == "under" else value > float(number)
        self._add(what, value, unit, "", "", aim, met)

    def _add(
        self, what: str, value: float, unit: str, baseline: str, share: str, aim: str | None, met: bool | None
    ) -> None:
        row = {"what": what, "value": value, "unit": unit, "baseline": baseline, "share": share, "aim": aim, "met": met}
        self.rows.append(row)
        verdict = "" if met is None else (" [met]" if met else " [NOT MET]")
        figure = f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"
        line = f"{what}: {figure} {unit}"
        if baseline:
            line += f"  ({baseline}; {share})"
        if aim:
            line += f"  aim: {aim}{verdict}"
        self._console.print("  " + line, markup=False, highlight=False)

    def show(self) -> None:
        """Print all figures as one table."""
        table = Table(title=self.title)
        for column in ("what", "figure", "baseline", "share", "aim", ""):
            table.add_column(column, justify="right" if column == "figure" else "left")
        for row in self.rows:
            figure = f"{row['value']:,.0f}" if row["value"] >= 100 else f"{row['value']:,.2f}"
            met = {None: "", True: "met", False: "NOT MET"}[row["met"]]
            table.add_row(row["what"], f"{figure} {row['unit']}", row["baseline"], row["share"], row["aim"] or "", met)
        self._console.print(table)
