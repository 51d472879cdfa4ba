"""Writes the vectors of encrypted metrics, with whatever TenSEAL is installed.

    python tests/vectors/make_metrics.py secret             # once: the key of all of them, and its public context
    python tests/vectors/make_metrics.py 500 -12.25 4000    # values, encrypted under it by this TenSEAL

Nothing here imports ``lockleaf``. The key is kept as SEAL 4.1 writes it; 4.3 differs in the version in its headers.
Encryption is random: other bytes come of each run, and the same values. A browser's vector is made by
``node tests/browser/metrics.js encrypt ckks-4096 tests/vectors/metrics/secret.bin VALUE``.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path

import _tenseal_cpp
import tenseal

FOLDER = Path(__file__).parent / "metrics"
SECRET, PUBLIC, VALUES = FOLDER / "secret.bin", FOLDER / "public-tenseal-0.3.16.bin", FOLDER / "values.json"
WRITER = f"tenseal-{tenseal.__version__}"
SCALE = 2.0**30

HEADERS = {"0.3.16": b"\x5e\xa1\x10\x04\x01", "0.3.18": b"\x5e\xa1\x10\x04\x03"}


def varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def take(message: bytes, wanted: int) -> bytes:
    """The field of bytes with that number, in a message of TenSEAL's."""
    position = 0
    while position < len(message):
        tag, position = message[position], position + 1
        if tag & 7 == 1:
            position += 8
            continue
        length = shift = 0
        while True:
            byte, position = message[position], position + 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if tag & 7 == 0:
            continue
        if tag >> 3 == wanted:
            return message[position : position + length]
        position += length
    raise LookupError(wanted)


def uncompressed(sealed: bytes) -> bytes:
    """The object with its body decompressed, by the library inside of TenSEAL."""
    library = ctypes.CDLL(_tenseal_cpp.__file__)
    library.ZSTD_decompress.restype = ctypes.c_size_t
    body, room = sealed[16:], ctypes.create_string_buffer(2**20)
    length = library.ZSTD_decompress(room, ctypes.c_size_t(2**20), body, ctypes.c_size_t(len(body)))
    return sealed[:5] + bytes(3) + (16 + length).to_bytes(8, "little") + room.raw[:length]


def new_context() -> tenseal.Context:
    context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 4096, coeff_mod_bit_sizes=[54, 55])
    context.global_scale = SCALE
    return context


def main(arguments: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    if arguments == ["secret"]:
        context = new_context()
        private = take(context.serialize(save_secret_key=True, save_relin_keys=False), 3)
        SECRET.write_bytes(uncompressed(take(private, 1)))
        PUBLIC.write_bytes(context.serialize(save_secret_key=False, save_relin_keys=False))
        return
    # A context of this key: the parameters of this TenSEAL, symmetric encryption, the key under this one's version.
    parameters = take(new_context().serialize(save_secret_key=False), 1)
    secret = SECRET.read_bytes().replace(HEADERS["0.3.16"], HEADERS[tenseal.__version__])
    public = varint(2 << 3) + varint(7) + varint(3 << 3 | 1) + bytes(6) + b"\xd0\x41"
    data = field(1, parameters) + field(2, public) + field(3, field(1, secret)) + varint(4 << 3) + varint(1)
    context = tenseal.context_from(data)
    values = json.loads(VALUES.read_text()) if VALUES.exists() else {}
    for index, value in enumerate(map(float, arguments)):
        name = f"{WRITER}-{index}.bin"
        (FOLDER / name).write_bytes(tenseal.ckks_vector(context, [value]).serialize())
        values[name] = value
    VALUES.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
