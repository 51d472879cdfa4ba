"""What devices and servers read that is sealed, signed or encrypted, before and behind its seal."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from uuid import UUID

import pyrage

from lockleaf.client.errors import LockleafError
from lockleaf.client.keychain.keychains import unpack_local_keys
from lockleaf.crypto import base32, frame
from lockleaf.crypto.encoding import decode_base64, pack, strict_unpack
from lockleaf.crypto.envelope import RecordContext, open_record, seal_record
from lockleaf.crypto.errors import CryptoError
from lockleaf.crypto.identity import parse_recipient
from lockleaf.crypto.keyring import Keyring
from lockleaf.crypto.links import _CHECK, LinkCode
from lockleaf.crypto.padding import pad, unpad
from lockleaf.crypto.recovery import normalise_code
from lockleaf.crypto.streams import open_stream, seal_stream
from lockleaf.server.identity.errors import TokenExpired, TokenInvalid
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.platform.cursors import CursorCodec, InvalidCursor
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import TokenSettings
from tests.fuzz.target import Target
from tests.support.vectors import vectors, with_bytes

__all__ = ["TARGETS"]

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_USER, _SESSION = UUID(int=7), UUID(int=8)
_SERVER = ServerKeys((b"k" * 40,), b"p" * 40)
_MAP = {"type": "entry", "title": "A day", "body": "It rained.", "tags": ["rain"], "mood": None}
_LONGEST_PACKED = 64 * 1024


@cache
def _keyring() -> Keyring:
    return Keyring.new("2026-01-01T00:00:00Z")


@cache
def _context() -> RecordContext:
    return RecordContext(**with_bytes(vectors("envelope")["context"]))


def _text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    """A parser of text that is fed with what the bytes say where they are no UTF-8 as well."""
    return lambda data: parse(data.decode("utf-8", "surrogateescape"))


def _behind_the_seal(data: bytes) -> None:
    """Open a record whose seal is right: what another device of the account might have sealed."""
    entry, context = _keyring().newest, _context()
    key = entry.record_key(context.collection, context.record_id)
    aad = context.aad(frame.header(entry.key_id, frame.AES_256_GCM))
    open_record(_keyring(), context, frame.seal(key, aad, data, entry.key_id))


def _in_age(data: bytes) -> None:
    open_stream([_keyring().newest.identity], io.BytesIO(data), io.BytesIO())


def _age_files() -> Iterable[bytes]:
    for plain in (b"", b"A day", bytes(70_000)):
        sealed = io.BytesIO()
        seal_stream(_keyring().newest.recipient, io.BytesIO(plain), sealed)
        yield sealed.getvalue()
    yield pyrage.passphrase.encrypt(b"A day", "plum anvil tide lantern")


def _token(data: bytes) -> None:
    tokens = TokenCodec(_SERVER, TokenSettings(), lambda: _NOW)
    text = data.decode("latin-1")
    for read in (tokens.read_access, tokens.read_refresh, tokens.read_recovery):
        try:
            read(text)
        except (TokenExpired, TokenInvalid):
            continue


def _tokens() -> Iterable[bytes]:
    tokens = TokenCodec(_SERVER, TokenSettings(), lambda: _NOW)
    yield tokens.access(_USER, _SESSION, _NOW, generation=2, session_key=bytes(32)).encode()
    yield tokens.refresh(_USER, _SESSION, 3, _NOW).encode()
    yield tokens.recovery(_USER, bytes(32), _NOW).encode()


def _cursor(data: bytes) -> None:
    """Open a cursor as it came, and one whose seal is right around these bytes: an earlier version made it."""
    codec = CursorCodec(_SERVER)
    types = (UUID, datetime, int, str)
    with suppress(InvalidCursor):
        codec.open("list", _USER, data.decode("utf-8", "replace"), *types)
    try:
        packed = strict_unpack(data)
    except CryptoError:
        return
    if isinstance(packed, list) and not any(isinstance(each, dict) for each in packed):
        codec.open("list", _USER, codec.seal("list", _USER, tuple(packed)), *types)


def _cursors() -> Iterable[bytes]:
    place = (_USER, _NOW, 41, "a word")
    yield CursorCodec(_SERVER).seal("list", _USER, place).encode()
    yield pack([_USER.bytes, 1_700_000_000_000_000, 41, "a word"])


def _links() -> Iterable[bytes]:
    return (each["code"].encode() for each in vectors("links")["codes"])


def _link_with_its_check(data: bytes) -> None:
    LinkCode.parse(base32.encode(data + sha256(data).digest()[:_CHECK]))


def _links_without_checks() -> Iterable[bytes]:
    return (base32.decode(code.decode())[:-_CHECK] for code in _links())


def _keyrings() -> Iterable[bytes]:
    yield _keyring().pack()


TARGETS = (
    Target("frame", frame.parse, (CryptoError,), lambda: [frame.seal(bytes(32), b"", b"A day", 1)]),
    Target(
        "record",
        lambda data: open_record(_keyring(), _context(), data),
        (CryptoError,),
        lambda: [seal_record(_keyring(), _context(), _MAP)],
    ),
    Target("record-plain", _behind_the_seal, (CryptoError,), lambda: [pad(pack(_MAP)), pad(b"")]),
    Target("padding", unpad, (CryptoError,), lambda: [pad(b"A day"), pad(bytes(300))]),
    Target("messagepack", strict_unpack, (CryptoError,), lambda: [pack(_MAP), pack([1.5, -1, b"x", 2**63])]),
    Target("keyring", Keyring.unpack, (CryptoError,), _keyrings),
    Target("local-keys", _text(unpack_local_keys), (LockleafError,), lambda: [b"", b"1:" + b"A" * 43]),
    Target("link-code", _text(LinkCode.parse), (CryptoError,), _links),
    Target("link-said", _link_with_its_check, (CryptoError,), _links_without_checks),
    Target("recovery-code", _text(normalise_code), (CryptoError,), lambda: [b"ABCD-EFGH-JKMN-PQRS-TVWX-YZ23"]),
    Target("base32", _text(base32.decode), (CryptoError,), lambda: [base32.encode(bytes(range(20))).encode()]),
    Target("base64", _text(decode_base64), (CryptoError,), lambda: [b"QSBkYXk="]),
    Target("recipient", _text(parse_recipient), (CryptoError,), lambda: [_keyring().newest.recipient.encode()]),
    Target("age", _in_age, (CryptoError,), _age_files, long=True),
    Target("token", _token, (), _tokens),
    Target("cursor", _cursor, (InvalidCursor,), _cursors),
)
