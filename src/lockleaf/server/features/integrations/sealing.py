"""What the server itself must open later, sealed under its own keys (PROTOCOL section 10): tokens above all.

Whoever has the database alone learns neither a token nor whose account at a network it is for. Whoever has the server
has both: that is what a user allows by connecting.

Each is sealed for one account and provider; several roots may be in use (``platform/sealed_bytes.py``).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from lockleaf.server.features.integrations.providers.protocol import AccessGrant, NetworkAccount, Target
from lockleaf.server.platform.sealed_bytes import Sealer, Unopened, framed
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.wire.codec import pack, unpack

__all__ = ["Connection", "Seals", "Started", "Unopened"]

_KEY = b"lockleaf/1/integration-key"
_AAD = b"lockleaf/1/integration-aad"
_STATE = b"lockleaf/1/oauth-state"
_DIGEST = b"lockleaf/1/integration-digest"


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
        self._sealer = Sealer(self._roots, _KEY, _AAD)
        self._states = Sealer(keys.accepted("oauth-state"), _KEY, _AAD)

    # ---- for an account ----

    def seal(self, user_id: UUID, provider: str, fields: Any) -> bytes:
        """Return ``fields`` (anything that MessagePack holds) sealed for an account and a provider."""
        return self._sealer.seal(_place(user_id, provider), pack(fields))

    def open(self, user_id: UUID, provider: str, sealed: bytes) -> Any:
        """Return what was sealed.

        Raises:
            Unopened: it does not open.
        """
        return unpack(self._sealer.open(_place(user_id, provider), sealed))

    def is_current(self, user_id: UUID, provider: str, sealed: bytes) -> bool:
        """Tell whether the newest root sealed it."""
        return self._sealer.is_current(_place(user_id, provider), sealed)

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
        return self._sealer.seal(framed(b"", instance.encode()), pack(list(application)))

    def open_application(self, instance: str, sealed: bytes) -> tuple[str, str]:
        """Return the id and secret of our application at an instance.

        Raises:
            Unopened: they do not open.
        """
        client_id, secret = unpack(self._sealer.open(framed(b"", instance.encode()), sealed))
        return client_id, secret

    # ---- around by a browser ----

    def seal_state(self, user_id: UUID, started: Started) -> str:
        """Return the state of a connection that has begun, for this account alone."""
        fields = [
            started.provider, started.instance, started.redirect_uri, started.verifier,
            int(started.expires_at.timestamp()),
        ]  # fmt: skip
        sealed = self._states.seal(_STATE + user_id.bytes, pack(fields))
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
        provider, instance, redirect_uri, verifier, ends = unpack(self._states.open(_STATE + user_id.bytes, sealed))
        return Started(provider, instance, redirect_uri, verifier, datetime.fromtimestamp(ends, UTC))

    # ---- digests ----

    def digest(self, user_id: UUID, what: str, *parts: str) -> bytes:
        """Return the digest by which something of an account's is known again, and which tells nobody what it is."""
        return self.digests(user_id, what, *parts)[0]

    def digests(self, user_id: UUID, what: str, *parts: str) -> list[bytes]:
        """Return the same under each root, the newest first: what was noted before a root was replaced has another."""
        message = _DIGEST + framed(user_id.bytes, what.encode(), *map(str.encode, parts))
        return [hmac.digest(root, message, "sha256")[:16] for root in self._roots]


def _place(user_id: UUID, provider: str) -> bytes:
    return framed(user_id.bytes, provider.encode())
