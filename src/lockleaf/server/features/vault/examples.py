"""Examples of ``/vault``."""

from __future__ import annotations

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
}
