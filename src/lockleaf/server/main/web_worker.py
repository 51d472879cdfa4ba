"""A web worker: the application as a process of its own, started by ``supervisor.py``."""

from __future__ import annotations

import gc
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading

import structlog
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from lockleaf.server.main.app import create_app
from lockleaf.server.platform.observability import logging
from lockleaf.server.platform.settings import Settings

__all__ = ["EMBEDDED_DATABASE", "create"]

log = structlog.get_logger("lockleaf.worker")

EMBEDDED_DATABASE = "LOCKLEAF_EMBEDDED_DATABASE"
"""Where the parent tells its workers the address of the database that it started for them."""


def create() -> FastAPI:
    """Return the application of this worker, from the environment that its parent left it.

    Raises:
        SystemExit: it cannot be put together. Its parent gives up then, since the next worker would fare no better.
    """
    settings = Settings()
    logging.configure(settings.log.format, settings.log.level)
    _end_with_parent()
    try:
        app = create_app(settings, database_url=os.environ.get(EMBEDDED_DATABASE))
    except Exception as error:
        log.critical("worker_unusable", failure=error)
        raise SystemExit(STARTUP_FAILURE) from None
    _spare_the_collector()
    return app


def _spare_the_collector() -> None:
    """Keep the garbage collector from looking, again and again, through modules that never become garbage.

    A page of the feed makes a thousand objects that reference counting frees; by default that alone sets off
    collections, each of which would walk everything that was imported.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _end_with_parent() -> None:
    """Stop this process if its parent dies without having said so: an orphan would hold the port for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="lockleaf-parent", daemon=True).start()
