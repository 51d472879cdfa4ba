"""Run a program as an unprivileged account: a script of the standard library alone, started with `python -I -S`.

It replaces itself by the program, so that whoever started it is the program's parent. Its one argument is JSON:

    {"argv": [...], "env": {...}, "account": [uid, gid] or null, "reach": [paths], "parent": pid, "death_signal": n}

`account` null keeps the account. `reach` are the paths that the account has to reach. Where a private folder stands in
the way (data or virtual environment below root's 0700 home, say), opening that folder to others is not an option, so
the program keeps one capability across the change of account: to search and read (CAP_DAC_READ_SEARCH), or, where a
container does not grant that one, CAP_DAC_OVERRIDE. Where nothing stands in the way it keeps none.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from typing import NoReturn

__all__: list[str] = []

# linux/prctl.h and linux/capability.h
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_CAP_SETPCAP = 8
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522

_LINUX = sys.platform.startswith("linux")


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"lockleaf: {message}\n")
    sys.stderr.flush()
    os._exit(77)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, first: int, second: int = 0) -> None:
    arguments = [ctypes.c_ulong(value) for value in (first, second, 0, 0)]
    if _libc().prctl(ctypes.c_int(option), *arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")


def _permitted() -> int:
    """Return the low 32 bits of the permitted capabilities; the two that we need are among them."""
    data = (_Data * 2)()
    if _libc().capget(ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), data) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    return int(data[0].permitted)


def _set_capabilities(bits: int) -> None:
    """Make `bits` the permitted, effective and inheritable capabilities, and drop all others."""
    data = (_Data * 2)()
    data[0] = _Data(bits, bits, bits)
    if _libc().capset(ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), data) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"capset: {os.strerror(number)}")


def _first_unreachable(paths: list[str]) -> str | None:
    # access() judges by the real account and, for one that is not root, without capabilities: what we want to know.
    return next((path for path in paths if not os.access(path, os.R_OK | os.X_OK)), None)


def _keep_search_capability(path: str, paths: list[str]) -> None:
    available = _permitted()
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        if available & (1 << capability):
            if available & (1 << _CAP_SETPCAP):
                # PostgreSQL's programs ask access() whether they may run each other. For an account that is not root
                # access() forgets capabilities, unless this bit is set; it changes nothing else here.
                _set_capabilities(1 << capability | 1 << _CAP_SETPCAP)
                _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
            _set_capabilities(1 << capability)
            # Only ambient capabilities survive execve of a program that is neither setuid nor has file capabilities.
            _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)
            break
    else:
        _fail(
            f"the account with uid {os.getuid()} cannot reach {path}, because a folder above it is private, and this "
            "system does not let root pass on the right to search folders. Move the data folder or the installation "
            "to a path that the account can reach, or run Lockleaf as an ordinary user."
        )
    for each in paths:
        try:
            os.stat(each)  # noqa: PTH116 (the fewer imports, the sooner PostgreSQL starts)
        except OSError as error:
            _fail(f"the account with uid {os.getuid()} cannot reach {each} ({error.strerror})")


def _become(uid: int, gid: int, paths: list[str]) -> None:
    if _LINUX:
        # Capabilities stay permitted over setuid, but not effective: until raised again, they have no power.
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    blocked = _first_unreachable(paths)
    if not _LINUX:
        if blocked is not None:
            _fail(f"the account with uid {uid} cannot reach {blocked}, because a folder above it is private")
        return
    if blocked is None:
        _set_capabilities(0)
    else:
        _keep_search_capability(blocked, paths)
    # No program that PostgreSQL could be made to start gains a privilege by being setuid.
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _main() -> None:
    order = json.loads(sys.argv[1])
    os.umask(0o077)
    os.chdir("/")
    # A core file would hold the database's memory, content of users included.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so over execve
    try:
        if order["account"] is not None:
            uid, gid = order["account"]
            _become(uid, gid, order["reach"])
        if _LINUX:
            # After the change of account, which clears it. From here on the program does not outlive its parent.
            _prctl(_PR_SET_PDEATHSIG, order["death_signal"])
            if os.getppid() != order["parent"]:
                _fail("the process that started PostgreSQL is gone")
        os.execve(order["argv"][0], order["argv"], order["env"])  # noqa: S606 (there is no shell to want)
    except OSError as error:
        _fail(f"could not run {order['argv'][0]} as an unprivileged account: {error}")


if __name__ == "__main__":
    _main()
