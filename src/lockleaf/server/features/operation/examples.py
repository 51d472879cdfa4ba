"""Examples of what an operator asks."""

from __future__ import annotations

from lockleaf.server.platform.http.examples import Examples

__all__ = ["EXAMPLES"]

EXAMPLES = {
    "GET /health": Examples(answer={"alive": {"status": "ok", "version": "0.2.0"}}),
    "GET /ready": Examples(
        answer={
            "ready": {
                "ready": True,
                **{
                    name: {"ok": True, "code": None}
                    for name in ("database", "schema", "queue", "store", "disk", "live_events", "rates")
                },
            }
        }
    ),
}
