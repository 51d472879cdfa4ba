"""Test vectors of user-controlled encryption, and of the lock of a device without a keychain."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
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


def device_lock() -> dict[str, Any]:
    """The lock of a device without a keychain."""
    email, device, password = "ada@example.org", "0190a3a0-0000-7000-8000-0000000000d1", "six herons over a cold dyke"
    drawn, device_key, text = fixed("lock salt", 16), fixed("device key"), b'{"local_keys": {}}'
    salt = sha256(b"lockleaf/1/salt" + lp(email) + lp(drawn)).digest()[:16]
    root = hash_secret_raw(nfkc(password).encode(), salt, 1, 8, 1, 32, Type.ID)
    lock_key = hkdf(hkdf(root, b"lockleaf/1/wrap"), b"lockleaf/1/device-lock")

    def sealed(key: bytes, label: str, plaintext: bytes, user: str = USER, name: str = device) -> str:
        aad = f"lockleaf/1/device-{label}".encode() + lp(user) + lp(name)
        return seal(key, 1, 0, fixed("lock nonce", 12), aad, plaintext).hex()

    wrapped = sealed(lock_key, "lock", device_key)
    prf_output = fixed("prf output")
    by_key = sealed(hkdf(prf_output, b"lockleaf/1/device-passkey"), "passkey", device_key)
    refused = [
        {"name": name, "wrapped": data, "error": error}
        for name, data, error in [
            ("of another account", sealed(lock_key, "lock", device_key, user=SESSION), "SealBroken"),
            ("of another device", sealed(lock_key, "lock", device_key, name="other"), "SealBroken"),
            ("what is kept", sealed(lock_key, "kept", device_key), "SealBroken"),
            ("a key that is too short", sealed(lock_key, "lock", device_key[:31]), "Malformed"),
            ("a byte behind", wrapped + "00", "SealBroken"),
            ("an unknown suite", wrapped[:2] + "03" + wrapped[4:], "Malformed"),
            ("another version", "02" + wrapped[2:], "Malformed"),
            ("empty", "", "Malformed"),
        ]
    ]
    kdf = {"algorithm": "argon2id", "salt": b64encode(drawn).decode(), "iterations": 1, "memory_kib": 8}
    return {
        "password": password,
        "email": email,
        "user_id": USER,
        "device_id": device,
        "kdf": kdf | {"parallelism": 1},
        "device_key": device_key.hex(),
        "wrapped": wrapped,
        "prf_output": prf_output.hex(),
        "wrapped_by_passkey": by_key,
        "text": text.decode(),
        "kept": sealed(device_key, "kept", text),
        "refused": refused,
    }
