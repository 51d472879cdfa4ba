"""A login that puts a journal which had no account under an account's keys: its last step, and what a crash leaves.

What is made anew waits in the folder ``joining`` of the profile. The store is sealed anew in one transaction, which
notes the account: before it everything is as it was, after it only files have to take their places.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from lockleaf.client.errors import LocalStoreError, ProfileDamaged, StoreLocked
from lockleaf.client.keychain.keychains import KEYCHAIN_FILE
from lockleaf.client.keychain.password_keychain import LOCK_FILE, OPEN_FILE
from lockleaf.client.profile.private_files import locked, make_private_folder
from lockleaf.client.profile.profiles import ProfileFolder
from lockleaf.client.store import account_of

__all__ = ["finish_joining", "joining", "take_places"]

_FOLDER = "joining"
_LOCK = "joining.lock"


@contextmanager
def joining(folder: ProfileFolder) -> Iterator[ProfileFolder]:
    """Give the empty folder of what is made anew; it is gone afterwards.

    Raises:
        StoreLocked: another program is at it.
    """
    made = folder.within(_FOLDER)
    with locked(folder.path / _LOCK, otherwise=StoreLocked):
        _forget(made)
        made.make()
        try:
            yield made
        finally:
            _forget(made)


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
    try:
        with locked(folder.path / _LOCK, otherwise=StoreLocked):
            profile = made.load()
            if profile is not None and account_of(folder.store) == str(profile.user_id):
                for name in (LOCK_FILE, OPEN_FILE):
                    (folder.path / name).unlink(missing_ok=True)
                take_places(folder, made)
            _forget(made)
    except StoreLocked:
        return  # it is being done at this moment
    except (LocalStoreError, ProfileDamaged):
        _forget(made)


def _forget(made: ProfileFolder) -> None:
    shutil.rmtree(made.path, ignore_errors=True)
