"""A client of the older diary, as one was written for it: in either custody, and what it does from the first day on."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx
import pytest

from lockleaf.crypto import identity
from lockleaf.wire.fields import decode_base64, encode_base64
from tests.support.account_holders import new_email, problem
from tests.support.contract import BASES
from tests.support.process import RunningServer

PASSWORD = "plum anvil tide lantern"
FIRST = {"mood": "calm", "weather": "fog", "location": "by the river", "source": "mobile"}


@dataclass
class DiaryClient:
    """One device, with what it keeps between two requests."""

    http: httpx.Client
    custody: str
    email: str = field(default_factory=new_email)
    tokens: dict[str, Any] = field(default_factory=dict)
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def call(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        token = self.tokens.get("jwt_token")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.http.request(method, path, headers=headers, **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, status: int, code: str, **options: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.tokens['jwt_token']}"}
        return problem(self.http.request(method, path, headers=headers, **options), status, code)

    def sign_up(self) -> dict[str, Any]:
        body = {"email": self.email, "password": PASSWORD, "encryption_tier": self.custody, "daily_word_goal": 300}
        if self.custody == "E2E":
            body["public_key"] = identity.recipient_from_seed(secrets.token_bytes(32))
        self.tokens = self.call("POST", "/auth/signup/", 201, json=body)
        return self.tokens

    def seal(self, text: str) -> str:
        """A scheme of the client's own; nobody else has to understand it."""
        nonce = secrets.token_bytes(16)
        stream = sha256(self.key + nonce).digest() * (len(text.encode()) // 32 + 1)
        return encode_base64(nonce + bytes(a ^ b for a, b in zip(text.encode(), stream, strict=False)))

    def open(self, sealed: str) -> str:
        nonce, data = decode_base64(sealed)[:16], decode_base64(sealed)[16:]
        stream = sha256(self.key + nonce).digest() * (len(data) // 32 + 1)
        return bytes(a ^ b for a, b in zip(data, stream, strict=False)).decode()

    def entry(self, text: str, title: str, tags: list[str], **fields: Any) -> dict[str, Any]:
        if self.custody == "UCE":
            return {"content": text, "title": title, "tag_names": tags, **fields}
        return {
            "encrypted_content": self.seal(text),
            "encrypted_title": self.seal(title),
            "content_hash": sha256(text.encode()).hexdigest(),
            "tag_names": tags,
            **fields,
        }

    def read(self, entry: dict[str, Any]) -> tuple[str, str, set[str]]:
        if self.custody == "UCE":
            return entry["content"], entry["title"], set(entry["tags"])
        opened = self.open(entry["encrypted_content"]), self.open(entry["encrypted_title"])
        return (*opened, set(entry["tag_names"]))


@pytest.fixture(params=["E2E", "UCE"])
def custody(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.mark.parametrize("base", BASES)
def test_a_diary_client_works_by_its_base_url_alone(server: RunningServer, base: str, custody: str) -> None:
    offset = server.log.stat().st_size
    with httpx.Client(base_url=f"{server.url}{base}", timeout=60) as http:
        ada = DiaryClient(http, custody)
        made = ada.sign_up()
        assert (made["user_id"], made["encryption_tier"]) == (made["id"], custody.lower())
        assert len(made["recovery_codes"] or ()) == (10 if custody == "UCE" else 0)
        used = _stays_in(ada)
        _writes(ada)
        _attaches(ada)
        _backs_up(ada)
        _comes_back(ada, made["recovery_codes"])
        me = ada.call("GET", "/users/me")
        assert (me["user_id"], me["daily_word_goal"], me["total_words_written"]) == (made["user_id"], 300, None)
        assert me["logs_count"] == 4
        assert me["writing_streak"] == 1
        assert me["updated_at"]
    with server.log.open("rb") as log:
        log.seek(offset)
        written = log.read()
    for secret in (*used, PASSWORD, ada.email, made["user_id"], "by the river", "river.jpg"):
        assert secret.encode() not in written


def _stays_in(ada: DiaryClient) -> list[str]:
    """Log in and refresh, the token in the URL; return the tokens that were sent so."""
    ada.tokens = ada.call("POST", "/auth/login", json={"email": ada.email, "password": PASSWORD})
    used = ada.tokens["refresh_token"]
    following = ada.call("POST", "/auth/refresh", params={"refresh_token": used})
    assert following["user_id"] == ada.tokens["user_id"]
    ada.tokens = following
    ada.refused("PUT", "/users/me", 422, "invalid_request", json={"password": "another one"})
    return [used, following["refresh_token"]]


def _writes(ada: DiaryClient) -> None:
    sent = ada.entry("Walked to the river.", "First day", ["walks"], occurred_at="2026-03-14T18:30:00Z", **FIRST)
    first = ada.call("POST", "/entries/", 201, json=sent)
    assert ada.read(first) == ("Walked to the river.", "First day", {"walks"})
    assert {name: first[name] for name in FIRST} == FIRST
    if ada.custody == "E2E":  # its answer was lost, so it is sent again, and sealed again
        again = {**sent, "encrypted_content": ada.seal("Walked to the river.")}
        assert ada.call("POST", "/entries", json=again)["id"] == first["id"]
    for day in (15, 16):
        later = ada.entry(f"Rain on the {day}th.", "Rain", ["weather"], mood="grey", occurred_at=f"2026-03-{day}")
        ada.call("POST", "/entries", 201, json=later)

    page = ada.call("GET", "/entries", params={"page": 2, "page_size": 2})
    assert (page["page"], page["page_size"], page["total"], len(page["items"])) == (2, 2, 3, 1)
    assert page["items"][0]["id"] == first["id"]
    grey = ada.call("GET", "/entries", params={"mood_filter": "grey"})["items"]
    assert [ada.read(each)[0] for each in grey] == ["Rain on the 16th.", "Rain on the 15th."]
    assert len(ada.call("GET", "/entries", params={"source_filter": "mobile"})["items"]) == 1
    assert {tag["name"] for tag in ada.call("GET", "/tags/")} == {"walks", "weather"}

    place = f"/entries/{first['id']}"
    changed = {**ada.entry("Walked to the river and back.", "First day", ["walks"]), "weather": None}
    ada.refused("PUT", place, 428, "revision_required", json=changed)
    after = ada.call("PUT", place, json={**changed, "revision": 2})
    assert ada.read(after)[0] == "Walked to the river and back."
    assert (after["weather"], after["location"]) == (None, "by the river")
    late = ada.refused("PUT", place, 409, "revision_conflict", json={"mood": "late", "revision": 2})
    assert late["current_revision"] == 2

    assert ada.call("DELETE", place)["deleted_at"]
    assert ada.call("GET", "/entries", params={"deleted": "true"})["items"][0]["id"] == first["id"]
    assert ada.read(ada.call("POST", f"{place}/restore"))[0] == "Walked to the river and back."
    gone = f"/entries/{grey[0]['id']}"
    ada.call("DELETE", gone, params={"permanent": "true"})
    ada.refused("POST", f"{gone}/restore", 409, "entry_purged")
    ada.call("POST", "/entries", 201, json=ada.entry("Sun again.", "Sun", [], occurred_at="2026-03-17"))


def _attaches(ada: DiaryClient) -> None:
    data = secrets.token_bytes(2000)
    body = {"file_name": "river.jpg", "file_size": len(data), "mime_type": "image/jpeg"}
    declared = ada.call("POST", "/media/upload", 201, json=body)
    upload = declared["upload"]
    stored = ada.http.request(upload["method"], upload["url"], headers=upload["headers"], content=data)
    assert stored.is_success, stored.text
    file = ada.call("POST", f"/media/{declared['id']}/complete")
    assert (file["file_name"], file["media_type"], file["size"]) == ("river.jpg", "image/jpeg", 2000)
    assert decode_base64(file["sha256"]) == sha256(data).digest()
    told = ada.call("GET", f"/media/{declared['id']}/download")
    assert ada.http.get(told["url"], headers=told["headers"]).content == data


def _backs_up(ada: DiaryClient) -> None:
    backup = {
        "log_id": "day-1",
        "encrypted_content": ada.seal("kept elsewhere too"),
        "content_iv": "an iv",
        "updated_at": "2026-03-14T19:00:00Z",
        "device_id": "phone",
    }
    stored = ada.call("POST", "/sync/backup", 201, json=backup)
    assert (stored["log_id"], stored["id"]) == ("day-1", "day-1")
    [listed] = ada.call("GET", "/sync/backups")["backups"]
    assert (listed["log_id"], listed["created_at"]) == ("day-1", listed["updated_at"])


def _comes_back(ada: DiaryClient, codes: list[str] | None) -> None:
    if codes is None:
        codes = ada.call("POST", "/auth/recovery-codes", json={"current_password": PASSWORD})["recovery_codes"]
    assert codes is not None
    ada.tokens = {}
    code = {"email": ada.email, "code": codes[3]}
    found = ada.call("POST", "/auth/verify-recovery-code", json=code)
    recover = {"recovery_token": found["recovery_token"], "password": f"{PASSWORD} again"}
    ada.tokens = ada.call("POST", "/auth/recover", json=recover)
    assert ada.call("GET", "/auth/recovery-codes")["remaining"] == 9
    entries = ada.call("GET", "/entries")["items"]
    assert [ada.read(each)[0] for each in entries] == [
        "Sun again.",
        "Rain on the 15th.",
        "Walked to the river and back.",
    ]
