"""People with a second factor, over plain HTTP, and the app on their phone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import pyotp

from tests.support.account_holders import Clock, Person, problem

__all__ = ["App", "add_app", "challenge_of"]


@dataclass
class App:
    """An authenticator app with the secret of one factor; it shows each code once, as people use them."""

    secret: str
    id: str
    codes: tuple[str, ...]
    clock: Clock
    """The server's: the phone's is the same."""

    def at(self, moment: datetime) -> str:
        """The code that is shown at a moment."""
        return pyotp.TOTP(self.secret).at(moment)

    def code(self) -> str:
        """The code after the last one that was asked for."""
        self.clock.advance(seconds=30)
        return self.at(self.clock())

    def wrong(self) -> str:
        """A code that fits none of the moments around."""
        near = {self.at_step(step) for step in range(-3, 4)}
        return next(code for code in map("{:06}".format, range(10)) if code not in near)

    def at_step(self, steps: int) -> str:
        """The code of so many steps from now."""
        return pyotp.TOTP(self.secret).at(self.clock(), counter_offset=steps)


async def add_app(http: httpx.AsyncClient, person: Person, clock: Clock, **more: Any) -> App:
    """Add an app to an account, and confirm it."""
    proof = {"current_password": person.secret}
    begun = await http.post("/auth/factors", json={**proof, "kind": "totp", **more}, headers=person.headers)
    assert begun.status_code == 201, begun.text
    app = App(begun.json()["totp"]["secret"], begun.json()["id"], (), clock)
    body = {**proof, "code": app.code()}
    confirmed = await http.post(f"/auth/factors/{app.id}/confirm", json=body, headers=person.headers)
    assert confirmed.status_code == 200, confirmed.text
    app.codes = tuple(confirmed.json().get("codes", ()))
    return app


def challenge_of(answer: httpx.Response, code: str = "second_factor_required") -> str:
    """The challenge of a refusal for want of a second factor."""
    challenge: str = problem(answer, 401, code)["challenge"]
    return challenge
