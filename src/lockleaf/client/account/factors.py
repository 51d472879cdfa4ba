"""Second factors: which the account has, adding and removing them, and the codes for when they are lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from lockleaf.client.account import credentials
from lockleaf.client.account.passkeys import SecurityKey, make_passkey
from lockleaf.client.device.device import Device
from lockleaf.client.errors import InvalidAnswer, InvalidCredentials, WrongPassword
from lockleaf.client.transport.second_factor import answered
from lockleaf.wire import factors as wire
from lockleaf.wire.credentials import Credentials, FactorBeginning
from lockleaf.wire.factors import CODES, Factor, FactorAnswer

__all__ = ["FactorCodes", "Factors", "NewApp"]

_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}", re.ASCII)


@dataclass(frozen=True)
class FactorCodes:
    """A set of factor codes, to be shown to their user once and kept nowhere.

    Each is ``XXXX-XXXX-XXXX-XXXX`` and stands for the second factor one time. It opens nothing, and is no password.
    """

    codes: tuple[str, ...] = field(repr=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self.codes)

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True)
class NewApp:
    """An authenticator app that is being added: ``secret`` in base32, or ``uri`` as a QR code, go into it once."""

    id: UUID
    secret: str = field(repr=False)
    uri: str = field(repr=False)
    proof: str = field(repr=False)


class Factors:
    """The second factors of an account.

    The server asks for one at login, at every change of what opens the account, at recovery and deletion. A journal
    that is on this device opens without one: it never asks the server.
    """

    def __init__(self, device: Device) -> None:
        self._device = device

    async def list(self) -> wire.FactorList:
        """Return the account's factors, how many codes are left, and how many wrong codes somebody sent.

        Raises:
            NotLoggedIn: there is no session.
        """
        return await self._device.session.transport.request("GET", "/auth/factors", answer=wire.FactorList)

    async def add_app(self, password: str, name: str | None = None) -> NewApp:
        """Begin to add an authenticator app. It counts once `confirm_app` was told a code of it.

        Args:
            password: the account's.
            name: what its owner calls it.

        Raises:
            WrongPassword: it is not the password.
            TooManyFactors: the account has as many as one can have.
        """
        begun, proof = await self._begin("totp", password, name)
        if begun.totp is None:
            raise InvalidAnswer
        return NewApp(begun.id, begun.totp.secret, begun.totp.uri, proof)

    async def confirm_app(self, app: NewApp, code: str) -> FactorCodes | None:
        """Let an app count from now on. Every other device is signed out.

        Args:
            code: what it shows.

        Returns:
            With the first factor of the account ten factor codes: show them once, keep them nowhere. Else None.

        Raises:
            InvalidFactor: it is not what the app shows; call it again with the next one.
            TooManyFactorAttempts: too many were wrong.
        """
        return await self._confirm(app.id, wire.FactorConfirmation(current_password=app.proof, code=code.strip()))

    async def add_passkey(self, password: str, key: SecurityKey, name: str | None = None) -> FactorCodes | None:
        """Make a passkey on a security key, and let it count from now on. Every other device is signed out.

        Args:
            password: the account's.
            key: one that is plugged in, for instance.
            name: what its owner calls it.

        Returns:
            As `confirm_app` does.

        Raises:
            WrongPassword: it is not the password.
            TooManyFactors: the account has as many as one can have.
            PasskeysNotConfigured, InvalidPasskey: the server takes none, or not this one.
            PasskeyOfAnotherServer, SecurityKeyFailed: the key makes none for this server, or was not touched.
        """
        begun, proof = await self._begin("passkey", password, name)
        if begun.passkey is None:
            raise InvalidAnswer
        made = await make_passkey(key, self._device.session.transport.server, begun.passkey)
        return await self._confirm(begun.id, wire.FactorConfirmation(current_password=proof, passkey=made))

    async def _begin(self, kind: wire.FactorKind, password: str, name: str | None) -> tuple[wire.FactorBegun, str]:
        proof = await credentials.current_secret(self._device, password)
        transport = self._device.session.transport

        async def send(factor: FactorAnswer | None) -> wire.FactorBegun:
            body = FactorBeginning(current_password=proof, kind=kind, name=name, factor=factor)
            return await transport.request(
                "POST", "/auth/factors", body=body, answer=wire.FactorBegun, retry=factor is None
            )

        try:
            return await answered(transport, send), proof
        except InvalidCredentials:
            raise WrongPassword from None

    async def _confirm(self, factor_id: UUID, body: wire.FactorConfirmation) -> FactorCodes | None:
        confirmed = await self._device.session.transport.request(
            "POST", f"/auth/factors/{factor_id}/confirm", body=body, answer=wire.FactorConfirmed, retry=False
        )
        return None if confirmed.codes is None else _codes(confirmed.codes)

    async def remove(self, factor: Factor, password: str) -> None:
        """Remove a factor. Every other device is signed out. With the last one the password alone lets in.

        Raises:
            WrongPassword: it is not the password.
            NotFound: the account has no such factor.
        """
        proof = await credentials.current_secret(self._device, password)
        transport = self._device.session.transport

        async def send(answer: FactorAnswer | None) -> None:
            body = Credentials(current_password=proof, factor=answer)
            await transport.command("DELETE", f"/auth/factors/{factor.id}", body=body, retry=False)

        try:
            await answered(transport, send)
        except InvalidCredentials:
            raise WrongPassword from None

    async def new_codes(self, password: str) -> FactorCodes:
        """Replace the factor codes by ten new ones. Every other device is signed out.

        Raises:
            WrongPassword: it is not the password.
            NotFound: the account has no second factor.
        """
        proof = await credentials.current_secret(self._device, password)
        transport = self._device.session.transport

        async def send(answer: FactorAnswer | None) -> wire.FactorCodes:
            body = Credentials(current_password=proof, factor=answer)
            return await transport.request(
                "POST", "/auth/factors/codes", body=body, answer=wire.FactorCodes, retry=False
            )

        try:
            drawn = await answered(transport, send)
        except InvalidCredentials:
            raise WrongPassword from None
        return _codes(drawn.codes)


def _codes(drawn: tuple[str, ...]) -> FactorCodes:
    """Return the codes that the server drew, once they have the form of such: they are shown to a person."""
    if len(set(drawn)) != CODES or len(drawn) != CODES or not all(_CODE.fullmatch(code) for code in drawn):
        raise InvalidAnswer
    return FactorCodes(drawn)
