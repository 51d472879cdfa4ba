"""Examples of ``/auth``."""

from __future__ import annotations

from typing import Any

from lockleaf.server.features.people import (
    ADA,
    ALL_SCOPES,
    AUTH_SECRET,
    CODES,
    EPOCH,
    GRACE,
    KDF,
    KEYRING,
    LAPTOP,
    PASSWORD,
    PHONE,
    RECIPIENT,
    RECOVERY,
    SESSION,
    SIGNING_KEY,
    TOKENS,
)
from lockleaf.server.platform.http.examples import Examples, digest, opaque, token

__all__ = ["EXAMPLES"]

_MADE = "2026-03-01T08:00:00Z"
_KEYS = {"kdf": KDF, "keyring": KEYRING, "recipient": RECIPIENT, "signing_key": SIGNING_KEY, "recovery": RECOVERY}
_DEVICE = {"device_name": "Ada's laptop", "device_id": LAPTOP}

_ADA = {
    "id": ADA,
    "user_id": ADA,
    "email": "ada@example.org",
    "display_name": "Ada",
    "timezone": "Europe/London",
    "locale": "en-GB",
    "privacy_tier": "full_sync",
    "encryption_tier": "e2e",
    "created_at": _MADE,
}
_GRACE = {
    **_ADA,
    "id": GRACE,
    "user_id": GRACE,
    "email": "grace@example.org",
    "display_name": "Grace",
    "encryption_tier": "uce",
}
_OF_THE_SESSION = {"session_id": SESSION, "device_id": LAPTOP}
_ACCOUNT_OF_ADA: dict[str, Any] = {
    **_ADA,
    "kdf": KDF,
    "kek_salt": None,
    "keyring": KEYRING,
    "keyring_version": 1,
    "recipient": RECIPIENT,
    "signing_key": SIGNING_KEY,
    "rotation_signature": None,
    **_OF_THE_SESSION,
}
_ACCOUNT_OF_GRACE = {
    **_ACCOUNT_OF_ADA,
    **_GRACE,
    "kdf": None,
    "kek_salt": opaque("salt of the key-encryption key", 16),
}
_SESSION = {
    "id": SESSION,
    "device_id": LAPTOP,
    "device_name": "Ada's laptop",
    "scope": ALL_SCOPES,
    "created_at": _MADE,
    "last_used_at": "2026-03-14T07:31:04.518482Z",
    "expires_at": "2026-04-13T07:31:04Z",
    "opened_with": ["password", "totp"],
    "current": True,
}
_OF_ADA = {
    "server_search": False,
    "blind_search": True,
    "integrations": False,
    "media": True,
    "analytics": True,
    "server_decryption": False,
    "sync": True,
    "live_events": True,
}
_CLIENT_SALT = opaque("a vault client's salt", 16)
_OF_A_VAULT_CLIENT = {"email": None, "username": "ada", "salt": _CLIENT_SALT, "vault_id": "main"}
_SIGNED_UP_WITHOUT_CODES = {**TOKENS, **_ADA, "recovery_codes": None}

