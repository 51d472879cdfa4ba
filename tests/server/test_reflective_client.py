"""A client of the first backend, as one was written for it: it seals by itself, backs up, and has its numbers added."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import tenseal

from tests.support.account_holders import problem
from tests.support.contract import BASES
from tests.support.process import RunningServer

CONSENT = "2024-01-01T09:00:00"
"""When the person agreed: before there was an account, by a clock that said nothing of its zone."""
PHONES, LAPTOPS, BOTH = "the phone's words", "the laptop's words", "the words of both"
WRITTEN = datetime(2025, 3, 1, 12, tzinfo=UTC)


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def at(minutes: int) -> str:
    return (WRITTEN + timedelta(minutes=minutes)).isoformat()


def instant(said: str) -> datetime:
    return datetime.fromisoformat(said)


@dataclass
class Device:
    """The application on one device."""

    http: httpx.Client
    email: str
    password: str
    device_id: str
    token: str = ""

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        if self.token:
            options["headers"] = {"Authorization": f"Bearer {self.token}"}
        return self.http.request(method, path, **options, **({} if body is None else {"json": body}))

    def done(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        answer = self.call(method, path, body, **options)
        assert answer.is_success, answer.text
        return answer.json()

    def register(self, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.done(
            "POST", "/auth/register", {"email": self.email, "password": self.password, **more}
        )
        self.token = made["access_token"]
        return made

    def log_in(self) -> None:
        form = {"username": self.email, "password": self.password}
        self.token = self.done("POST", "/auth/token", data=form)["access_token"]

    def raise_tier(self, tier: str, key: str | None = None) -> dict[str, Any]:
        body = {"privacy_tier": tier, "consent_timestamp": CONSENT, "he_public_key": key}
        raised: dict[str, Any] = self.done("PUT", "/users/me/privacy", body)
        return raised

    def back_up(self, log_id: str, words: str, minutes: int) -> httpx.Response:
        sealed = {
            "id": log_id,
            "encrypted_content": text(words.encode()),
            "content_iv": text(secrets.token_bytes(12)),
            "content_tag": text(secrets.token_bytes(16)),
            "encrypted_embedding": text(f"embedding of {words}".encode()),
            "embedding_iv": text(secrets.token_bytes(12)),
            "created_at": at(0),
            "updated_at": at(minutes),
            "device_id": self.device_id,
        }
        return self.call("POST", "/sync/backup", sealed)

    def backups(self, since: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """What other devices wrote, page by page, as a device fetches it."""
        found: list[dict[str, Any]] = []
        while True:
            asked = {"device_id": self.device_id, "limit": limit, **({"since": since} if since else {})}
            page = self.done("GET", "/sync/backups", params=asked)
            found += page["backups"]
            if not page["has_more"]:
                return found
            since = found[-1]["updated_at"]

    def conflicts(self) -> list[dict[str, Any]]:
        listed = self.done("GET", "/sync/conflicts")
        assert listed["total_count"] == len(listed["conflicts"])
        found: list[dict[str, Any]] = listed["conflicts"]
        return found


def opened(encrypted: str) -> str:
    return base64.b64decode(encrypted).decode()


@pytest.fixture(params=BASES)
def phone(request: pytest.FixtureRequest, server: RunningServer) -> Iterator[Device]:
    """A device whose user has no account yet."""
    with httpx.Client(base_url=server.url + request.param, timeout=30) as http:
        yield Device(http, f"{uuid4().hex}@example.com", "a password of the time", f"phone-{uuid4().hex}")


@pytest.fixture
def laptop(phone: Device) -> Device:
    """The same user's other device, once the first one has registered."""
    phone.register()
    phone.raise_tier("full_sync")
    laptop = Device(phone.http, phone.email, phone.password, f"laptop-{uuid4().hex}")
    laptop.log_in()
    return laptop


def test_an_email_and_a_password_are_an_account_that_keeps_everything_on_the_device(phone: Device) -> None:
    made = phone.register(display_name="Ada", timezone="Europe/Vienna")
    assert (made["email"], made["display_name"], made["privacy_tier"]) == (phone.email, "Ada", "local_only")
    assert (made["token_type"], made["timezone"]) == ("bearer", "Europe/Vienna")
    problem(
        phone.call("POST", "/auth/register", {"email": phone.email, "password": "another password"}), 409, "email_taken"
    )
    wrong = {"username": phone.email, "password": "not the password"}
    problem(phone.call("POST", "/auth/token", data=wrong), 401, "invalid_credentials")
    phone.log_in()

    assert phone.done("GET", "/users/me/")["id"] == made["id"] == made["user_id"]
    problem(phone.call("PUT", "/users/me", {"password": "a new password"}), 422, "invalid_request")
    assert phone.done("PUT", "/users/me", {"display_name": "Ada L."})["display_name"] == "Ada L."
    goal = phone.done("PUT", "/users/me/preferences", {"daily_word_goal": 750, "theme_preferences": {"mode": "dark"}})
    assert goal == phone.done("GET", "/users/me/preferences")
    assert (goal["daily_word_goal"], goal["theme_preferences"]) == (750, {"mode": "dark"})
    counted = phone.done("GET", "/users/me/stats", params={"days": 7})
    assert (counted["days_analyzed"], counted["total_logs"], counted["total_words"]) == (7, 0, None)
    renewed = phone.done("POST", "/auth/refresh", {"refresh_token": made["refresh_token"]})
    assert renewed["refresh_token"] != made["refresh_token"]


