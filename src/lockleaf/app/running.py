"""Serving the page: on a free port of this machine, for one profile, until somebody ends it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn

from lockleaf import client as sdk
from lockleaf.app.admission import Admission
from lockleaf.app.application import application
from lockleaf.app.browser import forget_ways, has_browser, open_page
from lockleaf.app.desk import Desk, Opener
from lockleaf.app.instance import Instance, NotAnswering
from lockleaf.app.scratch import sweep
from lockleaf.tasks import end_task

__all__ = ["NotAnswering", "PortTaken", "Served", "serve"]

_HOST = "127.0.0.1"
_AT_ONCE = 200
_STARTED_WITHIN = 5.0
"""Seconds that a process which only opens a browser gives that to be started."""


class PortTaken(Exception):
    """Another program listens on this port."""


@dataclass(frozen=True, slots=True)
class Served:
    """Where the page is.

    Attributes:
        url: opens it, once.
        elsewhere: it is served by another process, which was there already.
        browser: a browser was started with it.
    """

    url: str
    port: int
    elsewhere: bool
    browser: bool


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs this."""
        yield


async def serve(
    folder: sdk.ProfileFolder,
    open_client: Opener,
    announce: Callable[[Served], None],
    *,
    port: int = 0,
    browser: bool = True,
    lock_after: float | None = None,
) -> None:
    """Serve the page of a profile until this is cancelled, or the process is asked to end.

    Where another process serves it already, a token is asked of that, and this returns.

    Args:
        folder: the profile's.
        open_client: opens its client.
        announce: told where the page is.
        port: where to listen; 0 takes a free one.
        browser: start the user's browser, where there is a screen.
        lock_after: seconds without use after which the journal is locked; None: never.

    Raises:
        PortTaken: another program listens there.
        NotAnswering: another process has this profile's page, and does not answer.
        LockleafError: the profile cannot be opened.
    """
    folder.make()
    instance = Instance(folder.path)
    browser = browser and has_browser()
    with instance.only_one() as ours:
        if not ours:
            given = [await asyncio.to_thread(instance.ask_for_token) for _ in range(2)]
            await _announce(
                folder, announce, given[0][0], [token for _, token in given], elsewhere=True, browser=browser
            )
            return
        forget_ways(folder.path)
        sweep(folder.path)
        with contextlib.closing(_listening(port)) as listener:
            port = listener.getsockname()[1]
            admission = Admission()
            desk = Desk(folder.name, open_client, lock_after, folder.path)
            async with _open(desk), _serving(desk, admission, port, listener) as ended:
                instance.tell(port, admission.control)
                tokens = [admission.new_token(), admission.new_token()]
                await _announce(folder, announce, port, tokens, elsewhere=False, browser=browser)
                await ended.wait()
        forget_ways(folder.path)


async def _announce(
    folder: sdk.ProfileFolder,
    announce: Callable[[Served], None],
    port: int,
    tokens: list[str],
    *,
    elsewhere: bool,
    browser: bool,
) -> None:
    """Open the page with the first token, and tell its user the last: each is good once.

    The file that leads the browser here stays until the page ends: its token is used by then, or too old.
    """
    urls = [f"http://{_HOST}:{port}/open?token={token}" for token in tokens]
    opening = None
    if browser:
        # Some browsers end only with their windows: nobody waits for that, neither here nor at the end.
        opening = threading.Thread(target=open_page, args=(folder.path, urls[0]), name="browser", daemon=True)
        opening.start()
    announce(Served(urls[-1], port, elsewhere, browser))
    if opening is not None and elsewhere:
        await asyncio.to_thread(opening.join, _STARTED_WITHIN)


def _listening(port: int) -> socket.socket:
    # Named TCP, so that answers are sent at once: the event loop looks for that before it says so to the system.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
    except OSError:
        listener.close()
        raise PortTaken from None
    listener.setblocking(False)
    return listener


@asynccontextmanager
async def _open(desk: Desk) -> AsyncIterator[None]:
    try:
        await desk.start()
        yield
    finally:
        await desk.aclose()


@asynccontextmanager
async def _serving(
    desk: Desk, admission: Admission, port: int, listener: socket.socket
) -> AsyncIterator[asyncio.Event]:
    """Serve for the length of a ``with``; give what is set when the process is asked to end."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logging.getLogger(name).disabled = True  # a traceback may quote what somebody wrote
    config = uvicorn.Config(
        application(desk, admission, port),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_AT_ONCE,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGTERM, ended.set)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    task.add_done_callback(lambda _: ended.set())
    try:
        await server.ready.wait()
        yield ended
    finally:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.remove_signal_handler(signal.SIGTERM)
        desk.events.close()
        server.should_exit = True
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await end_task(task)
            raise