EXAMPLES = {
    "POST /auth/prelogin": Examples(
        body={"an email": {"email": "ada@example.org"}, "a vault client's name": {"username": "ada"}},
        answer={"argon2id": {"kdf": KDF, "salt": _CLIENT_SALT}},
    ),
    "POST /auth/register": Examples(
        body={
            "with its keys": {"email": "ada@example.org", "password": AUTH_SECRET, "id": ADA, **_KEYS, **_DEVICE},
            "an older client, which keeps its keys to itself": {"email": "ada@example.org", "password": AUTH_SECRET},
            "a vault client": {"username": "ada", "password": AUTH_SECRET, "salt": _CLIENT_SALT, "vault_id": "main"},
        },
        answer={
            "e2e": {**_SIGNED_UP_WITHOUT_CODES, "privacy_tier": "local_only"},
            "e2e, of a vault client": {**_SIGNED_UP_WITHOUT_CODES, **_OF_A_VAULT_CLIENT},
        },
    ),
    "POST /auth/signup": Examples(
        body={
            "e2e": {
                "encryption_tier": "e2e",
                "email": "ada@example.org",
                "password": AUTH_SECRET,
                "id": ADA,
                **_KEYS,
                "display_name": "Ada",
                "timezone": "Europe/London",
                "locale": "en-GB",
                **_DEVICE,
            },
            "e2e, a diary client that gives its public key alone": {
                "encryption_tier": "e2e",
                "email": "ada@example.org",
                "password": AUTH_SECRET,
                "recipient": "tMHkk9w4TWuGQ2VKbZZmmIMDV8BJKDNcCpbzpDv/Azc=",
            },
            "uce": {
                "encryption_tier": "uce",
                "email": "grace@example.org",
                "password": PASSWORD,
                "display_name": "Grace",
                "timezone": "Europe/London",
                "locale": "en-GB",
            },
        },
        answer={
            "e2e": _SIGNED_UP_WITHOUT_CODES,
            "uce, with the recovery codes (here two of ten), shown once": {
                **TOKENS,
                **_GRACE,
                "recovery_codes": CODES,
            },
        },
    ),
    "POST /auth/token": Examples(
        body={
            "the password form": {
                "grant_type": "password",
                "username": "grace@example.org",
                "password": PASSWORD,
                "scope": "entries tags:read",
            }
        },
        answer={"tokens": {**TOKENS, "scope": "entries tags:read"}},
    ),
    "POST /auth/login": Examples(
        body={
            "e2e: the secret that was derived on the device": {
                "email": "ada@example.org",
                "password": AUTH_SECRET,
                **_DEVICE,
            },
            "e2e: with the second factor that the first answer asked for": {
                "email": "ada@example.org",
                "password": AUTH_SECRET,
                "factor": {"code": "492039", "challenge": "2zYwLhCqT0eXW8o0pIyq3m2oUO7l1Jc4m0o8b8XH0hE"},
                **_DEVICE,
            },
            "uce: the password, for some rights only": {
                "email": "grace@example.org",
                "password": PASSWORD,
                "device_name": "Grace's reader",
                "scope": "entries:read tags:read",
            },
        },
        answer={
            "e2e": {**TOKENS, "user": _ACCOUNT_OF_ADA},
            "uce": {**TOKENS, "scope": "entries:read tags:read", "user": {**_ACCOUNT_OF_GRACE, "device_id": None}},
        },
    ),
    "POST /auth/refresh": Examples(
        body={"a refresh that may be sent again": {"refresh_token": token("refresh"), "retry_id": "3f9c1a7e5b2d4860"}},
        answer={
            "tokens": {
                **TOKENS,
                "access_token": token("next access"),
                "jwt_token": token("next access"),
                "refresh_token": token("next refresh"),
            }
        },
    ),
    "GET /auth/sessions": Examples(
        answer={
            "two devices": {
                "items": [
                    _SESSION,
                    {
                        **_SESSION,
                        "id": "0190a3a0-0000-7000-8000-0000000000d2",
                        "device_id": PHONE,
                        "device_name": "Ada's phone",
                        "last_used_at": "2026-03-13T21:02:40.007482Z",
                        "expires_at": "2026-04-12T21:02:40Z",
                        "current": False,
                    },
                ]
            }
        }
    ),
    "GET /auth/me": Examples(answer={"e2e": _ACCOUNT_OF_ADA, "uce": _ACCOUNT_OF_GRACE}),
    "GET /auth/features": Examples(
        answer={
            "e2e": {
                "encryption_tier": "e2e",
                "privacy_tier": "full_sync",
                "features": _OF_ADA,
                "storage": {
                    "used_bytes": 4323511,
                    "limit_bytes": 1073741824,
                    "media_used_bytes": 2480311,
                    "media_limit_bytes": 536870912,
                },
            },
            "uce, on a server without a limit": {
                "encryption_tier": "uce",
                "privacy_tier": "full_sync",
                "features": {**_OF_ADA, "server_search": True, "blind_search": False, "server_decryption": True},
                "storage": {"used_bytes": 1843200, "limit_bytes": None},
            },
        }
    ),
    "PUT /auth/password": Examples(
        body={
            "e2e": {
                "current_password": AUTH_SECRET,
                "password": opaque("the next authentication secret", 32),
                "kdf": {**KDF, "salt": opaque("the next salt", 16)},
                "keyring": opaque("the next keyring", 120),
                "base_keyring_version": 1,
            },
            "uce": {"current_password": PASSWORD, "password": "a longer walk through the wet garden"},
        },
        answer={"tokens; all other sessions are over": TOKENS},
    ),
    "PUT /auth/keyring": Examples(
        body={
            "e2e: the first keyring of an account from an older client": {
                "current_password": AUTH_SECRET,
                "base_keyring_version": 0,
                **_KEYS,
            },
            "e2e: a rotation, signed with the key before": {
                "current_password": AUTH_SECRET,
                "password": opaque("the next authentication secret", 32),
                "kdf": KDF | {"salt": opaque("the next salt", 16)},
                "keyring": opaque("the next keyring", 172),
                "base_keyring_version": 1,
                "key_id": 2,
                "retired_at": {"epoch": EPOCH, "seq": 42, "head": digest("head 42")},
                "recipient": "age1ydjsztmfyhj4p4k5de8vuraddfjc73n9a62hcmxcg3pm3hqgz96swajsnq",
                "signing_key": "/6Iz/zKIYrsxEFeVvETjfd+tnJkk0R+qZTP6i46yhQw=",
                "rotation_signature": opaque("rotation signature", 64),
                "recovery": RECOVERY,
            },
            "uce": {"current_password": PASSWORD},
        },
        answer={
            "e2e: the first keyring": {"keyring_version": 1},
            "e2e: a rotation": {"keyring_version": 2, "tokens": TOKENS},
            "uce, with the new recovery codes (here two of ten), shown once": {
                "keyring_version": 2,
                "tokens": TOKENS,
                "recovery_codes": CODES,
            },
        },
    ),
}
