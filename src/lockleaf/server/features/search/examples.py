"""Examples of ``/search``."""

from __future__ import annotations

from typing import Any

from lockleaf.server.features.people import ENTRY
from lockleaf.server.features.search.service import REVEALS
from lockleaf.server.platform.http.examples import NONE, Examples, envelope, opaque

__all__ = ["EXAMPLES"]

_AT = "2026-03-14T07:31:04Z"
_SEA_IN_TITLE, _SEA_IN_BODY = opaque("token: title sea", 8), opaque("token: body sea", 8)
_RAIN_IN_TITLE, _RAIN_IN_BODY = opaque("token: title rain", 8), opaque("token: body rain", 8)
_SHOWN = {"id": ENTRY, "revision": 1, "parent": NONE, "seq": 7, "created_at": _AT, "updated_at": _AT}
_FOUND = {"total": 1, "total_exact": True, "took_ms": 4.2, "ignored": [], "index": {"complete": True}}
_INDEX: dict[str, Any] = {
    "enabled": True,
    "complete": True,
    "language": "english",
    "stale": False,
    "documents": 212,
    "tokens": 25318,
    "pending": 0,
    "built_at": "2026-03-14T07:00:00Z",
    "reveals": REVEALS,
}
_JOB = {
    "id": "0190a3a0-0000-7000-8000-0000000000a1",
    "kind": "search.index",
    "state": "running",
    "progress": {"done": 100, "total": 212},
    "created_at": _AT,
    "started_at": _AT,
}
_HALF_BUILT = {**_INDEX, "complete": False, "documents": 100, "tokens": 11906, "pending": 112, "built_at": None}

EXAMPLES = {
    "POST /search": Examples(
        body={
            "uce": {"query": 'sea "long walk" -rain tag:holiday from:2026', "limit": 20},
            "e2e: the sea without rain": {
                "tokens": {
                    "all": [
                        {"any": [_SEA_IN_TITLE, _SEA_IN_BODY]},
                        {"none": [_RAIN_IN_TITLE, _RAIN_IN_BODY]},
                    ]
                }
            },
        },
        answer={
            "uce": {
                **_FOUND,
                "total_exact": False,
                "items": [
                    {
                        "entry": {**_SHOWN, "title": "By the sea", "content": "A long walk.", "tags": ["holiday"]},
                        "score": 3.204119381,
                        "highlights": [
                            {"field": "title", "text": "By the sea", "marks": [[7, 10]]},
                            {"field": "body", "text": "A long walk.", "marks": [[2, 11]]},
                        ],
                    }
                ],
            },
            "e2e": {**_FOUND, "items": [{"entry": {**_SHOWN, "payload": envelope("an entry")}, "score": 2.1}]},
        },
    ),
    "GET /search/stats": Examples(answer={"complete": _INDEX, "half built": _HALF_BUILT}),
    "POST /search/index": Examples(
        body={
            "uce": {},
            "uce: from the beginning": {"restart": True},
            "e2e": {"documents": [{"record_id": ENTRY, "revision": 1, "tokens": [_SEA_IN_TITLE, _SEA_IN_BODY]}]},
        },
        answer={
            "uce": {"job": _JOB, "index": _HALF_BUILT, "stored": 100, "wanted": []},
            "e2e": {
                "job": _JOB,
                "index": _HALF_BUILT,
                "stored": 1,
                "wanted": [{"record_id": "0190a3a0-0000-7000-8000-0000000000e2", "revision": 3}],
            },
        },
    ),
    "PUT /search/index": Examples(body={"on": {"enabled": True}}, answer={"on": _INDEX}),
}
