"""For how long a journal stays unlocked, and where that is remembered."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from lockleaf.client.keychain.unlocked_key import Unlocked, memory_folder, seconds_now

KEY = bytes(range(32))
NAME = "0" * 32


@pytest.fixture
def unlocked(tmp_path: Path) -> Unlocked:
    return Unlocked(NAME, tmp_path)


def test_a_key_is_found_again_until_it_is_ended(unlocked: Unlocked, tmp_path: Path) -> None:
    assert unlocked.use() is None
    assert unlocked.begin(KEY)
    file = tmp_path / f"{NAME}.unlocked"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Unlocked(NAME, tmp_path).use() == KEY
    assert 0 < (unlocked.left() or 0) <= 15 * 60
    unlocked.end()
    assert (unlocked.use(), unlocked.left()) == (None, None)
    assert not file.exists()


def test_it_ends_when_nobody_used_it(unlocked: Unlocked, tmp_path: Path) -> None:
    assert unlocked.begin(KEY, idle=1e-9)
    assert unlocked.left() is None
    assert unlocked.use() is None
    assert list(tmp_path.iterdir()) == []


def test_each_use_puts_the_idle_end_off_but_not_the_last(unlocked: Unlocked) -> None:
    unlocked.begin(KEY, idle=1000, most=1001)
    before = unlocked.left() or 0
    assert unlocked.use() == KEY
    after = unlocked.left() or 0
    assert before <= after + 1e-3
    assert after <= 1000


def test_nothing_is_kept_where_it_shall_not_be_or_cannot_be(tmp_path: Path) -> None:
    assert not Unlocked(NAME, tmp_path).begin(KEY, idle=0)
    assert not Unlocked(NAME, None).begin(KEY)
    assert Unlocked(NAME, None).use() is None
    assert not Unlocked(NAME, tmp_path / "absent").begin(KEY)
    assert list(tmp_path.iterdir()) == []


def test_what_nobody_came_back_for_is_swept_away(tmp_path: Path) -> None:
    Unlocked("1" * 32, tmp_path).begin(KEY, idle=1e-9)
    Unlocked("2" * 32, tmp_path).begin(KEY)
    Unlocked(NAME, tmp_path).begin(KEY)
    assert {file.stem for file in tmp_path.iterdir()} == {NAME, "2" * 32}


@pytest.mark.parametrize("content", [b"", b"x" * 71, b"x" * 72, b"unlockd1" + bytes(64), b"x" * 100])
def test_a_file_that_is_none_is_forgotten(unlocked: Unlocked, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / f"{NAME}.unlocked"
    file.write_bytes(content)
    file.chmod(0o600)
    assert unlocked.use() is None
    assert unlocked.begin(KEY)
    assert unlocked.use() == KEY


def test_a_file_that_others_may_read_or_that_is_a_link_is_not_believed(unlocked: Unlocked, tmp_path: Path) -> None:
    unlocked.begin(KEY)
    file = tmp_path / f"{NAME}.unlocked"
    file.chmod(0o644)
    assert unlocked.use() is None
    file.unlink(missing_ok=True)
    other = Unlocked("1" * 32, tmp_path)
    other.begin(KEY)
    file.symlink_to(tmp_path / ("1" * 32 + ".unlocked"))
    assert unlocked.use() is None


def test_a_lock_that_comes_while_the_key_is_used_is_not_undone(unlocked: Unlocked, tmp_path: Path) -> None:
    unlocked.begin(KEY)
    with (tmp_path / f"{NAME}.unlocked").open("rb") as held:
        unlocked.end()
        assert KEY not in held.read()
    assert unlocked.use() is None
    assert list(tmp_path.iterdir()) == []


def test_time_runs_from_the_start_of_the_machine() -> None:
    first = seconds_now()
    assert 0 < first <= seconds_now()


def test_the_folder_lies_in_memory_and_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    # A runtime folder on a disk is passed over: what is written there lies in backups.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as on_disk:
        monkeypatch.setenv("XDG_RUNTIME_DIR", on_disk)
        found = memory_folder()
        assert not Path(on_disk, "lockleaf").exists()
    if found is None:
        pytest.skip("this machine has no folder in memory")
    assert found.stat().st_uid == os.getuid()
    assert stat.S_IMODE(found.stat().st_mode) == 0o700


def test_a_folder_that_others_may_enter_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Path("/dev/shm", f"test-{os.getpid()}")
    try:
        (shared / "lockleaf").mkdir(parents=True)
    except OSError:
        pytest.skip("this machine has no folder in memory")
    try:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(shared))
        (shared / "lockleaf").chmod(0o755)
        assert memory_folder() != shared / "lockleaf"
        (shared / "lockleaf").chmod(0o700)
        assert memory_folder() == shared / "lockleaf"
        (shared / "lockleaf").rmdir()
        (shared / "real").mkdir(mode=0o700)
        (shared / "lockleaf").symlink_to(shared / "real")
        assert memory_folder() != shared / "lockleaf"
    finally:
        for path in shared.iterdir():
            path.unlink() if path.is_symlink() else path.rmdir()
        shared.rmdir()
