"""Where uce content is opened: within one request, with the key that its token carries.

Nothing that is opened here is kept: the keyring lives as long as the block, and each opening is counted in the history
of access within the request's own transaction, so that what was opened and not counted was not answered either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from lockleaf.crypto import errors as crypto_errors
from lockleaf.crypto import history, labels, uce
from lockleaf.crypto.envelope import RecordContext, open_record, seal_record
from lockleaf.crypto.keyring import UCE_LABEL, Keyring, open_keyring
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.errors import ContentUnreadable
from lockleaf.server.identity.custody.repository import AccessRepository, SealedKeys
from lockleaf.server.identity.errors import CustodyRequired, SessionRevoked
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.records.errors import PayloadTooLarge
from lockleaf.wire.sync import Record

__all__ = ["TOMBSTONE", "ContentUnreadable", "OpenKeyring", "OpenedContent", "opened", "session_kek"]

TOMBSTONE = "deleted"
_FILE = "file"
_TOKENS_KEPT = 50_000


@dataclass(slots=True)
class OpenKeyring:
    """An account's open keyring, for the length of one request.

    Its methods only compute; for many records at once, call them in a thread.
    """

    user_id: UUID
    suite: int
    _open: Keyring | None = field(repr=False)
    records: int = 0
    """How many records were opened or sealed here."""
    _tokens: dict[tuple[str, str], bytes] = field(default_factory=dict, repr=False)

    @property
    def _keyring(self) -> Keyring:
        if self._open is None:
            raise RuntimeError("the keyring is closed: what is done with keys is done within its block")
        return self._open

    def close(self) -> None:
        """Drop the keys. Python wipes no memory, but from here on nothing leads to them."""
        self._open = None
        self._tokens.clear()

    def label(self, kind: str, value: str) -> bytes:
        """Return the 16-byte label of a mood, tag or source, as a client makes it."""
        return labels.label(self._keyring.index_key, kind, value)

    def labels(self, wanted: Sequence[tuple[str, str]]) -> list[list[bytes]]:
        """Return the labels of moods, tags or sources, as (kind, value), under each key, the newest first.

        An entry has those of the key that sealed it: until it is sealed again after a rotation, of a retired one.
        """
        return [
            [labels.label(entry.index_key, kind, value) for kind, value in wanted]
            for entry in reversed(self._keyring.entries)
        ]

    @property
    def was_rotated(self) -> bool:
        """Whether there are retired keys, under which something may still be sealed."""
        return len(self._keyring) > 1

    def tokens(self, field: str, stem: str) -> list[bytes]:
        """Return the search tokens of a stem in a field under each key, the newest first; see `labels`."""
        return [labels.token(entry.index_key, field, stem) for entry in reversed(self._keyring.entries)]

    def token(self, field: str, stem: str) -> bytes:
        """Return the 8-byte search token of a stem in a field (title or body), as a client makes it."""
        # The same few thousand words make up a diary: each is worked out once, while the keyring is open.
        found = self._tokens.get((field, stem))
        if found is None:
            if len(self._tokens) >= _TOKENS_KEPT:
                self._tokens.clear()
            found = self._tokens[field, stem] = labels.token(self._keyring.index_key, field, stem)
        return found

    def open(self, record: Record) -> dict[str, Any]:
        """Return the map that is sealed in ``record``.

        Raises:
            ContentUnreadable: it was not sealed by this account for this place, or is no map.
        """
        self.records += 1
        context = self._context(
            record.collection,
            record.record_id,
            record.revision,
            record.parent,
            record.deleted,
            history.meta(record.labels, record.source, record.occurred_at),
        )
        try:
            content = open_record(self._keyring, context, record.payload)
        except crypto_errors.CryptoError:
            raise ContentUnreadable from None
        if record.deleted != (content.get("type") == TOMBSTONE):
            raise ContentUnreadable
        return content

    def seal(
        self,
        *,
        collection: str,
        record_id: str,
        base_revision: int,
        parent: bytes,
        content: Mapping[str, Any],
        labels: Sequence[bytes] = (),
        source: str | None = None,
        occurred_at: str | None = None,
        deleted: bool = False,
        device: str,
        written_at: datetime,
    ) -> bytes:
        """Return the payload of the change that follows ``base_revision`` with this content.

        Arguments:
            parent: SHA-256 of the payload of that revision, zeros for a new record.
            labels, source, occurred_at: as the change will carry them: the seal is bound to them.
            device, written_at: who writes, and when, with a zone; sealed in place of what ``content`` says of both.

        Raises:
            PayloadTooLarge: the content is longer than a record may be.
        """
        self.records += 1
        head = {"device": device, "written_at": written_at.isoformat().replace("+00:00", "Z")}
        meta = history.meta(labels, source, occurred_at)
        context = self._context(collection, record_id, base_revision + 1, parent, deleted, meta)
        try:
            return seal_record(self._keyring, context, {**content, **head}, suite=self.suite)
        except crypto_errors.TooLarge:
            raise PayloadTooLarge from None

    def seal_name(self, media_id: UUID, name: str) -> bytes:
        """Return the name of a file, sealed for it alone."""
        context = _of_a_file(self.user_id, media_id)
        return seal_record(self._keyring, context, {"type": _FILE, "name": name}, suite=self.suite)

    def open_name(self, media_id: UUID, sealed: bytes) -> str:
        """Return the name of a file that `seal_name` sealed.

        Raises:
            ContentUnreadable: it was not sealed by this account for this file.
        """
        try:
            found = open_record(self._keyring, _of_a_file(self.user_id, media_id), sealed)
        except crypto_errors.CryptoError:
            raise ContentUnreadable from None
        return str(found.get("name", ""))

    def _context(
        self, collection: str, record_id: str, revision: int, parent: bytes, deleted: bool, meta: bytes
    ) -> RecordContext:
        return RecordContext(str(self.user_id), collection, record_id, revision, parent, deleted, meta)


@dataclass(frozen=True, slots=True)
class OpenedContent:
    """Keys that are open, if any are, and the maps that were opened or sealed with them, by the record's id."""

    keys: OpenKeyring | None
    contents: Mapping[str, Mapping[str, Any]]