def test_the_tier_goes_up_by_consent_alone_and_down_at_once(phone: Device) -> None:
    phone.register()
    told = phone.done("GET", "/users/me/privacy")
    assert (told["current_tier"], told["sync_enabled"]) == ("local_only", False)
    for refused in (phone.back_up("early", "not yet", 0), phone.call("GET", "/tags/")):
        assert problem(refused, 403, "tier_required")["required"] == "full_sync"
    problem(phone.call("PUT", "/users/me/privacy", {"privacy_tier": "full_sync"}), 422, "consent_required")
    tomorrow = {"privacy_tier": "full_sync", "consent_timestamp": (datetime.now(UTC) + timedelta(days=2)).isoformat()}
    problem(phone.call("PUT", "/users/me/privacy", tomorrow), 422, "consent_required")

    raised = phone.raise_tier("full_sync")
    assert (raised["current_tier"], raised["he_public_key_registered"]) == ("full_sync", False)
    assert instant(raised["sync_enabled_at"]) == instant(CONSENT + "Z")
    assert raised["features_available"]["cloud_sync"] is True

    assert phone.call("POST", "/tags/", {"name": "walks", "color": "#00aa00"}).status_code == 201
    assert phone.call("POST", "/tags", {"name": "walks"}).status_code == 200
    assert [each["name"] for each in phone.done("GET", "/tags/")] == ["walks"]
    assert phone.done("DELETE", "/tags/cleanup", params={"days": 30})["deleted_count"] == 0
    assert phone.back_up("kept", "words", 0).status_code == 201

    gone = phone.done("DELETE", "/users/me/privacy/revoke")
    assert (gone["new_tier"], gone["deleted_backups"], gone["deleted_conflicts"]) == ("local_only", 2, 0)
    phone.raise_tier("full_sync")
    assert phone.done("GET", "/sync/backups") == {"backups": [], "has_more": False, "total_count": 0}


def test_a_tier_may_be_chosen_with_the_account(phone: Device) -> None:
    made = phone.register(privacy_tier="full_sync", consent_timestamp=CONSENT)
    told = phone.done("GET", "/users/me/privacy")
    assert (made["privacy_tier"], told["current_tier"]) == ("full_sync", "full_sync")
    assert instant(told["sync_enabled_at"]) == instant(CONSENT + "Z")
    assert phone.back_up("first", "words", 0).status_code == 201


def test_devices_back_up_and_fetch_what_others_wrote(phone: Device, laptop: Device) -> None:
    stored = phone.back_up("log-0", "monday", 0).json()
    assert (stored["id"], stored["log_id"], stored["device_id"]) == ("log-0", "log-0", phone.device_id)
    assert instant(stored["updated_at"]) == WRITTEN
    for number in range(1, 5):
        assert phone.back_up(f"log-{number}", f"day {number}", number).status_code == 201
    assert phone.back_up("log-0", "monday, longer", 10).status_code == 201

    fetched = laptop.backups(limit=2)
    assert [each["id"] for each in fetched] == ["log-1", "log-2", "log-3", "log-4", "log-0"]
    assert opened(fetched[-1]["encrypted_content"]) == "monday, longer"
    assert opened(fetched[-1]["encrypted_embedding"]) == "embedding of monday, longer"
    assert all(len(each["content_iv"]) == 16 and len(each["content_tag"]) == 24 for each in fetched)
    assert phone.backups() == []
    assert laptop.backups(since=fetched[-1]["updated_at"]) == []

    assert phone.done("DELETE", "/sync/backup/log-1")["success"] is True
    problem(phone.call("DELETE", "/sync/backup/log-1"), 404, "not_found")
    assert phone.done("DELETE", "/sync/backup/content")["deleted_backups"] == 4
    assert laptop.backups() == []


