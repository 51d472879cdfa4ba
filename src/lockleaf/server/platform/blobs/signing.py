"""Addresses of the server's own object store: who bears one may do the one thing that was signed, until it expires."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from lockleaf.server.platform.blobs.errors import UrlExpired, UrlInvalid
from lockleaf.server.platform.blobs.protocol import KEY
from lockleaf.server.platform.server_keys import Purpose, ServerKeys

__all__ = ["Grant", "ObjectUrls"]

PREFIX = "/api/v1/objects"
UPLOAD = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = "lockleaf/1/object-url"
_FORMS = {
    "expires": re.compile(r"[1-9][0-9]{0,10}"),
    "size": re.compile(r"[1-9][0-9]{0,14}"),
    "sha256": re.compile(r"[0-9a-f]{64}"),
    "signature": re.compile(r"[0-9a-f]{64}"),
}
_LONGEST_QUERY = 512


@dataclass(frozen=True, slots=True)
class Grant:
    """What an address allows.

    Attributes:
        method: PUT, or GET.
        key: of the object.
        upload, number: of a part, where it is for one.
        size, sha256: of the bytes that may be put there: their number, and their digest in hexadecimal digits, empty
            where any of this number may be.
    """

    method: str
    key: str
    upload: str = ""
    number: int = 0
    size: int = 0
    sha256: str = ""

    def path(self) -> str:
        """The path of the address on this server."""
        part = f"/parts/{self.upload}/{self.number}" if self.upload else ""
        return f"{PREFIX}/{self.key}{part}"


class ObjectUrls:
    """Signs addresses under the server's own key for them, and checks those that come back.

    Args:
        clock: gives the present time, aware, in UTC.
    """

    def __init__(self, keys: ServerKeys, clock: Callable[[], datetime]) -> None:
        self._keys = keys
        self._clock = clock

    def sign(self, grant: Grant, seconds: int) -> tuple[str, datetime]:
        """Return the path and query of the address for ``grant``, and when it expires."""
        expires = int((self._clock() + timedelta(seconds=seconds)).timestamp())
        query = {"expires": str(expires)}
        if grant.method == "PUT":
            query["size"] = str(grant.size)
            if grant.sha256:
                query["sha256"] = grant.sha256
        query["signature"] = _signature(self._keys.signing(Purpose.OBJECT_URL), grant, expires)
        return f"{grant.path()}?{urlencode(query)}", datetime.fromtimestamp(expires, UTC)

    def verify(self, method: str, key: str, upload: str, number: str, query: bytes) -> Grant:
        """Return what an address allows.

        Args:
            method, key, upload, number: of the request, as they came; empty where it is not for a part.
            query: as it came.

        Raises:
            UrlInvalid: it was not signed here, or not for this.
            UrlExpired: it was, and its time is over.
        """
        puts = method == "PUT"
        fields = _fields(query, {"expires", "signature"} | ({"size"} if puts else set()), {"sha256"} if puts else set())
        for_part = bool(upload or number)
        if not KEY.fullmatch(key) or (for_part and not (UPLOAD.fullmatch(upload) and _NUMBER.fullmatch(number))):
            raise UrlInvalid
        grant = Grant(method, key, upload, int(number) if for_part else 0)
        if method == "PUT":
            grant = replace(grant, size=int(fields["size"]), sha256=fields.get("sha256", ""))
        expires = int(fields["expires"])
        given = fields["signature"]
        # All of them are tried, whichever fits.
        fitting = [
            hmac.compare_digest(_signature(root, grant, expires), given)
            for root in self._keys.accepted(Purpose.OBJECT_URL)
        ]
        if not any(fitting):
            raise UrlInvalid
        if self._clock().timestamp() >= expires:
            raise UrlExpired
        return grant


def _signature(root: bytes, grant: Grant, expires: int) -> str:
    # None of the fields can hold a line break.
    fields = (_LABEL, grant.method, grant.key, grant.upload, grant.number, grant.size, grant.sha256, expires)
    return hmac.new(root, "\n".join(map(str, fields)).encode(), hashlib.sha256).hexdigest()


def _fields(query: bytes, names: set[str], optional: set[str]) -> dict[str, str]:
    """Return the fields of a query if they are just these, each once and well-formed."""
    try:
        # Longer ones are not even taken apart.
        pairs = parse_qsl(query[: _LONGEST_QUERY + 1].decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise UrlInvalid from None
    fields = dict(pairs)
    if len(query) > _LONGEST_QUERY or len(fields) != len(pairs) or fields.keys() - optional != names:
        raise UrlInvalid
    if not all(_FORMS[name].fullmatch(value) for name, value in fields.items()):
        raise UrlInvalid
    return fields
