"""Test vectors of what is sealed: keyrings and records."""

from __future__ import annotations

from typing import Any

import ormsgpack

from tests.vectors.notation import RECORD, USER, ZERO, fixed, hkdf, lp, meta, number, padded, seal

CONTEXT: dict[str, Any] = {
    "user_id": USER,
    "collection": "entries",
    "record_id": RECORD,
    "revision": 2,
    "parent": fixed("payload of revision 1"),
    "deleted": False,
    "meta": meta([fixed("label", 16)], "import", "2024-05-01T06:30:00+02:00"),
}
MAP: dict[str, Any] = {
    "type": "entry",
    "title": "Ein Blatt",
    "body": "Up betimes, and to my office. 🍃",
    "tags": ["garden", "été"],
    "seen": ["e1", 41, fixed("head 41")],
    "field of a later version": {"kept": True},
}


def entries(count: int) -> list[dict[str, Any]]:
    """The first keys of an account: every one but the last ends where the next took over."""
    return [
        {"key_id": n, "master_key": fixed(f"master key {n}"), "created_at": f"2024-0{n}-01T00:00:00Z"}
        | ({"retired_at": retired_at(n)} if n < count else {})
        for n in range(1, count + 1)
    ]


def retired_at(n: int) -> dict[str, Any]:
    return {"epoch": "e1", "seq": 40 * n, "head": fixed(f"head {40 * n}")}


def keyring() -> dict[str, Any]:
    wrap_key = fixed("wrap key")
    master = fixed("master key 1")
    purposes = {"record_root": "records", "signing_seed": "sign", "identity_seed": "identity"}
    purposes |= {"local_key": "local", "index_key": "index"}
    derived = {name: hkdf(master, f"lockleaf/1/{label}".encode()).hex() for name, label in purposes.items()}
    newest = hkdf(fixed("master key 2"), b"lockleaf/1/index")

    def sealed(plaintext: bytes, purpose: str = "password", suite: int = 1, key_id: int = 0) -> str:
        aad = f"lockleaf/1/keyring-{purpose}".encode() + lp(USER) + number(7)
        return seal(wrap_key, suite, key_id, fixed("keyring nonce", 12), aad, plaintext).hex()

    two = ormsgpack.packb(entries(2))
    vectors = [
        {"label": f"lockleaf/1/keyring-{purpose}", "suite": suite, "version": 7, "sealed": sealed(two, purpose, suite)}
        for purpose in ("password", "recovery", "uce")
        for suite in (1, 2)
    ]
    first = entries(1)[0]
    retired, last = entries(2)
    place = retired["retired_at"]

    def ended(at: Any) -> str:
        return sealed(ormsgpack.packb([retired | {"retired_at": at}, last]))

    # Of an account that another application made: its first key begins after what that one wrote.
    begun = retired | {"begins_after": {"epoch": "e1", "seq": 7, "head": fixed("head 7")}}
    taken_over = ormsgpack.packb([begun, last])
    adopted = {"entries": [readable_entry(each) for each in (begun, last)], "packed": taken_over.hex()}
    whole = bytes.fromhex(sealed(two))
    refused = [
        {"name": name, "sealed": data, "error": error}
        for name, data, error in [
            ("another version", (b"\2" + whole[1:]).hex(), "Malformed"),
            ("an unknown suite", (whole[:1] + b"\3" + whole[2:]).hex(), "Malformed"),
            ("the other suite", (whole[:1] + b"\2" + whole[2:]).hex(), "SealBroken"),
            ("a key id that is not 0", sealed(two, key_id=1), "Malformed"),
            ("sealed for recovery", sealed(two, "recovery"), "SealBroken"),
            ("cut", whole[:-1].hex(), "SealBroken"),
            ("a byte behind", (whole + b"\0").hex(), "SealBroken"),
            ("shorter than a frame", whole[:33].hex(), "Malformed"),
            ("a byte behind the list", sealed(two + b"\xc0"), "Malformed"),
            ("no key", sealed(ormsgpack.packb([])), "Malformed"),
            ("a map for the list", sealed(ormsgpack.packb(first)), "Malformed"),
            ("the same id twice", sealed(ormsgpack.packb([first, first])), "Malformed"),
            ("ids that fall", sealed(ormsgpack.packb(entries(2)[::-1])), "Malformed"),
            ("key id 0", sealed(ormsgpack.packb([first | {"key_id": 0}])), "Malformed"),
            ("a short master key", sealed(ormsgpack.packb([first | {"master_key": bytes(31)}])), "Malformed"),
            ("a master key as text", sealed(ormsgpack.packb([first | {"master_key": "k" * 32}])), "Malformed"),
            ("a time that is none", sealed(ormsgpack.packb([first | {"created_at": "yesterday"}])), "Malformed"),
            ("an unknown field", sealed(ormsgpack.packb([first | {"note": ""}])), "Malformed"),
            ("a missing field", sealed(ormsgpack.packb([{"key_id": 1}])), "Malformed"),
            ("a last key that is retired", sealed(ormsgpack.packb([retired])), "Malformed"),
            ("an earlier key that is not retired", sealed(ormsgpack.packb([first, last])), "Malformed"),
            ("begun after nothing", sealed(ormsgpack.packb([first | {"begins_after": None}])), "Malformed"),
            ("begun twice", sealed(ormsgpack.packb([retired, last | {"begins_after": place}])), "Malformed"),
            ("retired at nothing", ended(None), "Malformed"),
            ("retired at a list", ended(["e1", 40, fixed("head 40")]), "Malformed"),
            ("retired without a head", ended({"epoch": "e1", "seq": 40}), "Malformed"),
            ("retired with an unknown field", ended(place | {"note": ""}), "Malformed"),
            ("retired in an epoch without a name", ended(place | {"epoch": ""}), "Malformed"),
            ("retired in an epoch with too long a name", ended(place | {"epoch": "e" * 65}), "Malformed"),
            ("retired before the beginning", ended(place | {"seq": -1}), "Malformed"),
            ("retired at a truth value", ended(place | {"seq": True}), "Malformed"),
            ("retired beyond the last number", ended(place | {"seq": 2**63}), "Malformed"),
            ("retired at a short head", ended(place | {"head": bytes(31)}), "Malformed"),
            ("retired at a head as text", ended(place | {"head": "h" * 32}), "Malformed"),
        ]
    ]
    listed = [readable_entry(entry) for entry in entries(2)]
    common = {"wrap_key": wrap_key.hex(), "user_id": USER, "entries": listed, "packed": two.hex()}
    common |= {"index_key": newest.hex(), "adopted": adopted}
    return common | {"derived": {"master_key": master.hex()} | derived, "vectors": vectors, "refused": refused}


