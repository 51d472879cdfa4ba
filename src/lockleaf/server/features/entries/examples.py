"""Examples of ``/entries``, in both custodies."""

from __future__ import annotations

from typing import Any

from lockleaf.server.features.people import CALM, ENTRY, FIRST, GARDEN, LAPTOP, PHONE, PHOTO, SECOND
from lockleaf.server.platform.http.examples import NONE, Examples, digest, envelope, hash_of, opaque

__all__ = ["EXAMPLES"]

_CREATED, _UPDATED, _DELETED = (
    "2026-03-14T07:30:11.204482Z",
    "2026-03-14T21:02:41.377519Z",
    "2026-03-20T18:00:00.030519Z",
)
_MADE_ON_THE_LAPTOP = {"device_id": LAPTOP, "client_updated_at": "2026-03-14T07:30:09Z"}
_SEALED_FIRST: dict[str, Any] = {
    "id": ENTRY,
    "revision": 1,
    "parent": NONE,
    "seq": 41,
    "created_at": _CREATED,
    "updated_at": _CREATED,
    "deleted_at": None,
    "source": None,
    "payload": FIRST,
    "labels": [CALM, GARDEN],
    "occurred_at": None,
}
_SEALED_SECOND = {
    **_SEALED_FIRST,
    "revision": 2,
    "parent": hash_of(FIRST),
    "seq": 42,
    "updated_at": _UPDATED,
    "payload": SECOND,
}
_TOMBSTONE = envelope("tombstone")
_SEALED_DELETED = {
    **_SEALED_SECOND,
    "revision": 3,
    "parent": hash_of(SECOND),
    "seq": 57,
    "updated_at": _DELETED,
    "deleted_at": _DELETED,
    "payload": _TOMBSTONE,
    "labels": [],
}
_AGAIN = envelope("the second revision, sealed again")
_SEALED_RESTORED = {
    **_SEALED_SECOND,
    "revision": 4,
    "parent": hash_of(_TOMBSTONE),
    "seq": 58,
    "updated_at": "2026-03-20T18:00:30.118482Z",
    "payload": _AGAIN,
}
_OPAQUE = {
    "encrypted_content": "eyJjdCI6Ilp6c0xtIn0=",
    "encrypted_title": "eyJjdCI6Im9QcVd0In0=",
    "content_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "tag_names": ["garden"],
    "mood": "calm",
    "occurred_at": "2026-03-14T07:30:00Z",
}
_OPAQUE_FIRST = {
    **_OPAQUE,
    "id": ENTRY,
    "revision": 1,
    "parent": NONE,
    "seq": 41,
    "created_at": "2026-03-14T07:31:04.518482Z",
    "updated_at": "2026-03-14T07:31:04.518482Z",
    "deleted_at": None,
    "source": None,
    "weather": None,
    "location": None,
    "time_zone": None,
}
_WRITTEN = {
    "content": "Planted the first beans.",
    "title": "The garden in March",
    "mood": "calm",
    "weather": "light rain",
    "location": "by the river",
    "tags": ["garden"],
    "source": "web",
    "occurred_at": "2026-03-14T07:30:00",
    "time_zone": "Europe/London",
}
_ATTACHED = {
    "media_id": PHOTO,
    "name": "beans.jpg",
    "media_type": "image/jpeg",
    "size": 2479502,
    "sha256": digest("the photo"),
    "sealed_size": 2480311,
    "sealed_sha256": digest("the sealed photo"),
}
_PLAIN_FIRST: dict[str, Any] = {
    "id": ENTRY,
    "revision": 1,
    "parent": NONE,
    "seq": 41,
    "created_at": _CREATED,
    "updated_at": _CREATED,
    "deleted_at": None,
    **_WRITTEN,
    "attachments": [],
    "unreadable": False,
    "imported": None,
}
_PLAIN_SECOND = {
    **_PLAIN_FIRST,
    "revision": 2,
    "parent": hash_of(FIRST),
    "seq": 42,
    "updated_at": _UPDATED,
    "content": "Planted the first beans, and watered them.",
}
_PLAIN_DELETED = {
    **_PLAIN_SECOND,
    "revision": 3,
    "parent": hash_of(SECOND),
    "seq": 57,
    "updated_at": _DELETED,
    "deleted_at": _DELETED,
}
_PLAIN_RESTORED = {
    **_PLAIN_SECOND,
    "revision": 4,
    "parent": hash_of(_TOMBSTONE),
    "seq": 58,
    "updated_at": "2026-03-20T18:00:30.118482Z",
}

