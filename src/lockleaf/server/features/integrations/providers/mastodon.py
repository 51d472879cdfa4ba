"""Mastodon: any instance, and other software as far as it speaks the same API.

After the documentation at docs.joinmastodon.org: methods/apps, methods/oauth, methods/accounts, methods/statuses,
methods/media, api/rate-limits. Not found stated there: since which version an instance holds a client to PKCE (one that
does not know it passes over the two fields, as RFC 6749 has it), and that `min_id=0` begins with the oldest status
(api/guidelines describes `min_id` only with an id from a list).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from lockleaf.server.features.integrations.failures import (
    NetworkRefusal,
    ReconnectNeeded,
    Throttled,
    Unintelligible,
    WorthRetrying,
    before_publishing,
)
from lockleaf.server.features.integrations.html_text import plain_text
from lockleaf.server.features.integrations.outbound import File, Outbound, Reply, instance_origin
from lockleaf.server.features.integrations.providers.protocol import (
    AccessGrant,
    Authorization,
    FoundPost,
    NetworkAccount,
    OutgoingPost,
    Picture,
    PictureLink,
    Post,
    PostPage,
    Published,
)

__all__ = ["OUT_OF_BAND", "Mastodon"]

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
"""With this in place of an address the instance shows its code to the user, who copies it."""
SCOPES = "read:accounts read:statuses write:statuses write:media"
_PAGE = 40  # the most that an instance gives
_WAITS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between questions whether a picture is ready."""
_LONGEST_PAUSE = 3600
_SKEW = timedelta(minutes=10)
_CANDIDATES = 200


