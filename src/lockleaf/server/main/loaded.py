"""What the process has loaded from which workers are forked: it does nothing but import this.

What it imports stays in memory that all of them share, as long as nobody writes there. The collector would: it is told
to leave alone what is there so far, garbage too, of which there is next to none.
"""

from __future__ import annotations

import contextlib
import gc

from lockleaf.server.main import job_worker, preparation, web_worker
from lockleaf.server.main.routes import work_out_routes
from lockleaf.server.platform.observability.processes import name_process
from lockleaf.server.platform.settings import Settings

__all__ = ["job_worker", "preparation", "web_worker"]

name_process("loaded")
# What is made at their first use belongs to all: 5 MB for each process else.
work_out_routes()
with contextlib.suppress(ValueError):  # whoever needs them says what is wrong with them
    Settings()
gc.freeze()
gc.enable()
