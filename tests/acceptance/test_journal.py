"""A journal and what happens to it on the way, over real sockets and with real processes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import httpx

from lockleaf.client import EntryDraft
from lockleaf.client.errors import ServerUnreachable
from tests.support.diarist import Diarist, caught
from tests.support.lies import CutsAfterTheWork
from tests.support.lying_server import Answer, Honest, Lie, LyingServer, Request, lying_server
from tests.support.process import RunningServer, start_server
from tests.support.processes import family, wait_until_gone


def drafts(count: int) -> list[EntryDraft]:
    return [
        EntryDraft(body=f"entry {number}", date="2020-01-01", external_id=str(number), provider="test")
        for number in range(count)
    ]


async def test_a_connection_that_is_cut_behind_the_servers_work_is_an_unchanged_retry(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await laptop.journal.import_entries(drafts(30))
    answers: list[Answer] = []

    class Hears(CutsAfterTheWork):
        async def answer(self, request: Request, honest: Honest) -> Answer | None:
            async def heard(request: Request) -> Answer:
                answers.append(await honest(request))
                return answers[-1]

            return await super().answer(request, heard if request.path == self.path else honest)

    liar.tell(Hears("/sync/push", times=2))
    report = await laptop.sync()
    assert (report.pushed, report.pending, report.conflicts, report.seq) == (30, 0, 0, 30)
    first, *retries = [{result["status"] for result in answer.read()["results"]} for answer in answers]
    assert first == {"applied"}
    assert retries == [{"unchanged"}, {"unchanged"}]


def _kill(server: RunningServer) -> None:
    """End every process of it at once."""
    processes = family(server)
    for process in processes:
        process.kill()
    server.process.wait()
    wait_until_gone(processes)


class KillsTheServer(Lie):
    """Kills the server while it works on the push ``number``."""

    def __init__(self, server: RunningServer, number: int) -> None:
        self.server, self.number = server, number

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        self.number -= request.path == "/sync/push"
        if self.number or request.path != "/sync/push":
            return await honest(request)
        working = asyncio.create_task(honest(request))
        await asyncio.to_thread(_kill, self.server)
        with suppress(httpx.TransportError):
            await working
        return None


async def test_a_server_that_is_killed_in_the_middle_of_the_batches_has_everything_in_the_end(
    tmp_path: Path, ada: Diarist, server_environment: dict[str, str], server: RunningServer
) -> None:
    environment = {**server_environment, "LOCKLEAF_DATA_DIR": str(tmp_path / "killed")}
    (tmp_path / "killed").mkdir()
    victim = await asyncio.to_thread(start_server, environment, log=tmp_path / "log")
    try:
        async with lying_server(victim.url) as between:
            laptop = await ada.first("laptop", at=between.url)
            await laptop.journal.import_entries(drafts(1200))
            between.tell(KillsTheServer(victim, number=2))
            await caught(laptop.sync(), ServerUnreachable)
            assert await laptop.journal.pending_count() == 700
            # The other server has the same database: it is the one that was started again.
            between.stand_before(server.url)
            between.tell(Lie())
            report = await laptop.sync()
            assert (report.pending, report.conflicts, report.seq) == (0, 0, 1200)
    finally:
        victim.stop()
        assert victim.process.stdout is not None
        victim.process.stdout.close()
    phone = await ada.another("phone")
    assert (await phone.sync()).pulled == 1200
    assert {entry.body for entry in await phone.journal.list()} == {draft.body for draft in drafts(1200)}
