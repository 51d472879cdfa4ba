"""What a dishonest server can say, one small function or class a lie.

A function that takes a `History` alters it; whoever shows it computes numbers and heads anew, so that the lie is
consistent in itself and only what the devices know can betray it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from lockleaf.wire.epochs import Statements
from tests.support.forged_history import History, bare
from tests.support.lying_server import MADE_UP, Answer, Honest, Lie, Request

# ---- about the journal -------------------------------------------------------------------------------------------


def swaps_two_payloads(history: History, first: str, second: str) -> None:
    one, two = history.of(first), history.of(second)
    one["payload"], two["payload"] = two["payload"], one["payload"]


def swaps_two_records(history: History, first: str, second: str) -> None:
    one, two = history.of(first), history.of(second)
    one["record_id"], two["record_id"] = two["record_id"], one["record_id"]


def replays_an_old_payload(history: History, earlier: History, record_id: str) -> None:
    """The content of an earlier revision as that of the latest."""
    history.of(record_id)["payload"] = earlier.of(record_id)["payload"]


def replays_an_old_revision(history: History, earlier: History, record_id: str) -> None:
    """The earlier revision as the latest one; the newer was never written."""
    old = earlier.of(record_id)
    history.changes = [
        old if (change["record_id"], change["revision"]) == (record_id, old["revision"]) else change
        for change in history.changes
        if change["record_id"] != record_id or change["revision"] <= old["revision"]
    ]
    history.renumber()


def writes_an_old_revision_once_more(history: History, earlier: History, record_id: str) -> None:
    """The earlier content as a new revision behind the latest."""
    last = history.of(record_id)
    new = dict(earlier.of(record_id), seq=history.seq + 1, revision=last["revision"] + 1)
    history.changes[history.changes.index(last)] = bare(last)
    history.changes.append(new | {"parent": bare(last)["payload_hash"]})


def drops_a_change(history: History, record_id: str) -> None:
    """As if it had never been written: no gap is left."""
    history.changes.remove(history.of(record_id))
    history.renumber()


def leaves_a_gap(history: History, record_id: str) -> None:
    history.changes.remove(history.of(record_id))


def hides_content(history: History, record_id: str) -> None:
    """A bare leaf in place of the latest revision."""
    last = history.of(record_id)
    history.changes[history.changes.index(last)] = bare(last)


def forges_a_deletion(history: History, record_id: str) -> None:
    history.of(record_id)["deleted"] = True


def writes_a_deletion(history: History, record_id: str) -> None:
    """A tombstone of the server's own making behind the latest revision."""
    last = history.of(record_id)
    new = dict(last, seq=history.seq + 1, revision=last["revision"] + 1, parent=bare(last)["payload_hash"])
    history.changes[history.changes.index(last)] = bare(last)
    history.changes.append(new | {"deleted": True, "payload": b"\x01\x01" + bytes(300)})


def takes_a_label_away(history: History, record_id: str) -> None:
    last = history.of(record_id)
    last["labels"] = last["labels"][1:]


def adds_a_label(history: History, record_id: str) -> None:
    last = history.of(record_id)
    last["labels"] = (*last["labels"], bytes(16))


def alters_the_date(history: History, record_id: str) -> None:
    last = history.of(record_id)
    assert last["occurred_at"] is not None
    last["occurred_at"] = "1999-12-31T23:59:59Z"


def takes_the_date_away(history: History, record_id: str) -> None:
    last = history.of(record_id)
    assert last["occurred_at"] is not None
    last["occurred_at"] = None


def alters_the_source(history: History, record_id: str) -> None:
    last = history.of(record_id)
    assert last["source"] != "somewhere"
    last["source"] = "somewhere"


def reorders(history: History, first: str, second: str) -> None:
    one, two = (history.changes.index(history.of(record_id)) for record_id in (first, second))
    history.changes[one], history.changes[two] = history.changes[two], history.changes[one]
    history.renumber()


