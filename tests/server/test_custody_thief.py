"""What a thief gets of an account in user-controlled encryption: ciphertext, unless a session's token is among it."""

from __future__ import annotations

import base64
import io
import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.crypto import recovery, uce
from lockleaf.crypto.identity import seal_to
from lockleaf.crypto.keyring import UCE_LABEL, Keyring, open_keyring
from lockleaf.server.identity.auth.upkeep import forget_expired
from lockleaf.server.identity.errors import SessionRevoked
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.platform.clock import Clock as ServerClock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.server_keys import Purpose, ServerKeys, load_keys
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.fields import decode_base64
from tests.support.account_holders import Clock, problem, served
from tests.support.accounts import Owner
from tests.support.canaries import Canaries
from tests.support.media import attach, fetch
from tests.support.thief import Stolen, dump, pieces_of, steal, token_claims
from tests.support.uce_holders import Thin, opened_entry, parts_of, written_entry

WORDS = ("Kellerassel", "Dämmerung", "seltsames Glück", "Sternwarte")
UNWRITTEN = "Nachtfalter"
"""A word that is only searched for."""
ENTRY = {"type": "entry", "title": WORDS[0], "body": f"{WORDS[1]} am Fluss", "mood": WORDS[2], "tags": [WORDS[3]]}
CODES = "recovery_codes.keyring"
EVERYTHING = {"session_keys.sealed_kek", "accounts.keyring", "records.packed"}


