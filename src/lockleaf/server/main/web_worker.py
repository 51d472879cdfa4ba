"""A web worker: the application as a process of its own, started by ``supervisor.py``."""

from __future__ import annotations

import gc
import socket

from fastapi import FastAPI

from lockleaf.server.main.app import create_app
from lockleaf.server.main.bell import News, ring
from lockleaf.server.main.forking import end_with_parent
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.jobs import queue
from lockleaf.server.platform.observability.processes import name_process
from lockleaf.server.platform.settings import Settings

__all__ = ["begin", "put_together"]


def put_together(settings: Settings, database_url: str) -> FastAPI:
    """Return the application for that database, of which nothing runs yet: all workers are forked with it."""
    return create_app(settings, database_url=database_url)


def begin(app: FastAPI, rope: socket.socket) -> FastAPI:
    """Return the application as that of this worker.

    Args:
        rope: by which the parent is told that jobs were queued. It has no connection to the database to hear of them.
    """
    end_with_parent()
    name_process("web")
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
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
