"""A device comes to an account: with the journal that it has already, if that had no account (decision 89)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from lockleaf.client.device.device import Device
from lockleaf.client.device.joining import alone, joining, made_anew, take_places
from lockleaf.client.device.orphans import described
from lockleaf.client.errors import AlreadyLoggedIn, KeychainUnavailable, WrongPassword
from lockleaf.client.keychain.keychains import KEYCHAIN_FILE, FileKeychain
from lockleaf.client.keychain.password_keychain import PasswordKeychain
from lockleaf.client.media.journal_resealing import JournalFiles
from lockleaf.client.media.threads import in_thread
from lockleaf.client.profile.profiles import Profile, ProfileFolder
from lockleaf.client.records.draft_seals import seal_drafts_anew
from lockleaf.client.records.tag_records import new_tag, tag_id
from lockleaf.client.store import LocalStore
from lockleaf.client.store.local_store import SealAnew
from lockleaf.client.transport.tokens import SessionTokens
from lockleaf.crypto.keyring import Keyring

__all__ = ["take_over"]


class _FileCame(Exception):
    """Another program attached a file while the others were sealed."""


async def take_over(
    device: Device,
    profile: Profile,
    keyring: Keyring,
    tokens: SessionTokens,
    password: str,
    *,
    older: bool = False,
) -> None:
    """Have ``device`` be the account's, with all that its journal holds; see `Device.adopt`.

    Raises:
        StoreLocked: another program is doing the same.
        AlreadyLoggedIn: another program logged in to another account here meanwhile.
        JournalLocked: another program began a journal here meanwhile, under another password.
        DiskFull: there is no space to seal the attached files anew; nothing was changed.
    """
    if device.profile is None:
        async with alone(device.folder):
            found, _ = described(device.folder)
            if found is None or found.user_id == profile.user_id:
                # Another program may have logged in to the same account: its store stays, with what is in it.
                device.profile = found
                entry = profile.keychain_entry if found is None else found.keychain_entry
                profile = replace(profile, keychain_entry=entry)
                await device.adopt(profile, keyring, tokens, password, older=older)
                return
        if not found.is_local:
            raise AlreadyLoggedIn
        key_file = device.folder.path / KEYCHAIN_FILE
        if isinstance(device.keychain, PasswordKeychain) and key_file.exists():
            device.keychain = FileKeychain(key_file)  # it was begun without a password
        await device.load()
        if device.is_locked:
            with suppress(WrongPassword):
                await device.unlock(password)
    before = device.profile
    if before is None or not before.is_local:
        await device.adopt(profile, keyring, tokens, password, older=older)
        return
    # To the very end: the files name the account before its keys and its session are kept.
    with joining(device.folder):
        if device.opened.keyring != keyring:
            with made_anew(device.folder) as made:
                await _move(device, made, profile, keyring)
                await in_thread(lambda _: take_places(device.folder, made))
        try:
            await device.adopt(profile, keyring, tokens, password, older=older)
        except BaseException:
            # Where the journal is the account's, it waits for its keys.
            device.profile = device.folder.load()
            raise
    if before.keychain_entry != profile.keychain_entry and not isinstance(device.keychain, PasswordKeychain):
        with suppress(KeychainUnavailable):
            await asyncio.to_thread(device.keychain.delete, before.keychain_entry)


async def _move(device: Device, made: ProfileFolder, profile: Profile, keyring: Keyring) -> None:
    store = device.opened.store
    files = JournalFiles(store, device.folder.media, made.media, keyring)
    made.save(profile)

    def change(seal_anew: SealAnew) -> None:
        if not files.take_over():
            raise _FileCame
        _rename_tags(store, keyring)
        seal_drafts_anew(device.folder.drafts, made.drafts, seal_anew)

    while True:
        await in_thread(files.seal)
        with suppress(_FileCame):
            await in_thread(lambda _: store.move(keyring, str(profile.user_id), change))
            break
    if files.unreadable:
        device.notice(
            f"{len(files.unreadable)} attached files are not on this device as they were attached. Their entries still "
            "name them; attach them again if you have them elsewhere."
        )


def _rename_tags(store: LocalStore, keyring: Keyring) -> None:
    """Give tags the ids that the account's keys give them, which other devices of it know them by."""
    for tag in store.records.take_tags():
        assert tag.doc is not None
        if not tag.deleted:
            renamed = new_tag(tag_id(keyring, tag.doc.content["name"]), tag.doc.content, tag.doc.updated_at)
            renamed.doc = tag.doc
            store.records.put(renamed)
