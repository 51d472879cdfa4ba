"""An index of Python packages on the loopback, with wheels that a test makes itself."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["PackageIndex", "package_index"]


class PackageIndex:
    """What is offered, and what was asked for."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self._wheels: dict[str, bytes] = {}

    def offer(self, name: str, version: str, *, requires: Sequence[str] = (), extras: Sequence[str] = ()) -> str:
        """Offer a wheel with one empty module; return its line of a lock."""
        file = f"{name}-{version}-py3-none-any.whl"
        told = [
            "Metadata-Version: 2.1",
            f"Name: {name}",
            f"Version: {version}",
            *(f"Provides-Extra: {extra}" for extra in extras),
            *(f"Requires-Dist: {requirement}" for requirement in requires),
        ]
        info = f"{name}-{version}.dist-info"
        members = {
            f"{name}.py": b"",
            f"{info}/METADATA": "\n".join((*told, "")).encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(
            f"{member},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
            for member, data in members.items()
        )
        members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as wheel:
            for member, data in members.items():
                wheel.writestr(member, data)
        self._wheels[file] = packed.getvalue()
        return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(packed.getvalue()).hexdigest()}\n"

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """The answer to a request, by the simple API of package indexes (PEP 503)."""
        self.asked.append(path)
        place, _, name = path.strip("/").partition("/")
        if place == "files" and name in self._wheels:
            return 200, "application/octet-stream", self._wheels[name]
        files = [file for file in self._wheels if place == "simple" and file.partition("-")[0] == name]
        links = "".join(f'<a href="/files/{file}">{file}</a>\n' for file in files)
        return (200 if files else 404), "text/html", f"<!DOCTYPE html>\n<html><body>{links}</body></html>".encode()


@contextmanager
def package_index() -> Iterator[PackageIndex]:
    """An index for the length of a ``with``, on a free port."""
    index = PackageIndex()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = index.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        index.url = f"http://127.0.0.1:{server.server_port}/simple"
        serving = threading.Thread(target=server.serve_forever, name="package-index")
        serving.start()
        try:
            yield index
        finally:
            server.shutdown()
            serving.join()
