"""``/users``: the profile, its statistics and preferences, and the end of the account."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from lockleaf.server.identity.accounts import profiles, service
from lockleaf.server.identity.auth.credentials import CredentialChanges
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.errors import OF_RIGHTS, HashingBusy, InvalidCredentials
from lockleaf.server.identity.factors.errors import OF_FACTORS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.holdings import Holdings
from lockleaf.server.platform.http.bodies import Parsed
from lockleaf.server.platform.http.dependencies import PartsOf, Read, Tx, TxToBegin
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.routing import Router
from lockleaf.wire.accounts import AccountDeletion
from lockleaf.wire.profiles import Preferences, PreferencesChange, Profile, ProfileChange, Statistics

__all__ = ["router"]


router = Router(
    prefix="/users",
    tags=["users"],
    responses=problems(*OF_RIGHTS),
)

Reader = Annotated[Principal, Depends(caller("account", write=False))]
Owner = Annotated[Principal, Depends(caller("account", write=True))]
Proving = Annotated[Principal, Depends(caller("account", write=True, rate="secret"))]
Days = Annotated[int, Query(ge=1, le=3650, description="How many days back to look.")]


@router.get("/me", summary="Read the profile")
async def get_me(caller: Reader, read: Read, parts: PartsOf, days: Days = 30) -> Profile:
    """Return the profile with statistics."""
    account = await service.get(read, caller.user_id)
    return await profiles.profile(read, account, days=days, now=parts[Clock]())


@router.put("/me", summary="Change the profile", responses=problems(InvalidRequest))
async def put_me(
    caller: Owner,
    tx: Tx,
    parts: PartsOf,
    body: Annotated[ProfileChange, Depends(Parsed(ProfileChange))],
) -> Profile:
    """Change display name, time zone or locale; what is absent stays."""
    account = await service.lock(tx.session, caller.user_id)
    profiles.change_profile(account, body, now=parts[Clock]())
    return await profiles.profile(tx.session, account, days=30, now=parts[Clock]())


@router.delete(
    "/me",
    summary="Delete the account",
    status_code=204,
    responses=problems(*OF_RIGHTS, InvalidCredentials, *OF_FACTORS, HashingBusy),
)
async def delete_me(
    caller: Proving,
    read: Read,
    tx: TxToBegin,
    parts: PartsOf,
    body: Annotated[AccountDeletion, Depends(Parsed(AccountDeletion))],
) -> None:
    """Delete the account and everything in it, at once and for good."""
    await parts[CredentialChanges].delete_account(parts[Holdings], read, tx, caller, body)


@router.get("/me/stats", summary="Count without reading", responses=problems(InvalidRequest))
async def get_stats(caller: Reader, read: Read, parts: PartsOf, days: Days = 30) -> Statistics:
    """Return what can be counted without reading; words cannot."""
    account = await service.get(read, caller.user_id)
    return await profiles.statistics(read, account, days=days, now=parts[Clock]())


@router.get("/me/preferences", summary="Read the preferences")
async def get_preferences(caller: Reader, read: Read) -> Preferences:
    """Return the preferences."""
    return profiles.preferences(await service.get(read, caller.user_id))


@router.put("/me/preferences", summary="Change the preferences", responses=problems(InvalidRequest))
async def put_preferences(
    caller: Owner,
    tx: Tx,
    parts: PartsOf,
    body: Annotated[PreferencesChange, Depends(Parsed(PreferencesChange))],
) -> Preferences:
    """Change preferences; what is absent stays, null takes one away. The answer is the whole."""
    account = await service.lock(tx.session, caller.user_id)
    return profiles.change_preferences(account, body, now=parts[Clock]())
