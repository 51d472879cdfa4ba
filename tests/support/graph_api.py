"""A Graph API of our own, as its documentation has it: OAuth with PKCE, long-lived tokens, Pages, posts, photos,
proofs, permissions, and its own codes for what is wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.social_network import Answer, Asked, SocialNetwork

__all__ = ["GraphApi", "GraphPost"]

VERSION = "v25.0"
LONG = 60 * 24 * 3600


@dataclass
class GraphPost:
    """A post."""

    id: str
    message: str
    created_at: datetime
    photos: list[str] = field(default_factory=list)


class GraphApi(SocialNetwork):
    """The API, with one application and one person, Ada, who has two Pages."""

    person = "10001"
    app_id = "9001"

    def __init__(self) -> None:
        super().__init__()
        self.app_secret = secrets.token_hex(16)
        self.redirect_uri = "https://journal.example.org/connected"
        self.pages = {"20001": "Ada's workshop", "20002": "The reading circle"}
        self.granted: set[str] = set()
        self.declined: set[str] = set()
        """Permissions that Ada does not give when she is asked."""
        self.codes: dict[str, dict[str, str]] = {}
        self.short: set[str] = set()
        self.long: set[str] = set()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.ends: dict[str, datetime] = {}
        """When each long-lived token ends."""
        self.page_tokens: dict[str, str] = {}
        """The Page by its token."""
        self.posts: list[GraphPost] = []
        self.fed: dict[str, list[GraphPost]] = {page: [] for page in self.pages}
        self.photos: dict[str, tuple[str, bytes]] = {}
        self.usage: dict[str, str] = {}
        self.failures: list[tuple[int, int]] = []
        """Status and code that the next requests behind a token are answered with."""
        self.repeats = 0
        self._last: Answer | None = None
        self._number = 0

    # ---- what people do there ----

    def write(self, message: str, *, at: datetime | None = None, photos: list[str] | None = None) -> GraphPost:
        """Have Ada publish something on her profile."""
        self._number += 1
        post = GraphPost(f"{self.person}_{self._number}", message, at or datetime.now(UTC), photos or [])
        self.posts.append(post)
        return post

    def photo(self, data: bytes, media_type: str = "image/jpeg") -> str:
        """Put a photo there."""
        photo_id = f"3000{len(self.photos) + 1}"
        self.photos[photo_id] = (media_type, data)
        return photo_id

    def allow(self, address: str) -> str:
        """Allow what the dialog's address asks for, as Ada in a browser; return the code."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == self.app_id
        assert asked["redirect_uri"] == self.redirect_uri
        assert asked["code_challenge_method"] == "S256"
        self.granted = set(asked["scope"].split(",")) - self.declined
        code = secrets.token_urlsafe(24)
        self.codes[code] = asked
        return code

    def revoke(self) -> None:
        """Take back what Ada allowed, as she may on the settings' page."""
        self.short.clear()
        self.long.clear()
        self.page_tokens.clear()

    # ---- what it answers ----

    def throttled(self, asked: Asked) -> Answer:
        if asked.path.startswith("/photos/"):
            return Answer(429, raw=b"")  # where photos lie is no API
        usage = {"20001": [{"type": "pages", "call_count": 100, "total_cputime": 20, "total_time": 20,
                            "estimated_time_to_regain_access": 2}]}  # fmt: skip
        return _error(400, 32, {"X-Business-Use-Case-Usage": json.dumps(usage)})

    def answer(self, asked: Asked) -> Answer:
        match asked.method, asked.path.strip("/").split("/"):
            case _, [_, "oauth", "access_token"]:
                return self._token(asked)
            case "GET", ["photos", photo_id]:
                media_type, data = self.photos[photo_id]
                return Answer(200, raw=data, media_type=media_type)
            case method, [version, *path] if version == VERSION:
                return self._behind_a_token(method, path, asked)
            case _:
                return _error(400, 2500)

    def _token(self, asked: Asked) -> Answer:
        fields = {**asked.query, **asked.form}
        if (fields.get("client_id"), fields.get("client_secret")) != (self.app_id, self.app_secret):
            return _error(400, 1)
        if fields.get("grant_type") == "fb_exchange_token":
            if not self._is_good(fields.get("fb_exchange_token", "")):
                return _error(400, 190)
            token = "EAAL" + secrets.token_urlsafe(40)
            self.long.add(token)
            self.ends[token] = self.clock() + timedelta(seconds=LONG)
            return Answer(200, {"access_token": token, "token_type": "bearer", "expires_in": LONG})
        allowed = self.codes.pop(fields.get("code", ""), None)
        digest = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if allowed is None or allowed["redirect_uri"] != fields.get("redirect_uri"):
            return _error(400, 100)
        if allowed["code_challenge"] != challenge:
            return _error(400, 100)
        token = "EAAS" + secrets.token_urlsafe(40)
        self.short.add(token)
        return Answer(200, {"access_token": token, "token_type": "bearer", "expires_in": 5400})

    def _is_good(self, token: str) -> bool:
        return token in self.short or (token in self.long and self.clock() < self.ends[token])

    def _behind_a_token(self, method: str, path: list[str], asked: Asked) -> Answer:
        fields = {**asked.query, **asked.form}
        token = fields.get("access_token", "")
        if token not in self.page_tokens and not self._is_good(token):
            return _error(400, 190)
        proof = hmac.digest(self.app_secret.encode(), token.encode(), "sha256").hex()
        if fields.get("appsecret_proof") != proof:
            return _error(400, 100)
        if self.failures:
            return _error(*self.failures.pop(0))
        answer = self._route(method, path, fields, token, asked)
        return Answer(answer.status, answer.document, {**answer.headers, **self.usage})

    def _route(self, method: str, path: list[str], fields: dict[str, str], token: str, asked: Asked) -> Answer:
        match method, path:
            case "GET", ["me"]:
                return Answer(200, {"id": self.person, "name": "Ada"})
            case "GET", ["me", "accounts"]:
                return self._needs("pages_show_list", lambda: self._accounts(fields))
            case "GET", ["me", "posts"]:
                return self._needs("user_posts", lambda: self._list(self.posts, fields, token))
            case "DELETE", ["me", "permissions"]:
                self.revoke()
                return Answer(200, {"success": True})
            case "GET", [page] if page in self.pages:
                return self._needs("pages_show_list", lambda: self._page_token(page))
            case _, [page, *_] if page in self.pages and self.page_tokens.get(token) != page:
                return _error(403, 200)  # a profile's token does not write to a Page, nor another Page's
            case "POST", [page, "photos"] if page in self.pages:
                return self._needs("pages_manage_posts", lambda: self._upload(asked))
            case "POST", [page, "feed"] if page in self.pages:
                return self._needs("pages_manage_posts", lambda: self._publish(page, fields))
            case "GET", [page, "feed"] if page in self.pages:
                return self._needs("pages_read_engagement", lambda: self._list(self.fed[page], fields, token))
            case "POST", ["me" | self.person, "feed"]:
                return _error(403, 200)  # no permission lets an application write to a profile
            case _:
                return _error(400, 100)

    def _needs(self, permission: str, answer: Any) -> Answer:
        if permission not in self.granted:
            return _error(403, 200)
        found: Answer = answer()
        return found

    def _accounts(self, fields: dict[str, str]) -> Answer:
        names = list(self.pages.items())
        at = int(fields.get("after", "0"))
        document: dict[str, Any] = {
            "data": [{"id": names[at][0], "name": names[at][1], "tasks": ["CREATE_CONTENT", "MANAGE"]}],
        }
        if at + 1 < len(names):
            document["paging"] = {"next": f"{self.url}/{VERSION}/me/accounts?{urlencode({'after': at + 1})}"}
        return Answer(200, document)

    def _page_token(self, page: str) -> Answer:
        token = "EAAP" + secrets.token_urlsafe(40)
        self.page_tokens[token] = page
        return Answer(200, {"id": page, "access_token": token})

    def _list(self, posts: list[GraphPost], fields: dict[str, str], token: str) -> Answer:
        if self.repeats and self._last is not None:
            self.repeats -= 1
            return self._last
        since, until = int(fields.get("since", "0")), int(fields.get("until", 2**40))
        ordered = sorted(posts, key=lambda post: post.created_at, reverse=True)
        # Within one second the API tells posts apart by a token of its own; ours is a number among them.
        skipped = int(fields.get("__paging_token", "0"))
        matching = [each for each in ordered if since < int(each.created_at.timestamp()) <= until][skipped:]
        limit = int(fields.get("limit", "25"))
        shown = matching[:limit]
        document: dict[str, Any] = {"data": [self._shown(each) for each in shown]}
        if shown:
            following = {
                "access_token": token,
                "limit": limit,
                "until": until,
                "__paging_token": skipped + len(shown),
            }
            document["paging"] = {"next": f"{self.url}/{VERSION}/elsewhere?{urlencode(following)}"}
        self._last = Answer(200, document)
        return self._last

    def _shown(self, post: GraphPost) -> dict[str, Any]:
        document: dict[str, Any] = {
            "id": post.id,
            "created_time": post.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "permalink_url": f"https://www.facebook.com/{post.id}",
        }
        if post.message:
            document["message"] = post.message
        photos = [
            {"media_type": "photo", "media": {"image": {"src": f"{self.url}/photos/{each}", "height": 1, "width": 1}}}
            for each in post.photos
        ]
        if len(photos) > 1:
            document["attachments"] = {"data": [{"media_type": "album", "subattachments": {"data": photos}}]}
        elif photos:
            document["attachments"] = {"data": photos}
        return document

    def _upload(self, asked: Asked) -> Answer:
        if asked.form.get("published") != "false":
            return _error(400, 100)
        _, media_type, data = asked.files["source"]
        return Answer(200, {"id": self.photo(data, media_type)})

    def _publish(self, page: str, fields: dict[str, str]) -> Answer:
        attached = sorted(name for name in fields if name.startswith("attached_media["))
        photos = [json.loads(fields[name])["media_fbid"] for name in attached]
        if any(each not in self.photos for each in photos) or not (fields.get("message") or photos):
            return _error(400, 100)
        self._number += 1
        post = GraphPost(f"{page}_{self._number}", fields.get("message", ""), datetime.now(UTC), photos)
        self.fed[page].append(post)
        return Answer(200, {"id": post.id})


def _error(status: int, code: int, headers: dict[str, str] | None = None) -> Answer:
    error = {"message": f"(#{code}) no", "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    return Answer(status, {"error": error}, headers or {})
