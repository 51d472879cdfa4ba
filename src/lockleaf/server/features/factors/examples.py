"""Examples of ``/auth/factors``."""

from __future__ import annotations

from lockleaf.server.features.people import AUTH_SECRET
from lockleaf.server.platform.http.examples import Examples, opaque

__all__ = ["EXAMPLES"]

_ID = "0190a3a0-0000-7000-8000-0000000000c1"
_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105  (stands in the documentation of many apps)
_URI = f"otpauth://totp/Lockleaf:ada%40example.org?secret={_SECRET}&issuer=Lockleaf"
_FACTOR = {
    "id": _ID,
    "kind": "totp",
    "name": "phone",
    "created_at": "2026-03-02T19:10:00Z",
    "last_used_at": "2026-03-14T07:31:04.518482Z",
}
_KEY = {
    "id": "0190a3a0-0000-7000-8000-0000000000c2",
    "kind": "passkey",
    "name": "key on the ring",
    "created_at": "2026-03-02T19:20:00Z",
}
_CREDENTIAL = opaque("credential", 32)
_CHALLENGE = "2zYwLhCqT0eXW8o0pIyq3m2oUO7l1Jc4m0o8b8XH0hE"
_SIGNED = {
    "credential_id": _CREDENTIAL,
    "client_data": opaque("client data", 120),
    "authenticator_data": opaque("authenticator data", 37),
    "signature": opaque("signature", 71),
}
_CODES = ["0123-4567-89AB-CDEF", "GHJK-MNPQ-RSTV-WXYZ"]
_PROOF = {"current_password": AUTH_SECRET}
_PROOFS = {
    "a code of an app": {**_PROOF, "factor": {"code": "492039"}},
    "a passkey": {**_PROOF, "factor": {"challenge": _CHALLENGE, "passkey": _SIGNED}},
    "a factor code": {**_PROOF, "factor": {"code": _CODES[0]}},
}

EXAMPLES = {
    "GET /auth/factors": Examples(
        answer={"an app": {"items": [_FACTOR], "codes_left": 9, "wrong_codes": 0, "retry_at": None}}
    ),
    "POST /auth/factors": Examples(
        body={
            "the first one": {**_PROOF, "kind": "totp", "name": "phone"},
            "a passkey": {**_PROOF, "kind": "passkey", "name": "key on the ring"},
            "a further one": {**_PROOF, "kind": "totp", "name": "tablet", "factor": {"code": "492039"}},
        },
        answer={
            "an app": {"id": _ID, "kind": "totp", "totp": {"secret": _SECRET, "uri": _URI}},
            "a passkey": {
                "id": _KEY["id"],
                "kind": "passkey",
                "passkey": {
                    "rp_id": "journal.example.org",
                    "rp_name": "Lockleaf",
                    "user_id": opaque("user id", 16),
                    "user_name": "ada@example.org",
                    "challenge": _CHALLENGE,
                    "algorithms": [-8, -7],
                    "exclude": [],
                },
            },
        },
    ),
    "POST /auth/factors/codes": Examples(
        body=_PROOFS, answer={"the new factor codes (here two of ten), shown once": {"codes": _CODES}}
    ),
    "POST /auth/factors/{factor_id}/confirm": Examples(
        body={
            "an app": {**_PROOF, "code": "492039"},
            "a passkey": {
                **_PROOF,
                "passkey": {
                    "client_data": opaque("client data of the making", 120),
                    "attestation_object": opaque("attestation object", 196),
                },
            },
        },
        answer={
            "the first one, with the factor codes (here two of ten), shown once": {
                "factor": {name: value for name, value in _FACTOR.items() if name != "last_used_at"},
                "codes": _CODES,
            },
            "a further one": {"factor": _KEY},
        },
    ),
    "DELETE /auth/factors/{factor_id}": Examples(body=_PROOFS),
}
