"""Which rights the embedded PostgreSQL keeps when root drops to another account, and how an ordinary user runs it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockleaf.server.platform.db.embedded.account import Account, choose_account
from lockleaf.server.platform.db.embedded.cluster import order_for

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="drops privileges, which only root has"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="rests on Linux capabilities"),
]
needs_setpriv = pytest.mark.skipif(shutil.which("setpriv") is None, reason="takes capabilities away by setpriv")

READ_SEARCH, OVERRIDE = 1 << 2, 1 << 1


def right_to_search() -> int:
    """The right to search folders that root has here: containers often grant the wider one alone."""
    line = next(each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("CapPrm"))
    return READ_SEARCH if int(line.split()[1], 16) & READ_SEARCH else OVERRIDE


@pytest.fixture
def account() -> Account:
    chosen = choose_account(Path("/nonexistent"))
    assert chosen is not None
    return chosen


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every account can reach."""
    with tempfile.TemporaryDirectory(prefix="lockleaf-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def private(public: Path) -> Path:
    """A folder below one that only root can pass."""
    above = public / "private"
    above.mkdir(mode=0o700)
    below = above / "below"
    below.mkdir(mode=0o755)
    return below


def run_as(account: Account, reach: Path, without: str = "") -> subprocess.CompletedProcess[str]:
    """Run `cat /proc/self/status` as the account; `without` are capabilities that not even root has."""
    order = order_for(["/bin/cat", "/proc/self/status"], account, (reach,), signal.SIGKILL)
    # The order names the parent by number, which stays ours because setpriv replaces itself.
    prefix = ["setpriv", f"--bounding-set={without}"] if without else []
    return subprocess.run([*prefix, *order], check=False, capture_output=True, text=True)


def status(result: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert result.returncode == 0, result.stderr
    return dict(line.split(":\t", 1) for line in result.stdout.splitlines() if ":\t" in line)


def capabilities(result: subprocess.CompletedProcess[str]) -> set[int]:
    fields = status(result)
    return {int(fields[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")}


def test_no_capability_is_kept_where_nothing_private_stands_in_the_way(account: Account, public: Path) -> None:
    assert capabilities(run_as(account, public)) == {0}


def test_behind_a_private_folder_the_right_to_search_is_kept_and_nothing_else(account: Account, private: Path) -> None:
    assert capabilities(run_as(account, private)) == {right_to_search()}
    assert private.parent.stat().st_mode & 0o777 == 0o700


@needs_setpriv
def test_where_a_container_has_not_that_right_the_next_one_is_kept(account: Account, private: Path) -> None:
    assert capabilities(run_as(account, private, without="-dac_read_search")) == {OVERRIDE}


@needs_setpriv
def test_where_neither_right_can_be_kept_the_error_says_what_to_do(account: Account, private: Path) -> None:
    result = run_as(account, private, without="-dac_read_search,-dac_override")
    assert result.returncode == 77
    assert str(private) in result.stderr
    assert "Move the data folder" in result.stderr
    assert result.stdout == ""


def test_identity_groups_and_the_way_back_are_given_up(account: Account, public: Path) -> None:
    fields = status(run_as(account, public))
    assert set(fields["Uid"].split()) == {str(account.uid)}
    assert set(fields["Gid"].split()) == {str(account.gid)}
    assert fields["Groups"].split() == []
    assert fields["NoNewPrivs"] == "1"


def test_the_owner_of_an_existing_cluster_runs_it(public: Path) -> None:
    os.chown(public, 54321, 54322)
    assert choose_account(public) == Account(uid=54321, gid=54322)


@needs_setpriv
def test_an_ordinary_user_runs_it_as_themselves(account: Account, public: Path) -> None:
    script = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from lockleaf.server.platform.db.embedded import EmbeddedPostgres
        data = Path(sys.argv[1]) / "data"
        with EmbeddedPostgres(data, durable=False) as server:
            assert Path(f"/proc/{server.pid}").stat().st_uid == os.geteuid() != 0
            assert data.stat().st_mode & 0o777 == 0o700
            server.ensure_database("extra")
        assert not server.is_running()
    """)
    os.chown(public, account.uid, account.gid)
    # The interpreter of a virtual environment may lie below root's private home: the user may read it all the same.
    user = ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
    right = "+dac_read_search" if right_to_search() == READ_SEARCH else "+dac_override"
    rights = [f"--inh-caps={right}", f"--ambient-caps={right}"]
    command = [*user, *rights, sys.executable, "-c", script, str(public)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")
    assert result.returncode == 0, result.stderr
