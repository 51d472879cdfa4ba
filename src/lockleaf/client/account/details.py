"""What the server says of an account, and what its user tells it of themselves."""

from __future__ import annotations

import asyncio
from uuid import UUID

from pydantic import ValidationError

from lockleaf.client.account.key_checks import check_keys
from lockleaf.client.account.sessions import fetch_account
from lockleaf.client.device.device import Device
from lockleaf.client.errors import InvalidAccountDetail
from lockleaf.client.records.preferences import choose_locale
from lockleaf.client.transport.lists import fetch_list
from lockleaf.wire.accounts import Account
from lockleaf.wire.custody import Access, AccessHistory
from lockleaf.wire.profiles import Features, Preferences, PreferencesChange, ProfileChange
from lockleaf.wire.profiles import Profile as AccountDetails
from lockleaf.wire.recovery import RecoveryCodesLeft
from lockleaf.wire.sessions import Session, Sessions

__all__ = ["AccountFacts"]


class AccountFacts:
    """The account as the server has it."""

    def __init__(self, device: Device) -> None:
        self._device = device

    async def me(self) -> Account:
        """Return the server's word on the account. `check_keys` holds it against what this device knows."""
        return await fetch_account(self._device)

    async def details(self) -> AccountDetails:
        """Return the account as its user sees it: display name, time zone, locale, and what the server can count."""
        return await self._device.session.transport.request("GET", "/users/me", answer=AccountDetails)

    async def update(
        self, *, display_name: str | None = None, time_zone: str | None = None, locale: str | None = None
    ) -> AccountDetails:
        """Change what is given of the account's details; the server knows them.

        Args:
            display_name: how the user wants to be called; an empty text takes it away.
            time_zone: such as ``Europe/Berlin``.
            locale: such as ``de`` or ``de-CH``. It is sealed too, for all devices: words are compared in its language,
                whatever the server says of it.

        Raises:
            InvalidAccountDetail: one is not well-formed; nothing was sent.
        """
        given = {"timezone": time_zone, "locale": locale}
        wanted: dict[str, str | None] = {name: value for name, value in given.items() if value is not None}
        if display_name is not None:
            wanted["display_name"] = display_name.strip() or None
        try:
            body = ProfileChange.model_validate(wanted)
        except ValidationError:
            raise InvalidAccountDetail from None
        session = self._device.session
        answer = await session.transport.request("PUT", "/users/me", body=body, answer=AccountDetails)
        if locale is not None:
            await asyncio.to_thread(choose_locale, session.store, locale, now=self._device.now())
        return answer

    async def preferences(self) -> Preferences:
        """Return what applications remember of the account's user; the server knows it."""
        return await self._device.session.transport.request("GET", "/users/me/preferences", answer=Preferences)

    async def update_preferences(
        self, *, daily_word_goal: int | None = None, writing_reminder_time: str | None = None
    ) -> Preferences:
        """Change what is given of the preferences.

        Args:
            daily_word_goal: words a day; 0 takes the goal away.
            writing_reminder_time: such as ``20:30``; an empty text takes it away.

        Raises:
            InvalidAccountDetail: one is not well-formed; nothing was sent.
        """
        wanted: dict[str, int | str | None] = {}
        if daily_word_goal is not None:
            wanted["daily_word_goal"] = daily_word_goal or None
        if writing_reminder_time is not None:
            wanted["writing_reminder_time"] = writing_reminder_time.strip() or None
        try:
            body = PreferencesChange.model_validate(wanted)
        except ValidationError:
            raise InvalidAccountDetail from None
        transport = self._device.session.transport
        return await transport.request("PUT", "/users/me/preferences", body=body, answer=Preferences)

    async def features(self) -> Features:
        """Return what the account may do on this server, and its quota."""
        return await self._device.session.transport.request("GET", "/auth/features", answer=Features)

    async def sessions(self) -> tuple[Session, ...]:
        """Return the devices that are signed in, latest used first."""
        return tuple(await fetch_list(self._device.session.transport, "/auth/sessions", Sessions))

    async def revoke(self, session_id: UUID) -> None:
        """Sign a device out at once.

        Raises:
            NotFound: there is no such session.
        """
        await self._device.session.transport.command("DELETE", f"/auth/sessions/{session_id}")

    async def access(self) -> tuple[Access, ...]:
        """Return when the server opened content of the account, latest hour first; with e2e it never can.

        It is the server's own account of what it did: it shows what other sessions did, not what a server hides.
        """
        return tuple(await fetch_list(self._device.session.transport, "/users/me/access", AccessHistory))

    async def check_keys(self) -> Account:
        """Hold the server's word on the account against what this device knows. Every sync begins with it.

        A change of keyring or password whose answer was lost is settled here.

        Raises:
            AccountMismatch, CustodyMismatch, KeyringRolledBack, KeySubstituted, KdfWeakened: as their names say.
            KeyringMissing: the server holds the keyring back.
            KeysChangedElsewhere: log in again to go on.
        """
        return await check_keys(self._device)

    async def recovery_codes_left(self) -> int:
        """Return how many recovery codes are unspent."""
        answer = await self._device.session.transport.request("GET", "/auth/recovery-codes", answer=RecoveryCodesLeft)
        return answer.remaining
