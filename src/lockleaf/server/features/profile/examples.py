"""Examples of ``/users/me``."""

from __future__ import annotations

from lockleaf.server.features.people import ADA, AUTH_SECRET, GRACE, PASSWORD
from lockleaf.server.platform.http.examples import Examples

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
    "GET /users/me/preferences": Examples(answer={"all of them": _PREFERENCES}),
    "PUT /users/me/preferences": Examples(
        body={"what changes": {"daily_word_goal": 500, "writing_reminder_time": "20:00"}},
        answer={"the whole": {**_PREFERENCES, "daily_word_goal": 500, "writing_reminder_time": "20:00"}},
    ),
}
