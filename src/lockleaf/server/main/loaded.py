"""What the process has loaded from which workers are forked: it does nothing but import this.

What it imports stays in memory that all of them share, as long as nobody writes there. The collector would: it is told
to leave alone what is there so far.
"""

from __future__ import annotations

import gc

from lockleaf.server.main import job_worker, preparation, web_worker
from lockleaf.server.platform.observability.processes import name_process

__all__ = ["job_worker", "preparation", "web_worker"]

name_process("loaded")
gc.collect()
gc.freeze()
