"""The keyring: an account's master keys, what is derived from them, and how it is sealed (PROTOCOL section 2)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lockleaf.crypto import frame
from lockleaf.crypto.encoding import lp, pack, strict_unpack, u64
from lockleaf.crypto.errors import Malformed, UnknownKey
from lockleaf.crypto.history_place import HistoryPlace, place_of
from lockleaf.crypto.hkdf import KEY_LENGTH, expand, extract, hkdf
from lockleaf.crypto.identity import identity_from_seed, recipient_from_seed

__all__ = [
    "PASSWORD_LABEL",
    "RECOVERY_LABEL",
    "UCE_LABEL",
    "KeyEntry",
    "Keyring",
    "open_keyring",
    "seal_keyring",
]

PASSWORD_LABEL = b"lockleaf/1/keyring-password"
RECOVERY_LABEL = b"lockleaf/1/keyring-recovery"
UCE_LABEL = b"lockleaf/1/keyring-uce"

_LABELS = frozenset({PASSWORD_LABEL, RECOVERY_LABEL, UCE_LABEL})
_KEYRING_KEY_ID = 0  # in the header: no master key sealed this
_FIELDS = {"key_id", "master_key", "created_at"}
_PLACES = {"retired_at", "begins_after"}
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII)

_RECORDS = b"lockleaf/1/records"
_RECORD = b"lockleaf/1/record"
_SIGN = b"lockleaf/1/sign"
_IDENTITY = b"lockleaf/1/identity"
_LOCAL = b"lockleaf/1/local"
_INDEX = b"lockleaf/1/index"


@dataclass(frozen=True)
class KeyEntry:
    """One master key and the keys derived from it, each worked out once.

    Arguments:
        key_id: 1 .. 2**32 - 1.
        master_key: 32 random bytes.
        created_at: RFC 3339 text.
        retired_at: where another key took over; None for the key that writes.
        begins_after: of the first key of an account that was there before it: the last place of the history at which
            nothing was sealed yet. None where the account began with it.

    Raises:
        Malformed: one of them is not so.
    """

    key_id: int
    master_key: bytes = field(repr=False)
    created_at: str
    retired_at: HistoryPlace | None = None
    begins_after: HistoryPlace | None = None

    def __post_init__(self) -> None:
        if type(self.key_id) is not int or not 1 <= self.key_id <= frame.MAX_KEY_ID:
            raise Malformed("a key id is not a number from 1 to 2**32 - 1")
        if not isinstance(self.master_key, bytes) or len(self.master_key) != KEY_LENGTH:
            raise Malformed("a master key is not 32 bytes")
        if not isinstance(self.created_at, str) or not _RFC3339.fullmatch(self.created_at):
            raise Malformed("a key's time of creation is not in RFC 3339 form")
        if self.retired_at is not None and not isinstance(self.retired_at, HistoryPlace):
            raise Malformed("a key is retired at a place of the history")
        if self.begins_after is not None and not isinstance(self.begins_after, HistoryPlace):
            raise Malformed("a key begins after a place of the history")

    @cached_property
    def record_root(self) -> bytes:
        """The 32 bytes from which each record's key is derived."""
        return hkdf(self.master_key, _RECORDS)

    @cached_property
    def _record_root_extracted(self) -> bytes:
        return extract(self.record_root)

    def record_key(self, collection: str, record_id: str) -> bytes:
        """Return the 32-byte key of one record: HKDF(record root, label ‖ lp(collection) ‖ lp(record_id))."""
        return expand(self._record_root_extracted, _RECORD + lp(collection) + lp(record_id))

    @cached_property
    def signing_seed(self) -> bytes:
        """The 32-byte Ed25519 seed, as ``identity.sign`` takes it."""
        return hkdf(self.master_key, _SIGN)

    @cached_property
    def signing_key(self) -> Ed25519PrivateKey:
        """The Ed25519 key that signs checkpoints and rotations."""
        return Ed25519PrivateKey.from_private_bytes(self.signing_seed)

    @cached_property
    def public_signing_key(self) -> bytes:
        """The 32 bytes of the Ed25519 public key."""
        return self.signing_key.public_key().public_bytes_raw()

    @cached_property
    def identity_seed(self) -> bytes:
        """The 32-byte X25519 secret."""
        return hkdf(self.master_key, _IDENTITY)

    @cached_property
    def identity(self) -> str:
        """The age identity ("AGE-SECRET-KEY-1...") that opens what was sealed to ``recipient``."""
        return identity_from_seed(self.identity_seed)

    @cached_property
    def recipient(self) -> str:
        """The age recipient ("age1...") that others seal to."""
        return recipient_from_seed(self.identity_seed)

    @cached_property
    def local_key(self) -> bytes:
        """The 32-byte key of a device's local store."""
        return hkdf(self.master_key, _LOCAL)

    @cached_property
    def index_key(self) -> bytes:
        """The 32-byte key of labels and search tokens that were made while this key wrote."""
        return hkdf(self.master_key, _INDEX)

    def is_key_of(self, other: KeyEntry) -> bool:
        """Return whether both are the same master key, wherever it was retired."""
        return (self.key_id, self.master_key, self.created_at) == (other.key_id, other.master_key, other.created_at)

    def to_map(self) -> dict[str, Any]:
        """Return it as a keyring holds it."""
        found = {"key_id": self.key_id, "master_key": self.master_key, "created_at": self.created_at}
        places = {"retired_at": self.retired_at, "begins_after": self.begins_after}
        return found | {name: place.to_map() for name, place in places.items() if place is not None}


