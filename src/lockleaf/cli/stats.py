"""``stats``: averages and trends, drawn in the terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.dates import entered_date
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command, group
from lockleaf.cli.prompts import confirm
from lockleaf.cli.run import Run

__all__ = ["install", "metrics_note", "report_fields", "shown_number", "stats_json", "stats_view"]

PANEL = "Journal"

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the server deletes anything.")]

_OFF = (
    "From the entries on this device. lockleaf stats on has the server add up encrypted numbers of all your devices; "
    "it learns in which months entries lie, and no number."
)
_SPARKS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_PERIODS = {"week": "a week", "month": "a month", "year": "a year"}


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    stats = group(app, "stats", panel=PANEL)(show)
    command(stats, "on")(switch_on)
    command(stats, "off")(switch_off)
    command(stats, "rebuild")(rebuild)


async def show(
    run: Run,
    metric: Annotated[
        str,
        typer.Option(
            "--metric", help="word_count, characters, mood, sentiment, or one of your own (write --metric).",
            metavar="NAME",
        ),
    ] = "word_count",
    by: Annotated[
        Literal["week", "month", "year"], typer.Option("--by", help="How long the periods are; weeks begin on Monday.")
    ] = "month",
    since: Annotated[str | None, typer.Option("--since", help="The first day.", metavar="DATE")] = None,
    until: Annotated[str | None, typer.Option("--until", help="The last day.", metavar="DATE")] = None,
    local: Annotated[bool, typer.Option("--local", help="Work it out from the entries on this device alone.")] = False,
) -> None:  # fmt: skip
    """Show averages and the trend of a metric, from sums that the server keeps and cannot read."""
    first, last = entered_date(since), entered_date(until)
    async with run.client() as client:
        found, note = await _found(client, metric, by, first, last, local=local)
    if run.json:
        run.result(stats_json(found))
        return
    if found.whole is None:
        run.note(f"There are no values of {metric} in this range. {note}".strip())
        return
    run.show(stats_view(found, run.out.width))
    run.note(note)


async def _found(
    client: sdk.Client,
    metric: str,
    by: Literal["week", "month", "year"],
    since: str | None,
    until: str | None,
    *,
    local: bool,
) -> tuple[sdk.Stats, str]:
    """What is known of a metric, and where it comes from in a sentence."""
    if local:
        found = await client.metrics.stats(metric, by=by, since=since, until=until, local=True)
        return found, "From the entries on this device."
    found = await client.metrics.stats(metric, by=by, since=since, until=until)
    if found.source == "device":
        return found, _OFF
    note = "From encrypted sums of the server, decrypted here; --local works it out from this device alone."
    if pending := await client.journal.pending_count():
        note += f" What waits to be synced ({pending:,}) is not in them."
    return found, note


async def switch_on(run: Run) -> None:
    """Have the server add up encrypted numbers of every entry, of all your devices.

    It learns in which months entries lie and which changes touched them, and no number. lockleaf stats off ends it.
    """
    async with run.client() as client:
        report = await client.metrics.count()
    _tell(run, report)


async def switch_off(run: Run, yes: Yes = False) -> None:
    """Have the server delete its sums, and count nothing any more on any device."""
    if not yes:
        if not run.interactive:
            raise Complaint("The server would delete its sums. --yes says that you mean it.")
        confirm("The server deletes its sums, for all your devices. Go on?")
    async with run.client() as client:
        report = await client.metrics.count(False)
    if run.json:
        run.result(report_fields(report))
        return
    run.line("The server has deleted its sums. lockleaf stats works from the entries on this device.")


async def rebuild(run: Run) -> None:
    """Have everything counted anew, under a new key, from the entries that this device has."""
    async with run.client() as client:
        report = await client.metrics.count(again=True)
    _tell(run, report)


def _tell(run: Run, report: sdk.MetricsReport) -> None:
    if run.json:
        run.result(report_fields(report))
    elif report.error is None and report.on:
        run.line("The server adds up encrypted numbers of your entries. lockleaf stats shows what they come to.")
    if note := metrics_note(report):
        run.note(note)


def metrics_note(report: sdk.MetricsReport) -> str | None:
    """Return what a person should hear of the sums after a sync, None if nothing."""
    if report.error is None:
        return None
    if report.error == sdk.MetricsNotInstalled.__name__:
        return str(sdk.MetricsNotInstalled())
    return f"The encrypted sums could not be brought up to date ({report.error}). The next sync tries again."


def report_fields(report: sdk.MetricsReport) -> dict[str, Any]:
    """Return what became of the sums as ``--json`` writes it."""
    return {"on": report.on, "sent": report.sent, "waiting": report.waiting, "error": report.error}


def stats_json(stats: sdk.Stats) -> dict[str, Any]:
    """Return statistics as ``--json`` writes them."""

    def period(found: sdk.Period) -> dict[str, Any]:
        return asdict(found) | {"start": found.start.isoformat(), "end": found.end.isoformat()}

    return {
        "metric": stats.metric,
        "by": stats.by,
        "source": stats.source,
        "periods": [period(each) for each in stats.periods],
        "whole": period(stats.whole) if stats.whole is not None else None,
        "trend": asdict(stats.trend) if stats.trend is not None else None,
    }


# ---- drawing ----


def shown_number(value: float, error: float = 0.0) -> str:
    """Return a number with as many places as it is worth: two at most, and none that its error makes meaningless."""
    places = 1 if abs(value) >= 100 else 2
    while places and error > 0.5 * 10**-places:
        places -= 1
    # What rounds to zero has no sign.
    return f"{round(value, places) + 0.0:,.{places}f}"


def stats_view(stats: sdk.Stats, width: int) -> screen.RenderableType:
    """Return statistics as bars, period by period, and a summary.

    Args:
        stats: with at least one period.
        width: of the terminal, in cells.
    """
    assert stats.whole is not None
    averages = [period.average for period in stats.periods]
    labels = [_label(period, stats.by) for period in stats.periods]
    numbers = [shown_number(period.average, period.average_error) for period in stats.periods]
    counts = [f"{period.count:,}" for period in stats.periods]
    columns = (labels, numbers, counts)
    room = max(8, min(48, width - 10 - sum(max(map(len, column)) for column in columns)))
    table = screen.Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="bold")
    table.add_column(justify="right", style="dim")
    table.add_row(screen.Text(stats.by, style="dim"), "", screen.Text("average", style="dim"), screen.Text("values"))
    for label, number, bar, count in zip(labels, numbers, _bars(averages, room), counts, strict=True):
        table.add_row(label, screen.Text(bar, style="cyan"), number, count)
    whole = stats.whole
    lines = [
        screen.Text(
            f"{stats.metric}: {shown_number(whole.average, whole.average_error)} on average, from {_values(whole)}"
        )
    ]
    facts = [f"total {shown_number(whole.total, whole.total_error)}"]
    if whole.count > 1 and whole.variance_error <= max(whole.variance, 1e-9):
        facts.append(f"standard deviation {shown_number(whole.variance**0.5)}")
    if whole.average_error:
        facts.append(f"each average to ±{max(period.average_error for period in stats.periods):.1g}")
    lines.append(screen.Text(", ".join(facts), style="dim"))
    if stats.trend is not None:
        sign = "+" if stats.trend.slope >= 0 else ""
        lines.append(
            screen.Text.assemble(
                (f"trend {sign}{shown_number(stats.trend.slope)} {_PERIODS[stats.by]}  ", "dim"),
                (_sparkline(averages, max(8, width - 30)), "cyan"),
            )
        )
    return screen.Group(table, screen.Text(), *lines)


def _values(period: sdk.Period) -> str:
    return f"{period.count:,} value{'' if period.count == 1 else 's'}"


def _label(period: sdk.Period, by: str) -> str:
    start = period.start.isoformat()
    return {"week": start, "month": start[:7], "year": start[:4]}[by]


def _bars(values: list[float], width: int) -> list[str]:
    """Bars of ``width`` cells, from zero to each value; to the left of it for what is below."""
    low, high = min(0.0, *values), max(0.0, *values)
    span = (high - low) or 1.0
    zero = round(width * -low / span)
    bars = []
    for value in values:
        cells = abs(value) / span * width
        if value < 0:
            bars.append(("█" * min(zero, max(1, round(cells)))).rjust(zero))
        else:
            whole, part = divmod(round(cells * 8), 8)
            bars.append(" " * zero + "█" * whole + (_EIGHTHS[part] if part else ""))
    return bars


def _sparkline(values: list[float], width: int) -> str:
    """The last ``width`` values as a line of blocks."""
    shown = values[-width:]
    low, high = min(shown), max(shown)
    span = (high - low) or 1.0
    return "".join(_SPARKS[min(len(_SPARKS) - 1, int((value - low) / span * len(_SPARKS)))] for value in shown)