@pytest.fixture(params=["aes-256-gcm", "chacha20-poly1305"])
async def house(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """The application sealing in either suite."""
    monkeypatch.setenv("LOCKLEAF_CUSTODY__SUITE", request.param)
    async with served(Settings()) as (app, http):
        yield app, http


async def a_life(app: FastAPI, http: httpx.AsyncClient) -> Thin:
    """Somebody who signed up and wrote, and refreshed the session in between."""
    person = await Thin().sign_up(http)
    await written_entry(app, person, ENTRY)
    codes = person.shown_codes
    person.tokens = (await person.refresh(http, retry_id=secrets.token_hex(8))).json() | {"recovery_codes": codes}
    await written_entry(app, person, ENTRY)
    return person


async def stolen_from(app: FastAPI, person: Thin) -> Stolen:
    async with parts_of(app)[Database].read_driver() as connection:
        return await steal(connection, person.id)


def roots_of(settings: Settings) -> list[bytes]:
    """The server's root secrets, and every key that it makes of them."""
    keys: ServerKeys = load_keys(settings)
    derived = [keys.signing(purpose) for purpose in Purpose if purpose is not Purpose.PRELOGIN]
    assert settings.secrets.prelogin is not None
    roots = [secret.get_secret_value().encode() for secret in (*settings.secrets.roots, settings.secrets.prelogin)]
    return [*roots, *derived, keys.prelogin]


async def keyring_of(http: httpx.AsyncClient, person: Thin) -> tuple[bytes, Keyring]:
    """The key-encryption key and the keyring, as a full client opens them with the password."""
    me = (await http.get("/auth/me", headers=person.headers)).json()
    kek = uce.derive_kek(person.secret, decode_base64(me["kek_salt"]))
    sealed, version = decode_base64(me["keyring"]), me["keyring_version"]
    return kek, open_keyring(sealed, kek, label=UCE_LABEL, user_id=str(person.id), version=version)


def session_key(token: str) -> bytes:
    return decode_base64(token_claims(token)["sk"])


async def test_the_database_with_the_servers_secrets_opens_nothing_and_with_a_token_everything(
    house: tuple[FastAPI, httpx.AsyncClient],
) -> None:
    app, http = house
    person = await a_life(app, http)
    stolen = await stolen_from(app, person)
    assert stolen.opened_with(*roots_of(parts_of(app)[Settings])) == set()
    # The controls: the search finds a key where there is one.
    assert stolen.opened_with(person.tokens["access_token"]) == EVERYTHING
    assert stolen.opened_with(person.tokens["refresh_token"]) == EVERYTHING
    assert stolen.opened_with((await keyring_of(http, person))[0]) == EVERYTHING - {"session_keys.sealed_kek"}
    assert stolen.opened_with(recovery.recovery_key(person.shown_codes[3])) == {CODES, "records.packed"}


async def test_the_object_store_too_opens_with_a_token_alone(
    app: FastAPI, http: httpx.AsyncClient, settings: Settings
) -> None:
    person = await a_life(app, http)
    me = (await http.get("/auth/me", headers=person.headers)).json()
    owner = Owner(http, person.email, person.secret, person.tokens | {"id": str(person.id)})
    media_id = await attach(owner, seal_to(me["recipient"], WORDS[0].encode()))
    stolen = await stolen_from(app, person)
    stolen.objects = [await fetch(owner, media_id)]
    assert WORDS[0].encode() not in stolen.objects[0]
    assert stolen.opened_with(*roots_of(settings)) == set()
    assert stolen.opened_with(person.tokens["access_token"]) == EVERYTHING | {"objects"}


async def test_nothing_of_it_is_in_any_table_or_in_what_the_server_says_in_any_spelling(
    app: FastAPI, http: httpx.AsyncClient, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    person = await a_life(app, http)
    body = {"title": WORDS[0], "content": f"{WORDS[1]} am Fluss"}
    assert (await http.post("/entries", json=body, headers=person.headers)).status_code == 201
    for query, hits in ((WORDS[0], 1), (f'"{WORDS[1]} am Fluss" -{UNWRITTEN}', 1), (UNWRITTEN, 0)):
        answer = await http.post("/search", json={"query": query}, headers=person.headers)
        assert len(answer.json()["items"]) == hits, answer.text
    kek, keyring = await keyring_of(http, person)
    keys = {"key-encryption key": kek, "index key": keyring.index_key}
    for entry in keyring:
        keys |= {"master key": entry.master_key, "record root": entry.record_root, "identity": entry.identity_seed}
        keys |= {"signing seed": entry.signing_seed, "local key": entry.local_key}
    keys |= {name: session_key(person.tokens[name]) for name in ("access_token", "refresh_token")}
    for code in person.shown_codes:
        keys |= {f"bits of {code}": recovery.normalise_code(code), f"key of {code}": recovery.recovery_key(code)}
        keys |= {f"verifier of {code}": recovery.verifier(code)}
    texts = {"password": person.secret, **{word: word for word in (*WORDS, UNWRITTEN)}}
    texts |= {code: code for code in person.shown_codes}
    texts |= {f"bare {code}": code.replace("-", "") for code in person.shown_codes}
    texts |= {name: person.tokens[name].rpartition(".")[2] for name in ("access_token", "refresh_token")}
    async with parts_of(app)[Database].read_driver() as connection:
        tables = await dump(connection)
    values = [value for rows in tables.values() for row in rows for value in row.values()]
    found = [piece for value in values for piece in pieces_of(value)]
    canaries = Canaries({**texts, "email": person.email})
    assert canaries.found_in_any(found) == {"email"}  # which shows that the search finds what is there
    everything = b"\n".join(found)
    assert [name for name, key in keys.items() if _spelt_in(everything, key)] == []
    assert _spelt_in(everything, keyring.newest.public_signing_key)  # likewise
    said = "".join((log.getvalue(), *capsys.readouterr())).encode()
    assert b"/auth/signup" in said
    assert b"/search" in said
    assert canaries.found_in(said) == set()
    assert [name for name, key in keys.items() if _spelt_in(said, key)] == []


def _spelt_in(data: bytes, key: bytes) -> bool:
    spellings = (
        key,
        key.hex().encode(),
        base64.b64encode(key).rstrip(b"="),
        base64.urlsafe_b64encode(key).rstrip(b"="),
    )
    return any(spelling in data for spelling in spellings)


async def test_a_token_without_the_rows_of_its_session_opens_nothing(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await a_life(app, http)
    stolen = await stolen_from(app, person)
    loot = [person.tokens["access_token"], person.tokens["refresh_token"], *roots_of(parts_of(app)[Settings])]
    # The ciphertext alone, then also the sealed keyring: what a token carries is the key to neither.
    assert stolen.opened_with(*loot, but=["accounts", "session_keys", "recovery_codes"]) == set()
    assert stolen.opened_with(*loot, but=["session_keys"]) == set()
    kek, keyring = await keyring_of(http, person)
    carried = b"\n".join(
        piece for name in ("access_token", "refresh_token") for piece in pieces_of(person.tokens[name])
    )
    assert session_key(person.tokens["access_token"]) in decode_base64(
        token_claims(person.tokens["access_token"])["sk"]
    )
    assert kek not in carried
    assert all(entry.master_key not in carried for entry in keyring)


async def test_a_token_after_the_logout_opens_nothing_of_the_database_as_it_is_then(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    person = await a_life(app, http)
    other = await person.log_in(http)
    loot = [person.tokens["access_token"], person.tokens["refresh_token"], *roots_of(parts_of(app)[Settings])]
    assert (await http.post("/auth/logout", headers=person.headers)).status_code == 204
    stolen = await stolen_from(app, person)
    assert stolen.opened_with(*loot) == set()
    assert stolen.opened_with(other.tokens["access_token"]) == EVERYTHING


@pytest.mark.parametrize("end", ["signed out from elsewhere", "used twice", "password changed", "account deleted"])
async def test_however_a_session_ends_its_token_opens_nothing_any_more(
    app: FastAPI, http: httpx.AsyncClient, end: str
) -> None:
    person = await a_life(app, http)
    other = await person.log_in(http)
    loot = [person.tokens["access_token"], person.tokens["refresh_token"], *roots_of(parts_of(app)[Settings])]
    if end == "signed out from elsewhere":
        path = f"/auth/sessions/{person.tokens['session_id']}"
        assert (await http.delete(path, headers=other.headers)).status_code == 204
    elif end == "used twice":
        await person.refresh(http)
        problem(await person.refresh(http), 401, "refresh_token_reused")
    elif end == "password changed":
        assert (await Thin.change_password(other, http, "another password")).status_code == 200
    else:
        body = {"current_password": person.secret}
        assert (await http.request("DELETE", "/users/me", json=body, headers=other.headers)).status_code == 204
    assert (await stolen_from(app, person)).opened_with(*loot) == set()


async def test_a_token_whose_time_is_over_opens_nothing_once_expired_keys_are_forgotten(settings: Settings) -> None:
    clock = Clock()
    async with served(settings, clock=clock) as (app, http):
        person = await Thin().sign_up(http)
        await written_entry(app, person, ENTRY)
        before = person.tokens
        person.tokens = (await person.refresh(http, retry_id=secrets.token_hex(8))).json()
        # As long as the access token lives its key does, so that requests under way go on.
        assert (await stolen_from(app, person)).opened_with(before["access_token"]) >= EVERYTHING
        clock.advance(minutes=16)
        await forget_expired(parts_of(app)[ServerClock], parts_of(app)[Database])
        stolen = await stolen_from(app, person)
        assert stolen.opened_with(before["access_token"], before["refresh_token"], *roots_of(settings)) == set()
        assert stolen.opened_with(person.tokens["refresh_token"]) == EVERYTHING


async def test_an_older_password_and_a_spent_code_open_nothing(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await a_life(app, http)
    kek, _ = await keyring_of(http, person)
    codes = [recovery.recovery_key(code) for code in person.shown_codes]
    answer = await http.post("/auth/verify-recovery-code", json={"email": person.email, "code": person.shown_codes[0]})
    assert answer.status_code == 200, answer.text
    token = answer.json()["recovery_token"]
    answer = await http.post("/auth/recover", json={"recovery_token": token, "password": "one that is remembered"})
    assert answer.status_code == 200, answer.text
    stolen = await stolen_from(app, person)
    assert stolen.opened_with(kek, codes[0], token) == set()
    assert stolen.opened_with(codes[1]) == {CODES, "records.packed"}


async def test_the_servers_secrets_make_tokens_but_not_the_key_in_them(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Thin().sign_up(http)
    record_id = await written_entry(app, person, ENTRY)
    parts = parts_of(app)
    forger = TokenCodec(load_keys(parts[Settings]), parts[Settings].tokens, parts[ServerClock])
    claims: dict[str, Any] = token_claims(person.tokens["access_token"])
    genuine = forger.read_access(person.tokens["access_token"])
    for key in (secrets.token_bytes(32), bytes(32), None):
        forged = forger.access(
            genuine.user_id, genuine.session_id, parts[ServerClock](), generation=int(claims["gen"]), session_key=key
        )
        thief = Thin(id=person.id, tokens={"access_token": forged})
        with pytest.raises(SessionRevoked):
            await opened_entry(app, thief, record_id)
    assert (await opened_entry(app, person, record_id))["title"] == WORDS[0]
