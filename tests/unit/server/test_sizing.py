"""What PostgreSQL is told of the machine that it is on."""

from __future__ import annotations

import pytest

from lockleaf.server.platform.db.embedded.sizing import memory_bytes, settings_for

MIB = 2**20


@pytest.mark.parametrize(
    ("memory", "own", "cached"),
    [(128, 16, 64), (512, 32, 256), (1024, 64, 512), (4096, 128, 2048), (24 * 1024, 128, 12 * 1024)],
)
def test_a_cache_is_a_part_of_the_machine_and_never_much(memory: int, own: int, cached: int) -> None:
    told = settings_for(memory * MIB)
    assert told["shared_buffers"] == f"{own}MB"
    assert told["effective_cache_size"] == f"{cached}MB"
    assert told["maintenance_work_mem"] == f"{own // 2}MB"


def test_this_machine_has_memory() -> None:
    assert memory_bytes() > 64 * MIB
