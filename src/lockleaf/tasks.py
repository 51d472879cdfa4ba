"""Cancellation that is not lost.

The SDK and the server both end tasks of their own, and neither imports the other, so what they share is here. A task
that waits for another one must tell two cancellations apart: that of the other task, which is what it wanted, and its
own, which it must pass on. ``suppress(CancelledError)`` around an await, and Python 3.11's ``asyncio.wait_for``,
swallow the second kind; `asyncio.timeout` and these functions do not.
"""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["end_task", "raise_if_cancelled"]


async def end_task(task: asyncio.Task[Any]) -> None:
    """Cancel ``task`` and wait until it has ended, however it ends.

    Raises:
        CancelledError: the caller itself was cancelled, never ``task`` alone.
        Exception: what ``task`` raised instead of ending quietly.
    """
    task.cancel()
    await asyncio.wait((task,))
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


def raise_if_cancelled() -> None:
    """Raise `CancelledError` if the running task was cancelled and something on the way has hidden it.

    For loops that run until they are cancelled, and where another error may have taken the cancellation's place.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
