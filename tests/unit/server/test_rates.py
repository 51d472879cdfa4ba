"""Where a request comes from, and how much is remembered of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from math import ceil

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from lockleaf.server.platform.http.addresses import UNKNOWN, Proxies, rated_as
from lockleaf.server.platform.limits.memory import Limit, SlidingWindows
from lockleaf.server.platform.settings import ProxySettings, RateSettings

PROXY, CLIENT, OTHER = "10.0.0.2", "198.51.100.7", "203.0.113.9"


def client(peer: str, *headers: tuple[str, str], trusted: str = "10.0.0.0/8,fd00::/8", header: str = "") -> str:
    """The address that a request is taken to come from."""
    settings = ProxySettings(trusted=trusted, **({"header": header} if header else {}))  # type: ignore[arg-type]
    lines = [(name.encode(), value.encode()) for name, value in headers]
    return Proxies(settings).client({"client": (peer, 1), "headers": lines})


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (CLIENT, CLIENT),
        (f"{OTHER}, {CLIENT}", CLIENT),
        (f"{OTHER}, {CLIENT}, 10.9.9.9", CLIENT),
        (f"{OTHER},{CLIENT}:4711", CLIENT),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:198.51.100.7", CLIENT),
        ("10.0.0.3", "10.0.0.3"),
        (f"{CLIENT}, unknown", PROXY),
        (f"{CLIENT}, ", PROXY),
        ("nonsense", PROXY),
        (", ".join([CLIENT, *["10.0.0.3"] * 40]), "10.0.0.3"),
    ],
)
def test_a_proxys_word_is_read_from_its_end(told: str, found: str) -> None:
    assert client(PROXY, ("x-forwarded-for", told)) == found
    assert client("::ffff:10.0.0.2", ("x-forwarded-for", told)) == found


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (f"for={CLIENT}", CLIENT),
        (f'for={OTHER}, For="{CLIENT}:4711";proto=https;by={PROXY}', CLIENT),
        ('proto=https; for="[2001:db8::7]:443"', "2001:db8::7"),
        ("for=_hidden", PROXY),
        (f"for={CLIENT};for={OTHER}", PROXY),
        ("proto=https", PROXY),
        (f'for="{CLIENT}', PROXY),
    ],
)
def test_the_other_header_is_read_where_it_is_the_one_that_the_proxy_sets(told: str, found: str) -> None:
    assert client(PROXY, ("forwarded", told), header="forwarded") == found
    assert client(PROXY, ("forwarded", told)) == PROXY


def test_lines_of_one_header_are_one_list() -> None:
    assert client(PROXY, ("x-forwarded-for", OTHER), ("x-forwarded-for", CLIENT)) == CLIENT


@given(st.text(max_size=80), st.sampled_from(["x-forwarded-for", "forwarded"]))
def test_who_is_no_proxy_is_who_calls_whatever_it_writes(told: str, header: str) -> None:
    assert client(CLIENT, ("x-forwarded-for", told), ("forwarded", told), header=header) == CLIENT
    assert client(PROXY, ("x-forwarded-for", told), ("forwarded", told), trusted="", header=header) == PROXY


def test_without_an_address_all_are_one() -> None:
    assert Proxies(ProxySettings()).client({"client": None, "headers": []}) == UNKNOWN
    assert rated_as(UNKNOWN) == UNKNOWN


def test_whoever_has_a_network_of_ipv6_is_counted_as_one() -> None:
    assert rated_as("2001:db8:1:2:3:4:5:6") == rated_as("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert rated_as("2001:db8:1:3::9") != rated_as("2001:db8:1:2::9")
    assert rated_as(CLIENT) != rated_as(OTHER)


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "proxy.example.org", "*"])
def test_a_proxy_without_an_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="a proxy is an address or a network"):
        ProxySettings(trusted=(wrong,))


@pytest.mark.parametrize("wrong", ["0/minute", "5", "5/fortnight", "5/minute,6/hour", "many/minute", ""])
def test_a_rate_that_says_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="login"):
        RateSettings(login=wrong)


def test_a_window_slides() -> None:
    windows = SlidingWindows(Limit("a-minute", 4, 60), 10)
    with time_machine.travel(datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC), tick=False) as clock:
        assert windows.left("a") == (4, 1)
        assert [windows.hit("a") for _ in range(5)] == [True] * 4 + [False]
        assert windows.left("a") == (0, 50)
        assert windows.left("b") == (4, 1)
        clock.shift(80)
        # Half of the window before counts still.
        assert windows.left("a") == (2, 1)
        assert [windows.hit("a") for _ in range(3)] == [True, True, False]
        clock.shift(600)
        assert [windows.hit("a") for _ in range(5)] == [True] * 4 + [False]


@given(
    amount=st.integers(1, 8),
    seconds=st.sampled_from([1, 8, 64]),
    steps=st.lists(st.tuples(st.integers(0, 90), st.sampled_from("ab")), min_size=1, max_size=40),
)
async def test_requests_are_counted_as_the_library_counts_them(
    amount: int, seconds: int, steps: list[tuple[int, str]]
) -> None:
    """Steps are eighths of a second, and windows powers of two, so that no rounding differs."""
    windows = SlidingWindows(Limit("any", amount, seconds), 10)
    limiter, item = SlidingWindowCounterRateLimiter(MemoryStorage()), RateLimitItemPerSecond(amount, seconds)
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock:
        for eighths, key in steps:
            clock.shift(eighths / 8)
            assert windows.hit(key) == await limiter.hit(item, key)
            stats = await limiter.get_window_stats(item, key)
            assert windows.left(key) == (stats.remaining, max(1, ceil(stats.reset_time - time.time())))


def test_memory_has_an_end_and_the_longest_rested_goes_first() -> None:
    windows = SlidingWindows(Limit("two-an-hour", 2, 3600), 100)
    with time_machine.travel(datetime(2026, 1, 1, 0, 10, tzinfo=UTC), tick=False):
        assert [windows.hit("known") for _ in range(2)] == [True, True]
        for number in range(99):
            windows.hit(f"stranger {number}")
        assert not windows.hit("known")
        for number in range(300):
            windows.hit(f"further stranger {number}")
        assert len(windows) == 100
        assert windows.hit("known")
