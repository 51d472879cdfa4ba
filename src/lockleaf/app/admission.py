"""Who may use the page: the browser that was opened with a token, and nobody else on the machine.

A token is good once, and for a short time. It becomes a cookie that scripts do not see and that no other site's request
carries. Cookies know hosts and no ports: any program that listens on 127.0.0.1 is sent those of ``/``, if the browser
can be led to it. So the page lives below a random path, and the cookie's ``Path`` is just that.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

__all__ = ["COOKIE", "TOKEN_SECONDS", "Admission"]

COOKIE = "lockleaf"
TOKEN_SECONDS = 300.0
_MOST_TOKENS = 20
_MOST_SESSIONS = 50


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


@dataclass
class Admission:
    """The tokens and sessions of one run; nothing of it outlives the process.

    Attributes:
        base: the random part of the path below which the page lives.
        control: the secret by which another `lockleaf app` of the same user asks for a token.
        clock: seconds that only grow.
    """

    base: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    control: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    clock: Callable[[], float] = time.monotonic
    _tokens: dict[bytes, float] = field(default_factory=dict)
    _sessions: list[bytes] = field(default_factory=list)

    def new_token(self) -> str:
        """Return a token that opens the page once, within five minutes."""
        token = secrets.token_urlsafe(32)
        self._tokens[_digest(token)] = self.clock() + TOKEN_SECONDS
        while len(self._tokens) > _MOST_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        return token

    def enter(self, token: str) -> str | None:
        """Return the secret of a new session for a token; None where the token is not good, or not any more."""
        until = self._tokens.pop(_digest(token), None)
        if until is None or self.clock() > until:
            return None
        secret = secrets.token_urlsafe(32)
        self._sessions.append(_digest(secret))
        del self._sessions[:-_MOST_SESSIONS]
        return secret

    def knows(self, secret: str) -> bool:
        """Tell whether a secret is that of a session."""
        given = _digest(secret)
        return sum(hmac.compare_digest(given, known) for known in self._sessions) > 0

    def is_control(self, secret: str) -> bool:
        """Tell whether somebody knows the control secret."""
        return hmac.compare_digest(_digest(secret), _digest(self.control))

    def is_base(self, name: str) -> bool:
        """Tell whether a part of a path is the random one."""
        return hmac.compare_digest(_digest(name), _digest(self.base))
