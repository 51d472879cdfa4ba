"""The keys of uce accounts: making them, wrapping them anew, and carrying them through a session.

What comes in and goes out is sealed, except where a request needs the opened keyring at once; nothing is kept here.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from lockleaf.crypto import errors as crypto_errors
from lockleaf.crypto import identity, recovery, uce
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.keyring import RECOVERY_LABEL, UCE_LABEL, Keyring, open_keyring, seal_keyring
from lockleaf.server.identity.errors import InvalidCredentials
from lockleaf.server.identity.hashing import VerifierHasher

__all__ = ["Custodian", "DrawnCodes", "Issued", "KeyMaterial", "SealedKeyring"]

CODES = 10


@dataclass(frozen=True, slots=True)
class DrawnCodes:
    """A set of recovery codes: to be shown once, and what is kept of them.

    Attributes:
        shown: as a person writes them down.
        kept: (hash of the verifier, keyring sealed under the code's key) of each; no keyring where there is none.
    """

    shown: tuple[str, ...] = field(repr=False)
    kept: tuple[tuple[bytes, bytes | None], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedKeyring:
    """A keyring as an account stores it, and the key-encryption key (32 bytes) that opens it."""

    user_id: UUID
    keyring: bytes = field(repr=False)
    version: int
    kek: bytes = field(repr=False)
    kek_salt: bytes


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """What an account stores of its keys, and the key-encryption key that opens it.

    Attributes:
        kek: 32 bytes, for the session that is opened now; never stored as it is.
        rotation_signature: by the signing key before, None for a first pair.
    """

    kek: bytes = field(repr=False)
    kek_salt: bytes
    keyring: bytes = field(repr=False)
    version: int
    recipient: str
    signing_key: bytes
    rotation_signature: bytes | None = None
    codes: DrawnCodes | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A session's key, which only tokens carry, and what is stored beside it."""

    session_key: bytes = field(repr=False)
    sealed_kek: bytes = field(repr=False)
    successor: bytes | None = field(default=None, repr=False)


class Custodian:
    """Holds no key; knows how uce keys are made and wrapped.

    Args:
        hasher: whose threads run Argon2id, so that one queue bounds all of it.
        suite: the number of the cipher that seals.
    """

    def __init__(self, hasher: VerifierHasher, suite: int) -> None:
        self._hasher = hasher
        self.suite = suite

    async def derive(self, secret: str, kek_salt: bytes) -> bytes:
        """Return the key-encryption key of a secret that was proven.

        Raises:
            HashingBusy: too many are waiting.
        """
        return await self._hasher.run(lambda: uce.derive_kek(secret, kek_salt))

    async def new_keys(self, user_id: UUID, secret: str, *, now: datetime) -> KeyMaterial:
        """Return the keys of a new account, with its recovery codes.

        Raises:
            HashingBusy: too many are waiting.
        """
        salt = self.new_salt()
        kek = await self.derive(secret, salt)
        return await asyncio.to_thread(self._first_keys, user_id, kek, salt, now)

    def _first_keys(self, user_id: UUID, kek: bytes, salt: bytes, now: datetime) -> KeyMaterial:
        keyring = Keyring.new(_rfc3339(now))
        return self._material(user_id, keyring, kek, salt, 1, codes=self._draw(user_id, keyring, 1))

    async def rewrap(self, sealed: SealedKeyring, *, secret: str) -> KeyMaterial:
        """Return a keyring wrapped under a new ``secret``, as its next version.

        Raises:
            InvalidCredentials: its key does not open it: the secret was changed a moment ago.
            HashingBusy: too many are waiting.
        """
        keyring = self._open(sealed)
        salt = self.new_salt()
        kek = await self.derive(secret, salt)
        return self._material(sealed.user_id, keyring, kek, salt, sealed.version + 1)

    async def rotate(
        self,
        sealed: SealedKeyring,
        *,
        kek: bytes,
        kek_salt: bytes,
        epoch: str,
        seq: int,
        head: bytes,
        now: datetime,
    ) -> tuple[KeyMaterial, int]:
        """Return a keyring with one more key and new recovery codes, and the new key's id.

        Args:
            sealed: the keyring, with the key that opens it.
            kek, kek_salt: what wraps it from now on.
            epoch, seq, head: the end of the history, where the key before ends.
            now: the present time.

        Raises:
            InvalidCredentials: its key does not open it: the secret was changed a moment ago.
        """
        before = self._open(sealed)
        keyring, version = before.rotated(_rfc3339(now), HistoryPlace(epoch, seq, head)), sealed.version + 1
        codes = await asyncio.to_thread(self._draw, sealed.user_id, keyring, version)
        material = self._material(sealed.user_id, keyring, kek, kek_salt, version, signed_by=before, codes=codes)
        return material, keyring.newest.key_id

    async def draw_codes(self, sealed: SealedKeyring) -> DrawnCodes:
        """Return a fresh set of recovery codes for a keyring.

        Raises:
            InvalidCredentials: its key does not open it: the secret was changed a moment ago.
        """
        return await asyncio.to_thread(self._draw, sealed.user_id, self._open(sealed), sealed.version)

    def new_salt(self) -> bytes:
        """Return a fresh salt for ``derive``."""
        return secrets.token_bytes(uce.KEK_SALT_LENGTH)

    def recover(
        self,
        user_id: UUID,
        sealed: bytes,
        sealed_version: int,
        recovery_key: bytes,
        *,
        kek: bytes,
        kek_salt: bytes,
        version: int,
    ) -> KeyMaterial | None:
        """Return the keyring in a recovery code's ``sealed`` wrapped under a new key; None where it does not open.

        Arguments:
            sealed_version: as which it was sealed under the code.
            kek, kek_salt: of the new secret.
            version: as which it is sealed now.
        """
        try:
            keyring = open_keyring(
                sealed, recovery_key, label=RECOVERY_LABEL, user_id=str(user_id), version=sealed_version
            )
        except crypto_errors.CryptoError:
            return None
        return self._material(user_id, keyring, kek, kek_salt, version)

    # ---- recovery codes ----

    def code_keys(self, code: str) -> tuple[bytes, bytes] | None:
        """Return (hash of the verifier, key) of a recovery code as a person types it; None where it is not one."""
        try:
            return recovery.verifier_hash(recovery.verifier(code)), recovery.recovery_key(code)
        except crypto_errors.BadRecoveryCode:
            return None

    def draw_bare_codes(self) -> DrawnCodes:
        """Return a set of recovery codes for an account without a keyring: they bring back the account, and no key."""
        shown = tuple(recovery.new_code() for _ in range(CODES))
        return DrawnCodes(shown, tuple((recovery.verifier_hash(recovery.verifier(code)), None) for code in shown))

    def _draw(self, user_id: UUID, keyring: Keyring, version: int) -> DrawnCodes:
        shown = tuple(recovery.new_code() for _ in range(CODES))
        return DrawnCodes(
            shown,
            tuple(
                (
                    recovery.verifier_hash(recovery.verifier(code)),
                    seal_keyring(
                        keyring,
                        recovery.recovery_key(code),
                        label=RECOVERY_LABEL,
                        user_id=str(user_id),
                        version=version,
                        suite=self.suite,
                    ),
                )
                for code in shown
            ),
        )

    # ---- sessions ----

    def issue(self, kek: bytes, user_id: UUID, session_id: UUID) -> Issued:
        """Return a fresh session key, and the key-encryption key sealed under it."""
        key = uce.new_session_key()
        return Issued(key, uce.seal_kek(key, kek, suite=self.suite, **_place(user_id, session_id)))

    def succeed(self, session_key: bytes, sealed_kek: bytes, user_id: UUID, session_id: UUID) -> Issued | None:
        """Return the next session key, and with it the successor for the generation before.

        None where ``session_key`` is not that of ``sealed_kek``.
        """
        place = _place(user_id, session_id)
        try:
            kek = uce.open_kek(session_key, sealed_kek, **place)
        except crypto_errors.CryptoError:
            return None
        issued = self.issue(kek, user_id, session_id)
        successor = uce.seal_successor(session_key, issued.session_key, suite=self.suite, **place)
        return Issued(issued.session_key, issued.sealed_kek, successor)

    def successor(self, session_key: bytes, sealed: bytes, user_id: UUID, session_id: UUID) -> bytes | None:
        """Return the session key that followed ``session_key``; None where ``sealed`` does not open."""
        try:
            return uce.open_successor(session_key, sealed, **_place(user_id, session_id))
        except crypto_errors.CryptoError:
            return None

    # ---- inside ----

    def _open(self, sealed: SealedKeyring) -> Keyring:
        try:
            return open_keyring(
                sealed.keyring, sealed.kek, label=UCE_LABEL, user_id=str(sealed.user_id), version=sealed.version
            )
        except crypto_errors.CryptoError:
            raise InvalidCredentials from None

    def _material(
        self,
        user_id: UUID,
        keyring: Keyring,
        kek: bytes,
        salt: bytes,
        version: int,
        *,
        signed_by: Keyring | None = None,
        codes: DrawnCodes | None = None,
    ) -> KeyMaterial:
        newest = keyring.newest
        signature = None
        if signed_by is not None:
            message = identity.rotation_message(str(user_id), version, newest.recipient, newest.public_signing_key)
            signature = identity.sign(signed_by.newest.signing_seed, message)
        return KeyMaterial(
            kek=kek,
            kek_salt=salt,
            keyring=seal_keyring(
                keyring, kek, label=UCE_LABEL, user_id=str(user_id), version=version, suite=self.suite
            ),
            version=version,
            recipient=newest.recipient,
            signing_key=newest.public_signing_key,
            rotation_signature=signature,
            codes=codes,
        )


def _place(user_id: UUID, session_id: UUID) -> dict[str, str]:
    return {"user_id": str(user_id), "session_id": str(session_id)}


def _rfc3339(now: datetime) -> str:
    return now.isoformat(timespec="seconds").replace("+00:00", "Z")
