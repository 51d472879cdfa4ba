"""Where a server listens: as a user writes it, and as a client takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockleaf.server.main.supervisor import PortUnavailable, Running, serve
from lockleaf.server.platform.settings import Settings


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("::1", "http://[::1]:8000"),
        ("::", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost:8000"),
        ("2001:db8::7", "http://[2001:db8::7]:8000"),
    ],
)
def test_an_address_is_printed_as_a_client_takes_it(host: str, url: str, tmp_path: Path) -> None:
    assert Running(host, 8000, 1, tmp_path, embedded=True).url == url


@pytest.mark.parametrize(
    ("host", "named"),
    [("2001:db8::7", r"\[2001:db8::7\]:1234"), ("[2001:db8::7]", r"\[2001:db8::7\]:1234"), ("a..b", r"a\.\.b:1234")],
)
def test_where_nothing_can_listen_is_said_by_name(host: str, named: str, settings: Settings) -> None:
    with pytest.raises(PortUnavailable, match=f"Cannot listen on {named}"):
        serve(settings, host=host, port=1234, workers=1)
