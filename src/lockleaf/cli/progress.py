"""Moving bars for what takes long: on standard error, and only where somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.files import shown_size
from lockleaf.cli.run import Run

__all__ = ["progress_bars"]

_STAGES = {
    "archive": "Archiving",
    "download": "Fetching",
    "export": "Exporting",
    "fetch": "Fetching",
    "import": "Importing",
    "index": "Indexing",
    "media": "Sealing files anew",
    "open": "Decrypting",
    "pull": "Receiving",
    "push": "Sending",
    "reseal": "Sealing again",
    "seal": "Encrypting",
    "upload": "Sending files",
    "words": "Preparing search",
}
_OF_BYTES = frozenset({"download", "fetch", "media", "open", "seal", "upload"})
"""Stages that count bytes: they show how fast, and how long it still takes."""


@contextmanager
def progress_bars(run: Run) -> Iterator[Callable[[sdk.Progress], None] | None]:
    """Give a callback that moves a bar for each stage, or None where there is no terminal."""
    if not run.shows_progress:
        yield None
        return

    class Figures(screen.ProgressColumn):
        """How far a stage is, in its own unit."""

        def render(self, task: screen.Task) -> screen.Text:
            return screen.Text(_figures(task), style="progress.download")

    with screen.Bars(
        screen.TextColumn("{task.description}"), screen.BarColumn(), Figures(), console=run.err, transient=True
    ) as bars:
        tasks = {}

        def move(progress: sdk.Progress) -> None:
            if progress.total == 0:
                return  # there is nothing to do, and a bar of nothing would be full
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(
                    _STAGES.get(progress.stage, progress.stage),
                    total=progress.total,
                    completed=progress.done,
                    of_bytes=progress.stage in _OF_BYTES,
                )
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total)

        yield move


def _figures(task: screen.Task) -> str:
    total = "?" if task.total is None else f"{int(task.total):,}"
    if not task.fields.get("of_bytes"):
        return f"{int(task.completed):,}/{total} {_clock(task.elapsed)}"
    sizes = f"{shown_size(int(task.completed))} of {shown_size(int(task.total))}" if task.total else ""
    speed = f"{shown_size(int(task.speed))}/s" if task.speed else ""
    left = f"{_clock(task.time_remaining)} left" if task.speed and task.time_remaining else ""
    return ", ".join(part for part in (sizes, speed, left) if part)


def _clock(seconds: float | None) -> str:
    minutes, rest = divmod(int(seconds or 0), 60)
    return f"{minutes}:{rest:02d}"
