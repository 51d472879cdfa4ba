"""Signature Version 4 as S3 checks it, from its documentation: a request as it came, against a secret that is known.

Written apart from the library that signs, so that an error there cannot hide behind the same error here.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

UNSIGNED = "UNSIGNED-PAYLOAD"
ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=15)
LONGEST = 604800
AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{{64}})"
)


class Refused(Exception):
    """What S3 answers to a request that it does not take."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(code)


@dataclass(frozen=True)
class Account:
    """Who may send requests, and where to."""

    access_key: str
    secret_key: str
    region: str


@dataclass(frozen=True)
class Head:
    """A request without its body. ``path`` and ``query`` are as they stood on the line; headers in lower case."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]

    def header(self, name: str) -> str | None:
        """The value of a header that may stand there once."""
        values = [value for each, value in self.headers if each == name]
        if len(values) > 1:
            raise Refused(400, "InvalidRequest", "a header stands there twice")
        return values[0] if values else None

    def pairs(self) -> list[tuple[str, str]]:
        """The query, decoded."""
        split = (each.partition("=") for each in self.query.split("&") if each)
        return [(unquote(name), unquote(value)) for name, _, value in split]


def verify(head: Head, account: Account, now: datetime) -> str:
    """Return what the signature says of the body: UNSIGNED-PAYLOAD, or its SHA-256 in hexadecimal digits.

    Raises:
        Refused: the request was not signed by this account, or not for now.
    """
    fields = dict(head.pairs())
    if "X-Amz-Signature" in fields:
        return _verify_query(head, fields, account, now)
    return _verify_header(head, account, now)


def _verify_query(head: Head, fields: dict[str, str], account: Account, now: datetime) -> str:
    needed = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders")
    if any(name not in fields for name in needed) or fields["X-Amz-Algorithm"] != ALGORITHM:
        raise Refused(400, "AuthorizationQueryParametersError", "parameters are missing")
    if not fields["X-Amz-Expires"].isdigit() or not 1 <= int(fields["X-Amz-Expires"]) <= LONGEST:
        raise Refused(400, "AuthorizationQueryParametersError", "X-Amz-Expires is out of its bounds")
    signed_at = _time(fields["X-Amz-Date"])
    if signed_at - SKEW > now:
        raise Refused(403, "AccessDenied", "Request is not valid yet")
    if signed_at + timedelta(seconds=int(fields["X-Amz-Expires"])) < now:
        raise Refused(403, "AccessDenied", "Request has expired")
    payload = head.header("x-amz-content-sha256") or UNSIGNED
    signed = fields["X-Amz-SignedHeaders"].split(";")
    _check(head, account, fields["X-Amz-Credential"], signed, fields["X-Amz-Signature"], fields["X-Amz-Date"], payload)
    return payload


def _verify_header(head: Head, account: Account, now: datetime) -> str:
    given = AUTHORIZATION.fullmatch(head.header("authorization") or "")
    date, payload = head.header("x-amz-date"), head.header("x-amz-content-sha256")
    if given is None or date is None:
        raise Refused(403, "AccessDenied", "Access Denied")
    if abs(_time(date) - now) > SKEW:
        raise Refused(403, "RequestTimeTooSkewed", "the clocks differ too much")
    if payload is None:
        raise Refused(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    _check(head, account, given[1], given[2].split(";"), given[3], date, payload)
    return payload


def _check(
    head: Head, account: Account, credential: str, signed: list[str], signature: str, date: str, payload: str
) -> None:
    access_key, *scope = credential.split("/")
    if access_key != account.access_key:
        raise Refused(403, "InvalidAccessKeyId", "there is no such access key")
    if scope != [date[:8], account.region, "s3", "aws4_request"]:
        raise Refused(400, "AuthorizationQueryParametersError", "the credential is for something else")
    present = {name for name, _ in head.headers}
    needed = {"host"} | {name for name in present if name.startswith("x-amz-")} | (present & {"content-md5"})
    if not needed <= set(signed):
        raise Refused(403, "AccessDenied", "There were headers present in the request which were not signed")
    wanted = _signature(head, account, scope, sorted(signed), date, payload)
    if not hmac.compare_digest(wanted, signature):
        raise Refused(403, "SignatureDoesNotMatch", "the signature is not that of this request")


def _signature(head: Head, account: Account, scope: list[str], signed: list[str], date: str, payload: str) -> str:
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in head.pairs() if name != "X-Amz-Signature")
    lines = [
        f"{name}:{','.join(' '.join(value.split()) for each, value in head.headers if each == name)}" for name in signed
    ]
    canonical = "\n".join(
        (
            head.method,
            quote(unquote(head.path), safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *lines,
            "",
            ";".join(signed),
            payload,
        )
    )
    to_sign = "\n".join((ALGORITHM, date, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{account.secret_key}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refused(403, "AccessDenied", "this is no time") from None
