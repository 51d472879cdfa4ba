"""What people do seldom: change a password, lose one, look after devices, leave and come back."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.people import User, b64
from benchmarks.throughput import new_payload
from lockleaf.crypto.history import ZERO
from lockleaf.crypto.identity import checkpoint_message

__all__ = ["LEFT_OUT", "move", "once"]

LEFT_OUT = {
    "GET /sync/events": "it stays open",
    "DELETE /inbox/{item_id}": "only an integration puts something into an inbox",
    "GET /users/me/export/{job_id}": "a worker makes the archive first, at its leisure",
    "GET /health": "asked by machines",
    "GET /ready": "asked by machines",
    "GET /metrics": "asked by machines",
}
"""The routes that nobody here asks, and why."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def once(user: User) -> None:
    """Log in, take a fresh token, and change the password."""
    await user.ask("POST", "/auth/prelogin", {"email": user.email})
    user.tokens = await user.ask("POST", "/auth/login", {"email": user.email, "password": user.secret})
    body = {"refresh_token": user.tokens["refresh_token"]}
    user.tokens = {**user.tokens, **await user.ask("POST", "/auth/refresh", body)}
    new = secrets.token_urlsafe(24)
    change = {"current_password": user.secret, "password": new}
    user.tokens = {**user.tokens, **await user.ask("PUT", "/auth/password", change)}
    user.secret = new


async def move(user: User) -> None:
    """Do what hardly anybody does twice, ending with an account deleted and another one made."""
    await _devices(user)
    await (_lost_password if user.custody == "uce" else _keys)(user)
    await user.ask("PUT", "/users/me", {"display_name": "Somebody else"})
    await user.ask("POST", "/search/index", {} if user.custody == "uce" else {"documents": []})
    await _conflict(user)
    await _count(user)
    job = await user.ask("POST", "/users/me/export")
    await user.ask("GET", "/jobs/{job_id}", job_id=job["id"])
    await user.ask("DELETE", "/sync/backup/content")
    secret = {"current_password": user.secret}
    await user.ask("PUT", "/users/me/privacy", {"privacy_tier": "analytics_sync", **secret})
    await user.ask("DELETE", "/users/me/privacy/revoke", secret)
    await user.ask("DELETE", "/users/me", secret)
    user.email, user.tokens = f"{uuid4().hex}@example.org", {}
    await user.sign_up()


async def _devices(user: User) -> None:
    """Log two more devices in; one leaves by itself, the other one is signed out."""
    leaving = await user.ask_by_form("/auth/token", username=user.email, password=user.secret)
    await user.ask("POST", "/auth/logout", token=leaving["access_token"])
    login = {"email": user.email, "password": user.secret, "device_name": "lost"}
    await user.ask("POST", "/auth/login", login)
    sessions = (await user.ask("GET", "/auth/sessions"))["items"]
    lost = next(each for each in sessions if each["device_name"] == "lost")
    await user.ask("DELETE", "/auth/sessions/{session_id}", session_id=lost["id"])


async def _lost_password(user: User) -> None:
    fresh = await user.ask("POST", "/auth/recovery-codes", {"current_password": user.secret})
    code = {"email": user.email, "code": fresh["recovery_codes"][0]}
    verified = await user.ask("POST", "/auth/verify-recovery-code", code)
    user.secret = secrets.token_urlsafe(24)
    recovery = {"recovery_token": verified["recovery_token"], "password": user.secret}
    user.tokens = {**user.tokens, **await user.ask("POST", "/auth/recover", recovery)}


async def _keys(user: User) -> None:
    """Give an account that had none its keyring, and sign a word on the history."""
    signing = Ed25519PrivateKey.generate()
    codes = [
        {"verifier_hash": b64(sha256(secrets.token_bytes()).digest()), "keyring": b64(new_payload())} for _ in "12"
    ]
    # An account whose client kept its keys to itself has had no parameters so far.
    kdf = {
        "algorithm": "argon2id",
        "salt": b64(secrets.token_bytes(16)),
        "memory_kib": 65536,
        "iterations": 3,
        "parallelism": 1,
    }
    keyring = {
        "kdf": kdf,
        "current_password": user.secret,
        "keyring": b64(new_payload()),
        "base_keyring_version": 0,
        "recipient": str(pyrage.x25519.Identity.generate().to_public()),
        "signing_key": b64(signing.public_key().public_bytes_raw()),
        "recovery": codes,
    }
    answer = await user.ask("PUT", "/auth/keyring", keyring)
    account = await user.ask("GET", "/auth/me")
    feed = await user.ask("GET", "/sync/changes?limit=1")
    time = _now()
    said = (account["id"], feed["epoch"], 0, ZERO, "benchmark", time)
    checkpoint: dict[str, Any] = {"epoch": feed["epoch"], "seq": 0, "head": b64(ZERO), "device_id": "benchmark"}
    signature = b64(signing.sign(checkpoint_message(*said)))
    await user.ask("POST", "/sync/checkpoints", {**checkpoint, "time": time, "signature": signature})
    fresh = {"current_password": user.secret, "recovery": codes[:1], "base_keyring_version": answer["keyring_version"]}
    await user.ask("POST", "/auth/recovery-codes", fresh)


async def _conflict(user: User) -> None:
    """Change one record on two devices at once, and decide for what the server has."""
    change = {
        "collection": "x-notes",
        "record_id": str(uuid4()),
        "base_revision": 0,
        "parent": b64(ZERO),
        "device_id": "benchmark",
        "client_updated_at": _now(),
        "on_conflict": "keep",
    }
    for _ in range(2):
        pushed = await user.ask("POST", "/sync/push", {"changes": [{**change, "payload": b64(new_payload())}]})
    conflict_id = pushed["results"][0]["conflict_id"]
    decided = {"chosen_version": "remote"}
    await user.ask("POST", "/sync/conflicts/{conflict_id}/resolve", decided, conflict_id=conflict_id)


async def _count(user: User) -> None:
    """Register a key for encrypted metrics, and have a few values added up."""
    await user.ask("GET", "/encryption/context")
    consent = {"privacy_tier": "full_sync", "consent_timestamp": _now(), "he_public_key": user.metrics.public}
    await user.ask("PUT", "/users/me/privacy", consent)
    name = user.metrics.parameter_set
    key = {"sealed_key": b64(new_payload()), "base_version": 0}
    await user.ask("PUT", "/encryption/keys/{parameter_set}", key, parameter_set=name)
    await user.ask("GET", "/encryption/keys/{parameter_set}", parameter_set=name)
    values = [
        {
            "metric_type": "word_count",
            "id": str(uuid4()),
            "timestamp": _now(),
            "parameter_set": name,
            "encrypted_value": user.metrics.value,
        }
        for _ in range(3)
    ]
    await user.ask("POST", "/encryption/metrics", {"metrics": values})
    listed = await user.ask("GET", "/encryption/metrics")
    wanted = {"metric_type": "word_count", "operation": "sum", "parameter_set": name}
    await user.ask("POST", "/encryption/aggregate", wanted)
    await user.ask("DELETE", "/encryption/metrics/{metric_id}", metric_id=listed["items"][0]["id"])
    await user.ask("DELETE", "/sync/metrics/all")