def reorders_under_old_numbers(history: History, first: str, second: str) -> None:
    one, two = (history.changes.index(history.of(record_id)) for record_id in (first, second))
    history.changes[one], history.changes[two] = history.changes[two], history.changes[one]


def renames_the_epoch(history: History) -> None:
    history.epochs[-1]["epoch"] = "another"


def begins_elsewhere(history: History) -> None:
    history.epochs[0]["from_head"] = bytes([7] * 32)


class Shows(Lie):
    """Shows a made-up history, and takes changes into it. Everything else is the real server's.

    Args:
        history: what is shown.
        keeps_checkpoints: the devices' checkpoints are kept from the real server too, and from each other.
    """

    def __init__(self, history: History, *, keeps_checkpoints: bool = False) -> None:
        self.history = history
        self.keeps_checkpoints = keeps_checkpoints

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        if request.asks("GET", "/sync/changes"):
            return await self.changes(request, honest)
        if request.asks("POST", "/sync/push"):
            return Answer.of(request, self.history.push(request.read()["changes"]))
        if request.asks("POST", "/sync/epochs/statements"):
            body = Statements.model_validate_json(request.body)
            self.history.state([each.model_dump() for each in body.statements])
            return Answer(204, "", b"")
        if self.keeps_checkpoints and request.path == "/sync/checkpoints":
            return Answer(204, "", b"") if request.method == "POST" else Answer.of(request, {"items": []})
        return await honest(request)

    async def changes(self, request: Request, honest: Honest) -> Answer:
        return Answer.of(request, self.history.page(await place(request, honest), int(request.query["limit"])))


class Restored(Shows):
    """Says that it was restored: cursors of the epoch before are refused, as an honest restored server does."""

    def __init__(self, history: History) -> None:
        super().__init__(history, keeps_checkpoints=True)

    async def changes(self, request: Request, honest: Honest) -> Answer:
        after = request.query.get("after")
        if after is None or after.startswith(MADE_UP):
            return await super().changes(request, honest)
        return problem(409, "epoch_changed")


class ConfirmsWithoutKeeping(Shows):
    """Confirms a push, with the numbers and the head that it would have had, and drops it.

    Args:
        history: the history as it is.
        spoil: alters the confirmation further.
        keeps_checkpoints: as for `Shows`.
    """

    def __init__(
        self,
        history: History,
        spoil: Callable[[dict[str, Any]], None] = lambda answer: None,
        *,
        keeps_checkpoints: bool = False,
    ) -> None:
        super().__init__(history, keeps_checkpoints=keeps_checkpoints)
        self.spoil = spoil

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        if request.asks("POST", "/sync/push"):
            answer = self.history.copy().push(request.read()["changes"])
            self.spoil(answer)
            return Answer.of(request, answer)
        return await super().answer(request, honest)


class AltersPushAnswers(Lie):
    """Keeps what is pushed, and says something else of it."""

    def __init__(self, alter: Callable[[dict[str, Any]], None]) -> None:
        self.alter = alter

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        answer = await honest(request)
        if request.asks("POST", "/sync/push"):
            value = answer.read()
            self.alter(value)
            return answer.saying(value)
        return answer


class AltersFeed(Lie):
    """Alters each page of the real feed: ``alter(page, number of the page)``."""

    def __init__(self, alter: Callable[[dict[str, Any], int], None]) -> None:
        self.alter = alter
        self._numbers = count()

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        answer = await honest(request)
        if request.asks("GET", "/sync/changes"):
            page = answer.read()
            self.alter(page, next(self._numbers))
            return answer.saying(page)
        return answer


class AltersAnswers(Lie):
    """Alters the answers to requests on ``path``."""

    def __init__(self, path: str, alter: Callable[[dict[str, Any]], None], *, method: str | None = None) -> None:
        self.path, self.alter, self.method = path, alter, method

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        answer = await honest(request)
        if request.path != self.path or (self.method or request.method) != request.method or answer.status >= 300:
            return answer
        value = answer.read()
        self.alter(value)
        return answer.saying(value)


