"""Examples of ``/jobs``."""

from __future__ import annotations

from lockleaf.server.features.people import JOB
from lockleaf.server.platform.http.examples import Examples

__all__ = ["EXAMPLES"]

_DONE = {
    **JOB,
    "state": "succeeded",
    "progress": {"done": 438, "total": 438},
    "started_at": "2026-03-14T07:40:00.221482Z",
    "finished_at": "2026-03-14T07:40:01.907482Z",
}

EXAMPLES = {
    "GET /jobs": Examples(answer={"one that is done": {"items": [_DONE]}}),
    "GET /jobs/{job_id}": Examples(
        answer={
            "done": _DONE,
            "on its way": {
                **JOB,
                "state": "running",
                "progress": {"done": 120, "total": 438},
                "started_at": "2026-03-14T07:40:00.221482Z",
            },
            "failed": {**_DONE, "state": "failed", "error_code": "database_unavailable"},
        }
    ),
}
