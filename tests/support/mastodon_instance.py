"""A Mastodon instance of our own, as its documentation has it: applications, OAuth with PKCE, statuses, media."""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.social_network import Answer, Asked, SocialNetwork

__all__ = ["MastodonInstance", "Status"]


@dataclass
class Status:
    """A status."""

    id: str
    text: str
    created_at: datetime
    visibility: str = "public"
    media: list[str] = field(default_factory=list)
    reblog: bool = False
    reply_to: str | None = None
    spoiler: str = ""


class MastodonInstance(SocialNetwork):
    """One instance with one person, ``ada``."""

    account_id = "4711"
    most_characters = 500

    def __init__(self) -> None:
        super().__init__()
        self.applications: dict[str, tuple[str, str, str]] = {}
        """Secret, redirect URI and scopes, by id."""
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, str] = {}
        """Scopes by token."""
        self.statuses: list[Status] = []
        self.pictures: dict[str, tuple[str, bytes, str]] = {}
        """Media type, bytes and description, by id."""
        self.keys: dict[str, str] = {}
        self.processing: dict[str, int] = {}
        self.slow_media = 0
        """How many questions a picture takes until it is ready."""
        self.repeats = 0
        """How many pages are answered with the page before."""
        self.forgets_keys = False
        self._last: Answer | None = None
        self._number = 110_000_000_000_000_000

    # ---- what people do there ----

    def write(self, text: str, *, at: datetime | None = None, **more: Any) -> Status:
        """Have its person publish something by the instance's own page."""
        self._number += 1 + secrets.randbelow(1000)
        status = Status(str(self._number), text, at or datetime.now(UTC), **more)
        self.statuses.append(status)
        return status

    def picture(self, data: bytes, media_type: str = "image/png", description: str = "") -> str:
        """Put a picture there."""
        media_id = str(len(self.pictures) + 1)
        self.pictures[media_id] = (media_type, data, description)
        return media_id

    def allow(self, address: str) -> str:
        """Allow what the address of `/oauth/authorize` asks for, as its person in a browser; return the code."""
        parts = urlsplit(address)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        _, redirect_uri, scopes = self.applications[asked["client_id"]]
        assert asked["redirect_uri"] == redirect_uri
        assert set(asked["scope"].split()) <= set(scopes.split())
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        code = secrets.token_urlsafe(24)
        self.codes[code] = asked
        return code

    def revoke(self) -> None:
        """Take back all tokens, as its person may on the settings' page."""
        self.tokens.clear()

    # ---- what it answers ----

    def throttled(self, asked: Asked) -> Answer:
        reset = (datetime.now(UTC) + timedelta(seconds=120)).isoformat().replace("+00:00", "Z")
        headers = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        return Answer(429, {"error": "Too many requests"}, headers)

    def answer(self, asked: Asked) -> Answer:
        match asked.method, asked.path.strip("/").split("/"):
            case "POST", ["api", "v1", "apps"]:
                return self._register(asked)
            case "POST", ["oauth", "token"]:
                return self._token(asked)
            case "POST", ["oauth", "revoke"]:
                return self._revoke(asked)
            case "GET", ["files", media_id]:
                media_type, data, _ = self.pictures[media_id]
                return Answer(200, raw=data, media_type=media_type)
            case _:
                return self._behind_a_token(asked)

    def _behind_a_token(self, asked: Asked) -> Answer:
        scopes = self.tokens.get(asked.bearer or "")
        if scopes is None:
            return Answer(401, {"error": "The access token is invalid"})
        needed, answer = self._route(asked)
        if needed not in scopes.split():
            return Answer(403, {"error": "This action is outside the authorized scopes"})
        return answer()

    def _route(self, asked: Asked) -> tuple[str, Any]:
        match asked.method, asked.path.strip("/").split("/"):
            case "GET", ["api", "v1", "accounts", "verify_credentials"]:
                return "read:accounts", lambda: Answer(200, {"id": self.account_id, "username": "ada", "acct": "ada"})
            case "GET", ["api", "v1", "accounts", self.account_id, "statuses"]:
                return "read:statuses", lambda: self._list(asked)
            case "GET", ["api", "v1", "statuses", status_id, "source"]:
                return "read:statuses", lambda: self._source(status_id)
            case "POST", ["api", "v1", "statuses"]:
                return "write:statuses", lambda: self._publish(asked)
            case "POST", ["api", "v2", "media"]:
                return "write:media", lambda: self._upload(asked)
            case "GET", ["api", "v1", "media", media_id]:
                return "write:media", lambda: self._media(media_id)
            case _:
                return "read:accounts", lambda: Answer(404, {"error": "Record not found"})

    def _register(self, asked: Asked) -> Answer:
        client_id, secret = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self.applications[client_id] = (secret, asked.form["redirect_uris"], asked.form["scopes"])
        return Answer(
            200, {"id": "1", "name": asked.form["client_name"], "client_id": client_id, "client_secret": secret}
        )

    def _known(self, asked: Asked) -> bool:
        application = self.applications.get(asked.form.get("client_id", ""))
        return application is not None and application[0] == asked.form.get("client_secret")

    def _token(self, asked: Asked) -> Answer:
        if not self._known(asked):
            return Answer(401, {"error": "invalid_client"})
        if asked.form["grant_type"] == "client_credentials":
            return Answer(200, {"access_token": secrets.token_urlsafe(32), "token_type": "Bearer", "scope": "read"})
        allowed = self.codes.pop(asked.form["code"], None)
        digest = hashlib.sha256(asked.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            allowed is None
            or allowed["client_id"] != asked.form["client_id"]
            or allowed["redirect_uri"] != asked.form["redirect_uri"]
            or allowed["code_challenge"] != challenge
        ):
            return Answer(400, {"error": "invalid_grant"})
        token = secrets.token_urlsafe(32)
        self.tokens[token] = allowed["scope"]
        return Answer(200, {"access_token": token, "token_type": "Bearer", "scope": allowed["scope"], "created_at": 1})

    def _revoke(self, asked: Asked) -> Answer:
        if not self._known(asked):
            return Answer(403, {"error": "unauthorized_client"})
        self.tokens.pop(asked.form["token"], None)
        return Answer(200, {})

    def _list(self, asked: Asked) -> Answer:
        if self.repeats and self._last is not None:
            self.repeats -= 1
            return self._last
        limit = min(int(asked.query.get("limit", "20")), 40)
        found = sorted(self.statuses, key=lambda status: int(status.id))
        if (least := asked.query.get("min_id")) is not None:
            found = [each for each in found if int(each.id) > int(least)][:limit]
        else:
            most = int(asked.query.get("max_id", 2**63))
            found = [each for each in found if int(each.id) < most][-limit:]
        shown = [
            self._shown(each) for each in reversed(found) if not (each.reblog and "exclude_reblogs" in asked.query)
        ]
        self._last = Answer(200, shown)
        return self._last

    def _shown(self, status: Status) -> dict[str, Any]:
        paragraphs = "".join(
            f"<p>{html.escape(each).replace(chr(10), '<br />')}</p>" for each in status.text.split("\n\n")
        )
        return {
            "id": status.id,
            "created_at": status.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "in_reply_to_id": status.reply_to and "1",
            "in_reply_to_account_id": status.reply_to,
            "spoiler_text": status.spoiler,
            "visibility": status.visibility,
            "url": f"{self.url}/@ada/{status.id}",
            "content": paragraphs,
            "reblog": {"id": "1"} if status.reblog else None,
            "tags": [{"name": word[1:]} for word in status.text.split() if word.startswith("#")],
            "media_attachments": [self._described(media_id) for media_id in status.media],
        }

    def _described(self, media_id: str) -> dict[str, Any]:
        media_type, _, description = self.pictures[media_id]
        kind = media_type.split("/")[0]
        return {
            "id": media_id,
            "type": kind,
            "url": f"{self.url}/files/{media_id}" if not self.processing.get(media_id) else None,
            "description": description or None,
        }

    def _source(self, status_id: str) -> Answer:
        found = next((each for each in self.statuses if each.id == status_id), None)
        if found is None:
            return Answer(404, {"error": "Record not found"})
        return Answer(200, {"id": found.id, "text": found.text, "spoiler_text": found.spoiler})

    def _publish(self, asked: Asked) -> Answer:
        key = asked.headers.get("idempotency-key")
        if key in self.keys and not self.forgets_keys:
            return Answer(200, self._shown(next(each for each in self.statuses if each.id == self.keys[key])))
        text = asked.form.get("status", "")
        if len(text) > self.most_characters:
            return Answer(422, {"error": "Validation failed: Text character limit of 500 exceeded"})
        status = self.write(
            text, media=asked.lists.get("media_ids[]", []), visibility=asked.form.get("visibility", "public")
        )
        if key is not None:
            self.keys[key] = status.id
        return Answer(200, self._shown(status))

    def _upload(self, asked: Asked) -> Answer:
        _, media_type, data = asked.files["file"]
        if not media_type.startswith("image/"):
            return Answer(422, {"error": "Validation failed: File content type is invalid"})
        media_id = self.picture(data, media_type, asked.form.get("description", ""))
        self.processing[media_id] = self.slow_media
        return Answer(202 if self.slow_media else 200, self._described(media_id))

    def _media(self, media_id: str) -> Answer:
        if self.processing.get(media_id, 0) > 0:
            self.processing[media_id] -= 1
            return Answer(206, {})
        return Answer(200, self._described(media_id))
