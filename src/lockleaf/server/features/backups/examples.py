"""Examples of ``/sync/backup``: what older clients seal."""

from __future__ import annotations

from lockleaf.server.features.people import ADA
from lockleaf.server.platform.http.examples import Examples, opaque

__all__ = ["EXAMPLES"]

_BACKUP = {
    "id": "log-2026-03-14",
    "encrypted_content": opaque("the phone's backup", 64),
    "content_iv": "b64:Qp7c1mW2x9fJt5Ra",
    "content_tag": "b64:0c3mD1nqFv0y2XoF6tq7yg==",
    "created_at": "2026-03-14T07:30:00Z",
    "updated_at": "2026-03-14T21:02:40Z",
    "device_id": "phone",
}
_EMBEDDING = {
    "encrypted_embedding": opaque("embedding", 48),
    "embedding_iv": "b64:hD4f6J8kL0zX2cV5",
    "embedding_tag": "b64:bN7mQ9wE1rT3yU5iO8pA2g==",
}

EXAMPLES = {
    "POST /sync/backup": Examples(
        body={
            "an entry": _BACKUP,
            "with its embedding, after revision 1": {**_BACKUP, **_EMBEDDING, "base_revision": 1},
        },
        answer={
            "stored": {
                **{name: _BACKUP[name] for name in ("id", "created_at", "updated_at", "device_id")},
                "log_id": _BACKUP["id"],
                "user_id": ADA,
                "revision": 1,
                "message": "The backup is stored.",
            }
        },
    ),
    "GET /sync/backups": Examples(
        answer={
            "one": {
                "backups": [{**_BACKUP, "log_id": _BACKUP["id"], "user_id": ADA, "revision": 1}],
                "has_more": False,
                "total_count": 1,
            },
            "the first of many": {
                "backups": [{**_BACKUP, **_EMBEDDING, "log_id": _BACKUP["id"], "user_id": ADA, "revision": 2}],
                "has_more": True,
                "total_count": 412,
                "next_cursor": opaque("cursor of backups", 48),
            },
        }
    ),
    "DELETE /sync/backup/content": Examples(
        answer={
            "how many": {"message": "All backups are deleted.", "deleted_backups": 412, "deleted_conflicts": 1},
        }
    ),
    "DELETE /sync/backup/{log_id}": Examples(
        answer={"deleted": {"success": True, "message": "The backup is deleted."}}
    ),
    "DELETE /sync/metrics/all": Examples(
        answer={"how many": {"message": "All metrics are deleted.", "deleted_metrics": 96}}
    ),
}
