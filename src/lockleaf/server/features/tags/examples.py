"""Examples of ``/tags``, in both custodies."""

from __future__ import annotations

from typing import Any

from lockleaf.server.features.people import GARDEN_ID
from lockleaf.server.platform.http.examples import Examples, envelope, opaque

__all__ = ["EXAMPLES"]

_CREATED, _UPDATED = "2026-03-14T07:30:11.204482Z", "2026-03-14T21:02:41.377519Z"
_TAG: dict[str, Any] = {
    "id": GARDEN_ID,
    "name": "garden",
    "color": "#057fa2",
    "created_at": _CREATED,
    "last_used_at": _UPDATED,
    "payload": None,
    "unreadable": False,
}
_OPAQUE_NAME = opaque("name of the tag", 40)
_SEALED_TAG = {**_TAG, "name": None, "color": None, "payload": envelope("tag")}
_OPAQUE_TAG = {**_TAG, "name": _OPAQUE_NAME, "color": "#057fa2"}
_NEVER_USED = {"last_used_at": None}

EXAMPLES = {
    "GET /tags": Examples(
        answer={"e2e, sealed by the client": [_SEALED_TAG], "e2e, named here": [_OPAQUE_TAG], "uce": [_TAG]}
    ),
    "POST /tags": Examples(
        body={
            "e2e: an account without a keyring": {"name": _OPAQUE_NAME, "color": "#057fa2", "label": GARDEN_ID},
            "uce": {"name": "garden", "color": "#057fa2"},
            "uce, in the colour of its name": {"name": "garden"},
        },
        answer={"e2e": {**_OPAQUE_TAG, **_NEVER_USED}, "uce": {**_TAG, **_NEVER_USED}},
    ),
    "PUT /tags/{tag_id}": Examples(
        body={
            "e2e: an account without a keyring": {"name": opaque("another name of the tag", 40)},
            "uce: in every entry": {"name": "allotment", "color": "#038838"},
        },
        answer={
            "e2e": {**_OPAQUE_TAG, "name": opaque("another name of the tag", 40)},
            "uce, with the id of the new name": {
                **_TAG,
                "id": "7e4c0b91d5a84f20b3c6e9f1a2d70458",
                "name": "allotment",
                "color": "#038838",
            },
        },
    ),
    "DELETE /tags/cleanup": Examples(
        answer={"how many": {"message": "2 unused tags were deleted.", "deleted_count": 2}}
    ),
}
