"""Writes the protocol's test vectors, from its text and general libraries alone.

Nothing here imports ``lockleaf.crypto``: it is a second, plainer reading of the same text, so an agreement of both
means something. Run ``python -m tests.vectors.make`` from the root of the repository after a change of the protocol;
inputs are fixed, so an unchanged protocol gives unchanged files. Byte strings are hexadecimal; inside a map one is
``{"bytes": ...}``.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from hashlib import pbkdf2_hmac, sha256
from pathlib import Path
from typing import Any

import pyrage
from argon2.low_level import Type, hash_secret_raw
from bech32 import bech32_encode, convertbits
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.vectors.custody import device_lock, uce
from tests.vectors.linking import links
from tests.vectors.notation import RECORD, USER, ZERO, fixed, hkdf, lp, meta, nfkc, number, padded, padme
from tests.vectors.seals import CONTEXT, envelope, keyring
from tests.vectors.searching import search
from tests.vectors.statements import epochs

FOLDER = Path(__file__).parent
INVISIBLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E),
    (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
)  # fmt: skip
WHITE_SPACE = {*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}


def kdf() -> dict[str, Any]:
    cases = [
        ("argon2id default", "argon2id", 3, 65536, 1, "correct horse battery staple", "ada@example.org"),
        ("argon2id in two lanes", "argon2id", 2, 64, 2, "correct horse battery staple", "ada@example.org"),
        ("email trimmed and case-folded", "argon2id", 1, 8, 1, "p", "  Ada.Straße@EXAMPLE.org "),
        ("email full width", "argon2id", 1, 8, 1, "p", "ａｄａ@example.org"),
        ("password decomposed", "argon2id", 1, 8, 1, "cafe\u0301", "ada@example.org"),
        ("password composed", "argon2id", 1, 8, 1, "caf\u00e9", "ada@example.org"),
        ("pbkdf2 compatible", "pbkdf2-sha256", 600000, None, None, "correct horse battery staple", "ada@example.org"),
    ]
    vectors = []
    for name, algorithm, iterations, memory, lanes, password, email in cases:
        drawn = fixed("kdf salt", 16)
        salt = sha256(b"lockleaf/1/salt" + lp(nfkc(email).strip().casefold()) + lp(drawn)).digest()[:16]
        secret = nfkc(password).encode()
        if memory and lanes:
            root = hash_secret_raw(secret, salt, iterations, memory, lanes, 32, Type.ID)
        else:
            root = pbkdf2_hmac("sha256", secret, salt, iterations, 32)
        wire: dict[str, Any] = {"algorithm": algorithm, "salt": b64encode(drawn).decode(), "iterations": iterations}
        if memory and lanes:
            wire |= {"memory_kib": memory, "parallelism": lanes}
        auth = hkdf(root, b"lockleaf/1/auth")
        vectors.append(
            {"name": name, "password": password, "email": email, "kdf": wire, "auth_secret": auth.hex()}
            | {"auth_secret_base64": b64encode(auth).decode(), "wrap_key": hkdf(root, b"lockleaf/1/wrap").hex()}
        )
    good = {"algorithm": "argon2id", "salt": b64encode(bytes(16)).decode(), "iterations": 3, "memory_kib": 65536}
    good |= {"parallelism": 1}
    plain = {"algorithm": "pbkdf2-sha256", "salt": good["salt"], "iterations": 600000}
    refused = [
        {"name": name, "kdf": parameters, "pbkdf2_asked_for": asked}
        for name, parameters, asked in [
            ("memory below the floor", good | {"memory_kib": 19455}, False),
            ("memory above the ceiling", good | {"memory_kib": 1048577}, False),
            ("one iteration", good | {"iterations": 1}, False),
            ("17 iterations", good | {"iterations": 17}, False),
            ("no lane", good | {"parallelism": 0}, False),
            ("nine lanes", good | {"parallelism": 9}, False),
            ("salt of 15 bytes", good | {"salt": b64encode(bytes(15)).decode()}, False),
            ("pbkdf2 not asked for", plain, False),
            ("pbkdf2 below the floor", plain | {"iterations": 599999}, True),
            ("pbkdf2 above the ceiling", plain | {"iterations": 10000001}, True),
        ]
    ]
    malformed = [
        {"name": name, "kdf": parameters}
        for name, parameters in [
            ("unknown algorithm", good | {"algorithm": "scrypt"}),
            ("no salt", {key: value for key, value in good.items() if key != "salt"}),
            ("salt without padding", good | {"salt": good["salt"].rstrip("=")}),
            ("salt in the URL alphabet", good | {"salt": "-" * 22 + "=="}),
            ("salt with stray bits", good | {"salt": "A" * 21 + "B=="}),
            ("memory missing", {key: value for key, value in good.items() if key != "memory_kib"}),
            ("iterations as text", good | {"iterations": "3"}),
            ("iterations as a truth value", good | {"iterations": True}),
            ("memory given to pbkdf2", plain | {"memory_kib": 65536}),
        ]
    ]
    return {"vectors": vectors, "refused": refused, "malformed": malformed}


def name_form(value: str) -> str:
    """The form of a name by its rule, said character by character."""
    shown = "".join(c for c in value if not any(first <= ord(c) <= last for first, last in INVISIBLE))
    words = "".join(" " if ord(c) in WHITE_SPACE else c for c in nfkc(nfkc(shown).casefold())).split(" ")
    return " ".join(word for word in words if word)


def labels() -> dict[str, Any]:
    key = fixed("index key")

    def digest(prefix: str, name: str, value: str, length: int) -> str:
        return hmac.digest(key, prefix.encode() + lp(name) + lp(value), "sha256")[:length].hex()

    values = [("mood", "calm"), ("tag", "Garden"), ("tag", "garden"), ("tag", "GARTENSTRASSE"), ("tag", "Gartenstraße")]
    values += [("tag", "ﬁne"), ("tag", "e\u0301te\u0301"), ("source", "import"), ("tag", ""), ("mood", "🍃")]
    values += [
        ("tag", " long  walks\u00a0"),
        ("tag", "Long\u200b Walks"),
        ("mood", "☺\ufe0f"),
        ("mood", "☺"),
        ("tag", "e\u200b\u0301te\u0301"),
    ]
    stems = [("title", "garden"), ("body", "garden"), ("body", "Garden"), ("body", "été")]
    return {
        "index_key": key.hex(),
        "labels": [
            {"kind": kind, "value": value, "label": digest("lockleaf/1/label", kind, name_form(value), 16)}
            for kind, value in values
        ],
        "tokens": [
            {"field": field, "stem": stem, "token": digest("lockleaf/1/token", field, stem, 8)} for field, stem in stems
        ],
    }


def recovery() -> dict[str, Any]:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    vectors = []
    for code in (
        "00000-00000-00000-00000",
        "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ",
        "01234-56789-ABCDE-FGHJK",
        "MNPQR-STVWX-YZ000-00001",
    ):
        value = 0
        for digit in code.replace("-", ""):
            value = value * 32 + alphabet.index(digit)
        key = number(value, 13)
        shown = hkdf(key, b"lockleaf/1/recovery-verifier")
        vectors.append(
            {"code": code, "bytes": key.hex(), "verifier": shown.hex(), "verifier_hash": sha256(shown).hexdigest()}
            | {"recovery_key": hkdf(key, b"lockleaf/1/recovery-key").hex()}
        )
    same = ["0123456789abcdefghjk", "o1234-56789-abcde-fghjk", "Oi234 56789 ABCDE FGHJK", " OL234–56789–ABCDE–FGHJK\n"]
    refused = ["", "01234", "01234-56789-ABCDE-FGHJ", "01234-56789-ABCDE-FGHJK0", "U1234-56789-ABCDE-FGHJK"]
    refused += ["01234-56789-ABCDE-FGHJ!", "０1234-56789-ABCDE-FGHJK", "01234-56789-ABCDE-FGHJſ"]
    return {"vectors": vectors, "same": {"code": "01234-56789-ABCDE-FGHJK", "typed": same}, "refused": refused}


def text(prefix: str, raw: bytes) -> str:
    words = convertbits(raw, 8, 5)
    assert words is not None
    return bech32_encode(prefix, words)


def identity() -> dict[str, Any]:
    keys = []
    for name in ("seed 1", "seed 2"):
        seed = fixed(name)
        secret = text("age-secret-key-", seed).upper()
        recipient = str(pyrage.x25519.Identity.from_str(secret).to_public())
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        keys.append({"seed": seed.hex(), "identity": secret, "recipient": recipient, "signing_key": public.hex()})
    signer = Ed25519PrivateKey.from_private_bytes(fixed("seed 1"))
    checkpoint = b"lockleaf/1/checkpoint" + lp(USER) + lp("e1") + number(41) + fixed("head 41")
    checkpoint += lp("laptop") + lp("2024-05-01T06:30:00Z")
    rotation = b"lockleaf/1/rotation" + lp(USER) + number(2) + lp(keys[1]["recipient"])
    rotation += lp(bytes.fromhex(keys[1]["signing_key"]))
    prime = 2**255 - 19
    # Points of small order on the curve and on its twist: an exchange with any of them gives zeros.
    eight = ["e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"]
    eight += ["5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"]
    low = [number(n, 32)[::-1].hex() for n in (0, 1, prime - 1)] + eight
    beyond = [number(n, 32)[::-1].hex() for n in (prime, prime + 1, prime + 9, 2**256 - 1, 9 + 2**255)]
    good = keys[0]["recipient"]
    texts = ["", "age1", good[:-1], good[:-1] + ("q" if good[-1] != "q" else "p"), good + "q", "age" + good]
    texts += [keys[0]["identity"], text("bge", fixed("seed 1")), text("age", bytes(31)), text("age", bytes(33))]
    texts += ["A" + good[1:], good + "\n", "é" + good[1:], "age1" + "q" * 5000]
    return {
        "keys": keys,
        "checkpoint": {"user_id": USER, "epoch": "e1", "seq": 41, "head": fixed("head 41").hex(), "device_id": "laptop"}
        | {"time": "2024-05-01T06:30:00Z", "message": checkpoint.hex(), "signature": signer.sign(checkpoint).hex()},
        "rotation": {"user_id": USER, "keyring_version": 2, "recipient": keys[1]["recipient"]}
        | {"signing_key": keys[1]["signing_key"], "message": rotation.hex(), "signature": signer.sign(rotation).hex()},
        "refused_raw": [*low, *beyond, "", "00" * 31, "09" * 33],
        "refused_text": [*texts, *(text("age", bytes.fromhex(raw)) for raw in (*low, *beyond))],
    }


def history() -> dict[str, Any]:
    metas: list[tuple[list[bytes], str | None, str | None]] = [
        ([], None, None),
        ([fixed("label b", 16), fixed("label a", 16)], None, None),
        ([], "import", None),
        ([], None, "2024-05-01T06:30:00+02:00"),
        ([fixed("label a", 16)], "import", "2024-05-01T04:30:00Z"),
    ]
    head = sha256(b"lockleaf/1/epoch" + lp("e1") + number(0) + ZERO).digest()
    begun = {"epoch": "e1", "k": 0, "head_k": ZERO.hex(), "head": head.hex()}
    chain: list[dict[str, Any]] = []
    parent = ZERO
    for seq, deleted in ((1, False), (2, False), (3, True)):
        payload = fixed(f"payload {seq}", seq * 8)
        hashed = sha256(payload).digest()
        place = lp("entries") + lp(RECORD)
        leaf = b"lockleaf/1/leaf" + number(seq) + place + number(seq) + parent + CONTEXT["meta"] + hashed
        leaf = sha256(leaf + bytes([deleted])).digest()
        head = sha256(b"lockleaf/1/head" + head + leaf).digest()
        chain.append(
            {"seq": seq, "collection": "entries", "record_id": RECORD, "revision": seq, "parent": parent.hex()}
            | {"meta": CONTEXT["meta"].hex(), "payload": payload.hex(), "payload_hash": hashed.hex()}
            | {"deleted": deleted, "leaf": leaf.hex(), "head": head.hex()}
        )
        parent = hashed
    following = sha256(b"lockleaf/1/epoch" + lp("e2") + number(3) + head).hexdigest()
    return {
        "meta": [
            {"labels": [label.hex() for label in given], "source": source, "occurred_at": at}
            | {"meta": meta(given, source, at).hex()}
            for given, source, at in metas
        ],
        "epochs": [begun, {"epoch": "e2", "k": 3, "head_k": head.hex(), "head": following}],
        "chain": chain,
    }


def padding() -> dict[str, Any]:
    lengths = [0, 1, 2, 8, 9, 10, 100, 252, 253, 255, 256, 257, 1000, 2048, 4095, 4097, 65537, 100000, 983040]
    lengths += [2097151, 2097153, 4063233, 4128768]
    contents = [0, 1, 252, 253, 300, 1000, 2044, 2045, 60000, 983036, 983037, 4128764]
    return {
        "padme": [{"length": length, "padded": padme(length) if length else 0} for length in lengths],
        "plaintext_length": [{"data": n, "plaintext": len(padded(bytes(n)))} for n in contents],
        "too_large": 4128765,
    }


def build() -> dict[str, str]:
    """Every file by its name, as text."""
    makers = (
        kdf,
        keyring,
        envelope,
        labels,
        recovery,
        identity,
        history,
        epochs,
        links,
        padding,
        uce,
        device_lock,
        search,
    )
    return {f"{maker.__name__}.json": json.dumps(maker(), indent=1, ensure_ascii=True) + "\n" for maker in makers}


if __name__ == "__main__":
    for file_name, content in build().items():
        (FOLDER / file_name).write_text(content)
