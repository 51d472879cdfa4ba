"""What the parent of a server's processes loads, for all that are forked from it: it does nothing but import this."""

from __future__ import annotations

import uvicorn.lifespan.on
import uvicorn.loops.uvloop
import uvloop

from lockleaf.server.main import job_worker, preparation, web_worker
from lockleaf.server.main.routes import work_out_routes

__all__ = ["job_worker", "preparation", "uvicorn", "uvloop", "web_worker"]

# What is made at their first use belongs to all: 5 MB for each process else.
work_out_routes()
