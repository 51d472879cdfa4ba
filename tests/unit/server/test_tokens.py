"""Tokens say one thing for one purpose, for a time, and only in this server's name."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID, uuid4

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.server.identity.errors import TokenExpired, TokenInvalid
from lockleaf.server.identity.tokens import AccessClaims, RecoveryClaims, RefreshClaims, TokenCodec
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import TokenSettings
from tests.support.account_holders import Clock

OLD, NEW, OTHER = b"o" * 40, b"n" * 40, b"x" * 40
USER, SESSION = uuid4(), uuid4()
MOMENT = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def codec(*roots: bytes, clock: Clock | None = None, **settings: object) -> TokenCodec:
    return TokenCodec(ServerKeys(roots or (NEW,), OTHER), TokenSettings(**settings), clock or Clock())  # type: ignore[arg-type]


@given(st.uuids(), st.uuids(), st.integers(1, 2**31 - 1), st.binary(min_size=32, max_size=32))
def test_what_a_token_is_made_of_is_read_from_it(user: UUID, session: UUID, generation: int, digest: bytes) -> None:
    tokens, now = codec(), datetime.now(UTC)
    assert tokens.read_access(tokens.access(user, session, now)) == AccessClaims(user, session)
    assert tokens.read_refresh(tokens.refresh(user, session, generation, now)) == RefreshClaims(
        user, session, generation, now.replace(microsecond=0)
    )
    assert tokens.read_recovery(tokens.recovery(user, digest, now)) == RecoveryClaims(user, digest)


@given(st.uuids(), st.uuids(), st.integers(1, 2**31 - 1), st.binary(min_size=32, max_size=32))
def test_a_uce_session_carries_its_key_in_its_tokens(user: UUID, session: UUID, generation: int, key: bytes) -> None:
    tokens, now = codec(), datetime.now(UTC)
    access = tokens.read_access(tokens.access(user, session, now, generation=generation, session_key=key))
    assert access == AccessClaims(user, session, generation, key)
    refresh = tokens.read_refresh(tokens.refresh(user, session, generation, now, session_key=key))
    assert refresh == RefreshClaims(user, session, generation, now.replace(microsecond=0), key)
    recovery = tokens.read_recovery(tokens.recovery(user, key, now, recovery_key=key))
    assert recovery == RecoveryClaims(user, key, key)
    assert not any(str(key) in repr(claims) for claims in (access, refresh))


def test_a_token_of_one_purpose_is_none_of_another() -> None:
    tokens, now = codec(), datetime.now(UTC)
    made = {
        "access": tokens.access(USER, SESSION, now),
        "refresh": tokens.refresh(USER, SESSION, 1, now),
        "recovery": tokens.recovery(USER, bytes(32), now),
    }
    readers = {"access": tokens.read_access, "refresh": tokens.read_refresh, "recovery": tokens.read_recovery}
    for purpose, token in made.items():
        for other, read in readers.items():
            if other != purpose:
                with pytest.raises(TokenInvalid):
                    read(token)


def test_the_purpose_is_checked_even_where_the_key_would_fit() -> None:
    keys = ServerKeys([NEW], OTHER)
    now = int(datetime.now(UTC).timestamp())
    claims = {"iss": "lockleaf", "sub": str(USER), "sid": str(SESSION), "iat": now, "exp": now + 60}
    for wrong in ({"purpose": "refresh"}, {}, {"purpose": "access", "iss": "elsewhere"}):
        forged = jwt.encode({**claims, **wrong}, keys.signing("access"), "HS256")
        with pytest.raises(TokenInvalid):
            codec().read_access(forged)
    assert codec().read_access(jwt.encode({**claims, "purpose": "access"}, keys.signing("access"), "HS256"))


def test_a_token_without_an_end_is_refused() -> None:
    claims = {"iss": "lockleaf", "purpose": "access", "sub": str(USER), "sid": str(SESSION), "iat": 1}
    with pytest.raises(TokenInvalid):
        codec().read_access(jwt.encode(claims, ServerKeys([NEW], OTHER).signing("access"), "HS256"))


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_only_the_configured_algorithm_is_accepted(algorithm: str) -> None:
    now = int(datetime.now(UTC).timestamp())
    claims = {"iss": "lockleaf", "purpose": "access", "sub": str(USER), "sid": str(SESSION), "exp": now + 60}
    key = None if algorithm == "none" else ServerKeys([NEW], OTHER).signing("access")
    with pytest.raises(TokenInvalid):
        codec().read_access(jwt.encode(claims, key, algorithm))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_each_algorithm_of_the_settings_works(algorithm: str) -> None:
    tokens = codec(algorithm=algorithm)
    token = tokens.access(USER, SESSION, datetime.now(UTC))
    assert jwt.get_unverified_header(token)["alg"] == algorithm
    assert tokens.read_access(token).session_id == SESSION


def test_an_older_root_still_verifies_and_a_removed_one_does_not() -> None:
    token = codec(OLD).access(USER, SESSION, datetime.now(UTC))
    assert codec(NEW, OLD).read_access(token).user_id == USER
    with pytest.raises(TokenInvalid):
        codec(NEW).read_access(token)


def test_the_newest_root_signs() -> None:
    token = codec(NEW, OLD).access(USER, SESSION, datetime.now(UTC))
    assert codec(NEW).read_access(token).user_id == USER


def test_a_token_expires_at_its_time() -> None:
    clock = Clock()
    tokens = codec(clock=clock, access_minutes=15)
    token = tokens.access(USER, SESSION, clock())
    clock.advance(minutes=14, seconds=50)
    assert tokens.read_access(token)
    clock.advance(seconds=11)
    with pytest.raises(TokenExpired):
        tokens.read_access(token)


def test_the_same_claims_give_the_same_token() -> None:
    assert codec().refresh(USER, SESSION, 3, MOMENT) == codec().refresh(USER, SESSION, 3, MOMENT)
    assert codec().refresh(USER, SESSION, 3, MOMENT) != codec().refresh(USER, SESSION, 4, MOMENT)


@given(st.data())
def test_no_bit_of_a_token_can_be_changed(data: st.DataObject) -> None:
    tokens = codec()
    token = tokens.access(USER, SESSION, datetime.now(UTC))
    parts = [urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]
    index = data.draw(st.integers(0, 2))
    bit = data.draw(st.integers(0, len(parts[index]) * 8 - 1))
    changed = bytearray(parts[index])
    changed[bit // 8] ^= 1 << bit % 8
    parts[index] = bytes(changed)
    with pytest.raises(TokenInvalid):
        tokens.read_access(".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts))


@given(st.text(max_size=300))
def test_anything_else_is_an_invalid_token(text: str) -> None:
    with pytest.raises(TokenInvalid):
        codec().read_access(text)


def test_a_token_holds_nothing_of_its_user_but_ids() -> None:
    payload = json.loads(urlsafe_b64decode(codec().access(USER, SESSION, MOMENT).split(".")[1] + "=="))
    assert set(payload) == {"iss", "purpose", "sub", "sid", "iat", "exp"}


def test_a_token_that_was_read_before_is_read_again_until_its_time_and_no_other_in_its_place() -> None:
    clock = Clock()
    tokens = codec(clock=clock)
    token = tokens.access(USER, SESSION, clock())
    assert tokens.read_access(token) == tokens.read_access(token) == AccessClaims(USER, SESSION)
    head, said, signature = token.split(".")
    other = tokens.access(uuid4(), SESSION, clock()).split(".")
    for forged in (f"{head}.{other[1]}.{signature}", f"{head}.{said}.{other[2]}", f"{head}.{said}.", f"{head}.{said}"):
        with pytest.raises(TokenInvalid):
            tokens.read_access(forged)
    with pytest.raises(TokenInvalid):
        tokens.read_refresh(token)
    clock.advance(days=1)
    with pytest.raises(TokenExpired):
        tokens.read_access(token)


def test_of_tokens_that_were_read_digests_are_kept_and_only_so_many() -> None:
    tokens = codec()
    key = bytes(range(32))
    for number in range(3):
        tokens.read_access(tokens.access(USER, SESSION, MOMENT, generation=number, session_key=key, seconds=10**9))
    kept = list(tokens._signed)
    assert len(kept) == 3
    assert all(isinstance(digest, bytes) and len(digest) == 32 for digest, _ in kept)
    # What a token with a key says is kept nowhere; of one without, whose session it is.
    assert set(tokens._signed.values()) == {None}
    tokens.read_access(tokens.access(USER, SESSION, MOMENT, seconds=10**9 - 1))
    tokens.read_refresh(tokens.refresh(USER, SESSION, 1, datetime.now(UTC)))
    assert [each and each.claims for each in tokens._signed.values()] == [None] * 3 + [
        AccessClaims(USER, SESSION),
        None,
    ]
    tokens._signed.update({(bytes([n % 256]) * 32 + bytes([n // 256]), kept[0][1]): None for n in range(16_384)})
    size = len(tokens._signed)
    tokens.read_access(tokens.access(USER, SESSION, MOMENT, seconds=10**9))
    assert len(tokens._signed) == size
