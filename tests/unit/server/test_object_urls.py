"""Addresses of the server's own object store allow what was signed, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.server.platform.blobs.errors import UrlExpired, UrlInvalid
from lockleaf.server.platform.blobs.signing import Grant, ObjectUrls
from lockleaf.server.platform.server_keys import ServerKeys
from tests.support.object_stores import MINUTE, new_key

PRELOGIN = b"p" * 32


class NoRoute(Exception):
    """The path is that of something else."""


def _urls(*roots: bytes, ahead: timedelta = timedelta(0)) -> ObjectUrls:
    return ObjectUrls(ServerKeys(roots, PRELOGIN), lambda: datetime.now(UTC) + ahead)


def _verified(urls: ObjectUrls, signed: str, method: str = "PUT") -> Grant:
    url = urlsplit(signed)
    route = re.fullmatch(r"/api/v1/objects/([^/]+)(?:/parts/([^/]+)/([^/]+))?", url.path)
    if route is None:
        raise NoRoute
    key, upload, number = route.groups(default="")
    return urls.verify(method, key, upload, number, url.query.encode())


GRANTS = st.builds(
    Grant,
    method=st.just("PUT"),
    key=st.text("0123456789abcdef", min_size=40, max_size=40),
    upload=st.sampled_from(["", "ab" * 16]),
    number=st.integers(1, 10_000),
    size=st.integers(1, 2**40),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
).map(lambda grant: grant if grant.upload else replace(grant, number=0))


@given(grant=GRANTS, seconds=st.integers(5, 10**6), data=st.data())
def test_an_address_allows_what_was_signed_and_whoever_changes_a_character_nothing(
    grant: Grant, seconds: int, data: st.DataObject
) -> None:
    urls = _urls(b"r" * 48)
    signed, _ = urls.sign(grant, seconds)
    assert _verified(urls, signed) == grant
    begin = len("/api/v1/objects/")
    at = data.draw(st.integers(begin, len(signed) - 1))
    other = data.draw(st.sampled_from("0123456789abcdefg/?&=%.-\n").filter(lambda each: each != signed[at]))
    forged = signed[:at] + other + signed[at + 1 :]
    with pytest.raises((UrlInvalid, NoRoute)):
        _verified(urls, forged)


def test_after_a_rotation_older_addresses_are_good_until_their_root_is_gone() -> None:
    old, new = b"o" * 48, b"n" * 48
    grant = Grant("GET", new_key())
    by_old, by_new = _urls(old).sign(grant, MINUTE)[0], _urls(new, old).sign(grant, MINUTE)[0]
    assert _verified(_urls(new, old), by_old, "GET") == grant
    assert _verified(_urls(new), by_new, "GET") == grant
    with pytest.raises(UrlInvalid):
        _verified(_urls(new), by_old, "GET")


def test_an_expired_address_is_told_from_an_altered_one() -> None:
    grant = Grant("GET", new_key())
    signed, expires_at = _urls(b"r" * 48).sign(grant, MINUTE)
    later = _urls(b"r" * 48, ahead=timedelta(seconds=MINUTE + 1))
    with pytest.raises(UrlExpired):
        _verified(later, signed, "GET")
    moved = signed.replace(f"expires={int(expires_at.timestamp())}", f"expires={int(expires_at.timestamp()) + 60}")
    with pytest.raises(UrlInvalid):
        _verified(later, moved, "GET")
