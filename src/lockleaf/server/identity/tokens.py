"""Tokens: signed statements, each for one purpose (RFC 7519)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from jwt import PyJWS
from jwt.exceptions import InvalidSignatureError, InvalidTokenError
from jwt.utils import base64url_decode

from lockleaf.server.identity.errors import TokenExpired, TokenInvalid
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.server_keys import Purpose, ServerKeys
from lockleaf.server.platform.settings import TokenSettings
from lockleaf.wire.factors import AnswerKind
from lockleaf.wire.fields import decode_base64, encode_base64

__all__ = ["LONGEST_TOKEN", "AccessClaims", "RecoveryClaims", "RefreshClaims", "TokenCodec"]

ISSUER = "lockleaf"
LONGEST_TOKEN = 2048
_MOST_SIGNED = 16_384


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """Whose session an access token speaks for; in uce also which generation of it, and with which key (32 bytes)."""

    user_id: UUID
    session_id: UUID
    generation: int | None = None
    session_key: bytes | None = field(default=None, repr=False)


class _Read(NamedTuple):
    """What was read of an access token, and when its time is over, in seconds since 1970."""

    claims: AccessClaims
    expires: int


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """Whose session a refresh token continues, which of the session's refresh tokens it is, and when it was made.

    In uce it carries the session's key (32 bytes) too.
    """

    user_id: UUID
    session_id: UUID
    generation: int
    issued_at: datetime
    session_key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryClaims:
    """Who may set new credentials, by the recovery code of which verifier's hash (32 bytes).

    In uce it carries the code's key (32 bytes) too: with it and the database the keyring can be opened, which is what
    holding the unspent code means. And it says with what the second factor was answered, if one was asked for.
    """

    user_id: UUID
    verifier_hash: bytes
    recovery_key: bytes | None = field(default=None, repr=False)
    factor: AnswerKind | None = None


class TokenCodec:
    """Makes and reads tokens.

    Tokens are a function of their claims, so that a repeated request can be answered with the same ones.

    Args:
        keys: the server's keys.
        settings: the algorithm and the lifetimes.
        clock: gives the time, aware, in UTC.
    """

    def __init__(self, keys: ServerKeys, settings: TokenSettings, clock: Callable[[], datetime]) -> None:
        self._keys = keys
        self._algorithm = settings.algorithm
        self._jws = PyJWS(algorithms=[settings.algorithm])
        self._seconds = clock.seconds if isinstance(clock, Clock) else lambda: clock().timestamp()
        self._signed: dict[tuple[bytes, Purpose], _Read | None] = {}
        """Digests of tokens whose signatures were found right, oldest first.

        With what was read of an access token that carries no key. What any other says is kept nowhere.
        """
        self.access_seconds = int(settings.access_minutes * 60)
        self.form_seconds = int(settings.form_minutes * 60)
        self.refresh_seconds = int(settings.refresh_days * 24 * 60 * 60)
        self.recovery_seconds = int(settings.recovery_minutes * 60)

    def access(
        self,
        user_id: UUID,
        session_id: UUID,
        issued_at: datetime,
        *,
        generation: int = 0,
        session_key: bytes | None = None,
        seconds: int | None = None,
    ) -> str:
        """Return the access token of a session, issued at ``issued_at`` (to the second).

        Arguments:
            generation, session_key: of a uce session.
            seconds: how long it lives; as the settings say by default.
        """
        more: dict[str, str | int] = {}
        if session_key is not None:
            more = {"gen": generation, "sk": encode_base64(session_key)}
        lifetime = self.access_seconds if seconds is None else seconds
        return self._make(Purpose.ACCESS, user_id, issued_at, lifetime, sid=str(session_id), **more)

    def refresh(
        self,
        user_id: UUID,
        session_id: UUID,
        generation: int,
        rotated_at: datetime,
        *,
        session_key: bytes | None = None,
    ) -> str:
        """Return the refresh token that a session has since ``rotated_at`` (to the second)."""
        more = {} if session_key is None else {"sk": encode_base64(session_key)}
        return self._make(
            Purpose.REFRESH, user_id, rotated_at, self.refresh_seconds, sid=str(session_id), gen=generation, **more
        )

    def recovery(
        self,
        user_id: UUID,
        verifier_hash: bytes,
        issued_at: datetime,
        recovery_key: bytes | None = None,
        *,
        factor: AnswerKind | None = None,
    ) -> str:
        """Return the token that lets the holder of a recovery code set new credentials."""
        more = {} if recovery_key is None else {"rk": encode_base64(recovery_key)}
        if factor is not None:
            more["sf"] = factor
        return self._make(
            Purpose.RECOVERY, user_id, issued_at, self.recovery_seconds, vh=encode_base64(verifier_hash), **more
        )

    def read_access(self, token: str) -> AccessClaims:
        """Return what an access token says.

        Raises:
            TokenExpired: its time is over.
            TokenInvalid: it is not this server's, or for another purpose.
        """
        if len(token) > LONGEST_TOKEN:
            raise TokenInvalid
        known = _digest(token), Purpose.ACCESS
        read = self._signed.get(known)
        if read is not None:
            self._require_time(read.expires)
            return read.claims
        claims = self._read(Purpose.ACCESS, token)
        try:
            user_id, session_id = UUID(claims["sub"]), UUID(claims["sid"])
            if "sk" in claims:
                return AccessClaims(user_id, session_id, int(claims["gen"]), _key(claims, "sk"))
        except _MISSHAPEN:
            raise TokenInvalid from None
        found = AccessClaims(user_id, session_id)
        self._signed[known] = _Read(found, claims["exp"])
        return found

    def read_refresh(self, token: str) -> RefreshClaims:
        """Return what a refresh token says.

        Raises:
            TokenExpired: its time is over.
            TokenInvalid: it is not this server's, or for another purpose.
        """
        claims = self._read(Purpose.REFRESH, token)
        try:
            return RefreshClaims(
                UUID(claims["sub"]),
                UUID(claims["sid"]),
                int(claims["gen"]),
                datetime.fromtimestamp(int(claims["iat"]), UTC),
                _key(claims, "sk"),
            )
        except _MISSHAPEN:
            raise TokenInvalid from None

    def read_recovery(self, token: str) -> RecoveryClaims:
        """Return what a recovery token says.

        Raises:
            TokenExpired: its time is over.
            TokenInvalid: it is not this server's, or for another purpose.
        """
        claims = self._read(Purpose.RECOVERY, token)
        try:
            return RecoveryClaims(
                UUID(claims["sub"]), decode_base64(claims["vh"]), _key(claims, "rk"), claims.get("sf")
            )
        except _MISSHAPEN:
            raise TokenInvalid from None

    def _make(self, purpose: Purpose, user_id: UUID, issued_at: datetime, seconds: int, **more: str | int) -> str:
        issued = int(issued_at.timestamp())
        claims = {
            "iss": ISSUER,
            "purpose": purpose.value,
            "sub": str(user_id),
            "iat": issued,
            "exp": issued + seconds,
            **more,
        }
        payload = json.dumps(claims, separators=(",", ":")).encode()
        return self._jws.encode(payload, self._keys.signing(purpose), self._algorithm)

    def _read(self, purpose: Purpose, token: str) -> dict[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise TokenInvalid
        claims = self._verified(purpose, token)
        if claims.get("iss") != ISSUER or claims.get("purpose") != purpose.value:
            raise TokenInvalid
        expires = claims.get("exp")
        if not isinstance(expires, int):
            raise TokenInvalid
        self._require_time(expires)
        return claims

    def _require_time(self, expires: int) -> None:
        if expires <= self._seconds():
            raise TokenExpired

    def _verified(self, purpose: Purpose, token: str) -> dict[str, Any]:
        digest = _digest(token), purpose
        if digest in self._signed:
            said = base64url_decode(token.split(".")[1])
        else:
            said = self._signed_payload(purpose, token)
            if len(self._signed) >= _MOST_SIGNED:
                del self._signed[next(iter(self._signed))]
            self._signed[digest] = None
        try:
            claims = json.loads(said)
        except (ValueError, RecursionError):
            raise TokenInvalid from None
        if not isinstance(claims, dict):
            raise TokenInvalid
        return claims

    def _signed_payload(self, purpose: Purpose, token: str) -> bytes:
        # The signature layer alone: the library's claims layer would ask the system's clock, not ours.
        for key in self._keys.accepted(purpose):
            try:
                payload: bytes = self._jws.decode(token, key, [self._algorithm])
            except InvalidSignatureError:
                continue
            except (InvalidTokenError, ValueError, RecursionError):
                raise TokenInvalid from None
            return payload
        raise TokenInvalid


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _key(claims: dict[str, Any], name: str) -> bytes | None:
    return decode_base64(claims[name]) if name in claims else None


_MISSHAPEN = (KeyError, ValueError, TypeError, AttributeError)
