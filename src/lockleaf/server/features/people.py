"""Who and what the examples are about: two people, a diary, its devices. Ada's is end-to-end encrypted, Grace's uce.

Ada's key derivation and keys are those of the published test vectors: what a client computes for the password "correct
horse battery staple" is what the examples show.
"""

from __future__ import annotations

from typing import Any

from lockleaf.server.platform.http.examples import envelope, hexadecimal, opaque, token

__all__ = [
    "ADA",
    "ALL_SCOPES",
    "AUTH_SECRET",
    "CALM",
    "CODES",
    "ENTRY",
    "EPOCH",
    "FIRST",
    "GARDEN",
    "GARDEN_ID",
    "GRACE",
    "JOB",
    "KDF",
    "KEYRING",
    "LAPTOP",
    "PASSWORD",
    "PHONE",
    "PHOTO",
    "RECIPIENT",
    "RECOVERY",
    "SECOND",
    "SESSION",
    "SIGNING_KEY",
    "TOKENS",
]

ADA = "0190a3a0-0000-7000-8000-000000000001"
GRACE = "0190a3a0-0000-7000-8000-000000000002"
SESSION = "0190a3a0-0000-7000-8000-0000000000d1"
LAPTOP, PHONE = "0190a3a0-0000-7000-8000-0000000000e1", "0190a3a0-0000-7000-8000-0000000000e2"
ENTRY = "0190a3a0-0000-7000-8000-0000000000a1"
PHOTO = "0190a3a0-0000-7000-8000-000000000021"
EPOCH = "0190a3a0-0000-7000-8000-0000000000f1"

PASSWORD = "correct horse battery staple"  # noqa: S105
AUTH_SECRET = "vFuFUmqWNIQ4UCwfP/Kh+2W0nxS2W+KUcos/zSlpy9k="  # noqa: S105
KDF: dict[str, Any] = {
    "algorithm": "argon2id",
    "salt": "xpiwDa3tgGyV4WGn5I90Ew==",
    "iterations": 3,
    "memory_kib": 65536,
    "parallelism": 1,
}
RECIPIENT = "age1kmk0dl4cu2af9v78qqjynglhz2lxhqs8qp9hcyp6auy24vavl9qsrz6hhz"
SIGNING_KEY = "2/1I6q9Yxfn1fHb9t36JQRgFlYvq2GEp14AHZUR+kIM="
KEYRING = opaque("keyring", 120)
CODES = ["01234-56789-ABCDE-FGHJK", "AAAAA-BBBBB-CCCCC-DDDDD"]
"""Two of the ten."""
RECOVERY = [
    {"verifier_hash": opaque(f"verifier {code}", 32), "keyring": opaque(f"keyring {code}", 120)} for code in CODES
]
ALL_SCOPES = "account entries integrations media metrics search sync tags vault"

TOKENS = {
    "access_token": token("access"),
    "jwt_token": token("access"),
    "refresh_token": token("refresh"),
    "token_type": "bearer",
    "expires_in": 900,
    "scope": ALL_SCOPES,
    "session_id": SESSION,
    "user_id": ADA,
}

FIRST, SECOND = envelope("the first revision"), envelope("the second revision")
"""The payloads of an entry's revisions."""
CALM, GARDEN = opaque("mood calm", 16), opaque("tag garden", 16)
"""Labels."""
GARDEN_ID = hexadecimal("tag garden")
JOB = {
    "id": "0190a3a0-0000-7000-8000-0000000000b1",
    "kind": "account.export",
    "state": "queued",
    "progress": {"done": 0, "total": 0},
    "created_at": "2026-03-14T07:40:00Z",
}
