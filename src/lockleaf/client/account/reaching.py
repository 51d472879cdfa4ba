"""What can be found out of a server and this device before a password is asked for."""

from __future__ import annotations

from contextlib import suppress

from lockleaf.client.account.details import AccountFacts
from lockleaf.client.account.device_enrolment import connected
from lockleaf.client.account.enrolment_checks import remembered_profile
from lockleaf.client.account.sessions import AccountPlace
from lockleaf.client.errors import ApiError
from lockleaf.client.profile.profiles import CustodyName

__all__ = ["ReachedAccount"]


class ReachedAccount(AccountFacts):
    """An account at a server that answers."""

    async def reach(
        self,
        server: str,
        login_name: str,
        *,
        device_name: str,
        custody: CustodyName | None = None,
        new: bool = False,
        allow_insecure: bool = False,
    ) -> None:
        """Make sure that nothing but the password is missing: nobody likes to type one for nothing.

        It asks the server for what everybody may know, and does not name the account to it.

        Args:
            server, login_name, device_name, custody, allow_insecure: as for `AccountService.login`.
            new: no account may be in this profile yet, as `AccountService.register` wants it.

        Raises:
            InvalidLoginName, InvalidDeviceName, InvalidServerAddress, InsecureServer: each as its name says.
            AlreadyLoggedIn: the profile has a session, or belongs to another account.
            CustodyMismatch: the account has another custody than ``custody``.
            TransportError: there is no way to the server, or something else answers.
        """
        place = AccountPlace(server, login_name, device_name, allow_insecure=allow_insecure)
        if new:
            self._device.require_vacant()
        else:
            await remembered_profile(self._device, place, custody)
        async with connected(self._device, place) as transport:
            with suppress(ApiError):  # a refusal is an answer too
                await transport.command("GET", "/encryption/context", authenticated=False)
