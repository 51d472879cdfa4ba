"""A client of the blind vault, as one was written for it: it has a name, and sends what it derives from a password."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import pbkdf2_hmac, sha256
from typing import Any

import httpx
import pytest

from lockleaf.wire.fields import decode_base64, encode_base64
from tests.support.account_holders import problem
from tests.support.contract import BASES
from tests.support.process import RunningServer

FEW = 10
"""Iterations of the derivation: it is the client's own, and its cost is not what is tried here."""


@dataclass
class VaultClient:
    """One device: it keeps the password for as long as it runs, and asks for everything else."""

    http: httpx.Client
    username: str
    password: str
    token: str = ""
    vault_id: str = ""
    version: int = 0
    key: bytes = field(default=b"", repr=False)

    def derive(self, salt: str) -> str:
        """Return the authentication hash, and keep the key that seals."""
        master = pbkdf2_hmac("sha256", self.password.encode(), decode_base64(salt), FEW)
        self.key = hmac.digest(master, b"encryption", sha256)
        return hmac.digest(master, b"authentication", sha256).hex()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.http.request(method, path, json=body, headers=headers)

    def register(self, vault_id: str) -> dict[str, Any]:
        salt = encode_base64(secrets.token_bytes(16))
        h_auth = self.derive(salt)
        body = {"username": self.username, "H_auth": h_auth, "salt": salt, "vault_id": vault_id}
        answer = self.call("POST", "/auth/register", body)
        assert answer.status_code == 201, answer.text
        return self._entered(answer.json())

    def log_in(self) -> dict[str, Any]:
        salt = self.call("POST", "/auth/prelogin", {"username": self.username}).json()["salt"]
        answer = self.call("POST", "/auth/login", {"username": self.username, "auth_hash": self.derive(salt)})
        assert answer.status_code == 200, answer.text
        return self._entered(answer.json())

    def _entered(self, answer: dict[str, Any]) -> dict[str, Any]:
        self.token, self.vault_id = answer["access_token"], answer["vault_id"]
        return answer

    def seal(self, text: str) -> dict[str, Any]:
        """A blob; the vault never looks inside, so any reversible thing will do."""
        iv = secrets.token_bytes(12)
        stream = hmac.digest(self.key, iv, sha256)
        sealed = bytes(a ^ b for a, b in zip(text.encode(), stream, strict=False))
        return {"ciphertext": encode_base64(sealed), "iv": encode_base64(iv)}

    def open(self, blob: dict[str, Any]) -> str:
        stream = hmac.digest(self.key, decode_base64(blob["iv"]), sha256)
        return bytes(a ^ b for a, b in zip(decode_base64(blob["ciphertext"]), stream, strict=False)).decode()

    def save(self, text: str) -> httpx.Response:
        blob = self.seal(text)
        if self.version == 0:
            first = {**blob, "vault_id": self.vault_id, "salt": "of the blob", "version": 1}
            answer = self.call("POST", "/vault", first)
        else:
            answer = self.call("PUT", f"/vault/{self.vault_id}", {**blob, "version": self.version + 1})
        if answer.is_success:
            self.version = answer.json()["version"]
        return answer

    def load(self) -> str:
        blob = self.call("GET", f"/vault/{self.vault_id}").json()
        self.version = blob["version"]
        return self.open(blob)


@pytest.mark.parametrize("base", BASES)
def test_a_vault_client_works_by_its_base_url_alone(server: RunningServer, base: str) -> None:
    offset = server.log.stat().st_size
    name = f"ada-{secrets.token_hex(8)}"
    with httpx.Client(base_url=f"{server.url}{base}", timeout=60) as http:
        laptop = VaultClient(http, name, "plum anvil tide lantern")
        made = laptop.register("journal")
        assert (made["username"], made["email"], made["vault_id"]) == (name, None, "journal")
        assert (made["privacy_tier"], made["encryption_tier"]) == ("full_sync", "e2e")
        assert laptop.save("first").status_code == 201

        phone = VaultClient(http, name.upper(), "plum anvil tide lantern")
        assert phone.log_in()["user_id"] == made["user_id"]
        assert phone.load() == "first"
        assert phone.save("second").status_code == 200

        # The laptop has not seen that: it is told so, reads, and goes on.
        late = problem(laptop.save("third"), 409, "version_conflict")
        assert late["current_version"] == 2
        assert laptop.load() == "second"
        assert laptop.save("third").json()["version"] == 3
        assert laptop.call("GET", f"/vault/{laptop.vault_id}").json()["salt"] == "of the blob"
        assert laptop.open(laptop.call("GET", f"/vault/{laptop.vault_id}/versions/1").json()) == "first"

        stranger = VaultClient(http, f"eve-{secrets.token_hex(8)}", "something else")
        invented = stranger.call("POST", "/auth/prelogin", {"username": stranger.username}).json()
        assert len(invented["salt"]) == len(made["salt"])
        wrong = {"username": stranger.username, "H_auth": stranger.derive(invented["salt"])}
        refused = problem(stranger.call("POST", "/auth/login", wrong), 401, "invalid_credentials")
        wrong["username"] = name
        assert problem(stranger.call("POST", "/auth/login", wrong), 401, "invalid_credentials") == refused
        taken = {"username": name, "H_auth": "of somebody else", "salt": "c2FsdA=="}
        problem(stranger.call("POST", "/auth/register", taken), 409, "email_taken")

        assert phone.call("DELETE", f"/vault/{phone.vault_id}").status_code == 204
        problem(laptop.call("GET", f"/vault/{laptop.vault_id}"), 404, "not_found")
        assert phone.call("POST", "/auth/logout").status_code == 204
        problem(phone.call("GET", "/vault"), 401, "session_revoked")
    with server.log.open("rb") as log:
        log.seek(offset)
        written = log.read().lower()
    assert b"/auth/prelogin" in written
    for secret in (name, made["salt"].lower(), laptop.derive(made["salt"]), made["access_token"].lower()):
        assert secret.encode() not in written
