"""A journal that outgrows its room: what fits is carried on, the rest is named, and all of it stays on the device."""

from __future__ import annotations

from pathlib import Path

from tests.support.diarist import diarist
from tests.support.process import running_server

ROOM = 40_000


async def test_a_device_keeps_what_has_no_room_and_sends_what_has(
    server_environment: dict[str, str], tmp_path: Path
) -> None:
    environment = {
        **server_environment,
        "LOCKLEAF_LIMITS__STORAGE_BYTES": str(ROOM),
        "LOCKLEAF_DATA_DIR": str(tmp_path / "server"),
    }
    with running_server(environment, log=tmp_path / "log") as server:
        async with diarist(tmp_path / "eve", server.url) as eve:
            first, second = await eve.open("first"), await eve.open("second")
            await eve.register(first)
            large = [await first.journal.write(body="x" * 9000) for _ in range(6)]
            report = await first.sync()
            refused = {each.record_id for each in report.rejected}
            assert {each.code for each in report.rejected} == {"quota_exceeded"}
            assert 0 < len(refused) < 6 == report.pushed + len(refused)
            # A deletion and a few words go on.
            kept = next(entry for entry in large if entry.id not in refused)
            await first.journal.delete(kept.id)
            short = await first.journal.write(body="a few words")
            again = await first.sync()
            assert {each.record_id for each in again.rejected} == refused
            assert again.pushed == 2
            assert {entry.id for entry in await first.journal.list()} == {each.id for each in large} - {kept.id} | {
                short.id
            }
            await eve.login(second)
            await second.sync()
            there = {entry.id for entry in await second.journal.list()}
            assert there == {each.id for each in large} - refused - {kept.id} | {short.id}