class Keyring:
    """An account's master keys, oldest first: the last is for writing, all are for reading. Never changes.

    Raises:
        Malformed: no entry, key ids that do not rise, a retired last key, another one that is not retired, or one
            but the first that begins after what was not sealed.
    """

    def __init__(self, entries: Sequence[KeyEntry]) -> None:
        self._entries = tuple(entries)
        self._by_id = {entry.key_id: entry for entry in self._entries}
        ids = [entry.key_id for entry in self._entries]
        if not ids:
            raise Malformed("a keyring has at least one key")
        if any(later <= earlier for earlier, later in pairwise(ids)):
            raise Malformed("the key ids of a keyring rise")
        if any(entry.retired_at is None for entry in self._entries[:-1]):
            raise Malformed("every key but the last was retired")
        if self._entries[-1].retired_at is not None:
            raise Malformed("the last key of a keyring is not retired")
        if any(entry.begins_after is not None for entry in self._entries[1:]):
            raise Malformed("only the first key of a keyring begins after what was not sealed")

    @classmethod
    def new(cls, now: str) -> Keyring:
        """Return a keyring with one fresh key, made at ``now`` (RFC 3339)."""
        return cls([KeyEntry(1, secrets.token_bytes(KEY_LENGTH), now)])

    def beginning_after(self, place: HistoryPlace) -> Keyring:
        """Return this keyring for an account whose history, up to ``place``, was written without one."""
        return Keyring([replace(self.first, begins_after=place), *self._entries[1:]])

    def rotated(self, now: str, retired_at: HistoryPlace) -> Keyring:
        """Return this keyring with one more fresh key, made at ``now`` (RFC 3339), which writes from then on.

        Arguments:
            retired_at: the end of the history, where the key that wrote until now ends.
        """
        last = replace(self.newest, retired_at=retired_at)
        fresh = KeyEntry(last.key_id + 1, secrets.token_bytes(KEY_LENGTH), now)
        return Keyring([*self._entries[:-1], last, fresh])

    def retired_anew(self, retired_at: HistoryPlace, *, known: Callable[[HistoryPlace], bool]) -> Keyring:
        """Return this keyring for a history in which keys write that were retired: those end at its present end.

        Arguments:
            retired_at: the present end of the history.
            known: tells whether a place at which a key was retired still holds.
        """
        return Keyring(
            [
                entry if entry.retired_at is None or known(entry.retired_at) else replace(entry, retired_at=retired_at)
                for entry in self._entries
            ]
        )

    def extends(self, other: Keyring) -> bool:
        """Return whether this keyring has every key of ``other``, in the same order, and perhaps later ones."""
        return len(self) >= len(other) and all(
            mine.is_key_of(theirs) for mine, theirs in zip(self._entries, other.entries, strict=False)
        )

    @property
    def entries(self) -> tuple[KeyEntry, ...]:
        """All keys, oldest first."""
        return self._entries

    @property
    def newest(self) -> KeyEntry:
        """The key that writes; identity and signing key are its."""
        return self._entries[-1]

    @property
    def first(self) -> KeyEntry:
        """The oldest key."""
        return self._entries[0]

    def get(self, key_id: int) -> KeyEntry:
        """Return the key with ``key_id``.

        Raises:
            UnknownKey: the keyring has none.
        """
        try:
            return self._by_id[key_id]
        except KeyError:
            raise UnknownKey("the keyring has no key of this id") from None

    @property
    def index_key(self) -> bytes:
        """The 32-byte key of labels and tokens: the newest key's, so that they are made anew at a rotation."""
        return self.newest.index_key

    @property
    def identities(self) -> list[str]:
        """The age identities of all keys, newest first: what ``identity.open_sealed`` tries."""
        return [entry.identity for entry in reversed(self._entries)]

    def pack(self) -> bytes:
        """Return the keyring as MessagePack, unsealed."""
        return pack([entry.to_map() for entry in self._entries])

    @classmethod
    def unpack(cls, data: bytes) -> Keyring:
        """Return the keyring in ``data``.

        Raises:
            Malformed: anything but a list of whole entries with rising ids, all but the last retired.
        """
        value = strict_unpack(data)
        if not isinstance(value, list):
            raise Malformed("a keyring is a list")
        return cls([_entry(item) for item in value])

    def __iter__(self) -> Iterator[KeyEntry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keyring) and self._entries == other._entries

    def __hash__(self) -> int:
        return hash(self._entries)

    def __repr__(self) -> str:
        return f"Keyring(key_ids={list(self._by_id)})"


