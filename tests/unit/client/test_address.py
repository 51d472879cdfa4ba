import pytest

from lockleaf.client.errors import InsecureServer, InvalidServerAddress
from lockleaf.client.transport.addresses import server_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://journal.example.org", "https://journal.example.org"),
        (" https://journal.example.org/ ", "https://journal.example.org"),
        ("https://example.org/lockleaf/", "https://example.org/lockleaf"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://app.localhost", "http://app.localhost"),
    ],
)
def test_https_and_this_machine_are_accepted(text: str, address: str) -> None:
    assert server_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "http://example.org",
        "http://192.168.1.4:8000",
        "http://localhost.example.org",
        "http://127.0.0.1.example.org",
        "http://0.0.0.0",
        "HTTP://EXAMPLE.ORG",
    ],
)
def test_plain_http_to_another_machine_is_refused_unless_it_is_allowed(text: str) -> None:
    with pytest.raises(InsecureServer, match="https://"):
        server_address(text)
    assert server_address(text, allow_insecure=True).startswith("http://")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org",
        "localhost:8000",
        "ftp://example.org",
        "https://",
        "https://user:pass@example.org",
        "https://example.org/?a=1",
        "https://example.org/#a",
        "https://exa mple.org",
        "https://[::1",
        "https://example.org:99999999",
    ],
)
def test_what_is_no_server_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidServerAddress):
        server_address(text)
