"""The JSON files of a device: what was written comes back, and what is not of its kind and form is refused by name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from uuid import UUID

import pytest

from lockleaf.client.profile.json_files import Fields, InvalidFile, as_json
from lockleaf.crypto.kdf import KdfParameters

KEY, USER = bytes(range(32)), UUID("0190a3a0-0000-7000-8000-000000000001")
ARGON2ID = KdfParameters("argon2id", b"s" * 16, 3, 65_536, 1)
PBKDF2 = KdfParameters("pbkdf2-sha256", b"s" * 16, 600_000)
HEXADECIMAL = re.compile("[0-9a-f]+")

Read = Callable[[Fields], object]


def field(value: object) -> Fields:
    return Fields.read(json.dumps({"field": value}).encode())


def test_what_was_written_comes_back() -> None:
    written = as_json(
        {
            "text": "Ada's läptop",
            "flag": True,
            "number": 7,
            "data": KEY,
            "uuid": USER,
            "kdf": ARGON2ID.to_wire(),
            "inner": {"data": KEY},
            "absent": None,
        }
    )
    assert b"absent" not in written
    fields = Fields.read(written)
    assert fields.text("text") == "Ada's läptop"
    assert fields.flag("flag") is True
    assert fields.number("number") == 7
    assert fields.data("data", 32) == KEY
    assert fields.uuid("uuid") == USER
    assert fields.kdf("kdf") == ARGON2ID
    assert fields.fields("inner").data("data") == KEY
    assert fields.optional("absent", fields.text) is None
    assert fields.optional("text", fields.text) == "Ada's läptop"
    assert fields.flag("absent") is False


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe{\x00}\x00", b'{"a": 1} {}', b"[" * 100_000])
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidFile):
        Fields.read(data)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        *((lambda fields: fields.text("field"), value) for value in (None, 7, True, ["a"], {}, "a lone \ud800")),
        *((lambda fields: fields.text("field", HEXADECIMAL), value) for value in ("", "xyz", "abc\n", " abc", "ABC")),
        *((lambda fields: fields.choice("field", {"e2e": 1}), value) for value in (None, "uce", "E2E", 1, ["e2e"])),
        *((lambda fields: fields.flag("field"), value) for value in (None, 0, 1, "true", "")),
        *((lambda fields: fields.number("field"), value) for value in (None, "7", 7.0, True, -1, 2**62 + 1)),
        *((lambda fields: fields.data("field"), value) for value in (None, 7, "AAA", "AB==", "AAAA\n", "AA-_", "ä")),
        *((lambda fields: fields.data("field", 32), value) for value in ("", "AAAA")),
        *(
            (lambda fields: fields.uuid("field"), value)
            for value in (None, 7, "", "user", str(USER).upper(), f"{{{USER}}}", USER.hex)
        ),
        *(
            (lambda fields: fields.kdf("field"), value)
            for value in (
                None,
                "argon2id",
                {},
                ARGON2ID.to_wire() | {"algorithm": "scrypt"},
                ARGON2ID.to_wire() | {"salt": "AAAA"},
                ARGON2ID.to_wire() | {"salt": "not base64"},
                ARGON2ID.to_wire() | {"iterations": "3"},
                ARGON2ID.to_wire() | {"iterations": 0},
                ARGON2ID.to_wire() | {"memory_kib": 2**40},
                ARGON2ID.to_wire() | {"memory_kib": None},
                PBKDF2.to_wire() | {"memory_kib": 8},
                PBKDF2.to_wire() | {"iterations": 2**40},
            )
        ),
        *((lambda fields: fields.fields("field"), value) for value in (None, [], "{}")),
        *((lambda fields: fields.optional("field", fields.number), value) for value in ("7", False)),
    ],
)
def test_what_is_not_of_its_kind_and_form_is_refused_by_the_name_of_its_field(read: Read, value: object) -> None:
    with pytest.raises(InvalidFile, match=r"^field (is|has) "):
        read(field(value))


def test_an_error_does_not_tell_what_the_file_held() -> None:
    fields = Fields.read(b'{"name": "sesame", "key": "sesame!", "kdf": {"salt": "sesame"}}')
    for read in (fields.number, fields.uuid, fields.data, fields.kdf, fields.fields, fields.flag):
        for name in ("name", "key", "kdf"):
            try:
                read(name)
            except InvalidFile as error:
                assert "sesame" not in f"{error} {error.__cause__}"


def test_parameters_of_either_algorithm_are_taken_strong_or_not() -> None:
    for parameters in (ARGON2ID, PBKDF2, KdfParameters("argon2id", b"s" * 16, 1, 8, 1)):
        assert field(parameters.to_wire()).kdf("field") == parameters