def _of_a_file(user_id: UUID, media_id: UUID) -> RecordContext:
    # No collection of records has this name, so nothing that is sealed for one opens as the other.
    return RecordContext(str(user_id), "media", str(media_id), 1, history.ZERO, False, history.meta((), None, None))


async def _session_keys(clock: Clock, access: AccessRepository, principal: Principal) -> tuple[SealedKeys, bytes]:
    """Return what is sealed for a session, and the key-encryption key that its token's key opens."""
    if principal.custody != "uce":
        raise CustodyRequired(required="uce")
    if principal.session_key is None:
        raise SessionRevoked
    found = await access.sealed_keys(principal.session_id, principal.generation, clock())
    if found is None:
        raise SessionRevoked
    place = {"user_id": str(principal.user_id), "session_id": str(principal.session_id)}
    try:
        return found, uce.open_kek(principal.session_key, found.sealed_kek, **place)
    except crypto_errors.CryptoError:
        raise SessionRevoked from None


async def session_kek(clock: Clock, connection: asyncpg.Connection, principal: Principal) -> bytes:
    """Return the key-encryption key (32 bytes) that the principal's session carries, for wrapping the keyring anew.

    Raises:
        CustodyRequired: the account is end-to-end encrypted.
        SessionRevoked: the session's key is gone.
    """
    _, kek = await _session_keys(clock, AccessRepository(connection, principal.user_id), principal)
    return kek


@asynccontextmanager
async def opened(
    clock: Clock, custodian: Custodian, connection: asyncpg.Connection, principal: Principal, *, purpose: str
) -> AsyncIterator[OpenKeyring]:
    """Open the keyring of the principal's account for the length of the block.

    Arguments:
        connection: in the request's transaction, which may write.
        purpose: the endpoint that asks, as the history of access shows it: ``entries.read``, ``tags.write``, ...

    Raises:
        CustodyRequired: the account is end-to-end encrypted; nobody here opens it.
        SessionRevoked: the session's key is gone.
    """
    access = AccessRepository(connection, principal.user_id)
    found, kek = await _session_keys(clock, access, principal)
    try:
        keyring = open_keyring(
            found.keyring, kek, label=UCE_LABEL, user_id=str(principal.user_id), version=found.keyring_version
        )
    except crypto_errors.CryptoError:
        # The password was changed a moment ago, so this session's key opens what is no longer there.
        raise SessionRevoked from None
    del kek
    opened = OpenKeyring(principal.user_id, custodian.suite, keyring)
    del keyring
    try:
        yield opened
    finally:
        opened.close()
    await access.note(principal.session_id, purpose, records=opened.records, now=clock())
