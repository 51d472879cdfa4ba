"""``/auth/factors`` of a server that does not know its address."""

from __future__ import annotations

from tests.support.account_holders import Person, problem
from tests.support.contract import Contract, shows


@shows("POST /auth/factors 409 passkeys_not_configured")
async def test_a_server_without_an_address_binds_no_passkey(contract: Contract) -> None:
    ada = await Person().sign_up(contract.http)
    body = {"current_password": ada.secret, "kind": "passkey"}
    refused = await contract.http.post("/auth/factors", json=body, headers=ada.headers)
    problem(refused, 409, "passkeys_not_configured")
