"""What a device remembers of an account outside its store, read back from its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lockleaf.client.device.rollback_memory import MemoryFolder
from lockleaf.crypto.kdf import KdfParameters
from tests.unit.client.test_profile import make_profile

KDF = KdfParameters("argon2id", b"s" * 16, 3, 65_536, 1)


def test_an_account_is_remembered_with_the_derivation_of_its_keys(tmp_path: Path) -> None:
    profile = make_profile(kdf=KDF, keyring_version=4)
    MemoryFolder(tmp_path).note_account(profile)
    found = MemoryFolder(tmp_path).find(profile.server, profile.login_name)
    assert found is not None
    assert (found.user_id, found.keyring_version, found.key_derivation) == (profile.user_id, 4, KDF)
    assert MemoryFolder(tmp_path).find(profile.server, "grace@example.org") is None


@pytest.mark.parametrize(
    "damage",
    [
        {"keyring_version": -1},
        {"user_id": "ada"},
        {"kdf": {"algorithm": "argon2id"}},
        {"kdf": KDF.to_wire() | {"salt": "AAAA"}},
        {"epochs": [{"epoch": "one"}]},
        {"end": {"epoch": "one", "seq": "2", "head": "no base64"}},
        {"statements": [{}]},
    ],
)
def test_a_file_that_is_no_memory_is_none(tmp_path: Path, damage: dict[str, object]) -> None:
    profile = make_profile()
    memories = MemoryFolder(tmp_path)
    memories.note_account(profile)
    (file,) = tmp_path.glob("*.json")
    file.write_text(json.dumps(json.loads(file.read_bytes()) | damage))
    assert memories.of_account(profile.user_id) is None
    assert memories.find(profile.server, profile.login_name) is None
