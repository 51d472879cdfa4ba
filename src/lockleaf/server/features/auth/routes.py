"""``/auth``: coming in, staying in, going out, and changing what proves who one is."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Form, Query, Request
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import ValidationError

from lockleaf.crypto.normalise import normalise_email
from lockleaf.server.features.search import service as search
from lockleaf.server.identity.accounts import profiles
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.accounts.errors import (
    OF_REGISTRATION,
    OF_RESEALING,
    InvalidRecipient,
    InvalidSignature,
)
from lockleaf.server.identity.auth import service, sessions
from lockleaf.server.identity.auth.credentials import CredentialChanges
from lockleaf.server.identity.auth.registration import Registrar
from lockleaf.server.identity.auth.service import LoginService
from lockleaf.server.identity.auth.sessions import SessionIssuer
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.errors import (
    OF_RIGHTS,
    OF_SESSIONS,
    AccountDisabled,
    CustodyRequired,
    HashingBusy,
    InvalidCredentials,
    RefreshTokenReused,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
)
from lockleaf.server.identity.factors.errors import OF_FACTORS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.identity.tokens import LONGEST_TOKEN, TokenCodec
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.cursors import InvalidCursor
from lockleaf.server.platform.db.engine import Database, driver
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.errors import InvalidRequest, NotFound, contradiction
from lockleaf.server.platform.http.bodies import Parsed, field_errors
from lockleaf.server.platform.http.dependencies import PartsOf, Read, Tx, TxToBegin
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.paging import paged
from lockleaf.server.platform.http.parameters import KNOWN, require_known
from lockleaf.server.platform.http.rates import Attempts, attempts, rated
from lockleaf.server.platform.http.routing import Router
from lockleaf.server.platform.paging import Paging
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records.errors import HistoryMoved
from lockleaf.server.records.quota import Quota
from lockleaf.wire.accounts import Account, Register, Signup, SignupAnswer
from lockleaf.wire.credentials import KeyringReplacement, KeyringVersion, PasswordChange
from lockleaf.wire.profiles import Features
from lockleaf.wire.sessions import Login, LoginAnswer, Prelogin, PreloginAnswer, Sessions
from lockleaf.wire.tokens import Refresh, Tokens

__all__ = ["router"]

router = Router(prefix="/auth", tags=["auth"])

REGISTRATION = (InvalidRequest, *OF_REGISTRATION, HashingBusy)
RESEALING = (InvalidRequest, *OF_RESEALING, CustodyRequired, HashingBusy)

Anybody = Annotated[Principal, Depends(caller())]
Reader = Annotated[Principal, Depends(caller("account", write=False))]
Owner = Annotated[Principal, Depends(caller("account", write=True))]
Proving = Annotated[Principal, Depends(caller("account", write=True, rate="secret"))]
Logins = Annotated[Attempts, Depends(attempts("login_account", everywhere="login_everywhere"))]


# ---- coming in ----


@router.post(
    "/prelogin", summary="Ask how to derive keys", response_model_exclude_none=True, responses=problems(InvalidRequest)
)
@rated("prelogin")
async def prelogin(read: Read, parts: PartsOf, body: Annotated[Prelogin, Depends(Parsed(Prelogin))]) -> PreloginAnswer:
    """Return the key derivation parameters and the salt of an email or a name; for an unknown one, some that look real
    and stay the same."""
    return await accounts.shown_derivation(read, body.login_name, parts[ServerKeys].prelogin, parts[Settings].prelogin)


@router.post(
    "/register", summary="Make an end-to-end encrypted account", status_code=201, responses=problems(*REGISTRATION)
)
@rated("signup")
async def register(
    read: Read, tx: TxToBegin, parts: PartsOf, body: Annotated[Register, Depends(Parsed(Register))]
) -> SignupAnswer:
    """Make an end-to-end encrypted account; without `privacy_tier` it keeps everything on the device."""
    return _signed_up(parts, await parts[Registrar].register(read, tx, body))


@router.post(
    "/signup",
    summary="Make an account in either custody",
    status_code=201,
    responses=problems(*REGISTRATION, CustodyRequired),
)
@rated("signup")
async def signup(
    read: Read, tx: TxToBegin, parts: PartsOf, body: Annotated[Signup, Depends(Parsed(Signup))]
) -> SignupAnswer:
    """Make an account in the custody of one's choice; without `privacy_tier` it syncs."""
    return _signed_up(parts, await parts[Registrar].sign_up(read, tx, body))


