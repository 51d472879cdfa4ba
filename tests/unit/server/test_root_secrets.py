"""A root secret is replaced without signing anybody out: the newest signs, and all verify until they are dropped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lockleaf.server.main.maintenance.errors import MaintenanceError
from lockleaf.server.main.maintenance.secrets import Adopted, add_root, adopt, drop_old_roots, secrets_of
from lockleaf.server.platform.server_keys import SecretsDamaged, load_keys
from lockleaf.server.platform.settings import Settings


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A server that keeps its secrets itself."""
    for name in ("DATABASE_URL", "SECRET_KEY", "LOCKLEAF_SECRETS__ROOTS", "LOCKLEAF_SECRETS__PRELOGIN"):
        monkeypatch.delenv(name, raising=False)
    return Settings(data_dir=tmp_path / "data")


def set_by_operator(tmp_path: Path, root: str) -> Settings:
    return Settings(database_url="postgresql://nobody@/nowhere", secret_key=root, data_dir=tmp_path)


def test_a_new_root_signs_and_the_old_one_verifies_until_it_is_dropped(own: Settings) -> None:
    before = load_keys(own)
    add_root(own)
    between = load_keys(own)
    assert between.signing("access") != before.signing("access")
    assert before.signing("access") in between.accepted("access")
    assert between.prelogin == before.prelogin
    assert drop_old_roots(own) == 1
    after = load_keys(own)
    assert after.accepted("access") == (between.signing("access"),)
    assert (own.data_dir / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_secrets_that_are_settings_are_left_to_their_operator(tmp_path: Path) -> None:
    theirs = set_by_operator(tmp_path, "Zq8vN3xLw0TjYc5RbK7mGdF2hSaP6eUo")
    for act in (add_root, drop_old_roots):
        with pytest.raises(MaintenanceError, match="LOCKLEAF_SECRETS__ROOTS"):
            act(theirs)
    assert list(tmp_path.iterdir()) == []


def test_secrets_of_a_backup_come_behind_those_that_are_there(own: Settings, tmp_path: Path) -> None:
    other = Settings(data_dir=tmp_path / "other")
    backed_up, there = load_keys(other), load_keys(own)
    assert adopt(own, secrets_of(other)) is Adopted.IN_FORCE
    now = load_keys(own)
    assert now.accepted("access") == (*there.accepted("access"), *backed_up.accepted("access"))
    assert now.prelogin == backed_up.prelogin
    assert adopt(own, None) is Adopted.KEPT
    assert adopt(Settings(data_dir=tmp_path / "third"), None) is Adopted.ABSENT
    with pytest.raises(SecretsDamaged):
        adopt(own, b"{}")


def test_secrets_of_a_backup_lie_beside_where_others_are_set(own: Settings, tmp_path: Path) -> None:
    theirs = set_by_operator(tmp_path / "set", "Zq8vN3xLw0TjYc5RbK7mGdF2hSaP6eUo")
    assert adopt(theirs, secrets_of(theirs)) is Adopted.IN_FORCE
    given = secrets_of(own)
    assert given is not None
    assert adopt(theirs, given) is Adopted.LEFT_BESIDE
    beside = tmp_path / "set" / "secrets.from-backup.json"
    assert (json.loads(beside.read_bytes()), beside.stat().st_mode & 0o777) == (json.loads(given), 0o600)
