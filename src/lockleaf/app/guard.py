"""What stands before the page: what is not asked by the browser that was opened is refused before anything looks at it.

- ``Host`` must name this very server: a page of the web whose name was led here (DNS rebinding) has another.
- Whatever changes something says where it comes from (``Origin``), and carries a header that no form can send.
- Without the cookie there is nothing, not even the page.
- No answer may be framed, guessed at, kept, or run anything that is not a file of this package.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lockleaf.app.admission import COOKIE, Admission
from lockleaf.app.problems import problem

__all__ = ["POLICY", "Guard"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_READING = frozenset({"GET", "HEAD"})
_OPEN_AGAIN = "Open the page anew: type lockleaf app in a terminal."
_PAGE = '<!doctype html><html lang="en"><meta charset="utf-8">{head}<title>Lockleaf</title><p>{text}</p></html>'


class Guard:
    """Lets nobody in but the browser that was opened.

    Args:
        app: what is guarded; it is asked for paths without the random part.
        admission: who may come in.
        port: where this server listens.
        most: bytes of a request's body, but for streams, which their routes limit.
    """

    def __init__(self, app: ASGIApp, admission: Admission, port: int, *, most: int) -> None:
        self._app = app
        self._admission = admission
        self._most = most
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, guarded)
            return
        inner = self._inner(scope)
        if isinstance(inner, Response):
            await inner(scope, receive, guarded)
            return
        await self._app(inner, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return why nobody looks further, None where a request comes from a place that may ask."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return problem(421, "wrong_host", "This address is not the one of this page.")
        site = headers.get("sec-fetch-site")
        method = scope["method"]
        if method in _READING:
            # A link from elsewhere may lead to the page, as a bookmark does, and brings no cookie. What is asked for
            # from elsewhere as a part of another page is refused.
            navigates = headers.get("sec-fetch-mode") in (None, "navigate")
            if site in ("cross-site", "same-site") and not navigates:
                return problem(403, "wrong_origin", "Another page asked for this.")
            return None
        if scope["path"].startswith("/control/"):
            return None  # asked by a program, which proves who it is, and never by a browser
        origins = headers.getlist("origin")
        if origins != [f"http://{hosts[0].lower()}"] or site not in (None, "same-origin"):
            return problem(403, "wrong_origin", "Another page asked for this.")
        if headers.get("x-lockleaf") != "1":
            return problem(403, "wrong_origin", "The header X-Lockleaf is missing.")
        return None

    def _inner(self, scope: Scope) -> Scope | Response:
        """Return the request as the application sees it, or the answer where it sees none."""
        path = scope["path"]
        if path == "/open" and scope["method"] == "GET":
            return self._open(scope)
        if path == "/control/token" and scope["method"] == "POST":
            return self._token(Headers(scope=scope))
        base, slash, rest = path[1:].partition("/")
        if not self._admission.is_base(base) or not self._has_cookie(scope):
            if "/api/" in path or "application/json" in Headers(scope=scope).get("accept", ""):
                return problem(401, "not_opened", _OPEN_AGAIN)
            return HTMLResponse(_PAGE.format(head="", text=_OPEN_AGAIN), 401)
        if not slash:
            return Response(status_code=308, headers={"Location": f"/{self._admission.base}/"})
        length = Headers(scope=scope).get("content-length", "0")
        if not _streams(rest) and (not length.isdigit() or int(length) > self._most):
            return problem(413, "too_large", "This is more than the page sends at once.")
        return {**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode(), "root_path": ""}

    def _open(self, scope: Scope) -> Response:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        secret = self._admission.enter((query.get("token") or [""])[0])
        if secret is None:
            return HTMLResponse(_PAGE.format(head="", text=f"This address was used, or is too old. {_OPEN_AGAIN}"), 401)
        # The page goes on by itself: a strict cookie is not sent along a redirection that began in a local file.
        place = f"/{self._admission.base}/"
        head = f'<meta http-equiv="refresh" content="0;url={place}">'
        answer = HTMLResponse(_PAGE.format(head=head, text=f'<a href="{place}">Open the journal</a>'))
        answer.set_cookie(COOKIE, secret, path=place, httponly=True, samesite="strict")
        return answer

    def _token(self, headers: Headers) -> Response:
        """Give another `lockleaf app` of the same user a token: it read the secret in a file that only they can."""
        kind, _, secret = headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or "origin" in headers or not self._admission.is_control(secret):
            return problem(401, "not_opened", _OPEN_AGAIN)
        return JSONResponse({"token": self._admission.new_token()})

    def _has_cookie(self, scope: Scope) -> bool:
        for header in Headers(scope=scope).getlist("cookie"):
            # Another program on this host may have set one of the same name: each is tried.
            for part in header.split(";"):
                try:
                    found: Any = SimpleCookie(part.strip()).get(COOKIE)
                except CookieError:
                    continue
                if found is not None and self._admission.knows(found.value):
                    return True
        return False


def _streams(path: str) -> bool:
    return path.startswith("api/") and path.endswith(("/attachments", "/import"))
