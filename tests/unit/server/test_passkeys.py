"""What a server takes for a passkey of its own: held against other addresses, challenges and keys, and noise."""

from __future__ import annotations

import asyncio
import secrets
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.client import FactorQuestion, SecurityKey
from lockleaf.client.account.passkeys import make_passkey
from lockleaf.server.identity.factors.models import Factor
from lockleaf.server.identity.factors.passkeys import MadeCredential, RelyingParty, made, relying_party, signed
from lockleaf.server.identity.factors.proofs import text_of
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.factors import PasskeyAssertion, PasskeyAttestation, PasskeyOptions
from tests.support.authenticator import SoftwareKey

OURS, SISTER = "https://journal.example.org", "https://evil.example.org"
PARTY = RelyingParty("example.org", (OURS,))
CHALLENGE = secrets.token_bytes(32)


async def attestation(key: SoftwareKey, server: str = OURS, **other: Any) -> PasskeyAttestation:
    """What a key makes for a server."""
    options = {"rp_id": "example.org", "challenge": text_of(CHALLENGE)} | other
    asked = PasskeyOptions(rp_name="Lockleaf", user_id=b"ada", user_name="ada", algorithms=(-7,), exclude=(), **options)
    return await make_passkey(SecurityKey(key), server, asked)


async def assertion(key: SoftwareKey, server: str = OURS, rp_id: str = "example.org") -> PasskeyAssertion:
    """What a key signs for a server."""
    question = FactorQuestion(server, ("passkey",), False, text_of(CHALLENGE), rp_id, tuple(key.credentials))
    return await SecurityKey(key).sign(question)


def factor(credential: MadeCredential) -> Factor:
    """The factor of a credential."""
    return Factor(
        credential_id=credential.credential_id, public_key=credential.public_key, sign_count=credential.sign_count
    )


async def taken(key: SoftwareKey) -> Factor:
    """The factor that a server makes of a key."""
    found = made(PARTY, CHALLENGE, await attestation(key))
    assert found is not None
    return factor(found)


async def test_a_passkey_is_taken_from_the_servers_own_pages_alone() -> None:
    assert made(PARTY, CHALLENGE, await attestation(SoftwareKey())) is not None
    # A page beside it may ask a key for the same relying party, and is told apart by its origin.
    assert made(PARTY, CHALLENGE, await attestation(SoftwareKey(), SISTER)) is None
    assert made(PARTY, secrets.token_bytes(32), await attestation(SoftwareKey())) is None
    assert made(RelyingParty("journal.example.org", (OURS,)), CHALLENGE, await attestation(SoftwareKey())) is None


async def test_an_answer_counts_from_the_servers_own_pages_alone() -> None:
    key = SoftwareKey()
    ours = await taken(key)
    answer = await assertion(key)
    assert signed(PARTY, CHALLENGE, answer, [ours]) == (ours, key.counter)
    assert signed(PARTY, secrets.token_bytes(32), answer, [ours]) is None
    assert signed(RelyingParty("journal.example.org", (OURS,)), CHALLENGE, answer, [ours]) is None
    assert signed(PARTY, CHALLENGE, await assertion(key, SISTER), [ours]) is None
    assert signed(PARTY, CHALLENGE, answer, []) is None
    other = await taken(SoftwareKey())
    assert signed(PARTY, CHALLENGE, answer, [other]) is None
    # The credential of one key with what another signed.
    theirs = answer.model_copy(update={"credential_id": other.credential_id})
    assert signed(PARTY, CHALLENGE, theirs, [ours, other]) is None


async def test_a_key_that_was_merely_touched_is_no_answer() -> None:
    key = SoftwareKey()
    ours = await taken(key)
    answer = await assertion(key)
    data = bytearray(answer.authenticator_data)
    data[32] &= ~4  # the flag of the user's verification; the signature is made anew
    (credential,) = key.credentials.values()
    forged = answer.model_copy(
        update={"authenticator_data": bytes(data), "signature": key.sign(credential, bytes(data), answer.client_data)}
    )
    assert signed(PARTY, CHALLENGE, forged, [ours]) is None


@given(client_data=st.binary(min_size=1, max_size=400), attested=st.binary(min_size=1, max_size=400))
def test_noise_is_no_passkey(client_data: bytes, attested: bytes) -> None:
    assert made(PARTY, CHALLENGE, PasskeyAttestation(client_data=client_data, attestation_object=attested)) is None


@cache
def answered() -> tuple[Factor, PasskeyAssertion]:
    """A factor, and an answer of its key."""

    async def answer() -> tuple[Factor, PasskeyAssertion]:
        key = SoftwareKey()
        return await taken(key), await assertion(key)

    return asyncio.run(answer())


@given(at=st.integers(0, 10**6), bit=st.integers(0, 7), what=st.sampled_from(["client_data", "authenticator_data"]))
def test_an_altered_answer_is_none(at: int, bit: int, what: str) -> None:
    ours, answer = answered()
    assert signed(PARTY, CHALLENGE, answer, [ours]) is not None
    altered = bytearray(getattr(answer, what))
    altered[at % len(altered)] ^= 1 << bit
    assert signed(PARTY, CHALLENGE, answer.model_copy(update={what: bytes(altered)}), [ours]) is None


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"LOCKLEAF_BLOBS__PUBLIC_URL": "https://journal.example.org/"}, RelyingParty("journal.example.org", (OURS,))),
        ({"LOCKLEAF_FACTORS__ORIGINS": f"{OURS}, {SISTER}"}, RelyingParty("journal.example.org", (OURS, SISTER))),
        ({"LOCKLEAF_FACTORS__ORIGINS": OURS, "LOCKLEAF_FACTORS__RP_ID": "example.org"}, PARTY),
        ({"LOCKLEAF_FACTORS__ORIGINS": "https://192.0.2.7:8443"}, None),
        ({"LOCKLEAF_BLOBS__PUBLIC_URL": "http://[2001:db8::1]:8000"}, None),
    ],
)
def test_passkeys_are_bound_to_the_name_by_which_users_reach_the_server(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: RelyingParty | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert relying_party(Settings()) == expected
