"""Facebook, by the Graph API: a user's own posts come in, entries go out to their Pages.

After developers.facebook.com/docs: facebook-login/guides/advanced/manual-flow and .../oidc-token (PKCE),
facebook-login/guides/access-tokens/get-long-lived, pages-api (posts, photos), graph-api/reference/user/accounts,
graph-api/guides/secure-requests (`appsecret_proof`), graph-api/results (paging).

Not found stated there: that PKCE counts outside of the OpenID Connect flow, for which alone it is described (the two
fields do no harm otherwise, and the application's secret is sent as well); that `oauth/access_token` takes a form by
POST, as RFC 6749 has it and OAuth libraries send it (the guides show GET, with the secret in the address); and that a
long-lived token, exchanged before its end, gives one with a new end (only short-lived ones are spoken of): where it
does not, its user is asked to connect again when it has ended. The API writes to Pages alone: no permission lets an
application write to a profile.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from lockleaf.server.features.integrations.failures import (
    NetworkRefusal,
    Unanswered,
    Unintelligible,
    before_publishing,
)
from lockleaf.server.features.integrations.outbound import File, Outbound, Reply
from lockleaf.server.features.integrations.providers.graph_errors import DUPLICATE, answer, pause
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
    Target,
)

__all__ = ["Facebook"]

SCOPES = "public_profile,user_posts,user_photos,pages_show_list,pages_read_engagement,pages_manage_posts"
_FIELDS = "id,message,created_time,permalink_url,attachments{media_type,media,description,subattachments.limit(50)}"
_PAGE = "25"
_SKEW = timedelta(minutes=10)
_REFRESHED_BEFORE = timedelta(days=10)
_PAGING = ("after", "until", "__paging_token", "__previous")
_MOST_PAGES = 50


class Facebook:
    """Facebook.

    Args:
        outbound: sends requests.
        app_id, app_secret: of the application that the operator registered.
        graph: where the API is, with its version: `https://graph.facebook.com/v24.0`.
        dialog: where users allow it, with the same version: `https://www.facebook.com/v24.0`.
    """

    name = "facebook"
    visibilities: tuple[str, ...] = ()
    key_seconds = 0
    most_pictures = 10

    def __init__(self, outbound: Outbound, *, app_id: str, app_secret: str, graph: str, dialog: str) -> None:
        self._outbound = outbound
        self._app_id, self._app_secret = app_id, app_secret
        self._graph, self._dialog = graph.rstrip("/"), dialog.rstrip("/")

    def connected(self, instance: str | None) -> str | None:
        """Return None: there is but one Facebook."""
        return None

    async def connect(
        self, instance: str | None, redirect_uri: str, state: str, challenge: str, application: tuple[str, str] | None
    ) -> Authorization:
        """Return where the user is sent."""
        fields = {
            "client_id": self._app_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": SCOPES,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return Authorization(f"{self._dialog}/dialog/oauth?{urlencode(fields)}")

    async def callback(
        self, instance: str | None, redirect_uri: str, code: str, verifier: str, application: tuple[str, str] | None
    ) -> tuple[AccessGrant, NetworkAccount]:
        """Return a long-lived token for a code, and whose it is."""
        now = datetime.now(UTC)
        short, _ = await self._token(now, redirect_uri=redirect_uri, code=code, code_verifier=verifier)
        grant = await self._long_lived(short, now)
        person = answer(await self._get(grant.token, "/me", {"fields": "id,name"}))
        return grant, NetworkAccount(_text(person, "id"), _text(person, "name"), await self._targets(grant))

    async def refresh(self, grant: AccessGrant, now: datetime) -> AccessGrant | None:
        """Return a later-ending token for one that ends soon."""
        if grant.expires_at is None or grant.expires_at - now > _REFRESHED_BEFORE:
            return None
        return await self._long_lived(grant.token, now)

    async def _long_lived(self, token: str, now: datetime) -> AccessGrant:
        longer, expires_at = await self._token(now, grant_type="fb_exchange_token", fb_exchange_token=token)
        return AccessGrant(None, longer, expires_at)

    async def _token(self, now: datetime, **fields: str) -> tuple[str, datetime | None]:
        # In a form, as POST: what stands in an address is written down on its way.
        form = {"client_id": self._app_id, "client_secret": self._app_secret, **fields}
        made = answer(await self._outbound.send("POST", f"{self._graph}/oauth/access_token", form=form))
        seconds = made.get("expires_in")
        ends = now + timedelta(seconds=seconds) if isinstance(seconds, int) and seconds > 0 else None
        return _text(made, "access_token"), ends

    async def _targets(self, grant: AccessGrant) -> tuple[Target, ...]:
        found: list[Target] = []
        query = {"fields": "id,name,tasks", "limit": "100"}
        for _ in range(_MOST_PAGES):
            listed = answer(await self._get(grant.token, "/me/accounts", query))
            for page in _data(listed):
                tasks = page.get("tasks")
                if not isinstance(tasks, list) or "CREATE_CONTENT" in tasks or "MANAGE" in tasks:
                    found.append(Target(_text(page, "id"), _text(page, "name")))
            following = _following(listed)
            if following is None or following.items() <= query.items():
                break
            query |= following
        return tuple(found)

    async def pull(self, grant: AccessGrant, profile: NetworkAccount, position: str | None) -> PostPage:
        """Return posts, a page towards the oldest at a time, from the newest to where the last round began.

        A position is a map: `done`, the time from which all is taken over; while a round is under way also `top`, the
        newest time that it saw, and `next`, the API's own words for the page that follows.
        """
        place = _place(position)
        query = {"fields": _FIELDS, "limit": _PAGE, **place.get("next", {})}
        if "done" in place:
            query["since"] = str(place["done"])
        reply = await self._get(grant.token, "/me/posts", query)
        listed = answer(reply)
        posts = [_post(each) for each in _data(listed)]
        times = [int(post.created_at.timestamp()) for post in posts]
        top = max([*times, place.get("top", 0), place.get("done", 0)])
        following = _following(listed)
        if following is not None and following == place.get("next"):
            raise Unintelligible  # the page before, again
        if posts and following is not None:
            place = {"top": top, "next": following} | ({"done": place["done"]} if "done" in place else {})
            return PostPage(tuple(posts), json.dumps(place), more=True, pause=pause(reply))
        # A second before: two posts may have been made within one, and of them only one listed.
        return PostPage(tuple(posts), json.dumps({"done": max(0, top - 1)}), more=False, pause=pause(reply))

    async def push(self, grant: AccessGrant, profile: NetworkAccount, outgoing: OutgoingPost) -> Published:
        """Publish to a Page."""
        page = quote(outgoing.target or "", safe="")
        form: dict[str, str | list[str]] = {"message": outgoing.text}
        with before_publishing():
            token = await self._page_token(grant, page)
            for number, picture in enumerate(outgoing.pictures):
                photo = await self._upload(token, page, picture)
                form[f"attached_media[{number}]"] = json.dumps({"media_fbid": photo})
        try:
            made = answer(await self._post(token, f"/{page}/feed", form))
        except NetworkRefusal as refused:
            if refused.network_code == DUPLICATE:  # it is there, and its answer was lost
                raise Unanswered from None
            raise
        return Published(_text(made, "id"), f"https://www.facebook.com/{_text(made, 'id')}")

    async def _page_token(self, grant: AccessGrant, page: str) -> str:
        return _text(answer(await self._get(grant.token, f"/{page}", {"fields": "access_token"})), "access_token")

    async def _upload(self, token: str, page: str, picture: Picture) -> str:
        form: dict[str, str | list[str]] = {"published": "false"}
        if picture.description:
            form["alt_text_custom"] = picture.description
        files = {"source": File(picture.name, picture.media_type, picture.data)}
        return _text(answer(await self._post(token, f"/{page}/photos", form, files)), "id")

    async def find(
        self, grant: AccessGrant, profile: NetworkAccount, target: str | None, since: datetime
    ) -> AsyncIterator[FoundPost]:
        """Yield what a Page lists as its own posts."""
        page = quote(target or "", safe="")
        token = await self._page_token(grant, page)
        query = {
            "fields": "id,message,created_time,permalink_url",
            "limit": _PAGE,
            "since": str(int((since - _SKEW).timestamp())),
        }
        for _ in range(_MOST_PAGES):
            listed = answer(await self._get(token, f"/{page}/feed", query))
            for post in map(_post, _data(listed)):
                if post.created_at >= since - _SKEW:
                    yield FoundPost(post.id, post.text, post.created_at, post.url)
            following = _following(listed)
            if following is None or not _data(listed):
                return
            if following.items() <= query.items():
                break
            query |= following
        raise Unintelligible  # without an end nobody can say what is not in it

    async def disconnect(self, grant: AccessGrant) -> None:
        """Take back all that its user allowed."""
        answer(await self._outbound.send("DELETE", f"{self._graph}/me/permissions", query=self._proved(grant.token)))

    def _proved(self, token: str) -> dict[str, str]:
        proof = hmac.digest(self._app_secret.encode(), token.encode(), hashlib.sha256).hex()
        return {"access_token": token, "appsecret_proof": proof}

    async def _get(self, token: str, path: str, query: Mapping[str, str]) -> Reply:
        return await self._outbound.send("GET", f"{self._graph}{path}", query={**query, **self._proved(token)})

    async def _post(
        self,
        token: str,
        path: str,
        form: Mapping[str, str | list[str]],
        files: Mapping[str, File] | None = None,
    ) -> Reply:
        return await self._outbound.send(
            "POST", f"{self._graph}{path}", form={**form, **self._proved(token)}, files=files
        )


def _place(position: str | None) -> dict[str, Any]:
    return {} if position is None else dict(json.loads(position))


def _data(listed: Mapping[str, Any]) -> list[dict[str, Any]]:
    data = listed.get("data")
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        raise Unintelligible
    return data


def _following(listed: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the fields that lead to the page behind. The address that the API gives for it bears the token, and could
    lead anywhere: of it only these fields are taken.
    """
    paging = listed.get("paging")
    address = paging.get("next") if isinstance(paging, dict) else None
    if not isinstance(address, str):
        return None
    fields = {name: value for name, value in parse_qsl(urlsplit(address).query) if name in _PAGING}
    return fields or None


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value or len(value) > 100_000:
        raise Unintelligible
    return value


