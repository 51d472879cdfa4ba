"""Structured logs that hold no user's data.

Two nets, since one may tear. What we log ourselves names facts by keyword and none of them is a user's. Whatever else
comes through the standard library's logging (the web server, the database driver) passes a redaction that knows what
emails, tokens, secrets and sealed bytes look like, and exceptions are reduced to their type and where they were raised:
their text may quote what a user sent.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

import lockleaf
from lockleaf.server.platform.observability.turns import AtTurnsEnd

__all__ = ["configure", "log_request", "redact_text"]

_PATTERNS = (
    re.compile(r"(?<![^\s@])[^\s@]+@[^\s@]+"),  # emails, and rather too much around them than too little
    re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?"),  # tokens
    re.compile(r"(?i)\bbearer\s+\S+"),
    re.compile(r"AGE-SECRET-KEY-1[A-Z0-9]+"),
    re.compile(r"\b[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}\b"),  # recovery codes
    re.compile(r"[A-Za-z0-9+/_=-]{40,}"),  # base64 and hex of anything: keys, digests, payloads
)
_MOST_LINES = 1000
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_HIDDEN = "[redacted]"
_OURS = str(Path(lockleaf.__file__).parent)


def redact_text(text: str) -> str:
    """Return ``text`` without anything that looks like an email, a token, a secret or sealed bytes."""
    for pattern in _PATTERNS:
        text = pattern.sub(_HIDDEN, text)
    return text


def _redact(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if isinstance(value, str) and key not in {"timestamp", "level", "route", "request_id"}:
            event[key] = redact_text(value)
        elif isinstance(value, bytes | bytearray | memoryview):
            event[key] = _HIDDEN
    return event


def _exceptions_by_place(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and the lines it came through."""
    error = event.pop("failure", None)
    info = event.pop("exc_info", None)
    if error is None and info:
        error = info[1] if isinstance(info, tuple) else info if isinstance(info, BaseException) else sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["error"] = f"{type(error).__module__}.{type(error).__qualname__}"
        event["raised_at"] = _places(error)
    return event


def _places(error: BaseException) -> list[str]:
    """Return where an exception came through: every line of ours, and the last few, which may be a library's."""
    frames = traceback.extract_tb(error.__traceback__)
    told = [frame for frame in frames[:-4] if frame.filename.startswith(_OURS)][-8:] + frames[-4:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in told]


_log = structlog.get_logger("lockleaf.http")
_root, _requests = logging.getLogger(), logging.getLogger("lockleaf.http")


def log_request(request_id: str, method: str, route: str, status: int, duration_ms: float) -> None:
    """Log a request that was answered.

    Each request writes this line, so that it is made here at once; a test holds that it is as all others are.

    Arguments:
        method: of HTTP; another one may hold anything, and takes the way on which such things are redacted.
        route: the template, never the path.
    """
    for handler in _root.handlers:
        if isinstance(handler, _Gathering) and handler.is_json and method in _METHODS:
            if _requests.isEnabledFor(logging.INFO):
                handler.take(
                    f'{{"request_id": "{request_id}", "method": "{method}", "route": "{route}", "status": {status}, '
                    f'"duration_ms": {duration_ms}, "event": "request", "logger": "lockleaf.http", "level": "info", '
                    f'"timestamp": "{datetime.now(UTC).isoformat().replace("+00:00", "Z")}"}}\n'
                )
            return
    _log.info("request", request_id=request_id, method=method, route=route, status=status, duration_ms=duration_ms)


class _Gathering(logging.StreamHandler[IO[str]]):
    """Writes what is logged in one turn of an event loop at once: a line is a call of the system otherwise.

    What is worth a warning is written at once, with all before it.
    """

    def __init__(self, stream: IO[str], *, is_json: bool) -> None:
        super().__init__(stream)
        self.is_json = is_json
        self._lines: list[str] = []
        self._flushing = AtTurnsEnd(self.flush)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or have it written at the end of the turn."""
        try:
            self.take(self.format(record) + self.terminator, at_once=record.levelno >= logging.WARNING)
        except Exception:
            self.handleError(record)

    def take(self, line: str, *, at_once: bool = False) -> None:
        """Write a line, or have it written at the end of the turn."""
        with self.lock or nullcontext():
            self._lines.append(line)
            if at_once or len(self._lines) >= _MOST_LINES:
                self.flush()
            else:
                self._flushing()

    def flush(self) -> None:
        """Write what was gathered."""
        self.acquire()
        try:
            lines, self._lines = self._lines, []
            if lines:
                self.stream.write("".join(lines))
        finally:
            self.release()
        super().flush()


def configure(format: Literal["json", "console"] = "json", level: str = "INFO", stream: IO[str] | None = None) -> None:
    """Send the logs of this process to ``stream`` (standard error by default), ours and the libraries' alike."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _exceptions_by_place,
        _redact,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if format == "json"
        else structlog.dev.ConsoleRenderer(colors=(stream or sys.stderr).isatty())
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = _Gathering(stream or sys.stderr, is_json=format == "json")
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "sqlalchemy", "asyncio", "alembic"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # it would write paths and network addresses
    logging.getLogger("alembic").setLevel("WARNING")
    for name in ("botocore", "aiobotocore", "aiohttp"):  # at lower levels they write what they sign, and under what
        logging.getLogger(name).setLevel("WARNING")
