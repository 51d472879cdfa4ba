"""Whatever address a user gives, everything goes there: below a path of a proxy that hides it, and over IPv6."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from tests.support.diarist import diarist
from tests.support.path_proxy import path_proxy
from tests.support.process import RunningServer, running_server


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6, not even on its loopback")


async def _keeps_a_journal_there(address: str, folder: Path) -> None:
    """Two devices at ``address``: an entry, a file, and news of both."""
    async with diarist(folder, address) as ada:
        laptop, phone = await ada.first(), await ada.another()
        async with aclosing(phone.sync.watch(every=3600)) as reports:
            await anext(reports)
            entry = await laptop.journal.write(body="by this address")
            photo = folder / "photo"
            photo.write_bytes(bytes(range(256)) * 200)
            made = await laptop.media.attach(entry.id, photo)
            report = await laptop.sync()
            assert (report.media.uploaded, report.media.waiting, report.media.trouble) == (1, 0, None)
            async with asyncio.timeout(60):
                while (await anext(reports)).pulled == 0:
                    pass
        assert (await phone.journal.get(entry.id)).attachments == (made,)
        here = folder / "here"
        here.mkdir()
        assert (await phone.media.download(made, here)).read_bytes() == photo.read_bytes()


async def test_below_a_path_of_a_proxy_that_hides_it_everything_works_files_and_news_too(
    server: RunningServer, tmp_path: Path
) -> None:
    async with path_proxy(server.port, "/journal") as address:
        await _keeps_a_journal_there(address, tmp_path)


async def test_below_a_path_the_documentation_is_found_and_asks_there(server: RunningServer) -> None:
    async with path_proxy(server.port, "/journal") as address, httpx.AsyncClient(follow_redirects=True) as http:
        page = await http.get(f"{address}/docs")
        assert str(page.url) == f"{address}/api/v1/docs"
        document = await http.get(urljoin(str(page.url), "openapi.json"))
        [told] = document.json()["servers"]
        assert (await http.get(urljoin(str(document.url), told["url"]) + "health")).json()["status"] == "ok"


@contextlib.asynccontextmanager
async def _serving(environment: dict[str, str], folder: Path, host: str) -> AsyncIterator[RunningServer]:
    given = {**environment, "LOCKLEAF_DATA_DIR": str(folder)}
    with running_server(given, log=folder / "log", host=host, workers=2) as running:
        yield running


@needs_ipv6
async def test_over_ipv6_the_printed_address_leads_to_the_server_and_so_do_those_that_it_signs(
    server_environment: dict[str, str], tmp_path: Path
) -> None:
    async with _serving(server_environment, tmp_path, "::1") as running:
        assert running.url == f"http://[::1]:{running.port}"
        async with httpx.AsyncClient() as http:
            assert (await http.get(f"{running.url}/ready")).json()["ready"] is True
        await _keeps_a_journal_there(running.url, tmp_path)


@needs_ipv6
async def test_a_server_on_every_address_takes_both_kinds(server_environment: dict[str, str], tmp_path: Path) -> None:
    async with _serving(server_environment, tmp_path, "[::]") as running, httpx.AsyncClient() as http:
        assert running.url == f"http://127.0.0.1:{running.port}"
        for host in ("127.0.0.1", "[::1]"):
            assert (await http.get(f"http://{host}:{running.port}/health")).status_code == 200
