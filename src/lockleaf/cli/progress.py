"""Moving bars for what takes long: on standard error, and only where somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lockleaf.cli.run import Run

if TYPE_CHECKING:
    from lockleaf.client.entries import Progress

__all__ = ["progress_bars"]

_STAGES = {
    "archive": "Archiving",
    "download": "Fetching",
    "import": "Importing",
    "pull": "Receiving",
    "push": "Sending",
}


@contextmanager
def progress_bars(run: Run) -> Iterator[Callable[[Progress], None] | None]:
    """Give a callback that moves a bar for each stage, or None where there is no terminal."""
    if not run.shows_progress:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=run.err, transient=True) as bars:
        tasks = {}

        def move(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(_STAGES.get(progress.stage, progress.stage), total=progress.total)
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total)

        yield move
