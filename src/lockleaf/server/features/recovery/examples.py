"""Examples of recovery codes."""

from __future__ import annotations

from lockleaf.server.features.people import (
    ADA,
    AUTH_SECRET,
    CODES,
    KDF,
    LAPTOP,
    PASSWORD,
    RECOVERY,
    TOKENS,
)
from lockleaf.server.platform.http.examples import Examples, opaque, token

__all__ = ["EXAMPLES"]

_MADE = "2026-03-01T08:00:00Z"
_DEVICE = {"device_name": "Ada's laptop", "device_id": LAPTOP}

EXAMPLES = {
    "GET /auth/recovery-codes": Examples(answer={"how many are left": {"remaining": 9, "created_at": _MADE}}),
    "POST /auth/recovery-codes": Examples(
        body={
            "e2e": {"current_password": AUTH_SECRET, "recovery": RECOVERY, "base_keyring_version": 1},
            "uce": {"current_password": PASSWORD},
        },
        answer={
            "e2e": {"remaining": 10, "created_at": _MADE},
            "drawn by the server (here two of ten), shown once": {
                "remaining": 10,
                "created_at": _MADE,
                "recovery_codes": CODES,
            },
        },
    ),
    "POST /auth/verify-recovery-code": Examples(
        body={
            "e2e: what is derived from the code": {"email": "ada@example.org", "verifier": opaque("verifier", 32)},
            "the code, where the server drew it": {"email": "grace@example.org", "code": CODES[0]},
        },
        answer={
            "ten minutes": {
                "recovery_token": token("recovery"),
                "expires_in": 600,
                "user_id": ADA,
                "keyring": RECOVERY[0]["keyring"],
                "keyring_version": 1,
                "current_keyring_version": 3,
            }
        },
    ),
    "POST /auth/recover": Examples(
        body={
            "e2e": {
                "recovery_token": token("recovery"),
                "password": opaque("the next authentication secret", 32),
                "kdf": {**KDF, "salt": opaque("the next salt", 16)},
                "keyring": opaque("the next keyring", 120),
                "base_keyring_version": 3,
                **_DEVICE,
            },
            "uce": {
                "recovery_token": token("recovery"),
                "password": "a longer walk through the wet garden",
                "device_name": "Grace's tablet",
            },
        },
        answer={"tokens; all other sessions are over": TOKENS},
    ),
}