def _entry(item: Any) -> KeyEntry:
    if not isinstance(item, dict) or item.keys() - _PLACES != _FIELDS:
        raise Malformed("a keyring's entry has key_id, master_key, created_at, and at most two places of the history")
    places = {name: place_of(item[name]) for name in _PLACES & item.keys()}
    return KeyEntry(item["key_id"], item["master_key"], item["created_at"], **places)


def _aad(label: bytes, user_id: str, version: int) -> bytes:
    if label not in _LABELS:
        raise ValueError("a keyring is sealed under the password, recovery or uce label")
    return label + lp(user_id) + u64(version)


def seal_keyring(
    keyring: Keyring, wrap_key: bytes, *, label: bytes, user_id: str, version: int, suite: int = frame.AES_256_GCM
) -> bytes:
    """Return the ``keyring`` sealed under ``wrap_key`` (32 bytes), unpadded: its length tells how many keys it has.

    Arguments:
        label: which secret opens it: ``PASSWORD_LABEL``, ``RECOVERY_LABEL`` or ``UCE_LABEL``.
        user_id: the account's UUID as lower-case text.
        version: the keyring version that this write makes.

    Raises:
        Malformed: an unknown suite, or a version that does not fit.
    """
    return frame.seal(wrap_key, _aad(label, user_id, version), keyring.pack(), _KEYRING_KEY_ID, suite)


def open_keyring(sealed: bytes, wrap_key: bytes, *, label: bytes, user_id: str, version: int) -> Keyring:
    """Return the keyring in ``sealed``; arguments as for ``seal_keyring``.

    Raises:
        SealBroken: another key, account, version or purpose than it was sealed for, or other bytes.
        Malformed: no frame, not a keyring's frame, or not a keyring within.
    """
    parsed = frame.parse(sealed)
    if parsed.key_id != _KEYRING_KEY_ID:
        raise Malformed("the frame is not a keyring's")
    return Keyring.unpack(frame.open_frame(wrap_key, _aad(label, user_id, version), parsed))