@router.post(
    "/token",
    summary="Log in by the OAuth 2 form",
    dependencies=[KNOWN],
    responses=problems(InvalidRequest, InvalidCredentials, AccountDisabled, *OF_FACTORS, HashingBusy),
)
@rated("login")
async def token(
    read: Read,
    tx: TxToBegin,
    parts: PartsOf,
    tried: Logins,
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    factor: Annotated[str | None, Form(description="A code, where the account has a second factor.")] = None,
) -> Tokens:
    """Log in by the password form of OAuth 2. Its access token lives longer: many who send a form never refresh."""
    logged_in = await _log_in(read, tx, parts, tried, _login_of(form, factor))
    return parts[SessionIssuer].tokens_of(logged_in.session, seconds=parts[TokenCodec].form_seconds)


@router.post(
    "/login",
    summary="Log in",
    responses=problems(InvalidRequest, InvalidCredentials, AccountDisabled, *OF_FACTORS, HashingBusy),
)
@rated("login")
async def login(
    read: Read, tx: TxToBegin, parts: PartsOf, tried: Logins, body: Annotated[Login, Depends(Parsed(Login))]
) -> LoginAnswer:
    """Log in, with the name of the device."""
    logged_in = await _log_in(read, tx, parts, tried, body)
    opened = logged_in.session
    row = opened.row
    user = await profiles.describe(tx.session, logged_in.account, session_id=row.session_id, device_id=row.device_id)
    return LoginAnswer(**_tokens(parts, logged_in), user=user, salt=user.salt, vault_id=user.vault_id)


async def _log_in(read: Read, tx: Transaction, parts: Parts, tried: Attempts, body: Login) -> service.LoggedIn:
    too_many = await tried.count(normalise_email(body.login_name))
    if too_many is not None and not await service.knows_device(read, body):
        await tried.refuse(too_many)
    return await parts[LoginService].login(read, tx, body)


# ---- staying in, going out ----


class _RefreshFrom(Parsed[Refresh]):
    """The body of a refresh, or in its place the token in the URL, as diary clients send it."""

    async def __call__(
        self,
        request: Request,
        refresh_token: Annotated[
            str | None,
            Query(
                max_length=LONGEST_TOKEN,
                deprecated=True,
                description="In place of a body. This server writes no URL down; what is before it may.",
            ),
        ] = None,
    ) -> Refresh:
        """Return what is asked for.

        Raises:
            UnsupportedMediaType, MalformedRequest, InvalidRequest: as `Parsed` does; or the token differs from that of
                the body.
        """
        require_known(request)
        if refresh_token is not None and (await request.body()).strip() in _NO_BODY:
            return Refresh(refresh_token=refresh_token)
        body = await super().__call__(request)
        if refresh_token not in (None, body.refresh_token):
            raise contradiction("refresh_token", "this differs from the token in the body: send one of them")
        return body


_NO_BODY = (b"", b"{}", b"null")
_Refresh = Annotated[Refresh, Depends(_RefreshFrom(Refresh, optional=True))]


@router.post(
    "/refresh",
    summary="Get the next tokens",
    responses=problems(InvalidRequest, TokenExpired, TokenInvalid, SessionRevoked, RefreshTokenReused, AccountDisabled),
)
async def refresh(parts: PartsOf, body: _Refresh) -> Tokens:
    """Exchange a refresh token for the next tokens; the use of an old one ends the session."""
    return await service.refresh(parts[Database], parts[SessionIssuer], body)


