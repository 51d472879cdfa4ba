"""The lines for a proxy before the server do what their page says: files, news, addresses, and what is private."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from tests.support.debian import debian_program
from tests.support.diarist import diarist
from tests.support.front_proxies import free_port, running
from tests.support.process import RunningServer, running_server

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "put-a-proxy-before-it.md"


def _snippet(language: str, number: int) -> str:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)[number]


def _caddy(folder: Path, port: int, there: int, below: bool) -> list[str | Path]:
    program = debian_program("caddy", "caddy")
    text = re.sub(
        r"^(journal\.)?example\.org \{", f"http://127.0.0.1:{port} {{", _snippet("caddyfile", below), flags=re.M
    )
    (folder / "Caddyfile").write_text("{\n    admin off\n    grace_period 1s\n}\n" + text.replace(":8000", f":{there}"))
    return ["env", f"HOME={folder}", program, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]


def _nginx(folder: Path, port: int, there: int, below: bool) -> list[str | Path]:
    program = debian_program("nginx", "nginx-light")
    text = _snippet("nginx", below)
    if below:
        text = f"server {{\nlisten 443 ssl;\n{text}}}\n"
    text = re.sub(r"^ *(ssl_\w+|server_name) .*\n", "", text, flags=re.MULTILINE)
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port}").replace(":8000", f":{there}")
    places = "".join(
        f"{each}_temp_path {folder}/{each};\n" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nworker_processes 1;\nerror_log stderr warn;\n"
        f"events {{ worker_connections 512; }}\nhttp {{\naccess_log off;\n{places}{text}}}\n"
    )
    return [program, "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf"]


def _apache(folder: Path, port: int, there: int, below: bool) -> list[str | Path]:
    program = debian_program("apache2", "apache2")
    text = _snippet("apache", below)
    if below:
        text = f"<VirtualHost *:443>\n{text}</VirtualHost>\n"
    text = re.sub(r"^ *SSL\w+ .*\n", "", text, flags=re.MULTILINE)
    text = text.replace("*:443", f"127.0.0.1:{port}").replace(":8000", f":{there}")
    modules = ("mpm_event", "authz_core", "headers", "proxy", "proxy_http")
    loaded = "".join(f"LoadModule {each}_module /usr/lib/apache2/modules/mod_{each}.so\n" for each in modules)
    (folder / "apache2.conf").write_text(
        f"ServerName 127.0.0.1\nListen 127.0.0.1:{port}\nPidFile {folder}/pid\nErrorLog /dev/stderr\n"
        f"DefaultRuntimeDir {folder}\nUser nobody\nGroup nogroup\n{loaded}{text}"
    )
    subprocess.run([program, "-t", "-f", folder / "apache2.conf"], check=True, capture_output=True)
    return [program, "-X", "-f", folder / "apache2.conf"]


PROXIES = {"caddy": _caddy, "nginx": _nginx, "apache": _apache}


@contextlib.contextmanager
def _running(
    make: Callable[[Path, int, int, bool], list[str | Path]], folder: Path, there: int, below: bool
) -> Iterator[str]:
    folder.mkdir()
    port = free_port()
    with running(make(folder, port, there, below), port, folder / "log"):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def behind(server_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that believes a proxy on this machine, and counts who asks."""
    folder = tmp_path_factory.mktemp("behind")
    environment = {
        **server_environment,
        "LOCKLEAF_DATA_DIR": str(folder),
        "LOCKLEAF_PROXIES__TRUSTED": "127.0.0.1",
        "LOCKLEAF_RATES__ENABLED": "true",
        "LOCKLEAF_RATES__PRELOGIN": "1000/hour",
        "LOCKLEAF_RATES__SIGNUP": "off",
    }
    with running_server(environment, log=folder / "log") as running:
        yield running


def _left(address: str, forwarded: str) -> int:
    """How many questions are left to whoever the server takes us for."""
    asked = {"email": "nobody@example.org"}
    # From an address of this machine that is no proxy's.
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as client:
        headers = {"X-Forwarded-For": forwarded}
        answer = client.post(f"{address}/api/v1/auth/prelogin", json=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    return int(re.findall(r"r=(\d+)", answer.headers["RateLimit"])[0])


def _hides_what_is_private(address: str) -> None:
    for path in ("metrics", "ready"):
        assert httpx.get(f"{address}/{path}").status_code in (403, 404), path


@pytest.mark.parametrize("name", PROXIES)
async def test_a_proxy_passes_on_files_and_news_and_tells_who_calls(
    behind: RunningServer, tmp_path: Path, name: str
) -> None:
    with _running(PROXIES[name], tmp_path / "root", behind.port, False) as address:
        assert httpx.get(f"{address}/health").json()["status"] == "ok"
        _hides_what_is_private(address)
        # What a client writes about itself makes nobody else of it.
        first = _left(address, "192.0.2.1")
        assert _left(address, "192.0.2.2") == first - 1
    with _running(PROXIES[name], tmp_path / "below", behind.port, True) as root:
        address = f"{root}/journal"
        _hides_what_is_private(address)
        async with diarist(tmp_path, address) as ada:
            laptop, phone = await ada.first(), await ada.another()
            async with aclosing(phone.sync.watch(every=3600)) as reports:
                await anext(reports)
                entry = await laptop.journal.write(body="through a proxy")
                photo = tmp_path / "photo"
                photo.write_bytes(bytes(range(256)) * 8192)  # more than a proxy takes that was told nothing
                await laptop.media.attach(entry.id, photo)
                report = await laptop.sync()
                assert (report.media.uploaded, report.media.waiting, report.media.trouble) == (1, 0, None)
                while (await anext(reports)).pulled == 0:  # heard of, long before it would have looked by itself
                    pass
            [made] = (await phone.journal.get(entry.id)).attachments
            here = tmp_path / "here"
            here.mkdir()
            assert (await phone.media.download(made, here)).read_bytes() == photo.read_bytes()
