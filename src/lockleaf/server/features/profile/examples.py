"""Examples of ``/users``, and of an account's jobs and archives."""

from __future__ import annotations

from lockleaf.server.features.people import ADA, AUTH_SECRET, GRACE, PASSWORD, SESSION
from lockleaf.server.platform.http.examples import Examples, opaque

__all__ = ["EXAMPLES"]

_STATISTICS = {
    "days_analyzed": 30,
    "total_logs": 412,
    "recent_logs": 26,
    "writing_streak": 9,
    "total_words": None,
    "avg_words_per_entry": None,
}
_PROFILE = {
    "id": ADA,
    "user_id": ADA,
    "email": "ada@example.org",
    "display_name": "Ada",
    "timezone": "Europe/London",
    "locale": "en-GB",
    "privacy_tier": "full_sync",
    "encryption_tier": "e2e",
    "created_at": "2026-03-01T08:00:00Z",
    "statistics": _STATISTICS,
    "updated_at": "2026-03-14T07:31:04.518482Z",
    "daily_word_goal": 300,
    "logs_count": 412,
    "writing_streak": 9,
    "total_words_written": None,
}
_PREFERENCES = {
    "daily_word_goal": 300,
    "writing_reminder_time": "21:30",
    "theme_preferences": {"dark": True, "font_size": 18},
    "ai_features_enabled": False,
    "timezone": "Europe/London",
    "locale": "en-GB",
}
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

_QUEUED = {
    "id": "0190a3a0-0000-7000-8000-0000000000b1",
    "kind": "account.export",
    "state": "queued",
    "progress": {"done": 0, "total": 0},
    "created_at": "2026-03-14T07:40:00Z",
}
_DONE = {
    **_QUEUED,
    "state": "succeeded",
    "progress": {"done": 438, "total": 438},
    "started_at": "2026-03-14T07:40:00.221482Z",
    "finished_at": "2026-03-14T07:40:01.907482Z",
}

EXAMPLES = {
    "GET /users/me": Examples(
        answer={
            "e2e": _PROFILE,
            "uce": {**_PROFILE, "id": GRACE, "user_id": GRACE, "email": "grace@example.org", "encryption_tier": "uce"},
        }
    ),
    "PUT /users/me": Examples(
        body={"what changes": {"display_name": "Ada L.", "timezone": "Europe/Paris", "daily_word_goal": 500}},
        answer={
            "the whole": {**_PROFILE, "display_name": "Ada L.", "timezone": "Europe/Paris", "daily_word_goal": 500}
        },
    ),
    "DELETE /users/me": Examples(
        body={"e2e": {"current_password": AUTH_SECRET}, "uce": {"current_password": PASSWORD}},
    ),
    "GET /users/me/stats": Examples(answer={"a month": _STATISTICS}),
    "GET /users/me/access": Examples(
        answer={
            "uce": {
                "items": [
                    {
                        "hour": "2026-03-14T07:00:00Z",
                        "session_id": SESSION,
                        "device_name": "Grace's reader",
                        "purpose": "entries.read",
                        "openings": 3,
                        "records": 42,
                        "last_at": "2026-03-14T07:31:04.518482Z",
                    }
                ],
                "next_cursor": None,
            },
            "e2e: empty for ever": {"items": [], "next_cursor": None},
        }
    ),
    "GET /users/me/preferences": Examples(answer={"all of them": _PREFERENCES}),
    "PUT /users/me/preferences": Examples(
        body={"what changes": {"daily_word_goal": 500, "writing_reminder_time": "20:00"}},
        answer={"the whole": {**_PREFERENCES, "daily_word_goal": 500, "writing_reminder_time": "20:00"}},
    ),
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
    "POST /users/me/export": Examples(answer={"a job": _QUEUED}),
    "GET /jobs": Examples(answer={"one that is done": {"items": [_DONE]}}),
    "GET /jobs/{job_id}": Examples(
        answer={
            "done": _DONE,
            "on its way": {
                **_QUEUED,
                "state": "running",
                "progress": {"done": 120, "total": 438},
                "started_at": "2026-03-14T07:40:00.221482Z",
            },
            "failed": {**_DONE, "state": "failed", "error_code": "database_unavailable"},
        }
    ),
    "GET /health": Examples(answer={"alive": {"status": "ok", "version": "0.1.0"}}),
    "GET /ready": Examples(
        answer={
            "ready": {
                "ready": True,
                **{
                    name: {"ok": True, "code": None} for name in ("database", "schema", "queue", "store", "live_events")
                },
            }
        }
    ),
}
