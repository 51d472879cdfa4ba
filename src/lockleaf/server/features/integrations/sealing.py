"""What the server itself must open later, sealed under its own keys (PROTOCOL section 10): tokens above all.

Whoever has the database alone learns neither a token nor whose account at a network it is for. Whoever has the server
has both: that is what a user allows by connecting.

Sealed is AES-256-GCM under a key derived from a root secret for one account and provider, with both in the additional
data. Several roots may be in use: the newest seals, all open.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lockleaf.server.features.integrations.providers.protocol import AccessGrant, NetworkAccount, Target
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.wire.codec import pack, unpack

__all__ = ["Connection", "Seals", "Started", "Unopened"]

_VERSION = b"\x01"
_NONCE = 12
_KEY = b"lockleaf/1/integration-key"
_AAD = b"lockleaf/1/integration-aad"
_STATE = b"lockleaf/1/oauth-state"
_DIGEST = b"lockleaf/1/integration-digest"


class Unopened(Exception):
    """What is sealed was not sealed by this server, for this account, or with a root that it still has."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What is kept, sealed, of a connection."""

    grant: AccessGrant
    profile: NetworkAccount


@dataclass(frozen=True, slots=True)
class Started:
    """What is remembered, in the state that goes around by the user's browser, of a connection that has begun."""

    provider: str
    instance: str | None
    redirect_uri: str
    verifier: str
    expires_at: datetime


class Seals:
    """Seals and opens under the server's keys.

    Args:
        keys: of the server.
    """

    def __init__(self, keys: ServerKeys) -> None:
        self._roots = keys.accepted("integration")
        self._state_roots = keys.accepted("oauth-state")

    # ---- for an account ----

    def seal(self, user_id: UUID, provider: str, fields: Any) -> bytes:
        """Return ``fields`` (anything that MessagePack holds) sealed for an account and a provider."""
        place = _place(user_id.bytes, provider.encode())
        return _seal(self._roots[0], place, pack(fields))

    def open(self, user_id: UUID, provider: str, sealed: bytes) -> Any:
        """Return what was sealed.

        Raises:
            Unopened: it does not open.
        """
        return unpack(_open(self._roots, _place(user_id.bytes, provider.encode()), sealed))

    def is_current(self, user_id: UUID, provider: str, sealed: bytes) -> bool:
        """Tell whether the newest root sealed it."""
        try:
            _open(self._roots[:1], _place(user_id.bytes, provider.encode()), sealed)
        except Unopened:
            return False
        return True

    def seal_connection(self, user_id: UUID, provider: str, connection: Connection) -> bytes:
        """Return a connection, sealed."""
        grant, profile = connection.grant, connection.profile
        return self.seal(
            user_id,
            provider,
            {
                "instance": grant.instance,
                "token": grant.token,
                "expires_at": None if grant.expires_at is None else int(grant.expires_at.timestamp()),
                "client_id": grant.client_id,
                "client_secret": grant.client_secret,
                "id": profile.id,
                "name": profile.name,
                "targets": [[each.id, each.name] for each in profile.targets],
            },
        )

    def open_connection(self, user_id: UUID, provider: str, sealed: bytes) -> Connection:
        """Return a connection.

        Raises:
            Unopened: it does not open.
        """
        told = self.open(user_id, provider, sealed)
        ends = told["expires_at"]
        return Connection(
            AccessGrant(
                told["instance"],
                told["token"],
                None if ends is None else datetime.fromtimestamp(ends, UTC),
                told["client_id"],
                told["client_secret"],
            ),
            NetworkAccount(told["id"], told["name"], tuple(Target(*each) for each in told["targets"])),
        )

    # ---- of an instance ----

    def seal_application(self, instance: str, application: tuple[str, str]) -> bytes:
        """Return the id and secret of our application at an instance, sealed."""
        return _seal(self._roots[0], _place(b"", instance.encode()), pack(list(application)))

    def open_application(self, instance: str, sealed: bytes) -> tuple[str, str]:
        """Return the id and secret of our application at an instance.

        Raises:
            Unopened: they do not open.
        """
        client_id, secret = unpack(_open(self._roots, _place(b"", instance.encode()), sealed))
        return client_id, secret

    # ---- around by a browser ----

    def seal_state(self, user_id: UUID, started: Started) -> str:
        """Return the state of a connection that has begun, for this account alone."""
        fields = [
            started.provider, started.instance, started.redirect_uri, started.verifier,
            int(started.expires_at.timestamp()),
        ]  # fmt: skip
        sealed = _seal(self._state_roots[0], _STATE + user_id.bytes, pack(fields))
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open_state(self, user_id: UUID, state: str) -> Started:
        """Return what a state says.

        Raises:
            Unopened: it is another account's, or none of ours.
        """
        try:
            sealed = urlsafe_b64decode(state.encode("ascii") + b"=" * (-len(state) % 4))
        except ValueError:
            raise Unopened from None
        provider, instance, redirect_uri, verifier, ends = unpack(
            _open(self._state_roots, _STATE + user_id.bytes, sealed)
        )
        return Started(provider, instance, redirect_uri, verifier, datetime.fromtimestamp(ends, UTC))

    # ---- digests ----

    def digest(self, user_id: UUID, what: str, *parts: str) -> bytes:
        """Return the digest by which something of an account's is known again, and which tells nobody what it is."""
        return self.digests(user_id, what, *parts)[0]

    def digests(self, user_id: UUID, what: str, *parts: str) -> list[bytes]:
        """Return the same under each root, the newest first: what was noted before a root was replaced has another."""
        message = _DIGEST + b"".join(_framed(each) for each in (user_id.bytes, what.encode(), *map(str.encode, parts)))
        return [hmac.digest(root, message, "sha256")[:16] for root in self._roots]


def _place(account: bytes, provider: bytes) -> bytes:
    return _framed(account) + _framed(provider)


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _key(root: bytes, place: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, _KEY + place).derive(root)


def _seal(root: bytes, place: bytes, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return _VERSION + nonce + AESGCM(_key(root, place)).encrypt(nonce, plain, _AAD + _VERSION + place)


def _open(roots: Iterable[bytes], place: bytes, sealed: bytes) -> bytes:
    nonce, rest = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    if sealed[:1] != _VERSION or len(rest) < 16:
        raise Unopened
    for root in roots:
        try:
            return AESGCM(_key(root, place)).decrypt(nonce, rest, _AAD + _VERSION + place)
        except InvalidTag:
            continue
    raise Unopened
