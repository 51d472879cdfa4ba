"""Examples of connections to social networks: one begun, one kept, an entry published, posts taken over."""

from __future__ import annotations

from lockleaf.server.features.people import ENTRY
from lockleaf.server.platform.http.examples import Examples, opaque

__all__ = ["EXAMPLES"]

_STATE = opaque("state", 180).rstrip("=").replace("+", "-").replace("/", "_")
_MASTODON = {
    "id": "0190a3a0-0000-7000-8000-0000000000e1",
    "provider": "mastodon",
    "name": "@ada@mastodon.example",
    "instance": "https://mastodon.example",
    "state": "connected",
    "targets": [],
    "visibilities": ["public", "unlisted", "private", "direct"],
    "connected_at": "2026-03-14T07:31:04.518482Z",
    "pulled_at": "2026-03-14T08:13:02.104410Z",
    "paused_until": None,
    "last_error": None,
    "unknown": 0,
}
_FACEBOOK = {
    **_MASTODON,
    "id": "0190a3a0-0000-7000-8000-0000000000e2",
    "provider": "facebook",
    "name": "Ada",
    "instance": None,
    "targets": [{"id": "20001", "name": "Ada's workshop"}],
    "visibilities": [],
}
_PUBLISHED = {
    "status": "published",
    "provider": "mastodon",
    "entry_id": ENTRY,
    "external_id": "114162042171834210",
    "url": "https://mastodon.example/@ada/114162042171834210",
    "published_at": "2026-03-14T08:31:04.518482Z",
    "retry_after": None,
}

EXAMPLES = {
    "GET /integrations": Examples(answer={"two connections": {"items": [_MASTODON, _FACEBOOK]}}),
    "POST /integrations/{provider}/connect": Examples(
        body={"an instance of Mastodon": {"instance": "mastodon.example"}, "Facebook": {}},
        answer={
            "where the user is sent": {
                "authorization_url": "https://mastodon.example/oauth/authorize?response_type=code&client_id=example",
                "state": _STATE,
                "redirect_uri": "urn:ietf:wg:oauth:2.0:oob",
                "expires_at": "2026-03-14T08:01:04Z",
            }
        },
    ),
    "POST /integrations/{provider}/callback": Examples(
        body={"what came back": {"state": _STATE, "code": "qDFUEaYrRK5c-HNmTCJbAzazwLRInJ7VHFat0wcMgCU"}},
        answer={"Mastodon": {**_MASTODON, "pulled_at": None}, "Facebook": {**_FACEBOOK, "pulled_at": None}},
    ),
    "POST /integrations/{provider}/push": Examples(
        body={
            "e2e: the text that its user was shown": {
                "entry_id": ENTRY,
                "text": "The sea at noon.",
                "visibility": "unlisted",
            },
            "uce: the entry as it is": {"entry_id": ENTRY},
            "to a Page": {"entry_id": ENTRY, "text": "The sea at noon.", "target": "20001"},
        },
        answer={
            "published": _PUBLISHED,
            "the answer was lost": {
                **_PUBLISHED,
                "status": "unknown",
                "external_id": None,
                "url": None,
                "published_at": None,
                "retry_after": 120,
            },
        },
    ),
    "POST /integrations/{provider}/pull": Examples(
        body={"the only connection": {}, "one of several": {"integration_id": _MASTODON["id"]}},
        answer={"all that was new": {"added": 12, "known": 3, "skipped": 0, "complete": True}},
    ),
}