def readable_entry(entry: dict[str, Any]) -> dict[str, Any]:
    """A key for JSON, its bytes in hexadecimal digits."""
    places = {name: at | {"head": at["head"].hex()} for name, at in entry.items() if isinstance(at, dict)}
    return entry | {"master_key": entry["master_key"].hex()} | places


def sealed_record(context: dict[str, Any], plaintext: bytes, suite: int = 1, key_id: int = 2) -> str:
    place = lp(context["collection"]) + lp(context["record_id"])
    root = hkdf(fixed(f"master key {key_id}"), b"lockleaf/1/records")
    head = bytes([1, suite]) + number(key_id, 4)
    aad = b"lockleaf/1/record-aad" + head + lp(context["user_id"]) + place + number(context["revision"])
    aad += context["parent"] + bytes([context["deleted"]]) + context["meta"]
    key = hkdf(root, b"lockleaf/1/record" + place)
    return seal(key, suite, key_id, fixed("record nonce", 12), aad, plaintext).hex()


def readable(value: Any) -> Any:
    """``value`` for JSON, with byte strings as ``{"bytes": hex}``."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, dict):
        return {key: readable(item) for key, item in value.items()}
    return [readable(item) for item in value] if isinstance(value, list) else value


def envelope() -> dict[str, Any]:
    first = CONTEXT | {"revision": 1, "parent": ZERO, "meta": meta([], None, None)}
    tombstone = CONTEXT | {"revision": 3, "deleted": True}
    long = {"type": "entry", "body": "word " * 1000}
    writer = {"device": "6f6d3a52-2b1f-4d6a-9a54-0f3f6c1d2e3b", "written_at": "2024-05-01T06:31:00Z"}
    decided = writer | {"resolves": [fixed("a refused payload"), fixed("another refused payload")]}
    cases = [
        ("a revision", CONTEXT, MAP, 1, 2),
        ("a revision in suite 2", CONTEXT, MAP, 2, 2),
        ("a first revision under the first key", first, MAP, 1, 1),
        ("a tombstone", tombstone, {"type": "deleted"}, 1, 2),
        ("a body beyond the least length", CONTEXT, long, 1, 2),
        ("a resolution", CONTEXT, MAP | decided, 1, 2),
        ("a tombstone that repeats what was decided", tombstone, {"type": "deleted"} | decided, 1, 2),
    ]
    vectors = [
        {"name": name, "context": readable(context), "map": readable(content), "suite": suite, "key_id": key_id}
        | {"payload": sealed_record(context, padded(ormsgpack.packb(content)), suite, key_id)}
        for name, context, content, suite, key_id in cases
    ]
    packed = ormsgpack.packb(MAP)
    good = padded(packed)
    whole = bytes.fromhex(sealed_record(CONTEXT, good))
    refused = [
        {"name": name, "payload": payload, "error": error}
        for name, payload, error in [
            ("empty", "", "Malformed"),
            ("a map without a seal", packed.hex(), "Malformed"),
            ("another version", (b"\0" + whole[1:]).hex(), "Malformed"),
            ("an unknown suite", (whole[:1] + b"\0" + whole[2:]).hex(), "Malformed"),
            ("a key that the keyring lacks", sealed_record(CONTEXT, good, key_id=3), "UnknownKey"),
            ("a byte behind", (whole + b"\0").hex(), "SealBroken"),
            ("cut", whole[:-1].hex(), "SealBroken"),
            ("filler that is not zero", sealed_record(CONTEXT, good[:-1] + b"\1"), "Malformed"),
            ("one zero too many", sealed_record(CONTEXT, good + b"\0"), "Malformed"),
            ("one zero too few", sealed_record(CONTEXT, good[:-1]), "Malformed"),
            ("padded to 512", sealed_record(CONTEXT, good.ljust(512, b"\0")), "Malformed"),
            ("a length past the end", sealed_record(CONTEXT, number(253, 4) + good[4:]), "Malformed"),
            ("no padding", sealed_record(CONTEXT, lp(packed)), "Malformed"),
            ("nothing", sealed_record(CONTEXT, b""), "Malformed"),
            ("a byte behind the map", sealed_record(CONTEXT, padded(packed + b"\0")), "Malformed"),
            ("a list for the map", sealed_record(CONTEXT, padded(ormsgpack.packb([1]))), "Malformed"),
            ("a key that is no text", sealed_record(CONTEXT, padded(b"\x81\x01\x02")), "Malformed"),
            ("no MessagePack", sealed_record(CONTEXT, padded(b"\xc1")), "Malformed"),
        ]
    ]
    return {"context": readable(CONTEXT), "vectors": vectors, "refused": refused}
