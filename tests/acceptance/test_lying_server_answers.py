"""A dishonest server and the conversation itself: the account, the keys, and invalid answers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from lockleaf.client.errors import (
    AccountMismatch,
    CustodyMismatch,
    InvalidAnswer,
    KdfWeakened,
    KeyringMissing,
    KeyringRolledBack,
    KeySubstituted,
    LockleafError,
    SealBroken,
    ServerUnreachable,
)
from lockleaf.client.transport.http import MAX_ANSWER_BYTES
from lockleaf.crypto.kdf import KdfProfile
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.codec import JSON, MSGPACK
from lockleaf.wire.fields import encode_base64
from tests.support.diarist import NEW_PASSWORD, PASSWORD, Diarist, caught, write
from tests.support.lies import AltersAnswers, AltersFeed, Answers, of_account, says
from tests.support.lying_server import Answer, Lie, LyingServer
from tests.support.scripted_server import answer as scripted_answer
from tests.support.scripted_server import scripted_server

STRANGER = Keyring.new("2026-01-01T00:00:00Z").newest
STRANGERS_KEY = encode_base64(STRANGER.public_signing_key)
STRANGERS_ID = "00000000-0000-4000-8000-000000000000"
AN_OLD_KEYRING = encode_base64(b"\x01\x01" + bytes(200))

Alter = Callable[[dict[str, Any]], None]

# ---- the account -------------------------------------------------------------------------------------------------

ACCOUNT: list[tuple[str, Alter, type[LockleafError], type[LockleafError]]] = [
    # what it says, and what a device answers that knows the account, and one that does not
    ("another custody", says(encryption_tier="uce"), CustodyMismatch, CustodyMismatch),
    ("an older keyring", says(keyring_version=1), KeyringRolledBack, SealBroken),
    ("an older keyring, whole", says(keyring_version=1, keyring=AN_OLD_KEYRING), KeyringRolledBack, SealBroken),
    ("no keyring", says(keyring=None), KeyringMissing, KeyringMissing),
    ("another recipient", says(recipient=STRANGER.recipient), KeySubstituted, KeySubstituted),
    ("another signing key", says(signing_key=STRANGERS_KEY), KeySubstituted, KeySubstituted),
    ("another account", says(id=STRANGERS_ID), AccountMismatch, SealBroken),
]


async def test_what_it_says_of_the_account_is_held_against_what_a_device_knows(
    ada: Diarist, liar: LyingServer, subtests: pytest.Subtests
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)  # so that there is an older keyring
    await laptop.journal.write(body="not for a stranger")
    for name, alter, known, new in ACCOUNT:
        with subtests.test(name):
            liar.tell(of_account(alter))
            await caught(laptop.sync(), known)
            assert [request.path for request in liar.seen] == ["/auth/me"]
            phone = await ada.open(f"phone {name}".replace(" ", "-").replace(",", ""))
            await caught(ada.login(phone, at=liar.url, password=NEW_PASSWORD), new)
            assert phone.profile is None
            assert liar.seen[-1].path == "/auth/logout"
    liar.tell(Lie())
    assert (await laptop.sync()).pushed == 1


async def test_a_custody_or_an_account_that_nobody_chose_is_refused_at_sign_up(
    ada: Diarist, liar: LyingServer, subtests: pytest.Subtests
) -> None:
    for number, (alter, error) in enumerate(
        [(says(encryption_tier="uce"), CustodyMismatch), (says(id=STRANGERS_ID), AccountMismatch)]
    ):
        with subtests.test(error.__name__):
            ada.email = f"{number}{ada.email}"
            liar.tell(AltersAnswers("/auth/signup", alter))
            laptop = await ada.open(f"laptop{number}")
            await caught(ada.register(laptop, at=liar.url), error)
            assert laptop.profile is None


ARGON2ID = {"algorithm": "argon2id", "memory_kib": 65_536, "iterations": 3, "parallelism": 1}
DERIVATIONS = [
    ("too little memory", ARGON2ID | {"memory_kib": 19_455}),
    ("too few passes", ARGON2ID | {"iterations": 1}),
    ("less memory than before", ARGON2ID | {"memory_kib": 32_768}),
    ("fewer passes than before", ARGON2ID | {"iterations": 2}),
    ("another algorithm", {"algorithm": "pbkdf2-sha256", "iterations": 600_000}),
    ("another algorithm, however dear", {"algorithm": "pbkdf2-sha256", "iterations": 10_000_000}),
    ("more passes than anybody could wait for", ARGON2ID | {"iterations": 10_000_000}),
    ("more lanes than it may have", ARGON2ID | {"parallelism": 16}),
]


async def test_key_derivation_is_neither_made_weaker_nor_absurd(
    ada: Diarist, liar: LyingServer, subtests: pytest.Subtests
) -> None:
    laptop = await ada.open("laptop", strict=True)
    await ada.register(laptop, at=liar.url, kdf_profile=KdfProfile("argon2id", 3, 65_536, 1))
    for name, kdf in DERIVATIONS:
        with subtests.test(name):
            liar.tell(AltersAnswers("/auth/me", lambda me, kdf=kdf: me.update(kdf=kdf | {"salt": me["kdf"]["salt"]})))  # type: ignore[misc]
            if "more" not in name:  # dearer than before is no harm until it is to be carried out
                await caught(laptop.sync(), KdfWeakened)
    await laptop.account.logout()
    for name, kdf in DERIVATIONS:
        with subtests.test(f"{name}, at a login"):
            lie: Alter = lambda told, kdf=kdf: told.update(kdf=kdf | {"salt": told["kdf"]["salt"]})  # type: ignore[misc]  # noqa: E731
            liar.tell(AltersAnswers("/auth/prelogin", lie))
            await caught(ada.login(laptop, at=liar.url), KdfWeakened)
            assert [request.path for request in liar.seen] == ["/auth/prelogin"]
    with subtests.test("on a device that remembers nothing"):
        phone = await ada.open("phone", strict=True)
        for kdf in (
            ARGON2ID | {"memory_kib": 8},
            ARGON2ID | {"memory_kib": 19_456, "iterations": 2},  # within the limits, at a fifth of the cost
            ARGON2ID | {"memory_kib": 65_535},
            ARGON2ID | {"memory_kib": 1_048_576, "iterations": 2},
            {"algorithm": "pbkdf2-sha256", "iterations": 600_000},
        ):
            liar.tell(AltersAnswers("/auth/prelogin", says(kdf=kdf | {"salt": encode_base64(bytes(16))})))
            await caught(ada.login(phone, at=liar.url), KdfWeakened)
            assert [request.path for request in liar.seen] == ["/auth/prelogin"]


async def test_a_cheap_derivation_is_taken_on_a_new_device_only_by_name(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.open("laptop", strict=True)
    await ada.register(laptop, at=liar.url, kdf_profile=KdfProfile("argon2id", 2, 19_456, 1))
    await laptop.journal.write(body="one")
    await laptop.sync()
    phone = await ada.open("phone", strict=True)
    liar.tell(Lie())
    await caught(ada.login(phone, at=liar.url), KdfWeakened)
    assert [request.path for request in liar.seen] == ["/auth/prelogin"]
    pbkdf2 = says(kdf={"algorithm": "pbkdf2-sha256", "iterations": 600_000, "salt": encode_base64(bytes(16))})
    login = phone.account.login
    liar.tell(AltersAnswers("/auth/prelogin", pbkdf2))
    await caught(login(liar.url, ada.email, PASSWORD, device_name="phone", allow_weak_kdf=True), KdfWeakened)
    liar.tell(Lie())
    await caught(login(liar.url, ada.email, PASSWORD, device_name="phone", allow_pbkdf2=True), KdfWeakened)
    await login(liar.url, ada.email, PASSWORD, device_name="phone", allow_weak_kdf=True)
    await phone.sync()
    assert [entry.body for entry in await phone.journal.list()] == ["one"]
    # What the caller allowed once is the measure from now on.
    await phone.account.logout()
    await ada.login(phone, at=liar.url)


# ---- invalid answers -----------------------------------------------------------------------------------------------

HTML = Answer(200, "text/html", b"<html><body>Please log in to this network.</body></html>")
NONSENSE: list[tuple[str, Answer | None, type[LockleafError]]] = [
    ("a page of HTML", HTML, InvalidAnswer),
    ("HTML under another name", Answer(200, JSON, HTML.body), InvalidAnswer),
    ("an error in HTML", Answer(404, "text/html", HTML.body), InvalidAnswer),
    ("an invalid problem", Answer(400, "application/problem+json", b'{"code": 7}'), InvalidAnswer),
    ("nothing", Answer(200, JSON, b""), InvalidAnswer),
    ("nothing at all", Answer(204, "", b""), InvalidAnswer),
    ("no JSON", Answer(200, JSON, b"{"), InvalidAnswer),
    ("another JSON", Answer(200, JSON, b"[]"), InvalidAnswer),
    ("no text", Answer(200, JSON, b"\xff\xfe\x00"), InvalidAnswer),
    ("deep JSON", Answer(200, JSON, b"[" * 100_000), InvalidAnswer),
    ("no MessagePack", Answer(200, MSGPACK, b"\xc1"), InvalidAnswer),
    ("deep MessagePack", Answer(200, MSGPACK, b"\x91" * 100_000), InvalidAnswer),
    ("MessagePack and something behind it", Answer(200, MSGPACK, b"\x80\x80"), InvalidAnswer),
    ("too much", Answer(200, JSON, bytes(MAX_ANSWER_BYTES + 1)), InvalidAnswer),
    (
        "too much, folded up",
        Answer(200, JSON, gzip.compress(bytes(MAX_ANSWER_BYTES + 1), 1), {"content-encoding": "gzip"}),
        InvalidAnswer,
    ),
    ("something that does not unfold", Answer(200, JSON, b"{}", {"content-encoding": "gzip"}), InvalidAnswer),
    ("half an answer", Answer(200, JSON, b'{"id": "', cut_after=3), ServerUnreachable),
    ("silence", None, ServerUnreachable),
    ("a proxy's complaint", Answer(502, "text/html", HTML.body), ServerUnreachable),
]


@pytest.mark.parametrize("path", ["/auth/me", "/sync/changes", "/sync/push", "/sync/checkpoints", "/sync/conflicts"])
async def test_what_is_no_answer_is_told_from_one(
    ada: Diarist, liar: LyingServer, path: str, subtests: pytest.Subtests
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one")
    await laptop.journal.write(body="two")
    for name, nonsense, error in NONSENSE:
        if nonsense is not None and len(nonsense.body) > MAX_ANSWER_BYTES and path != "/sync/changes":
            continue  # the same code reads all of them, and this takes its time
        with subtests.test(name):
            liar.tell(Answers(path, nonsense))
            await caught(laptop.sync(), error)
    liar.tell(Lie())
    report = await laptop.sync()
    assert (report.pending, report.seq, report.conflicts) == (0, 2, 0)


@pytest.mark.parametrize(
    "stream",
    [
        b"data: {\n\n",
        b'data: {"seq": -1, "inbox": 0, "conflicts": 0}\n\n',
        b"data: " + b"x" * 1_000_000,
        b"",
        HTML.body,
    ],
    ids=["no JSON", "no event", "no end", "nothing", "HTML"],
)
async def test_nonsense_in_the_live_stream_keeps_nothing_from_a_watching_device(
    ada: Diarist, liar: LyingServer, stream: bytes
) -> None:
    laptop = await ada.first()
    phone = await ada.another(at=liar.url)
    liar.tell(Answers("/sync/events", Answer(200, "text/html" if stream is HTML.body else "text/event-stream", stream)))
    async with aclosing(phone.sync.watch(every=0.02)) as reports:  # type: ignore[type-var]
        await anext(reports)
        await write(laptop, "found without being told")
        async for report in reports:
            if report.pulled:
                break
    assert [entry.body for entry in await phone.journal.list()] == ["found without being told"]


async def test_numbers_and_times_beyond_all_bounds_are_no_answer(
    ada: Diarist, liar: LyingServer, subtests: pytest.Subtests
) -> None:
    laptop = await ada.first()
    await write(laptop, "one")
    phone = await ada.another(at=liar.url)
    for name, value in {
        "seq": 2**63,
        "revision": 2**64 - 1,
        "parent": b"short",
        "record_id": "../../etc/passwd",
        "collection": "nonsense",
        "created_at": "9999-12-31T23:59:59-14:00",
        "updated_at": "0001-01-01T00:00:00+14:00",
        "labels": [b"short"],
        "payload": "text",
        "deleted": "perhaps",
        "superseded": None,
    }.items():
        with subtests.test(name):
            liar.tell(AltersFeed(lambda page, _, name=name, value=value: page["changes"][0].update({name: value})))  # type: ignore[misc]
            await caught(phone.sync(), InvalidAnswer)
    liar.tell(Lie())
    assert (await phone.sync()).pulled == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirection_is_followed_with_a_token_or_a_secret(
    ada: Diarist, liar: LyingServer, status: int
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    phone = await ada.open("phone")
    async with scripted_server(scripted_answer()) as elsewhere:
        for path in ("/auth/me", "/auth/login", "/auth/prelogin"):
            liar.tell(Answers(path, Answer(status, "", b"", {"location": f"{elsewhere.url}/api/v1{path}"})))
            doing = laptop.sync() if path == "/auth/me" else ada.login(phone, at=liar.url)
            await caught(doing, InvalidAnswer)
        assert elsewhere.seen == []


async def test_what_it_says_in_an_error_reaches_nobody_raw(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    words = "\x1b[2J\x1b]0;owned\x07 call 555-0100\n\u202e"
    facts = {"type": "about:blank", "title": words, "detail": words, "status": 400, "code": "made_up"}
    liar.tell(Answers("/auth/me", Answer(400, "application/problem+json", json.dumps(facts).encode())))
    with pytest.raises(LockleafError) as told:
        await laptop.sync()
    assert str(told.value).isprintable()
