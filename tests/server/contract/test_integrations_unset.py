"""``/integrations`` of a server whose operator has set up no application at Facebook."""

from __future__ import annotations

from tests.support.account_holders import Person, problem
from tests.support.connected import sealed_entry
from tests.support.contract import Contract, shows


@shows(
    "POST /integrations/{provider}/connect 409 provider_not_configured",
    "POST /integrations/{provider}/callback 409 provider_not_configured",
    "POST /integrations/{provider}/push 409 provider_not_configured",
    "POST /integrations/{provider}/pull 409 provider_not_configured",
)
async def test_a_network_that_the_operator_has_not_set_up_is_refused(contract: Contract) -> None:
    person = await Person().sign_up(contract.http)
    entry_id = await sealed_entry(contract.http, person)
    for verb, body in (
        ("connect", {}),
        ("callback", {"state": "x", "code": "x"}),
        ("push", {"entry_id": entry_id, "text": "x"}),
        ("pull", {}),
    ):
        answer = await contract.http.post(f"/integrations/facebook/{verb}", json=body, headers=person.headers)
        problem(answer, 409, "provider_not_configured")
