"""Accounts that are known by a name in place of an email, as vault clients make them."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.platform.settings import Settings
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import Person, new_email, new_kdf, problem, served

H_AUTH = "the hash of a password"


def new_name() -> str:
    """A name that nobody has."""
    return f"ada-{secrets.token_hex(8)}"


def new_salt() -> str:
    """A salt as vault clients write theirs."""
    return encode_base64(secrets.token_bytes(16))


async def register(http: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """What a registration with these fields is answered."""
    answer = await http.post("/auth/register", json=fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def test_an_account_with_a_name_shows_the_name_and_no_email(http: httpx.AsyncClient) -> None:
    name = f"Åda-{new_name()}"
    made = await register(http, username=f" {name} ", H_auth=H_AUTH)
    for path in ("/auth/me", "/users/me"):
        shown = (await http.get(path, headers=bearer(made))).json()
        assert (shown["email"], shown["username"]) == (None, name)
    assert (made["email"], made["username"]) == (None, name)
    with_email = await register(http, username=(email := new_email()), password=H_AUTH)
    assert (with_email["email"], with_email["username"]) == (email, None)


async def test_a_name_is_one_however_it_is_spelled(http: httpx.AsyncClient) -> None:
    name = f"ÅDA-{new_name()}"
    made = await register(http, username=name, H_auth=H_AUTH)
    again = await http.post("/auth/register", json={"username": name.casefold(), "H_auth": H_AUTH})
    problem(again, 409, "email_taken")
    entered = await http.post("/auth/login", json={"username": f" {name.lower()} ", "auth_hash": H_AUTH})
    assert entered.json()["user"]["id"] == made["id"]
    form = {"username": name.swapcase(), "password": H_AUTH}
    assert (await http.post("/auth/token", data=form)).status_code == 200


@pytest.mark.parametrize("secret", ["h_auth", "H_auth", "auth_hash", "auth_secret"])
async def test_a_vault_clients_account_syncs_from_the_beginning(http: httpx.AsyncClient, secret: str) -> None:
    assert (await register(http, username=new_name(), password=H_AUTH))["privacy_tier"] == "full_sync"
    assert (await register(http, email=new_email(), **{secret: H_AUTH}))["privacy_tier"] == "full_sync"
    assert (await register(http, email=new_email(), password=H_AUTH))["privacy_tier"] == "local_only"
    chosen = await register(http, username=new_name(), privacy_tier="local_only", **{secret: H_AUTH})
    assert chosen["privacy_tier"] == "local_only"


@pytest.mark.parametrize(
    "name",
    ["", " ", "a b", "a\u00a0b", "a\nb", "a\u0000b", "ada＠example.org", "a\ufe72", "x" * 255, "\ufdfa" * 20, "@", 7],
)
async def test_what_is_no_name_is_refused(http: httpx.AsyncClient, name: Any) -> None:
    body = {"username": name, "H_auth": H_AUTH}
    for path in ("/auth/register", "/auth/login", "/auth/prelogin"):
        found = problem(await http.post(path, json=body), 422, "invalid_request")
        secret = {"H_auth"} if path == "/auth/prelogin" else set()  # which comes before there is one
        assert {error["field"].split(".")[0] for error in found["errors"]} == {"username"} | secret


async def test_an_email_has_an_at_where_it_is_called_one(http: httpx.AsyncClient) -> None:
    for path in ("/auth/register", "/auth/login", "/auth/prelogin"):
        problem(await http.post(path, json={"email": new_name(), "password": H_AUTH}), 422, "invalid_request")


async def test_who_says_two_things_is_asked_which(http: httpx.AsyncClient) -> None:
    both = {"email": new_email(), "username": new_name(), "password": H_AUTH}
    found = problem(await http.post("/auth/register", json=both), 422, "invalid_request")
    assert [error["field"] for error in found["errors"]] == ["username"]
    two = {"username": new_name(), "password": H_AUTH, "H_auth": f"{H_AUTH}!"}
    answer = await http.post("/auth/register", json=two)
    assert [error["field"] for error in problem(answer, 422, "invalid_request")["errors"]] == ["H_auth"]
    assert H_AUTH not in answer.text
    name = new_email()
    assert (await register(http, email=name, username=name.upper(), password=H_AUTH, auth_hash=H_AUTH))["id"]


# ---- prelogin ----


async def test_a_salt_is_given_back_as_it_came_until_another_one_is_set(http: httpx.AsyncClient) -> None:
    name, salt, following = new_name(), new_salt(), new_salt()
    made = await register(http, username=name, H_auth=H_AUTH, salt=salt, vault_id="main")
    assert (made["salt"], made["vault_id"]) == (salt, "main")

    async def shown() -> str:
        found: str = (await http.post("/auth/prelogin", json={"username": name.upper()})).json()["salt"]
        return found

    assert await shown() == salt
    entered = (await http.post("/auth/login", json={"username": name, "H_auth": H_AUTH})).json()
    assert (entered["salt"], entered["vault_id"], entered["user"]["vault_id"]) == (salt, "main", "main")
    change = {"current_password": H_AUTH, "H_auth": "of another password", "salt": following}
    assert (await http.put("/auth/password", json=change, headers=bearer(entered))).status_code == 200
    assert await shown() == following
    entered = (await http.post("/auth/login", json={"username": name, "H_auth": "of another password"})).json()
    change = {"current_password": "of another password", "H_auth": H_AUTH}
    assert (await http.put("/auth/password", json=change, headers=bearer(entered))).status_code == 200
    assert await shown() == following


@pytest.mark.parametrize("salt", ["", " ", "a b", "ä" * 8, "x" * 257, "a\u0000b", 7])
async def test_what_is_no_salt_is_refused(http: httpx.AsyncClient, salt: Any) -> None:
    body = {"username": new_name(), "H_auth": H_AUTH, "salt": salt}
    found = problem(await http.post("/auth/register", json=body), 422, "invalid_request")
    assert [error["field"] for error in found["errors"]] == ["salt"]


@pytest.mark.parametrize(("encoding", "size", "length"), [("base64", 16, 24), ("hex", 16, 32), ("base64", 64, 88)])
async def test_prelogin_tells_no_account_from_no_account(
    settings: Settings, encoding: str, size: int, length: int
) -> None:
    form = {"salt_encoding": encoding, "salt_bytes": size}
    configured = Settings.model_validate({**settings.model_dump(), "prelogin": form})

    async with served(configured) as (_, http):

        async def shown(**who: str) -> dict[str, Any]:
            answer: dict[str, Any] = (await http.post("/auth/prelogin", json=who)).json()
            return answer

        bytes_of = secrets.token_bytes(size)
        salt = bytes_of.hex() if encoding == "hex" else encode_base64(bytes_of)
        vault, older, ada = new_name(), new_name(), Person()
        await register(http, username=vault, H_auth=H_AUTH, salt=salt)
        await register(http, username=older, H_auth=H_AUTH)
        await ada.sign_up(http)
        found = [await shown(username=name) for name in (vault, older, new_name())]
        found += [await shown(email=email) for email in (ada.email, new_email())]
        assert found[0]["salt"] == salt
        assert found[3]["kdf"] == ada.kdf
        assert {tuple(each) for each in found} == {("kdf", "salt")}
        assert {len(each["salt"]) for each in found} == {length}
        assert len({each["salt"] for each in found}) == len(found)
        # The four that are made up are of the default costs, and none tells which account has no parameters.
        assert {frozenset(each["kdf"]) for each in found} == {frozenset(new_kdf())}
        nobody = new_name()
        assert await shown(username=nobody) == await shown(username=nobody.upper())


async def test_a_name_and_a_wrong_secret_are_answered_like_a_name_that_nobody_has(http: httpx.AsyncClient) -> None:
    name = new_name()
    await register(http, username=name, H_auth=H_AUTH)
    wrong = await http.post("/auth/login", json={"username": name, "H_auth": "of something else"})
    nobody = await http.post("/auth/login", json={"username": new_name(), "H_auth": H_AUTH})
    assert problem(wrong, 401, "invalid_credentials") == problem(nobody, 401, "invalid_credentials")
    for who in (name, new_name()):
        code = {"username": who, "code": "00000-00000-00000-00000"}
        problem(await http.post("/auth/verify-recovery-code", json=code), 401, "invalid_recovery_code")


async def test_a_repeated_registration_with_another_salt_is_no_repetition(http: httpx.AsyncClient) -> None:
    body = {**Person().signup_body(), "salt": new_salt(), "vault_id": "main"}
    first, again = [await register(http, **body) for _ in range(2)]
    assert (first["id"], first["salt"]) == (again["id"], again["salt"])
    for other in ({"salt": new_salt()}, {"vault_id": "another"}):
        problem(await http.post("/auth/register", json={**body, **other}), 409, "email_taken")


# ---- the vault ----


async def test_a_blob_keeps_its_salt_where_its_next_version_names_none(http: httpx.AsyncClient, app: FastAPI) -> None:
    made = await register(http, username=new_name(), H_auth=H_AUTH, vault_id="main")
    headers = bearer(made)
    blob = {"vault_id": made["vault_id"], "ciphertext": "c2VhbGVk", "iv": "an iv", "salt": "a salt", "version": 1}
    assert (await http.post("/vault", json=blob, headers=headers)).status_code == 201
    following = {"ciphertext": "b3RoZXI=", "iv": "another", "version": 2}
    for _ in range(2):  # the second is the first one sent again
        replaced = await http.put("/vault/main", json=following, headers=headers)
        assert (replaced.status_code, replaced.json()["version"]) == (200, 2)
    assert (await http.get("/vault/main", headers=headers)).json()["salt"] == "a salt"
    problem(
        await http.put("/vault/main", json={**following, "vault_id": "x", "version": 3}, headers=headers),
        422,
        "invalid_request",
    )
    other = {**following, "vault_id": "main", "salt": "a new salt", "version": 3}
    assert (await http.put("/vault/main", json=other, headers=headers)).status_code == 200
    assert (await http.get("/vault/main", headers=headers)).json()["salt"] == "a new salt"