class NeverEnds(Shows):
    """Announces another page behind each, and one more change than there is.

    Args:
        repeats: gives the first page again and again, instead of nothing behind the last.
        one_cursor: every page names the same cursor, instead of ever new ones.
    """

    def __init__(self, history: History, *, repeats: bool, one_cursor: bool) -> None:
        super().__init__(history)
        self.repeats, self.one_cursor = repeats, one_cursor
        self._beyond = count(history.seq + 1)

    async def changes(self, request: Request, honest: Honest) -> Answer:
        answer = await super().changes(replace(request, query={"limit": "500"}) if self.repeats else request, honest)
        cursor = f"{MADE_UP}{self.history.seq if self.one_cursor else next(self._beyond)}"
        return answer.saying(answer.read() | {"has_more": True, "cursor": cursor, "seq": self.history.seq + 1})


class RepeatsConflicts(Lie):
    """Lists one conflict again and again, under ever new cursors."""

    def __init__(self) -> None:
        self._numbers = count()
        self.version = {"encrypted_content": b"x", "base_revision": 1, "parent": bytes(32), "deleted": False}

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        if not request.asks("GET", "/sync/conflicts"):
            return await honest(request)
        version = self.version | {"device_id": "d", "updated_at": "2026-01-01T00:00:00Z"}
        conflict = {
            "id": "00000000-0000-4000-8000-000000000000",
            "collection": "entries",
            "log_id": "00000000-0000-4000-8000-000000000000",
            "detected_at": "2026-01-01T00:00:00Z",
            "local_version": version,
            "remote_version": version,
        }
        cursor = f"{next(self._numbers)}"
        return Answer.of(request, {"conflicts": [conflict], "total_count": 1, "next_cursor": cursor})


# ---- about the account -------------------------------------------------------------------------------------------


def of_account(alter: Callable[[dict[str, Any]], None]) -> Lie:
    """Alters the account in the answers of login and ``/auth/me``."""

    class OfAccount(Lie):
        async def answer(self, request: Request, honest: Honest) -> Answer | None:
            answer = await honest(request)
            if request.path not in ("/auth/me", "/auth/login") or answer.status != 200:
                return answer
            value = answer.read()
            alter(value["user"] if request.path == "/auth/login" else value)
            return answer.saying(value)

    return OfAccount()


def says(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """Puts ``fields`` in place of what was there."""
    return lambda value: value.update(fields)


# ---- about how to talk -------------------------------------------------------------------------------------------


class Answers(Lie):
    """Answers every request on ``path`` with the same thing; None closes the connection."""

    def __init__(self, path: str, answer: Answer | None) -> None:
        self.path, self.fixed = path, answer

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        return self.fixed if request.path == self.path else await honest(request)


class CutsAfterTheWork(Lie):
    """Lets the real server do its work, then closes the connection, the first ``times`` times."""

    def __init__(self, path: str, times: int = 1) -> None:
        self.path, self.times = path, times
        self.cut = asyncio.Event()

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        answer = await honest(request)
        if request.path == self.path and self.times:
            self.times -= 1
            self.cut.set()
            return None
        return answer


def problem(status: int, code: str) -> Answer:
    """A refusal, as an honest server words it."""
    facts = {"type": "about:blank", "title": "t", "detail": "d", "status": status, "code": code}
    return Answer(status, "application/problem+json", json.dumps(facts).encode())


async def place(request: Request, honest: Honest) -> int:
    """Where the cursor of a request stands: one of ours, or of the real server, which is asked what follows it."""
    cursor = request.query.get("after")
    if cursor is None:
        return 0
    if cursor.startswith(MADE_UP):
        return int(cursor.removeprefix(MADE_UP))
    answer = await honest(request)
    if answer.status != 200:
        return 0  # the real server does not know it: nothing of its history was told
    feed = answer.read()
    return int(feed["changes"][0]["seq"]) - 1 if feed["changes"] else int(feed["seq"])
