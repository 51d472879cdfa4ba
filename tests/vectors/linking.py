"""Vectors of the codes by which a device vouches to another for what it has verified."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from tests.vectors.notation import USER, fixed, lp, number

__all__ = ["links"]

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def digits(data: bytes) -> str:
    """Crockford's base32, five bits at a time out of one long text of bits."""
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    return "".join(DIGITS[int(bits[place : place + 5], 2)] for place in range(0, len(bits), 5))


def packed(fields: dict[str, Any]) -> bytes:
    """MessagePack of a small map of short texts, small numbers and 16 bytes, its names in order."""
    out = bytes([0x80 | len(fields)])
    for name in sorted(fields):
        value = fields[name]
        out += bytes([0xA0 | len(name)]) + name.encode()
        if isinstance(value, str):
            out += bytes([0xA0 | len(value)]) + value.encode()
        elif isinstance(value, bytes):
            out += bytes([0xC4, len(value)]) + value
        elif value < 128:
            out += bytes([value])
        elif value < 2**16:
            out += b"\xcd" + number(value, 2)
        else:
            out += b"\xce" + number(value, 4)
    return out


def links() -> dict[str, Any]:
    salt = fixed("kdf salt", 16)
    argon2id = {"algorithm": "argon2id", "salt": salt, "iterations": 3, "memory_kib": 65536, "parallelism": 1}
    cases = [
        ("argon2id", "https://journal.example.org", argon2id, 1, "e1", 41),
        ("pbkdf2", "https://example.org/journal", {"algorithm": "pbkdf2-sha256", "salt": salt, "iterations": 600000},
         2**40, "0190a3a0-0000-7000-8000-0000000000e2", 0),
    ]  # fmt: skip
    codes = []
    for name, server, kdf, version, epoch, seq in cases:
        key, head = fixed(f"link key {name}"), fixed(f"link head {name}")
        said = b"\x01" + lp(server) + lp(USER) + lp(packed(kdf)) + number(version) + key
        said += lp(epoch) + number(seq) + head
        whole = said + sha256(said).digest()[:4]
        codes.append(
            {"name": name, "server": server, "user_id": USER}
            | {"kdf": {key: {"bytes": value.hex()} if key == "salt" else value for key, value in kdf.items()}}
            | {"keyring_version": version, "signing_key": key.hex(), "epoch": epoch, "seq": seq, "head": head.hex()}
            | {"bytes": whole.hex(), "code": digits(whole)}
        )
    good = bytes.fromhex(codes[0]["bytes"])[:-4]
    unordered = good.replace(packed(argon2id), bytes([0x85]) + packed({"salt": salt})[1:] + packed(
        {name: value for name, value in argon2id.items() if name != "salt"})[1:])  # fmt: skip

    def checked(said: bytes) -> str:
        return digits(said + sha256(said).digest()[:4])

    refused = [
        {"name": name, "code": code}
        for name, code in [
            ("empty", ""),
            ("one digit lost", codes[0]["code"][:-1]),
            ("one digit more", codes[0]["code"] + "0"),
            ("one digit changed", codes[0]["code"].replace("J", "K", 1)),
            ("a letter that is no digit", codes[0]["code"][:-1] + "U"),
            ("another version", checked(b"\x02" + good[1:])),
            ("bytes behind the head", checked(good + b"\x00")),
            ("the head cut short", checked(good[:-1])),
            ("the map in another order", checked(unordered)),
        ]
    ]
    typed = [codes[0]["code"].lower(), "-".join(codes[0]["code"][at : at + 5] for at in range(0, 500, 5)).strip("-")]
    return {"codes": codes, "refused": refused, "same": {"code": codes[0]["code"], "typed": typed}}
