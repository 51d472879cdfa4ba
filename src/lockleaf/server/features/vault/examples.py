"""Examples of what is sealed elsewhere: the vault, backups of older clients, and the inbox."""

from __future__ import annotations

from lockleaf.server.features.people import ADA
from lockleaf.server.platform.http.examples import Examples, opaque

__all__ = ["EXAMPLES"]

_VAULT_ID = "reader-settings"
_SEALED = {
    "ciphertext": opaque("vault", 96),
    "iv": "b64:mJ0vX2k9Qw7Lr3Tb",
    "salt": "b64:Zs8n1Y0bC4eF6hK2mP5qTg==",
}
_STORED = {
    "vault_id": _VAULT_ID,
    "created_at": "2026-03-01T08:00:00Z",
    "updated_at": "2026-03-14T07:31:04.518482Z",
    "version": 2,
}
_FIRST = {**_STORED, "updated_at": _STORED["created_at"], "version": 1}
_VERSIONS = [{name: each[name] for name in ("version", "updated_at")} for each in (_STORED, _FIRST)]

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
    "GET /vault": Examples(answer={"one blob": {"items": [{**_SEALED, **_STORED}], "next_cursor": None}}),
    "POST /vault": Examples(
        body={"a new blob": {"vault_id": _VAULT_ID, **_SEALED, "version": 1}}, answer={"stored": _FIRST}
    ),
    "GET /vault/{vault_id}": Examples(answer={"the present version": {**_SEALED, **_STORED}}),
    "PUT /vault/{vault_id}": Examples(
        body={
            "the next version": {**_SEALED, "version": 2},
            "with `If-Match`": {**_SEALED, "ciphertext": opaque("the next vault", 96)},
        },
        answer={"stored": _STORED},
    ),
    "GET /vault/{vault_id}/versions": Examples(answer={"two": {"items": _VERSIONS, "next_cursor": None}}),
    "GET /vault/{vault_id}/versions/{number}": Examples(answer={"the first version": {**_SEALED, **_FIRST}}),
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
