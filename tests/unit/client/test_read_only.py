"""A journal in a folder that takes no writes: it is read, nothing is put beside it, and writing says why not.

Played by the program itself: root passes over modes, so that its folder is mounted read-only instead.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.offline_devices import offline_device


async def home_with_entries(home: Path, *, killed: bool) -> Path:
    """A home with two entries; one of a program that was killed has the last of them in its log alone."""
    async with offline_device(home) as (client, _):
        await client.journal.write(body="the first is kept")
        await client.journal.write(body="the second is kept")
        if killed:
            copy = home.with_name("copy")
            shutil.copytree(home, copy)
            return copy
    return home


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lockleaf", "--home", str(home), "--profile", "laptop", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCKLEAF_")}
    if os.geteuid() == 0:
        there = shlex.quote(str(home))
        mounts = f"mount --bind {there} {there} && mount -o remount,bind,ro {there}"
        command = ["unshare", "-m", "sh", "-c", f"{mounts} && exec {shlex.join(command)}"]
    else:
        for path in (home, *home.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, env=environment, stdin=subprocess.DEVNULL, check=False
        )
    finally:
        if os.geteuid() != 0:
            for path in (home, *home.rglob("*")):
                path.chmod(path.stat().st_mode | 0o200)


def files(home: Path) -> set[tuple[str, int]]:
    return {(str(path.relative_to(home)), path.stat().st_mtime_ns) for path in home.rglob("*") if path.is_file()}


needs_mounts = pytest.mark.skipif(
    os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0,
    reason="root without the right to mount",
)


@needs_mounts
@pytest.mark.parametrize("killed", [False, True])
async def test_a_read_only_journal_is_read_and_nothing_is_written(killed: bool, tmp_path: Path) -> None:
    home = await home_with_entries(tmp_path / "home", killed=killed)
    before = files(home)
    for arguments in (["list", "--json"], ["search", "kept", "--json"]):
        done = run(home, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.count("is kept") >= 2
    done = run(home, "write", "more")
    assert done.returncode == 8
    assert "read-only" in done.stderr
    done = run(home, "sync", "--json")
    assert done.returncode == 8
    assert '"name": "ReadOnlyFolder"' in done.stderr
    assert files(home) == before


def without_home(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a user whom the system does not know, and without HOME."""
    script = (
        "import os, pwd\n"
        "def nobody(*_): raise KeyError\n"
        "pwd.getpwuid = nobody\n"
        "import sys\n"
        "from lockleaf.cli.main import main\n"
        f"sys.exit(main({list(arguments)!r}))"
    )
    kept = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        env=kept,
        stdin=subprocess.DEVNULL,
        check=False,
    )


async def test_a_user_without_a_home_is_asked_for_a_folder_where_one_is_needed(tmp_path: Path) -> None:
    for arguments in (["list"], ["--home", "~/journal", "list"], ["serve"]):
        done = without_home(*arguments)
        assert done.returncode == 2
        assert "HOME is not set" in done.stderr
    home = await home_with_entries(tmp_path / "home", killed=False)
    done = without_home("--home", str(home), "--profile", "laptop", "list", "--json")
    assert (done.returncode, done.stdout.count("is kept") >= 2) == (0, True)
