"""An interrupt at the one moment when the main thread does not notice it by itself."""

from __future__ import annotations

import subprocess
import sys

from tests.support.command_line import SECONDS

# The signal is taken by another thread, as if it had come just before the loop's wait began.
PROGRAM = """
import asyncio, os, signal, threading
from lockleaf.cli.interrupts import run_to_end

async def wait_for_ever():
    started = threading.Event()
    def take_the_signal():
        started.set()
        threading.Event().wait()
    threading.Thread(target=take_the_signal, daemon=True).start()
    started.wait()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    asyncio.get_running_loop().call_later(0, os.kill, os.getpid(), signal.SIGINT)
    await asyncio.Event().wait()

try:
    run_to_end(wait_for_ever())
except KeyboardInterrupt:
    print("ended")
"""


def test_an_interrupt_that_another_thread_takes_wakes_the_loop() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "ended\n"), ended.stderr


def test_next_to_nothing_is_loaded_before_an_interrupt_is_quiet() -> None:
    loaded = "import sys, lockleaf.cli.main, lockleaf.cli.ending; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, timeout=SECONDS, check=True)
    assert not {"asyncio", "ssl", "socket", "typer", "pydantic"} & set(ended.stdout.split())
