"""A web worker: the application as a process of its own, started by ``supervisor.py``."""

from __future__ import annotations

import gc
import socket

import structlog
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from lockleaf.server.main.app import create_app
from lockleaf.server.main.bell import News, ring
from lockleaf.server.main.forking import end_with_parent
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.jobs import queue
from lockleaf.server.platform.observability import logging
from lockleaf.server.platform.observability.processes import name_process
from lockleaf.server.platform.settings import Settings

__all__ = ["create"]

log = structlog.get_logger("lockleaf.worker")


def create(database_url: str, rope: socket.socket) -> FastAPI:
    """Return the application of this worker, for that database and from the environment that its parent left it.

    Args:
        rope: by which the parent is told that jobs were queued. It has no connection to the database to hear of them.

    Raises:
        SystemExit: it cannot be put together. Its parent gives up then, since the next worker would fare no better.
    """
    settings = Settings()
    logging.configure(settings.log.format, settings.log.level)
    end_with_parent()
    name_process("web")
    try:
        app = create_app(settings, database_url=database_url)
    except Exception as error:
        log.critical("worker_unusable", failure=error)
        raise SystemExit(STARTUP_FAILURE) from None
    _pass_on_what_is_queued(app, rope)
    _spare_the_collector()
    return app


def _pass_on_what_is_queued(app: FastAPI, rope: socket.socket) -> None:
    def heard(payload: str | None) -> None:
        if payload is None or queue.tells_of_new(payload):
            ring(rope, News.JOBS_QUEUED)

    app.state.parts[EventHub].hear(queue.CHANNEL, heard)


def _spare_the_collector() -> None:
    """Keep the garbage collector from looking, again and again, through modules that never become garbage.

    A page of the feed makes a thousand objects that reference counting frees; by default that alone sets off
    collections, each of which would walk everything that was imported.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
