import json
import os
import stat
from pathlib import Path
from uuid import uuid4

import pytest

from lockleaf.client.errors import InvalidProfileName, ProfileDamaged, ProfileNotFound
from lockleaf.client.profile.profiles import Profile, ProfileFolder, profile_names
from lockleaf.crypto.kdf import KdfParameters


def make_profile(**changes: object) -> Profile:
    fields: dict[str, object] = {
        "server": "https://journal.example.org",
        "login_name": "ada@example.org",
        "user_id": uuid4(),
        "device_id": "device-1",
        "device_name": "Ada's laptop",
        "custody": "e2e",
        "kdf": KdfParameters(algorithm="argon2id", salt=b"s" * 16, iterations=3, memory_kib=65536, parallelism=1),
        "keyring_version": 1,
        "recipient": "age1example",
        "signing_key": b"k" * 32,
        "keychain_entry": "0" * 32,
    }
    return Profile(**(fields | changes))  # type: ignore[arg-type]


def test_a_profile_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    folder = ProfileFolder(tmp_path, "laptop")
    assert folder.load() is None
    profile = make_profile()
    folder.save(profile)
    assert ProfileFolder(tmp_path, "laptop").load() == profile
    assert profile_names(tmp_path) == ["laptop"]


def test_a_profile_is_for_its_owner_alone_whatever_the_mask(tmp_path: Path) -> None:
    folder = ProfileFolder(tmp_path, "laptop")
    mask = os.umask(0)
    try:
        folder.save(make_profile())
    finally:
        os.umask(mask)
    assert stat.S_IMODE(folder.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert [path.name for path in folder.path.iterdir()] == ["profile.json"]


@pytest.mark.parametrize("name", ["", ".", "..", "../other", "a/b", ".hidden", "a b", "ä", "x" * 65, "a\n"])
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidProfileName):
        ProfileFolder(tmp_path, name)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"server": 1}', b"\xff\xfe"])
def test_a_damaged_profile_is_named_and_its_content_not_shown(tmp_path: Path, content: bytes) -> None:
    folder = ProfileFolder(tmp_path, "laptop")
    folder.make()
    folder.file.write_bytes(content)
    with pytest.raises(ProfileDamaged):
        folder.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server", None),
        ("server", 1),
        ("allow_insecure", "true"),
        ("user_id", "ada"),
        ("device_id", "a device"),
        ("device_id", "device\n"),
        ("custody", "E2E"),
        ("kdf", {"algorithm": "argon2id"}),
        ("kdf", "argon2id"),
        ("keyring_version", -1),
        ("keyring_version", 1.0),
        ("keyring_version", True),
        ("signing_key", "AAAA"),
        ("signing_key", "no base64"),
        ("logged_out", 0),
        ("keychain_entry", "0" * 31),
        ("keychain_entry", "../" + "0" * 29),
    ],
)
def test_a_profile_with_a_field_of_another_kind_or_form_is_damaged(tmp_path: Path, name: str, value: object) -> None:
    folder = ProfileFolder(tmp_path, "laptop")
    folder.save(make_profile())
    folder.file.write_text(json.dumps(json.loads(folder.file.read_bytes()) | {name: value}))
    with pytest.raises(ProfileDamaged):
        folder.load()


def test_what_a_later_version_adds_to_a_profile_is_ignored(tmp_path: Path) -> None:
    folder = ProfileFolder(tmp_path, "laptop")
    profile = make_profile(kdf=None, custody="uce", share_dates=True)
    folder.save(profile)
    folder.file.write_text(json.dumps(json.loads(folder.file.read_bytes()) | {"later": 1}))
    assert folder.load() == profile


def test_a_removed_profile_leaves_nothing(tmp_path: Path) -> None:
    folder = ProfileFolder(tmp_path, "laptop")
    folder.save(make_profile())
    folder.remove()
    assert profile_names(tmp_path) == []
    assert not folder.path.exists()
    with pytest.raises(ProfileNotFound):
        folder.remove()
