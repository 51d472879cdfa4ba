"""Examples of ``/users/me/access``."""

from __future__ import annotations

from lockleaf.server.features.people import SESSION
from lockleaf.server.platform.http.examples import Examples

__all__ = ["EXAMPLES"]

EXAMPLES = {
    "GET /users/me/access": Examples(
        answer={
            "uce": {
                "items": [
                    {
                        "hour": "2026-03-14T07:00:00Z",
                        "session_id": SESSION,
                        "device_name": "Grace's reader",
                        "purpose": "entries.read",
                        "openings": 3,
                        "records": 42,
                        "last_at": "2026-03-14T07:31:04.518482Z",
                    }
                ],
                "next_cursor": None,
            },
            "e2e: empty for ever": {"items": [], "next_cursor": None},
        }
    ),
}