@router.post("/logout", summary="Log out", status_code=204, responses=problems(*OF_SESSIONS))
async def logout(caller: Anybody, tx: Tx) -> None:
    """End this session at once."""
    await sessions.end(tx, caller.user_id, caller.session_id)


@router.get(
    "/sessions",
    summary="List the devices that are signed in",
    responses=problems(*OF_RIGHTS, InvalidRequest, InvalidCursor),
)
async def get_sessions(
    caller: Reader, read: Read, parts: PartsOf, paging: Annotated[Paging, Depends(paged(500))]
) -> Sessions:
    """Return the devices that are signed in, latest used first."""
    return await sessions.list_all(read, caller.user_id, caller.session_id, paging, now=parts[Clock]())


@router.delete(
    "/sessions/{session_id}",
    summary="Sign a device out",
    status_code=204,
    responses=problems(*OF_RIGHTS, NotFound, InvalidRequest),
)
async def delete_session(session_id: UUID, caller: Owner, tx: Tx) -> None:
    """Sign one device out at once."""
    await sessions.end(tx, caller.user_id, session_id)


# ---- the account ----


@router.get("/me", summary="Read the account and its keys", responses=problems(*OF_RIGHTS))
async def me(caller: Reader, read: Read) -> Account:
    """Return the account with its public keys and its sealed keyring."""
    account = await accounts.get(read, caller.user_id)
    return await profiles.describe(read, account, session_id=caller.session_id, device_id=caller.device_id)


@router.get("/features", summary="Ask what the account may do", responses=problems(*OF_RIGHTS))
async def get_features(caller: Reader, read: Read, parts: PartsOf) -> Features:
    """Return what the account may do on this server, and how much of its quota is used."""
    account = await accounts.get(read, caller.user_id)
    searchable = await search.is_on(await driver(read), caller.user_id, caller.custody)
    return await profiles.features(read, account, parts[Settings], parts[Quota], searchable=searchable)


# ---- changing credentials ----


@router.put(
    "/password",
    summary="Change the password",
    responses=problems(*OF_RIGHTS, InvalidCredentials, *OF_FACTORS, *RESEALING),
)
async def put_password(
    caller: Proving,
    read: Read,
    tx: TxToBegin,
    parts: PartsOf,
    body: Annotated[PasswordChange, Depends(Parsed(PasswordChange))],
) -> Tokens:
    """Change the password, with the keyring sealed under the new one; every other session ends."""
    return await parts[CredentialChanges].change_password(read, tx, caller, body)


@router.put(
    "/keyring",
    summary="Store a keyring, or rotate the keys",
    response_model_exclude_none=True,
    responses=problems(
        *OF_RIGHTS, InvalidCredentials, *OF_FACTORS, InvalidRecipient, InvalidSignature, HistoryMoved, *RESEALING
    ),
)
async def put_keyring(
    caller: Proving,
    read: Read,
    tx: TxToBegin,
    parts: PartsOf,
    body: Annotated[KeyringReplacement, Depends(Parsed(KeyringReplacement))],
) -> KeyringVersion:
    """Store a first keyring, or one with a new key, with its recovery set; every other session ends."""
    return await parts[CredentialChanges].replace_keyring(read, tx, caller, body)


# ---- shaping ----


def _login_of(form: OAuth2PasswordRequestForm, factor: str | None) -> Login:
    try:
        return Login.model_validate(
            {"username": form.username, "password": form.password, "scope": " ".join(form.scopes), "factor": factor}
        )
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidRequest(errors=field_errors(found)) from None


def _tokens(parts: Parts, logged_in: service.LoggedIn) -> dict[str, object]:
    return parts[SessionIssuer].tokens_of(logged_in.session).model_dump()


def _signed_up(parts: Parts, logged_in: service.LoggedIn) -> SignupAnswer:
    return SignupAnswer.model_validate(
        {
            **_tokens(parts, logged_in),
            **profiles.shown_at_signup(logged_in.account),
            "recovery_codes": logged_in.codes,
        }
    )