def _post(document: Mapping[str, Any]) -> Post:
    try:
        created_at = datetime.fromisoformat(_text(document, "created_time"))
    except ValueError:
        raise Unintelligible from None
    if created_at.tzinfo is None:
        created_at = created_at.replace(tzinfo=UTC)
    links, others = _pictures(document.get("attachments"))
    url = document.get("permalink_url")
    message = document.get("message")
    return Post(
        id=_text(document, "id"),
        text=message if isinstance(message, str) else "",
        created_at=created_at,
        url=url if isinstance(url, str) and url.startswith("https://") and len(url) <= 2000 else None,
        pictures=tuple(links),
        others=others,
    )


def _pictures(attachments: Any) -> tuple[list[PictureLink], int]:
    """Return the pictures of a post, those of an album one by one, and how many attachments are no pictures."""
    links: list[PictureLink] = []
    others = 0
    listed = attachments.get("data") if isinstance(attachments, dict) else None
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict):
            continue
        inner = each.get("subattachments")
        if isinstance(inner, dict) and isinstance(inner.get("data"), list) and inner["data"]:
            more, rest = _pictures(inner)
            links, others = [*links, *more], others + rest
            continue
        media = each.get("media")
        image = media.get("image") if isinstance(media, dict) else None
        source = image.get("src") if isinstance(image, dict) else None
        if isinstance(source, str) and each.get("media_type", each.get("type")) in ("photo", "album"):
            described = each.get("description")
            links.append(PictureLink(source, described if isinstance(described, str) and described else None))
        elif each.get("media_type") != "link":
            others += 1
    return links, others