@pytest.mark.parametrize(("chosen", "left"), [("local", LAPTOPS), ("remote", PHONES), ("merged", BOTH)])
@pytest.mark.parametrize("by_phone", [False, True])
def test_two_devices_that_wrote_the_same_entry_lose_no_word(
    phone: Device, laptop: Device, chosen: str, left: str, by_phone: bool
) -> None:
    phone.back_up("log", PHONES, 0)
    [seen] = laptop.backups()
    refused = problem(laptop.back_up("log", LAPTOPS, 5), 409, "backup_conflict")
    [conflict] = phone.conflicts()
    assert (conflict["id"], conflict["log_id"]) == (refused["conflict_id"], refused["log_id"])
    local, remote = conflict["local_version"], conflict["remote_version"]
    assert [opened(each["encrypted_content"]) for each in (local, remote)] == [LAPTOPS, PHONES]
    assert opened(local["encrypted_embedding"]) == f"embedding of {LAPTOPS}"
    assert [each["device_id"] for each in (local, remote)] == [laptop.device_id, phone.device_id]

    who, other = (phone, laptop) if by_phone else (laptop, phone)
    path, choice = f"/sync/conflicts/{conflict['id']}/resolve", {"chosen_version": chosen}
    if chosen == "merged":
        problem(who.call("POST", path, choice), 422, "content_required")
        choice |= {"final_encrypted_content": text(BOTH.encode()), "final_iv": text(secrets.token_bytes(12))}
        choice |= {"final_tag": text(secrets.token_bytes(16))}
    resolved = who.done("POST", path, choice)
    assert resolved["success"] is True
    assert (resolved["details"]["log_id"], resolved["details"]["chosen_version"]) == ("log", chosen)
    problem(other.call("POST", path, choice), 409, "conflict_resolved")
    assert who.conflicts() == []

    [stored] = phone.done("GET", "/sync/backups")["backups"]
    assert opened(stored["encrypted_content"]) == left
    if chosen == "remote":
        assert laptop.backups(since=seen["updated_at"]) == []
        assert phone.back_up("log", "the phone goes on", 10).status_code == 201
        return
    # Who polls is told what was chosen elsewhere, and the device whose version it became goes on without a conflict.
    assert stored["device_id"] == laptop.device_id
    assert [opened(each["encrypted_content"]) for each in other.backups(since=seen["updated_at"])] == [left]
    assert laptop.back_up("log", "the laptop goes on", 10).status_code == 201


def test_numbers_are_added_up_by_who_cannot_read_them(phone: Device) -> None:
    phone.register()
    params = phone.done("GET", "/encryption/context")["context_params"]
    assert params == {
        "scheme": "CKKS",
        "poly_modulus_degree": 8192,
        "coeff_mod_bit_sizes": [60, 40, 40, 60],
        "scale": 1099511627776,
    }
    context = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS, params["poly_modulus_degree"], coeff_mod_bit_sizes=params["coeff_mod_bit_sizes"]
    )
    context.global_scale = params["scale"]
    public, secret = (text(context.serialize(save_secret_key=each)) for each in (False, True))
    values = {"2025-03-01T08:00:00Z": 120.0, "2025-03-02T08:00:00Z": 80.0, "2025-04-02T08:00:00Z": 410.5}
    metrics = [
        {
            "metric_type": "word_count",
            "encrypted_value": text(tenseal.ckks_vector(context, [value]).serialize()),
            "timestamp": time,
        }
        for time, value in values.items()
    ]

    problem(phone.call("POST", "/encryption/metrics", {"metrics": metrics}), 403, "tier_required")
    phone.raise_tier("analytics_sync")
    problem(phone.call("POST", "/encryption/metrics", {"metrics": metrics}), 409, "he_key_required")
    leaked = {"privacy_tier": "analytics_sync", "consent_timestamp": CONSENT, "he_public_key": secret}
    problem(phone.call("PUT", "/users/me/privacy", leaked), 422, "secret_key_received")
    assert phone.raise_tier("analytics_sync", public)["he_public_key_registered"] is True

    def total(operation: str, **more: Any) -> tuple[int, float]:
        asked = {"metric_type": "word_count", "operation": operation, **more}
        answer = phone.done("POST", "/encryption/aggregate", asked)
        assert (answer["metric_type"], answer["operation"]) == ("word_count", operation)
        vector = tenseal.ckks_vector_from(context, base64.b64decode(answer["encrypted_result"]))
        return answer["count"], vector.decrypt()[0] / answer["divisor"]

    problem(
        phone.call("POST", "/encryption/aggregate", {"metric_type": "word_count", "operation": "sum"}),
        404,
        "no_metrics",
    )
    stored = phone.call("POST", "/encryption/metrics", {"metrics": metrics})
    assert (stored.status_code, stored.json()["success"], stored.json()["details"]["count"]) == (201, True, 3)
    assert total("sum") == (3, pytest.approx(610.5, abs=0.01))
    assert total("average") == (3, pytest.approx(203.5, abs=0.01))
    march = {"start": "2025-03-01T00:00:00Z", "end": "2025-04-01T00:00:00Z"}
    assert total("sum", time_range=march) == (2, pytest.approx(200, abs=0.01))
    assert phone.done("DELETE", "/sync/metrics/all")["deleted_metrics"] == 3
    problem(
        phone.call("POST", "/encryption/aggregate", {"metric_type": "word_count", "operation": "sum"}),
        404,
        "no_metrics",
    )


def test_an_account_is_deleted_with_its_password(phone: Device) -> None:
    phone.register(privacy_tier="full_sync")
    phone.back_up("log", "words", 0)
    problem(phone.call("DELETE", "/users/me", {"current_password": "not the password"}), 401, "invalid_credentials")
    assert phone.call("DELETE", "/users/me", {"current_password": phone.password}).status_code == 204
    problem(phone.call("GET", "/users/me"), 401, "session_revoked")
    wrong = {"username": phone.email, "password": phone.password}
    problem(phone.call("POST", "/auth/token", data=wrong), 401, "invalid_credentials")
