"""Second factors: listed, an app added and confirmed, removed, and the codes for when they are lost."""

from __future__ import annotations

from lockleaf.app.models.account import Password
from lockleaf.app.models.factors import AddApp, AddedApp, ConfirmApp, FactorCodes, Factors, FactorView
from lockleaf.app.problems import Refused
from lockleaf.app.proving import with_factor
from lockleaf.app.qr import drawn
from lockleaf.app.routing import Call, Endpoints

__all__ = ["endpoints"]

endpoints = Endpoints()


@endpoints.add("GET", "/factors")
async def list_factors(call: Call[None]) -> Factors:
    """Return the second factors of the account."""
    found = await call.desk.client.factors.list()
    return Factors(
        factors=tuple(
            FactorView(
                id=str(each.id),
                kind=each.kind,
                name=each.name,
                created_at=each.created_at,
                last_used_at=each.last_used_at,
            )
            for each in found.items
        ),
        codes_left=found.codes_left,
        wrong_codes=found.wrong_codes,
    )


@endpoints.add("POST", "/factors/apps")
async def add_app(call: Call[AddApp]) -> AddedApp:
    """Begin to add an authenticator app, in place of one that was begun before; it counts once it is confirmed."""
    given = call.body
    with with_factor(call.desk, given.factor):
        made = await call.desk.client.factors.add_app(given.password, given.name.strip() or None)
    call.desk.adding = made
    return AddedApp(secret=made.secret, svg=drawn(made.uri, error="m"))


@endpoints.add("POST", "/factors/apps/confirm")
async def confirm_app(call: Call[ConfirmApp]) -> FactorCodes:
    """Let the app count that was begun; other devices are signed out."""
    begun = call.desk.adding
    if begun is None:
        raise Refused(409, "nothing_begun", "No app is being added any more. Begin again.")
    codes = await call.desk.client.factors.confirm_app(begun, call.body.code)
    call.desk.adding = None
    return FactorCodes(codes=tuple(codes or ()))


@endpoints.add("POST", "/factors/{factor_id}/remove")
async def remove_factor(call: Call[Password]) -> None:
    """Remove a factor; other devices are signed out. With the last one the password alone lets in."""
    given, factors = call.body, call.desk.client.factors
    found = (await factors.list()).items
    chosen = next((each for each in found if str(each.id) == call.path["factor_id"]), None)
    if chosen is None:
        raise Refused(404, "not_found", "There is no such factor any more.")
    with with_factor(call.desk, given.factor):
        await factors.remove(chosen, given.password)


@endpoints.add("POST", "/factors/codes")
async def new_factor_codes(call: Call[Password]) -> FactorCodes:
    """Replace the factor codes by ten new ones; other devices are signed out."""
    with with_factor(call.desk, call.body.factor):
        return FactorCodes(codes=tuple(await call.desk.client.factors.new_codes(call.body.password)))