class Mastodon:
    """Mastodon.

    Args:
        outbound: sends requests.
        website: shown at the instance beside our name, if there is one.
    """

    name = "mastodon"
    visibilities: tuple[str, ...] = ("public", "unlisted", "private", "direct")
    key_seconds = 55 * 60  # an instance keeps them for an hour
    most_pictures = 4

    def __init__(self, outbound: Outbound, website: str | None = None) -> None:
        self._outbound = outbound
        self._website = website

    def connected(self, instance: str | None) -> str | None:
        """Return the origin of an instance."""
        return instance_origin(instance or "", self._outbound.private_hosts)

    async def connect(
        self, instance: str | None, redirect_uri: str, state: str, challenge: str, application: tuple[str, str] | None
    ) -> Authorization:
        """Register our application at the instance if it does not know it (any more); return where the user is sent."""
        known = application
        if known is None or await self._is_forgotten(instance, known):
            known = await self._register(instance, redirect_uri)
        fields = {
            "response_type": "code",
            "client_id": known[0],
            "redirect_uri": redirect_uri,
            "scope": SCOPES,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return Authorization(f"{instance}/oauth/authorize?{urlencode(fields)}", known)

    async def _is_forgotten(self, instance: str | None, application: tuple[str, str]) -> bool:
        # Its user would see an error on the instance's own page, of which we are not told.
        form = {"grant_type": "client_credentials", "client_id": application[0], "client_secret": application[1]}
        reply = await self._outbound.send("POST", f"{instance}/oauth/token", form=form)
        return reply.status in {400, 401, 403}

    async def _register(self, instance: str | None, redirect_uri: str) -> tuple[str, str]:
        form = {"client_name": "Lockleaf", "redirect_uris": redirect_uri, "scopes": SCOPES}
        if self._website:
            form["website"] = self._website
        made = _answer(await self._outbound.send("POST", f"{instance}/api/v1/apps", form=form))
        return _text(made, "client_id"), _text(made, "client_secret")

    async def callback(
        self, instance: str | None, redirect_uri: str, code: str, verifier: str, application: tuple[str, str] | None
    ) -> tuple[AccessGrant, NetworkAccount]:
        """Return what a code is good for."""
        if application is None:
            raise ReconnectNeeded
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": application[0],
            "client_secret": application[1],
            "redirect_uri": redirect_uri,
            "scope": SCOPES,
            "code_verifier": verifier,
        }
        token = _answer(await self._outbound.send("POST", f"{instance}/oauth/token", form=form))
        grant = AccessGrant(instance, _text(token, "access_token"), None, *application)
        account = _answer(await self._get(grant, "/api/v1/accounts/verify_credentials"))
        host = (instance or "").partition("://")[2]
        return grant, NetworkAccount(_text(account, "id"), f"@{_text(account, 'username')}@{host}")

    async def refresh(self, grant: AccessGrant, now: datetime) -> AccessGrant | None:
        """Return None: a token is good until it is revoked."""
        return None

    async def pull(self, grant: AccessGrant, profile: NetworkAccount, position: str | None) -> PostPage:
        """Return statuses behind a position, an id: the page that follows it, towards the newest."""
        after = position or "0"
        reply = await self._get(
            grant,
            f"/api/v1/accounts/{quote(profile.id, safe='')}/statuses",
            {"limit": str(_PAGE), "min_id": after, "exclude_reblogs": "true"},
        )
        listed = _answer(reply)
        if not isinstance(listed, list):
            raise Unintelligible
        statuses = sorted((_map(each) for each in listed), key=lambda status: _order(_text(status, "id")))
        if not statuses:
            return PostPage((), position, more=False, pause=_pause(reply))
        newest = _text(statuses[-1], "id")
        if _order(newest) <= _order(after):
            raise Unintelligible  # the page before, again
        posts = tuple(_post(status) for status in statuses if _is_told(status, profile.id))
        return PostPage(posts, newest, more=True, pause=_pause(reply))

    async def push(self, grant: AccessGrant, profile: NetworkAccount, outgoing: OutgoingPost) -> Published:
        """Publish a status."""
        form: dict[str, str | list[str]] = {"status": outgoing.text}
        if outgoing.visibility is not None:
            form["visibility"] = outgoing.visibility
        with before_publishing():
            media = [await self._upload(grant, picture) for picture in outgoing.pictures]
        if media:
            form["media_ids[]"] = media
        reply = await self._outbound.send(
            "POST",
            f"{grant.instance}/api/v1/statuses",
            form=form,
            headers={**_bearer(grant), "Idempotency-Key": outgoing.key},
        )
        made = _map(_answer(reply))
        return Published(_text(made, "id"), _url(made))

    async def _upload(self, grant: AccessGrant, picture: Picture) -> str:
        reply = await self._outbound.send(
            "POST",
            f"{grant.instance}/api/v2/media",
            form={"description": picture.description} if picture.description else None,
            files={"file": File(picture.name, picture.media_type, picture.data)},
            headers=_bearer(grant),
        )
        media_id = _text(_map(_answer(reply)), "id")
        if reply.status != 202:
            return media_id
        for seconds in _WAITS:
            await asyncio.sleep(seconds)
            ready = await self._get(grant, f"/api/v1/media/{quote(media_id, safe='')}")
            if ready.status != 206:
                _answer(ready)
                return media_id
        raise WorthRetrying(in_doubt=False)

    async def find(
        self, grant: AccessGrant, profile: NetworkAccount, target: str | None, since: datetime
    ) -> AsyncIterator[FoundPost]:
        """Yield the account's statuses, newest first, with the text that was sent, where the instance tells it."""
        path = f"/api/v1/accounts/{quote(profile.id, safe='')}/statuses"
        query = {"limit": str(_PAGE), "exclude_reblogs": "true"}
        seen = 0
        while True:
            listed = _answer(await self._get(grant, path, query))
            if not isinstance(listed, list):
                raise Unintelligible
            for status in map(_map, listed):
                created_at = _time(status)
                if created_at < since - _SKEW:
                    return
                text = await self._source(grant, status)
                yield FoundPost(_text(status, "id"), text, created_at, _url(status))
            seen += len(listed)
            if not listed:
                return
            oldest = min((_text(_map(each), "id") for each in listed), key=_order)
            if seen > _CANDIDATES or _order(oldest) >= _order(query.get("max_id", "~" * 64)):
                raise Unintelligible
            query["max_id"] = oldest

    async def _source(self, grant: AccessGrant, status: Mapping[str, Any]) -> str:
        """Return what was typed. Software that does not tell it tells at least what it made of it."""
        reply = await self._get(grant, f"/api/v1/statuses/{quote(_text(status, 'id'), safe='')}/source")
        if reply.status == 404:
            return plain_text(str(status.get("content", "")))
        return _text(_map(_answer(reply)), "text")

    async def disconnect(self, grant: AccessGrant) -> None:
        """Revoke the token."""
        form = {"client_id": grant.client_id or "", "client_secret": grant.client_secret or "", "token": grant.token}
        _answer(await self._outbound.send("POST", f"{grant.instance}/oauth/revoke", form=form))

    async def _get(self, grant: AccessGrant, path: str, query: Mapping[str, str] | None = None) -> Reply:
        return await self._outbound.send("GET", f"{grant.instance}{path}", query=query, headers=_bearer(grant))


