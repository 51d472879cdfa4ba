"""Passkeys on security keys: what an authenticator at this device makes and signs (CTAP2, by way of fido2)."""

from __future__ import annotations

import asyncio
import threading
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client, PinRequiredError, UserInteraction
from fido2.ctap import CtapDevice, CtapError
from fido2.hid import CtapHidDevice
from fido2.rpid import verify_rp_id
from fido2.webauthn import (
    AttestationObject,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialCreationOptions,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRequestOptions,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from lockleaf.client.errors import PasskeyOfAnotherServer, SecurityKeyFailed
from lockleaf.client.transport.second_factor import FactorQuestion
from lockleaf.wire.factors import PasskeyAssertion, PasskeyAttestation, PasskeyOptions

__all__ = ["SecurityKey", "make_passkey", "run"]

T = TypeVar("T")

_PATIENCE_MS = 60_000
_PUBLIC_KEY = PublicKeyCredentialType.PUBLIC_KEY
_VERIFIED = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True)
class SecurityKey:
    """An authenticator that is connected to this device.

    It is asked only for what belongs to the server's own address, as this device knows it: a server that names another
    one, to have its users' keys sign for somebody else's, gets nothing.

    Args:
        device: as fido2 knows it.
        touch: called when the key waits to be touched.
        pin: gives the key's PIN, where it verifies its user by one; None gives up. It is called in a thread.
    """

    device: CtapDevice = field(repr=False)
    touch: Callable[[], None] = lambda: None
    pin: Callable[[], str | None] = lambda: None

    @classmethod
    def plugged_in(
        cls, *, touch: Callable[[], None] = lambda: None, pin: Callable[[], str | None] = lambda: None
    ) -> tuple[SecurityKey, ...]:
        """Return the security keys that are connected by USB; the arguments are those of the class."""
        try:
            return tuple(cls(device, touch, pin) for device in CtapHidDevice.list_devices())
        except (OSError, NotImplementedError):  # a system without such devices, or that shows them to others alone
            return ()

    async def sign(self, question: FactorQuestion) -> PasskeyAssertion:
        """Answer a server's question for a second factor.

        Raises:
            PasskeyOfAnotherServer: it asks for one that is not its own.
            SecurityKeyFailed: the key has none of the account's passkeys, or was not touched, or its PIN was wrong.
        """
        if question.rp_id is None:
            raise SecurityKeyFailed("the account has no passkey")
        options = PublicKeyCredentialRequestOptions(
            challenge=_bytes_of(question.challenge),
            rp_id=question.rp_id,
            allow_credentials=_descriptors(question.credentials),
            user_verification=_VERIFIED,
            timeout=_PATIENCE_MS,
        )
        client = self.client(question.server, question.rp_id)
        found = (await run(lambda stop: client.get_assertion(options, stop))).get_response(0)
        return PasskeyAssertion(
            credential_id=bytes(found.raw_id),
            client_data=bytes(found.response.client_data),
            authenticator_data=bytes(found.response.authenticator_data),
            signature=found.response.signature,
        )

    def client(self, server: str, rp_id: str) -> Fido2Client:
        """Return what speaks with the key for a server.

        Raises:
            PasskeyOfAnotherServer: it asks for what is bound to another address.
        """
        address = urlsplit(server)
        origin = f"{address.scheme}://{address.netloc}"
        if not verify_rp_id(rp_id, origin):
            raise PasskeyOfAnotherServer
        return Fido2Client(self.device, DefaultClientDataCollector(origin), _Interaction(self.touch, self.pin))


async def make_passkey(key: SecurityKey, server: str, asked: PasskeyOptions) -> PasskeyAttestation:
    """Make a passkey. What the key says of its make stays here.

    Args:
        key: where it is made.
        server: the server's URL, as this device knows it.
        asked: what the server wants.

    Raises:
        PasskeyOfAnotherServer: it is to belong to another address.
        SecurityKeyFailed: the key has a passkey of this account, or was not touched, or cannot verify its user.
    """
    options = PublicKeyCredentialCreationOptions(
        rp=PublicKeyCredentialRpEntity(id=asked.rp_id, name=asked.rp_name),
        user=PublicKeyCredentialUserEntity(id=asked.user_id, name=asked.user_name, display_name=asked.user_name),
        challenge=_bytes_of(asked.challenge),
        pub_key_cred_params=[PublicKeyCredentialParameters(type=_PUBLIC_KEY, alg=each) for each in asked.algorithms],
        exclude_credentials=_descriptors(asked.exclude),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=_VERIFIED
        ),
        timeout=_PATIENCE_MS,
    )
    client = key.client(server, asked.rp_id)
    response = (await run(lambda stop: client.make_credential(options, stop))).response
    plain = AttestationObject.create("none", response.attestation_object.auth_data, {})
    return PasskeyAttestation(client_data=bytes(response.client_data), attestation_object=bytes(plain))


@dataclass
class _Interaction(UserInteraction):
    """What a key asks of its user."""

    touch: Callable[[], None]
    pin: Callable[[], str | None]

    def prompt_up(self) -> None:
        self.touch()

    def request_pin(self, permissions: object, rp_id: str | None) -> str | None:
        return self.pin()

    def request_uv(self, permissions: object, rp_id: str | None) -> bool:
        self.touch()
        return True


async def run(work: Callable[[threading.Event], T]) -> T:
    """Do what waits for a person in a thread; where it is not waited for any more, the key is told to stop.

    Raises:
        SecurityKeyFailed: the key does not do it.
    """
    stop = threading.Event()
    try:
        return await asyncio.to_thread(work, stop)
    except PinRequiredError:
        raise SecurityKeyFailed("no PIN was given") from None
    except ClientError as error:
        raise SecurityKeyFailed(error.code.name.lower().replace("_", " ")) from None
    except (CtapError, OSError, ValueError):
        raise SecurityKeyFailed from None
    finally:
        stop.set()


def _descriptors(credentials: tuple[bytes, ...]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(type=_PUBLIC_KEY, id=each) for each in credentials]


def _bytes_of(challenge: str) -> bytes:
    return urlsafe_b64decode(challenge + "=")
