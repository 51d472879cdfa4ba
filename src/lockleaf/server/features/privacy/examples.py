"""Examples of ``/users/me/privacy``."""

from __future__ import annotations

from lockleaf.server.features.people import AUTH_SECRET, PASSWORD
from lockleaf.server.platform.http.examples import Examples, opaque

__all__ = ["EXAMPLES"]

_LOCAL = {"local_storage": True, "local_themes": True, "local_search": True}
_FULL = {"cloud_sync": True, "cross_device_search": True, "encrypted_backup": True, "analytics_sync": True}
_METRICS_ONLY = {**dict.fromkeys(_FULL, False), "analytics_sync": True}
_NOTHING = {"metrics": 0, "backups": 0, "conflicts": 0, "media": 0}
_CHOSEN = "2026-03-01T08:00:00Z"
_PRIVACY = {
    "current_tier": "full_sync",
    "sync_enabled": True,
    "sync_enabled_at": _CHOSEN,
    "he_public_key_registered": True,
    "features_available": {**_LOCAL, **_FULL},
}
_LOWERED = {
    "current_tier": "analytics_sync",
    "sync_enabled": True,
    "sync_enabled_at": _CHOSEN,
    "he_public_key_registered": True,
    "features_available": {**_LOCAL, **_METRICS_ONLY},
}

EXAMPLES = {
    "GET /users/me/privacy": Examples(answer={"everything syncs": _PRIVACY}),
    "PUT /users/me/privacy": Examples(
        body={
            "raised, with the public key of metrics (shortened)": {
                "privacy_tier": "full_sync",
                "consent_timestamp": _CHOSEN,
                "he_public_key": opaque("public context", 96),
            },
            "raised by a client that makes its key later": {
                "privacy_tier": "full_sync",
                "consent_timestamp": _CHOSEN,
                "he_public_key": None,
            },
            "lowered": {"privacy_tier": "analytics_sync", "current_password": AUTH_SECRET},
            "lowered by a client that keeps its keys to itself": {"privacy_tier": "analytics_sync"},
        },
        answer={
            "raised": {**_PRIVACY, "deleted": _NOTHING},
            "lowered, and what went": {
                **_LOWERED,
                "deleted": {**_NOTHING, "backups": 438, "conflicts": 1, "media": 12},
            },
        },
    ),
    "DELETE /users/me/privacy/revoke": Examples(
        body={
            "e2e": {"current_password": AUTH_SECRET},
            "uce": {"current_password": PASSWORD},
            "a client that keeps its keys to itself": {},
        },
        answer={
            "what went": {
                "message": "Nothing but the account is left on the server. What is on your devices stays there.",
                "new_tier": "local_only",
                "deleted_metrics": 96,
                "deleted_backups": 438,
                "deleted_conflicts": 1,
                "deleted_media": 12,
            }
        },
    ),
}
