"""What a process of the command line does before and as a command begins."""

from __future__ import annotations

import gc
import subprocess
import sys

from lockleaf.cli.process_start import collect_from_now_on

COMMAND = """
import gc
from lockleaf.cli.process_start import collect_from_now_on, prepare
prepare()
loading = gc.isenabled()
collect_from_now_on()
print(loading, gc.isenabled(), gc.get_freeze_count() > 1000)
class Ring: pass
before = gc.get_stats()[0]["collections"]
for _ in range(30000):
    ring = Ring()
    ring.itself = ring
print(gc.get_stats()[0]["collections"] > before)
"""


def test_nothing_is_collected_while_a_command_is_loaded_and_a_long_one_collects_what_it_makes() -> None:
    done = subprocess.run([sys.executable, "-c", COMMAND], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True", "True", "True"]


def test_a_program_that_calls_the_command_line_keeps_its_collector_as_it_is() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    collect_from_now_on()
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
