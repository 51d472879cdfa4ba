"""Test vectors of user-controlled encryption: the key-encryption key, and what a session seals it under."""

from __future__ import annotations

from typing import Any

from argon2.low_level import Type, hash_secret_raw

from tests.vectors.notation import USER, fixed, hkdf, lp, nfkc, seal

SESSION = "0190a3a0-0000-7000-8000-00000000005e"
OTHER = "0190a3a0-0000-7000-8000-00000000005f"


def uce() -> dict[str, Any]:
    secrets = ["correct horse battery staple", "cafe\u0301", "caf\u00e9", "ｐａｓｓ", "  blanks stay  "]
    keks = []
    for secret in secrets:
        salt = fixed("kek salt", 16)
        stretched = hash_secret_raw(nfkc(secret).encode(), salt, 2, 65536, 1, 32, Type.ID)
        keks.append({"secret": secret, "salt": salt.hex(), "kek": hkdf(stretched, b"lockleaf/1/uce-kek").hex()})
    key, following = fixed("session key"), fixed("next session key")
    kek = bytes.fromhex(keks[0]["kek"])

    def sealed(label: str, plaintext: bytes, suite: int = 1, session: str = SESSION) -> str:
        aad = f"lockleaf/1/uce-{label}".encode() + lp(USER) + lp(session)
        return seal(key, suite, 0, fixed("session nonce", 12), aad, plaintext).hex()

    whole = bytes.fromhex(sealed("session", kek))
    refused = [
        {"name": name, "sealed": data, "error": error}
        for name, data, error in [
            ("of another session", sealed("session", kek, session=OTHER), "SealBroken"),
            ("a successor", sealed("successor", kek), "SealBroken"),
            ("the other suite", (whole[:1] + b"\2" + whole[2:]).hex(), "SealBroken"),
            ("an unknown suite", (whole[:1] + b"\3" + whole[2:]).hex(), "Malformed"),
            ("another version", (b"\2" + whole[1:]).hex(), "Malformed"),
            ("cut", whole[:-1].hex(), "SealBroken"),
            ("a byte behind", (whole + b"\0").hex(), "SealBroken"),
            ("empty", "", "Malformed"),
        ]
    ]
    return {
        "keks": keks,
        "user_id": USER,
        "session_id": SESSION,
        "session_key": key.hex(),
        "next_session_key": following.hex(),
        "sealed_kek": [{"suite": suite, "sealed": sealed("session", kek, suite)} for suite in (1, 2)],
        "successor": [{"suite": suite, "sealed": sealed("successor", following, suite)} for suite in (1, 2)],
        "refused": refused,
    }