EXAMPLES = {
    "GET /entries": Examples(
        answer={
            "e2e": {"items": [_SEALED_SECOND], "next_cursor": None},
            "uce": {"items": [_PLAIN_SECOND], "next_cursor": opaque("cursor of entries", 48)},
            "a page by its number": {
                "items": [_PLAIN_SECOND],
                "next_cursor": opaque("cursor of entries", 48),
                "page": 3,
                "page_size": 1,
                "total": 412,
            },
        }
    ),
    "POST /entries": Examples(
        body={
            "e2e": {
                "id": ENTRY,
                "base_revision": 0,
                "parent": NONE,
                "payload": FIRST,
                "labels": [CALM, GARDEN],
                **_MADE_ON_THE_LAPTOP,
            },
            "e2e, of which the user shares date and source": {
                "id": ENTRY,
                "payload": FIRST,
                "labels": [CALM, GARDEN],
                "source": "web",
                "occurred_at": "2026-03-14T07:30:00Z",
            },
            "opaque, sealed by a scheme of the client's own": _OPAQUE,
            "uce": {**_WRITTEN, "id": ENTRY},
            "uce, the shortest": {"content": "Planted the first beans."},
            "uce, with an attached file": {"content": "The first beans.", "attachments": [_ATTACHED]},
        },
        answer={"e2e": _SEALED_FIRST, "opaque": _OPAQUE_FIRST, "uce": _PLAIN_FIRST},
    ),
    "GET /entries/{entry_id}": Examples(answer={"e2e": _SEALED_SECOND, "uce": _PLAIN_SECOND}),
    "PUT /entries/{entry_id}": Examples(
        body={
            "e2e": {
                "payload": SECOND,
                "parent": hash_of(FIRST),
                "base_revision": 1,
                "labels": [CALM, GARDEN],
                **_MADE_ON_THE_LAPTOP,
            },
            "opaque, with another mood": {"mood": "glad", "revision": 2},
            "uce: another text, and the mood taken away": {
                "content": "Planted the first beans, and watered them.",
                "mood": None,
                "revision": 2,
            },
        },
        answer={"e2e": _SEALED_SECOND, "uce": {**_PLAIN_SECOND, "mood": None}},
    ),
    "DELETE /entries/{entry_id}": Examples(
        body={"e2e: a tombstone": {"payload": _TOMBSTONE, "parent": hash_of(SECOND), "base_revision": 2}},
        answer={"e2e": _SEALED_DELETED, "uce": _PLAIN_DELETED},
    ),
    "POST /entries/{entry_id}/restore": Examples(
        body={
            "e2e: the content, sealed again": {
                "payload": _AGAIN,
                "parent": hash_of(_TOMBSTONE),
                "base_revision": 3,
                "labels": [CALM, GARDEN],
            }
        },
        answer={"e2e": _SEALED_RESTORED, "uce": _PLAIN_RESTORED},
    ),
    "GET /entries/{entry_id}/history": Examples(
        answer={
            "from the first revision on": {
                "items": [
                    {"event": "created", "revision": 1, "at": _CREATED, "device_id": LAPTOP},
                    {"event": "updated", "revision": 2, "at": _UPDATED, "device_id": PHONE},
                    {"event": "deleted", "revision": 3, "at": _DELETED, "device_id": LAPTOP},
                ],
                "next_cursor": None,
            }
        }
    ),
    "GET /entries/{entry_id}/revisions/{number}": Examples(answer={"e2e": _SEALED_FIRST, "uce": _PLAIN_FIRST}),
}
