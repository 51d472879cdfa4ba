"""Accounts as clients of the older diary make and use them."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest

from lockleaf.crypto import identity, recovery
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import Person, new_email, problem
from tests.support.process import RunningServer

PASSWORD = "plum anvil tide lantern"


def public_key() -> str:
    """An age recipient of nobody else."""
    return identity.recipient_from_seed(secrets.token_bytes(32))


def backup() -> dict[str, Any]:
    """An entry as a client that keeps its keys to itself backs it up."""
    return {
        "id": secrets.token_hex(8),
        "encrypted_content": encode_base64(secrets.token_bytes(40)),
        "content_iv": "an iv",
        "created_at": "2026-03-01T12:00:00Z",
        "updated_at": "2026-03-01T12:00:00Z",
        "device_id": "phone",
    }


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def sign_up(http: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    body = {"email": new_email(), "password": PASSWORD, "encryption_tier": "E2E", "public_key": public_key(), **fields}
    answer = await http.post("/auth/signup", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


# ---- signing up ----


async def test_a_public_key_alone_makes_an_account_without_a_keyring(http: httpx.AsyncClient) -> None:
    key = public_key()
    made = await sign_up(http, public_key=key)
    me = (await http.get("/auth/me", headers=bearer(made))).json()
    assert (made["encryption_tier"], made["privacy_tier"], made["recovery_codes"]) == ("e2e", "full_sync", None)
    assert (me["recipient"], me["keyring"], me["keyring_version"], me["signing_key"]) == (key, None, 0, None)
    unusable = {"email": new_email(), "password": PASSWORD, "encryption_tier": "E2E"}
    for wrong in ("age1" + "q" * 58, encode_base64(bytes(32)), "-----BEGIN PUBLIC KEY-----"):
        answer = await http.post("/auth/signup", json={**unusable, "public_key": wrong})
        problem(answer, 422, "invalid_recipient")
    problem(await http.post("/auth/signup", json=unusable), 422, "keys_required")


async def test_a_keyring_takes_the_place_of_the_public_key_alone(http: httpx.AsyncClient) -> None:
    made = await sign_up(http)
    person = Person(secret=PASSWORD, tokens=made)
    first = person.keyring_body(person, 0, password=None, key_id=None, retired_at=None)
    body = {name: value for name, value in first.items() if value is not None}
    assert (await http.put("/auth/keyring", json=body, headers=person.headers)).json()["keyring_version"] == 1
    me = (await http.get("/auth/me", headers=person.headers)).json()
    assert (me["recipient"], me["keyring"]) == (person.recipient, person.keyring)


async def test_a_repeated_sign_up_with_another_public_key_is_no_repetition(http: httpx.AsyncClient) -> None:
    person, key = Person(), public_key()
    body = {"email": person.email, "id": str(person.id), "public_key": key}
    first, again = [await sign_up(http, **body) for _ in range(2)]
    assert first["id"] == again["id"]
    other = {**body, "password": PASSWORD, "encryption_tier": "e2e", "public_key": public_key()}
    problem(await http.post("/auth/signup", json=other), 409, "email_taken")


async def test_custodies_in_capitals(http: httpx.AsyncClient) -> None:
    made = await sign_up(http, encryption_tier="UCE", public_key=None)
    assert (made["encryption_tier"], len(made["recovery_codes"])) == ("uce", 10)
    for wrong in ("Uce", "NONE", "", 7):
        body = {"email": new_email(), "password": PASSWORD, "encryption_tier": wrong}
        problem(await http.post("/auth/signup", json=body), 422, "invalid_request")
    for custody in ("uce", "UCE"):
        body = {"email": new_email(), "password": PASSWORD, "encryption_tier": custody}
        found = problem(await http.post("/auth/register", json=body), 422, "invalid_request")
        assert [error["field"] for error in found["errors"]] == ["encryption_tier"]


# ---- tokens ----


async def test_answers_name_token_and_user_as_diary_clients_do(http: httpx.AsyncClient) -> None:
    made = await sign_up(http)
    login = {"email": made["email"], "password": PASSWORD}
    entered = (await http.post("/auth/login", json=login)).json()
    form = (await http.post("/auth/token", data={"username": made["email"], "password": PASSWORD})).json()
    for answer in (made, entered, form):
        assert (answer["jwt_token"], answer["user_id"]) == (answer["access_token"], made["id"])
    assert entered["user"]["user_id"] == made["id"]
    for path in ("/auth/me", "/users/me"):
        assert (await http.get(path, headers=bearer(made))).json()["user_id"] == made["id"]


@pytest.mark.parametrize(("body", "kind"), [(b"", None), (b"", "application/x-www-form-urlencoded"), (b"{}", None)])
async def test_a_refresh_token_may_come_in_the_url(http: httpx.AsyncClient, body: bytes, kind: str | None) -> None:
    made = await sign_up(http)
    headers = {"Content-Type": kind} if kind else {}
    token = {"refresh_token": made["refresh_token"]}
    answer = await http.post("/auth/refresh", params=token, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["user_id"] == made["id"]
    problem(await http.post("/auth/refresh", params=token, content=body, headers=headers), 401, "refresh_token_reused")


async def test_a_refresh_token_in_the_url_is_not_another_one_than_in_the_body(http: httpx.AsyncClient) -> None:
    made, other = await sign_up(http), await sign_up(http)
    params, body = {"refresh_token": made["refresh_token"]}, {"refresh_token": other["refresh_token"]}
    refused = await http.post("/auth/refresh", params=params, json=body)
    problem(refused, 422, "invalid_request")
    assert made["refresh_token"] not in refused.text
    too_long = await http.post("/auth/refresh", params={"refresh_token": "x" * 3000})
    problem(too_long, 422, "invalid_request")
    assert "xxx" not in too_long.text
    same = await http.post("/auth/refresh", params=params, json={**params, "retry_id": "the-same-try"})
    assert same.status_code == 200
    for session in (made, other):  # and what was refused used nothing up
        assert (await http.get("/auth/me", headers=bearer(session))).status_code == 200


async def test_no_log_line_holds_a_refresh_token_that_came_in_a_url(server: RunningServer) -> None:
    offset = server.log.stat().st_size
    async with httpx.AsyncClient(base_url=f"{server.url}/api", timeout=60) as http:
        made = await sign_up(http)
        following = (await http.post("/auth/refresh/", params={"refresh_token": made["refresh_token"]})).json()
        tokens = [made["refresh_token"], following["refresh_token"]]
        for method, path in (
            ("POST", "/auth/refresh"),  # used already, so the session ends
            ("GET", "/auth/refresh"),
            ("POST", "/auth/nothing"),
            ("POST", "/auth/logout"),
            ("PATCH", "/auth/refresh"),
        ):
            await http.request(method, path, params={"refresh_token": tokens[0], "and": tokens[1]})
        last = await http.post("/auth/refresh", params={"refresh_token": tokens[1]}, content=b"{")
        assert last.status_code == 400
    with server.log.open("rb") as log:
        log.seek(offset)
        written = log.read()
    assert b'"/auth/refresh"' in written or b"/auth/refresh" in written
    for token in tokens:
        assert not any(part.encode() in written for part in token.split(".")[1:])
    assert b"refresh_token=" not in written


# ---- the profile ----


async def test_the_profile_says_its_figures_flat_as_well(http: httpx.AsyncClient) -> None:
    made = await sign_up(http, daily_word_goal=300)
    headers = bearer(made)
    assert (await http.post("/sync/backup", json=backup(), headers=headers)).status_code == 201
    me = (await http.get("/users/me", headers=headers)).json()
    assert (me["logs_count"], me["writing_streak"]) == (1, 1)
    assert (me["logs_count"], me["writing_streak"]) == (
        me["statistics"]["total_logs"],
        me["statistics"]["writing_streak"],
    )
    assert (me["daily_word_goal"], me["total_words_written"]) == (300, None)
    assert me["updated_at"] >= me["created_at"]
    changed = (await http.put("/users/me", json={"daily_word_goal": 500}, headers=headers)).json()
    assert changed["daily_word_goal"] == 500
    assert changed["updated_at"] > me["updated_at"]
    assert (await http.get("/users/me/preferences", headers=headers)).json()["daily_word_goal"] == 500


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/users/me", "password", "another one"),
        ("/users/me", "h_auth", "another one"),
        ("/users/me", "email", "other@example.org"),
        ("/users/me", "username", "other"),
        ("/users/me", "privacy_tier", "local_only"),
        ("/users/me", "encryption_tier", "uce"),
        ("/users/me/preferences", "display_name", "Ada"),
        ("/users/me/preferences", "password", "another one"),
    ],
)
async def test_what_is_changed_elsewhere_is_refused_and_nothing_is_changed(
    http: httpx.AsyncClient, path: str, field: str, value: str
) -> None:
    made = await sign_up(http)
    before = (await http.get("/users/me", headers=bearer(made))).json()
    answer = await http.put(path, json={field: value, "locale": "de"}, headers=bearer(made))
    found = problem(answer, 422, "invalid_request")
    assert [error["field"] for error in found["errors"]] == [field]
    assert value not in answer.text.replace('"username"', "")
    assert (await http.get("/users/me", headers=bearer(made))).json() == before
    login = {"email": made["email"], "password": PASSWORD}
    assert (await http.post("/auth/login", json=login)).status_code == 200
    assert (await http.put(path, json={field: None}, headers=bearer(made))).status_code == 200


# ---- recovery ----


async def test_the_server_draws_codes_for_an_account_without_a_keyring(http: httpx.AsyncClient) -> None:
    made = await sign_up(http)
    wrong = await http.post("/auth/recovery-codes", json={"current_password": "x" * 9}, headers=bearer(made))
    problem(wrong, 401, "invalid_credentials")
    answer = await http.post("/auth/recovery-codes", json={"current_password": PASSWORD}, headers=bearer(made))
    codes = answer.json()["recovery_codes"]
    assert (answer.json()["remaining"], len(set(codes))) == (10, 10)
    who = {"email": made["email"]}
    verify = "/auth/verify-recovery-code"
    for refused in (
        {**who, "code": recovery.new_code()},
        {**who, "verifier": encode_base64(recovery.verifier(codes[0]))},
        {"email": new_email(), "code": codes[0]},
    ):
        problem(await http.post(verify, json=refused), 401, "invalid_recovery_code")
    found = (await http.post(verify, json={**who, "code": codes[0].lower().replace("-", " ")})).json()
    assert (found["user_id"], found["keyring"], found["keyring_version"]) == (made["id"], None, 0)

    recover = {"recovery_token": found["recovery_token"], "password": "a new one altogether"}
    entered = (await http.post("/auth/recover", json=recover)).json()
    problem(await http.post("/auth/recover", json=recover), 401, "invalid_recovery_token")
    problem(await http.post(verify, json={**who, "code": codes[0]}), 401, "invalid_recovery_code")
    assert (await http.get("/auth/recovery-codes", headers=bearer(entered))).json()["remaining"] == 9
    problem(await http.get("/auth/me", headers=bearer(made)), 401, "session_revoked")
    assert (await http.post("/auth/login", json={**who, "password": "a new one altogether"})).status_code == 200


async def test_a_first_keyring_takes_away_the_codes_that_open_none(http: httpx.AsyncClient) -> None:
    made = await sign_up(http)
    answer = await http.post("/auth/recovery-codes", json={"current_password": PASSWORD}, headers=bearer(made))
    code = answer.json()["recovery_codes"][0]
    known = {"email": made["email"], "code": code}
    verified = (await http.post("/auth/verify-recovery-code", json=known)).json()
    person = Person(email=made["email"], secret=PASSWORD, tokens=made)
    first = person.keyring_body(person, 0, password=None, key_id=None, retired_at=None)
    body = {name: value for name, value in first.items() if value is not None}
    assert (await http.put("/auth/keyring", json=body, headers=person.headers)).status_code == 200
    problem(await http.post("/auth/verify-recovery-code", json=known), 401, "invalid_recovery_code")
    late = {"recovery_token": verified["recovery_token"], "password": "a new one altogether"}
    problem(await http.post("/auth/recover", json=late), 401, "invalid_recovery_token")
    bare = await http.post("/auth/recovery-codes", json={"current_password": PASSWORD}, headers=person.headers)
    problem(bare, 422, "keys_required")


# ---- backups ----


async def test_a_backup_is_called_by_both_names_and_may_say_one_time(http: httpx.AsyncClient) -> None:
    made = await sign_up(http)
    body = backup()
    body["log_id"] = body.pop("id")
    del body["created_at"]
    for _ in range(2):
        stored = (await http.post("/sync/backup", json=body, headers=bearer(made))).json()
        assert (stored["id"], stored["log_id"], stored["revision"]) == (body["log_id"], body["log_id"], 1)
        assert stored["created_at"] == stored["updated_at"]
    [listed] = (await http.get("/sync/backups", headers=bearer(made))).json()["backups"]
    assert (listed["id"], listed["log_id"]) == (body["log_id"], body["log_id"])
    assert listed["created_at"] == listed["updated_at"] == stored["updated_at"]


async def test_a_key_for_metrics_at_sign_up_is_refused_and_not_dropped(http: httpx.AsyncClient) -> None:
    body = {"email": new_email(), "password": PASSWORD, "he_public_key": encode_base64(bytes(40))}
    for path in ("/auth/register", "/auth/signup"):
        answer = await http.post(path, json={**body, "encryption_tier": "e2e", "public_key": public_key()})
        assert [each["field"] for each in problem(answer, 422, "invalid_request")["errors"]] == ["he_public_key"]
