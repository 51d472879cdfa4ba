import asyncio
import contextlib

import pytest

from lockleaf.tasks import end_task, raise_if_cancelled


async def until_cancelled() -> None:
    await asyncio.Event().wait()


async def reluctant(let_go: asyncio.Event) -> None:
    """Need a while to end."""
    try:
        await asyncio.Event().wait()
    finally:
        await let_go.wait()


async def test_a_task_is_ended_and_its_own_cancellation_is_not_the_callers() -> None:
    task = asyncio.create_task(until_cancelled())
    await asyncio.sleep(0)
    await end_task(task)
    assert task.cancelled()
    raise_if_cancelled()


async def test_what_a_task_raises_instead_is_raised() -> None:
    async def fails() -> None:
        raise LookupError

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    with pytest.raises(LookupError):
        await end_task(task)


async def test_a_caller_that_is_cancelled_while_it_waits_is_cancelled() -> None:
    let_go = asyncio.Event()
    inner = asyncio.create_task(reluctant(let_go))
    await asyncio.sleep(0)
    caller = asyncio.create_task(end_task(inner))
    await asyncio.sleep(0)
    # Both in one turn of the loop: the task ends, and so shall its caller.
    let_go.set()
    caller.cancel()
    await asyncio.wait((caller,), timeout=10)
    assert caller.cancelled()
    await asyncio.wait((inner,))


async def test_a_cancellation_that_another_error_hid_is_found() -> None:
    found = False

    async def hides() -> None:
        nonlocal found
        with contextlib.suppress(asyncio.CancelledError):  # as a library may, that turns it into an error of its own
            await until_cancelled()
        try:
            raise_if_cancelled()
        except asyncio.CancelledError:
            found = True
            raise

    task = asyncio.create_task(hides())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,), timeout=10)
    assert found
    assert task.cancelled()
