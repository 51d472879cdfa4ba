"""User-controlled encryption on the device: the account's keyring, opened with the password as the server's is.

(PROTOCOL section 7.) The server gets the password at sign-up and login, and can read while a session is in use; so a
caller must have chosen uce before anything here is called. The device keeps the keyring, and is as independent of the
server from then on as with e2e: it seals, opens, verifies and works offline.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

from lockleaf.client.account.recovery_codes import CODES, RecoveryCodes
from lockleaf.client.errors import InvalidAnswer, KeyringMissing, PasswordUnsuitable, SealBroken
from lockleaf.client.keychain.password_keys import require_text
from lockleaf.crypto.errors import CryptoError, Malformed
from lockleaf.crypto.keyring import UCE_LABEL, Keyring, open_keyring
from lockleaf.crypto.normalise import normalise_password
from lockleaf.crypto.uce import derive_kek
from lockleaf.wire.accounts import Account

__all__ = ["drawn_codes", "open_account", "sendable"]

_SHORTEST, _LONGEST = 8, 1024
_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}", re.ASCII)


def sendable(password: str) -> str:
    """Return the password in the one form (NFKC) that is sent.

    Raises:
        PasswordUnsuitable: no server takes it.
        PasswordNotText: it holds bytes that are no text.
    """
    typed = normalise_password(password)
    require_text(typed)
    if not _SHORTEST <= len(typed) <= _LONGEST:
        raise PasswordUnsuitable
    return typed


async def open_account(account: Account, password: str) -> Keyring:
    """Return the account's keyring, opened with its password.

    Raises:
        KeyringMissing: the server holds the keyring, or the salt of its key, back.
        SealBroken: the password does not open it.
    """
    sealed, salt = account.keyring, account.kek_salt
    if sealed is None or salt is None:
        raise KeyringMissing
    try:
        # Long and in native code: in a thread, the event loop goes on.
        kek = await asyncio.to_thread(derive_kek, password, salt)
        return open_keyring(sealed, kek, label=UCE_LABEL, user_id=str(account.id), version=account.keyring_version)
    except (CryptoError, Malformed):
        raise SealBroken("the keyring") from None


def drawn_codes(codes: Iterable[str] | None) -> RecoveryCodes:
    """Return the recovery codes that the server drew, once they have the form of such.

    Raises:
        InvalidAnswer: they are not such codes: they are shown to a person, and must be worth the paper.
    """
    drawn = tuple(codes or ())
    if len(set(drawn)) != CODES or len(drawn) != CODES or not all(_CODE.fullmatch(code) for code in drawn):
        raise InvalidAnswer
    return RecoveryCodes(drawn)
