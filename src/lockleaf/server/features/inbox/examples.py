"""Examples of ``/inbox``."""

from __future__ import annotations

from lockleaf.server.platform.http.examples import Examples, opaque

__all__ = ["EXAMPLES"]

EXAMPLES = {
    "GET /inbox": Examples(
        answer={
            "one item": {
                "items": [
                    {
                        "id": "0190a3a0-0000-7000-8000-000000000011",
                        "provider": "mail",
                        "received_at": "2026-03-14T07:31:04.518482Z",
                        "sealed": opaque("an age file", 230),
                    }
                ],
                "next_cursor": None,
            }
        }
    ),
}
