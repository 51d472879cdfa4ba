"""A server that lies at random: it drops, repeats, reorders, truncates, takes back, crosses over and invents.

`Mutates` stands between devices and the real server. Some of its lies are clumsy, such as half an answer; some concern
the journal and are consistent in themselves, every number and head made to fit, as in `tests.support.lies`.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from tests.support.forged_history import Change, History, bare
from tests.support.lies import place, problem
from tests.support.lying_server import Answer, Honest, Lie, Request

__all__ = ["Mutates"]

_CODES = (
    (401, "token_invalid"),
    (401, "token_reused"),
    (401, "session_revoked"),
    (403, "privacy_tier"),
    (404, "not_found"),
    (409, "epoch_changed"),
    (409, "revision_conflict"),
    (409, "key_retired"),
    (410, "gone"),
    (413, "too_large"),
    (422, "validation_failed"),
    (428, "revision_required"),
    (500, "internal_error"),
)
_PAGE = 500


class Mutates(Lie):
    """Lies about every ``1 / rate``-th answer or so, in a way that ``random`` chooses.

    ``told`` names what was done to which request, for whoever reads a failure.
    """

    def __init__(self, random: Random, rate: float) -> None:
        self.random = random
        self.rate = rate
        self.told: list[str] = []
        self._said: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        self._journals: list[History] = []

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        """What is said instead, now and then."""
        if self.random.random() >= self.rate:
            return self._remember(request, await honest(request))
        ways = [self._silence, self._loses_the_answer, self._refuses, self._takes_back, self._crosses, self._half]
        ways += [self._alters] * 4
        if request.asks("GET", "/sync/changes"):
            ways += [self._another_journal] * 12
        if request.asks("POST", "/sync/push"):
            ways += [self._part_of_a_push, self._part_of_a_push, self._confirms_only, self._confirms_only]
        way = self.random.choice(ways)
        self.told.append(f"{way.__name__.strip('_')} of {request.method} {request.path}")
        return await way(request, honest)

    def _remember(self, request: Request, answer: Answer) -> Answer:
        self._said[request.method, request.path].append(answer)
        return answer

    # ---- about any answer ----------------------------------------------------------------------------------------

    async def _silence(self, request: Request, honest: Honest) -> None:
        """Drop the request."""

    async def _loses_the_answer(self, request: Request, honest: Honest) -> None:
        await honest(request)

    async def _refuses(self, request: Request, honest: Honest) -> Answer:
        status, code = self.random.choice(_CODES)
        if self.random.random() < 0.5:
            await honest(request)
        return problem(status, code)

    async def _takes_back(self, request: Request, honest: Honest) -> Answer:
        """An earlier answer to the same question: as if nothing had happened since."""
        earlier = self._said[request.method, request.path]
        return self.random.choice(earlier) if earlier else self._remember(request, await honest(request))

    async def _crosses(self, request: Request, honest: Honest) -> Answer:
        """The answer to another question."""
        others = [answers for key, answers in self._said.items() if answers and key[1] != request.path]
        return self.random.choice(self.random.choice(others)) if others else await honest(request)

    async def _half(self, request: Request, honest: Honest) -> Answer:
        answer = await honest(request)
        return replace(answer, cut_after=self.random.randrange(len(answer.body) + 1))

    async def _alters(self, request: Request, honest: Honest) -> Answer:
        answer = await honest(request)
        if not answer.body or answer.status >= 300:
            return answer
        value = answer.read()
        for _ in range(self.random.choice((1, 1, 1, 2, 4))):
            value = self._altered(value)
        try:
            return answer.saying(value)
        except (TypeError, ValueError):  # bytes that went into JSON
            return answer

    def _altered(self, value: Any) -> Any:
        """The value with one place in it dropped, repeated, swapped, made up or taken from elsewhere in it."""
        places = list(_places(value))
        if not places:
            return self._made_up(value)
        holder, key = self.random.choice(places)
        match self.random.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 2 if isinstance(holder, list):
                self.random.shuffle(holder)
            case 3 if isinstance(holder, list):
                del holder[key:]
            case 4:
                other, elsewhere = self.random.choice(places)
                holder[key] = copy.deepcopy(other[elsewhere])
            case _:
                holder[key] = self._made_up(holder[key])
        return value

    def _made_up(self, value: Any) -> Any:
        """Something like it, that it is not."""
        match value:
            case bool():
                return not value
            case int():
                return self.random.choice((value + 1, value - 1, 0, -1, 2**31, 2**63))
            case str():
                return self.random.choice(
                    ("", value[:-1], value + "x", "\x1b[2J", "2020-01-01T00:00:00Z", "f" * 10_000)
                )
            case bytes() if value:
                place = self.random.randrange(len(value))
                changed = bytes((value[place] ^ (1 << self.random.randrange(8)),))
                return self.random.choice((b"", value[:place], value[:place] + changed + value[place + 1 :]))
            case _:
                return self.random.choice((None, [], {}, 0, "x", [value]))

    # ---- about the journal ---------------------------------------------------------------------------------------

    async def _another_journal(self, request: Request, honest: Honest) -> Answer:
        """A history that never was, with numbers and heads that fit."""
        history = await self._whole(request, honest)
        if history is None or not history.changes:
            return await honest(request)
        for _ in range(self.random.choice((1, 1, 2, 3))):
            self.random.choice(self._rewritings(history))(history)
            if not history.changes:
                break
        return Answer.of(request, history.page(await place(request, honest), int(request.query.get("limit", _PAGE))))

    async def _whole(self, request: Request, honest: Honest) -> History | None:
        """The journal as it is, or as it was when it was asked for before."""
        if self._journals and self.random.random() < 0.3:
            return self.random.choice(self._journals).copy()
        query = {name: value for name, value in request.query.items() if name != "after"}
        answer = await honest(replace(request, query=query | {"limit": str(_PAGE)}))
        if answer.status != 200:
            return None
        feed = answer.read()
        assert not feed["has_more"], "a session is too long to be told anew"
        history = History(feed["changes"], feed["epochs"])
        self._journals.append(history.copy())
        return history

    def _rewritings(self, history: History) -> list[Callable[[History], None]]:
        return [
            self._drops,
            self._repeats,
            self._reorders,
            self._truncates,
            self._reverts,
            self._crosses_over,
            self._invents,
            self._invents_a_deletion,
            self._begins_anew,
            self._changes_what_is_beside,
        ]

    def _drops(self, history: History) -> None:
        history.changes.remove(self.random.choice(history.changes))
        self._fit(history)

    def _repeats(self, history: History) -> None:
        history.changes.append(copy.deepcopy(self.random.choice(history.changes)))
        self._fit(history)

    def _reorders(self, history: History) -> None:
        self.random.shuffle(history.changes)
        self._fit(history)

    def _truncates(self, history: History) -> None:
        del history.changes[self.random.randrange(len(history.changes)) :]
        self._fit(history)

    def _reverts(self, history: History) -> None:
        """The content of an earlier time in the place of what a record holds now."""
        known = [change for journal in self._journals for change in journal.changes if not change.get("superseded")]
        old = copy.deepcopy(self.random.choice(known))
        here = [change for change in history.changes if change["record_id"] == old["record_id"]]
        if here and self.random.random() < 0.5:
            history.changes[history.changes.index(here[-1])] = old
        else:
            history.changes.append(old)
        self._fit(history)

    def _crosses_over(self, history: History) -> None:
        whole = [change for change in history.changes if not change.get("superseded")]
        one, two = self.random.choice(whole or [None]), self.random.choice(whole or [None])
        if one is None or two is None:
            return
        names = self.random.choice((("payload",), ("record_id",), ("payload", "labels"), ("labels",), ("collection",)))
        for name in names:
            one[name], two[name] = two[name], one[name]
        self._fit(history)

    def _invents(self, history: History) -> None:
        made = copy.deepcopy(self.random.choice(history.changes))
        if made.get("superseded"):
            return
        payload = made["payload"]
        made["payload"] = self.random.choice((b"", b"\x81\xa4body\xa3lie", self.random.randbytes(300), payload[:-1]))
        if self.random.random() < 0.5:
            made["record_id"] = f"{self.random.getrandbits(64):016x}"
        history.changes.append(made)
        self._fit(history)

    def _invents_a_deletion(self, history: History) -> None:
        last = copy.deepcopy(self.random.choice(history.changes))
        if last.get("superseded"):
            return
        last |= {"deleted": True, "payload": self.random.choice((b"", last["payload"])), "labels": ()}
        history.changes.append(last)
        self._fit(history)

    def _begins_anew(self, history: History) -> None:
        """A restore that nobody declared."""
        through = self.random.randrange(history.seq + 1)
        restored = history.restored(through, epoch=f"epoch-{self.random.getrandbits(32):08x}")
        history.changes, history.epochs = restored.changes, restored.epochs

    def _changes_what_is_beside(self, history: History) -> None:
        change = self.random.choice(history.changes)
        if not change.get("superseded"):
            name = self.random.choice(("labels", "source", "occurred_at", "deleted", "device_id"))
            change[name] = {
                "labels": (self.random.randbytes(16),),
                "source": "elsewhere",
                "occurred_at": "1999-12-31T23:59:59Z",
                "deleted": not change["deleted"],
                "device_id": "another",
            }[name]

    @staticmethod
    def _fit(history: History) -> None:
        """Number the changes anew, link the revisions of each record, and show only the latest whole."""
        last: dict[tuple[str, str], Change] = {}
        for seq, change in enumerate(history.changes, start=int(history.epochs[0]["from_seq"]) + 1):
            key = (change["collection"], change["record_id"])
            before = last.get(key)
            change |= {
                "seq": seq,
                "revision": 1 if before is None else before["revision"] + 1,
                "parent": bytes(32) if before is None else bare(before)["payload_hash"],
            }
            last[key] = change
        latest = {id(change) for change in last.values()}
        history.changes = [
            change if id(change) in latest or change.get("superseded") else bare(change) for change in history.changes
        ]

    # ---- about what is sent --------------------------------------------------------------------------------------

    async def _part_of_a_push(self, request: Request, honest: Honest) -> Answer:
        """Keep some of the changes, and answer as if all had been kept."""
        body = request.read()
        kept = [change for change in body["changes"] if self.random.random() < 0.5]
        history = await self._whole(replace(request, method="GET", path="/sync/changes", body=b"", query={}), honest)
        if kept:
            await honest(replace(request, body=Answer.of(_packed(request), body | {"changes": kept}).body))
        if history is None:
            return await honest(request)
        return Answer.of(request, history.push(body["changes"]))

    async def _confirms_only(self, request: Request, honest: Honest) -> Answer:
        """Confirm it, and keep nothing."""
        history = await self._whole(replace(request, method="GET", path="/sync/changes", body=b"", query={}), honest)
        return await honest(request) if history is None else Answer.of(request, history.push(request.read()["changes"]))


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place within it that can be changed: what holds it, and the key there."""
    match value:
        case dict():
            items: list[tuple[Any, Any]] = list(value.items())
        case list():
            items = list(enumerate(value))
        case _:
            return []
    return [place for key, inner in items for place in ((value, key), *_places(inner))]


def _packed(request: Request) -> Request:
    return replace(request, headers={"accept": request.headers.get("content-type", "")})
