"""Texts that people and other programs write: queries, dates, front matter, headers, names, pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import httpx

from lockleaf.cli.spoken_dates import spoken_date
from lockleaf.client.errors import InvalidAnswer, InvalidEntry, LockleafError
from lockleaf.client.journal.importers.markdown import split_front_matter
from lockleaf.client.journal.importers.markup import markdown_of
from lockleaf.client.media.file_names import clean_name, safe_name
from lockleaf.client.media.signatures import type_by_content
from lockleaf.client.transport.addresses import server_address, store_origin
from lockleaf.client.transport.event_stream import EventParser
from lockleaf.client.transport.proxies import proxy_for
from lockleaf.client.transport.retries import retry_after
from lockleaf.search.query import InvalidQuery, parse
from lockleaf.search.words import words
from lockleaf.server.platform.http.addresses import Proxies, rated_as
from lockleaf.server.platform.settings import ProxySettings
from lockleaf.wire.content import clean_tags, clean_text, date_text, known_time_zone
from lockleaf.wire.days import bound, day_of, shared_time
from tests.fuzz.target import Target

__all__ = ["TARGETS"]

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: parse(data.decode("utf-8", "replace"))


def _said(*texts: str) -> Callable[[], Iterable[bytes]]:
    return lambda: [text.encode() for text in texts]


def _events(data: bytes) -> None:
    """The stream whole, and byte by byte: where it is cut decides nothing."""
    whole, pieces = EventParser(), EventParser()
    try:
        at_once = whole.feed(data)
    except InvalidAnswer:
        return
    in_pieces = [event for at in range(len(data)) for event in pieces.feed(data[at : at + 1])]
    assert in_pieces == at_once


def _forwarded(data: bytes) -> None:
    for header in ("forwarded", "x-forwarded-for"):
        known = Proxies(ProxySettings(trusted=("127.0.0.0/8", "::1/128"), header=header))
        told = known.client({"client": ("127.0.0.1", 9), "headers": [(header.encode(), data)]})
        rated_as(told)


def _proxy(text: str) -> None:
    proxy_for(httpx.URL("https://journal.example.org/"), {"HTTPS_PROXY": text, "NO_PROXY": text[::2]})


def _day(text: str) -> None:
    kind, _, zone = text.partition("|")
    day_of(kind, zone, "2026-03-01T12:00:00Z")
    bound(kind)
    shared_time(date_text(kind), zone or None)
    known_time_zone(zone)


def _content(text: str) -> None:
    clean_tags(text.split(","))
    clean_text(text, "title", 500)


def _query(text: str) -> None:
    parse(text)
    list(words(text))


TARGETS = (
    Target("query", _text(_query), (InvalidQuery,), _said('tag:sea (river OR "first day") -rain from:2026-01 mood:😊')),
    Target(
        "said-date",
        _text(lambda text: spoken_date(text, _NOW)),
        (LockleafError,),
        _said("3 days ago at 9:30", "last friday", "2026-02-30", "yesterday evening"),
    ),
    Target(
        "day",
        _text(_day),
        (ValueError,),
        _said("2026-03-01T09:00:00+02:00|Europe/Vienna", "2026-03-01|", "0001-01-01T00:00:00Z|Asia/Kolkata"),
    ),
    Target("content", _text(_content), (ValueError,), _said("sea,Sea,  été ", "a\x00b")),
    Target(
        "front-matter",
        _text(split_front_matter),
        (InvalidEntry,),
        _said("---\ntags: [a, b]\ndate: 2026-03-01\n---\nIt rained.\n", "---\na: &x [1]\nb: *x\n---\n"),
    ),
    Target(
        "html",
        _text(markdown_of),
        (),
        _said(
            '<p>A <b>day</b> <a href="x">there</a><ul><li>one<li>two</ul><img src=a.png>',
            "<pre>a\n b</pre><blockquote><p>x",
        ),
    ),
    Target(
        "file-name",
        _text(lambda text: (clean_name(text), safe_name(text))),
        (ValueError,),
        _said("../a\x1b[31m.png", "con.txt", "é" * 200),
    ),
    Target(
        "signature",
        type_by_content,
        (),
        lambda: [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x00\x00\x00\x00WEBP"],
    ),
    Target(
        "events", _events, (), _said('data: {"seq":1}\n\n', ': hi\r\n\r\ndata: {"seq":2,\r\ndata: "epoch":"a"}\r\r')
    ),
    Target(
        "retry-after", _text(lambda text: retry_after(text, _NOW)), (), _said("120", "Sun, 01 Mar 2026 12:00:05 GMT")
    ),
    Target(
        "forwarded",
        _forwarded,
        (),
        _said('for="[2001:db8::1]:4711";proto=https, for=192.0.2.1', "192.0.2.1, 127.0.0.1"),
    ),
    Target(
        "proxy",
        _text(_proxy),
        (LockleafError,),
        _said("socks5h://user:word@proxy.example.org:1080", "10.0.0.0/8,.example.org"),
    ),
    Target(
        "address",
        _text(lambda text: (server_address(text), store_origin(text))),
        (LockleafError,),
        _said("https://journal.example.org/sub/path", "http://[::1]:8000"),
    ),
)
