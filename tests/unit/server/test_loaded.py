"""What the processes of a server share: what is loaded before they are forked."""

from __future__ import annotations

import subprocess
import sys

SELDOM = {"PIL", "alembic", "botocore", "httpx", "numpy", "pygments", "rich", "tenseal", "webauthn"}


def test_nothing_is_loaded_for_every_process_that_few_requests_need() -> None:
    program = "import sys, lockleaf.server.main.loaded; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "lockleaf.server.features.sync.routes" in loaded
    assert SELDOM & loaded == set()