def _bearer(grant: AccessGrant) -> dict[str, str]:
    return {"Authorization": f"Bearer {grant.token}"}


def _answer(reply: Reply) -> Any:
    """Return the document of a reply that is a success.

    Raises:
        NetworkFailure: it is a refusal or a failure.
    """
    status = reply.status
    if status == 429:
        raise Throttled(_until_reset(reply) or 300)
    if status == 401:
        raise ReconnectNeeded
    if status >= 500:
        raise WorthRetrying
    if 300 <= status < 400:
        raise Unintelligible
    if status >= 400:
        raise NetworkRefusal(status)
    return reply.json()


def _pause(reply: Reply) -> int:
    """Return how long to leave an instance alone whose last permitted call that was."""
    return (_until_reset(reply) or 0) if reply.headers.get("x-ratelimit-remaining") == "0" else 0


def _until_reset(reply: Reply) -> int | None:
    try:
        reset = datetime.fromisoformat(reply.headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return None
    seconds = ((reset if reset.tzinfo else reset.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    return max(1, min(int(seconds) + 1, _LONGEST_PAUSE))


def _map(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unintelligible
    return value


def _text(document: Any, name: str) -> str:
    value = _map(document).get(name)
    if not isinstance(value, str) or not value or len(value) > 100_000:
        raise Unintelligible
    return value


def _time(status: Mapping[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(_text(status, "created_at"))
    except ValueError:
        raise Unintelligible from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _url(status: Mapping[str, Any]) -> str | None:
    url = status.get("url")
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) <= 2000 else None


def _order(status_id: str) -> tuple[int, str]:
    """Ids are numbers as text, and other software's are text of one length: both grow with time."""
    return len(status_id), status_id


def _is_told(status: Mapping[str, Any], account_id: str) -> bool:
    """Tell whether a status is something that its writer said to the world, or to themselves.

    An answer to somebody else, and a letter, say half of something.
    """
    if status.get("reblog") is not None or status.get("visibility") == "direct":
        return False
    answered = status.get("in_reply_to_account_id")
    return status.get("in_reply_to_id") is None or answered == account_id


def _post(status: Mapping[str, Any]) -> Post:
    attached = status.get("media_attachments")
    media = [_map(each) for each in attached] if isinstance(attached, list) else []
    links = tuple(
        PictureLink(each["url"], _description(each))
        for each in media
        if each.get("type") == "image" and isinstance(each.get("url"), str)
    )
    tags = status.get("tags")
    names = (
        [each["name"] for each in tags if isinstance(each, dict) and isinstance(each.get("name"), str)]
        if isinstance(tags, list)
        else []
    )
    content = status.get("content")
    return Post(
        id=_text(status, "id"),
        text=plain_text(content) if isinstance(content, str) else "",
        created_at=_time(status),
        title=str(status.get("spoiler_text") or "").strip() or None,
        url=_url(status),
        tags=tuple(names),
        pictures=links,
        others=len(media) - len(links),
    )


def _description(media: Mapping[str, Any]) -> str | None:
    described = media.get("description")
    return described if isinstance(described, str) and described.strip() else None
