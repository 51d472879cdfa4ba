"""A journal that had no account comes to one: who is at it, the last step of new keys, and what a crash leaves.

What is made anew under other keys waits in the folder ``joining`` of the profile. The store is sealed anew in one
transaction, which notes the account: before it everything is as it was, after it only files have to take their places.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import Protocol

from lockleaf.client.errors import LocalStoreError, StoreLocked
from lockleaf.client.keychain.keychains import KEYCHAIN_FILE
from lockleaf.client.keychain.lock_file import LOCK_FILE
from lockleaf.client.keychain.password_keychain import OPEN_FILE
from lockleaf.client.profile.private_files import locked, make_private_folder
from lockleaf.client.profile.profiles import Profile, ProfileFolder
from lockleaf.client.store import account_of

__all__ = ["alone", "finish_joining", "has_moved", "joining", "made_anew", "take_places"]

_FOLDER = "joining"
_LOCK = "joining.lock"
_LOOK_AGAIN = 0.05


class _Opened(Protocol):
    folder: ProfileFolder
    profile: Profile | None


@contextmanager
def joining(folder: ProfileFolder) -> Iterator[None]:
    """Keep other programs from giving the journal an account too, and from going on with it half-way.

    Raises:
        StoreLocked: another program is at it.
    """
    with locked(folder.path / _LOCK, otherwise=StoreLocked):
        yield


@asynccontextmanager
async def alone(folder: ProfileFolder) -> AsyncIterator[None]:
    """Wait until no other program begins a journal in the folder or gives it an account, and keep others from it.

    What the folder held before is asked for again within: the other program may have made a journal there.
    """
    folder.make()
    while True:
        with ExitStack() as held:
            try:
                held.enter_context(joining(folder))
            except StoreLocked:
                pass
            else:
                yield
                return
        await asyncio.sleep(_LOOK_AGAIN)  # a thread that waits for the lock could not be called off


def has_moved(opened: _Opened) -> bool:
    """Return whether another program gave the journal an account since it was opened, and is done with it."""

    def is_local() -> bool:
        return opened.profile is not None and opened.profile.is_local

    # In this order: this program itself may come to the end of a login meanwhile, in another thread.
    return is_local() and opened.folder.has_account and not _is_joining(opened.folder) and is_local()


def _is_joining(folder: ProfileFolder) -> bool:
    try:
        with joining(folder):
            return False
    except StoreLocked:
        return True


@contextmanager
def made_anew(folder: ProfileFolder) -> Iterator[ProfileFolder]:
    """Give, while joining, the empty folder of what is made anew; afterwards it is gone, with what took no place."""
    made = folder.within(_FOLDER)
    _settle(folder, made)
    made.make()
    try:
        yield made
    finally:
        _settle(folder, made)


def take_places(folder: ProfileFolder, made: ProfileFolder) -> None:
    """Put what was made anew in its places, once the store is sealed anew; does no harm twice.

    The profile goes last: as long as it waits there, there is something to go on with.
    """
    (folder.path / KEYCHAIN_FILE).unlink(missing_ok=True)
    for source, target in ((made.media, folder.media), (made.drafts, folder.drafts)):
        for file in source.iterdir() if source.is_dir() else ():
            make_private_folder(target)
            file.replace(target / file.name)
    if made.file.exists():
        made.file.replace(folder.file)


def finish_joining(folder: ProfileFolder) -> None:
    """Go on with what an interrupted login began, or take it back, if there was one.

    Where the store is under the account's keys already, the next login brings these: what opened it opens nothing more.
    """
    made = folder.within(_FOLDER)
    if not made.path.is_dir():
        return
    with suppress(StoreLocked), joining(folder):  # else it is being done right now
        _settle(folder, made)


def _settle(folder: ProfileFolder, made: ProfileFolder) -> None:
    """Go on with what waits in ``made`` where the store is sealed anew, and take it back where it is not.

    A store that cannot be asked at the moment leaves it as it is: behind the transaction it is all that there is.
    """
    if made.file.exists():
        try:
            is_moved = account_of(folder.store) is not None
        except LocalStoreError:
            return
        if is_moved:
            for name in (LOCK_FILE, OPEN_FILE):
                (folder.path / name).unlink(missing_ok=True)
            take_places(folder, made)
    _forget(made)


def _forget(made: ProfileFolder) -> None:
    shutil.rmtree(made.path, ignore_errors=True)
