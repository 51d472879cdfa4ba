"""A security key in software: a CTAP2 authenticator that fido2's own client talks to, with a person who verifies."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Event
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256
from fido2.ctap import STATUS, CtapDevice, CtapError
from fido2.ctap2.base import Ctap2
from fido2.ctap2.pin import ClientPin, PinProtocolV2
from fido2.hid import CAPABILITY, CTAPHID
from fido2.webauthn import AttestedCredentialData, AuthenticatorData

__all__ = ["Credential", "SoftwareKey"]

FLAG = AuthenticatorData.FLAG
CMD = Ctap2.CMD


@dataclass
class Credential:
    """A credential that the key made."""

    rp_id: str
    private_key: ec.EllipticCurvePrivateKey
    random: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    """What hmac-secret is keyed with."""


@dataclass
class SoftwareKey(CtapDevice):
    """A security key with a reader of fingerprints of its own, which knows its owner, or does not."""

    verifies: bool = True
    counts: bool = True
    counter: int = 0
    has_prf: bool = True
    agreement: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credentials: dict[bytes, Credential] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """The relying parties that the key was asked about."""

    @property
    def capabilities(self) -> int:
        return CAPABILITY.CBOR

    @classmethod
    def list_devices(cls) -> Iterator[CtapDevice]:
        yield from ()

    def call(
        self,
        cmd: int,
        data: bytes = b"",
        event: Event | None = None,
        on_keepalive: Callable[[STATUS], None] | None = None,
    ) -> bytes:
        assert cmd == CTAPHID.CBOR
        fields: Any = cbor.decode(data[1:]) if len(data) > 1 else {}
        try:
            match data[0]:
                case CMD.GET_INFO:
                    answer = self._info()
                case CMD.MAKE_CREDENTIAL:
                    answer = self._make(fields)
                case CMD.GET_ASSERTION:
                    answer = self._sign(fields)
                case CMD.CLIENT_PIN if fields[2] == ClientPin.CMD.GET_KEY_AGREEMENT:
                    answer = {1: self._public_agreement()}
                case _:
                    raise CtapError(CtapError.ERR.INVALID_COMMAND)
        except CtapError as error:
            return bytes([error.code])
        return b"\x00" + cbor.encode(answer)

    def sign(self, credential: Credential, data: bytes, client_data: bytes) -> bytes:
        """What a key with this credential signs, whatever is in it."""
        return credential.private_key.sign(data + sha256(client_data).digest(), ec.ECDSA(SHA256()))

    def _info(self) -> dict[int, Any]:
        return {
            1: ["FIDO_2_0"],
            2: ["hmac-secret"] if self.has_prf else [],
            3: bytes(16),
            4: {"rk": False, "up": True, "uv": self.verifies},
            6: [2],
            10: [{"type": "public-key", "alg": ES256.ALGORITHM}],
        }

    def _make(self, fields: dict[int, Any]) -> dict[int, Any]:
        rp_id = fields[2]["id"]
        self.asked.append(rp_id)
        if any(each["id"] in self.credentials for each in fields.get(5, ())):
            raise CtapError(CtapError.ERR.CREDENTIAL_EXCLUDED)
        private_key = ec.generate_private_key(ec.SECP256R1())
        credential_id = secrets.token_bytes(32)
        self.credentials[credential_id] = Credential(rp_id, private_key)
        attested = AttestedCredentialData.create(
            bytes(16), credential_id, ES256.from_cryptography_key(private_key.public_key())
        )
        enabled = {"hmac-secret": True} if fields.get(6, {}).get("hmac-secret") else None
        data = self._data(rp_id, fields, FLAG.AT, attested, enabled)
        signature = private_key.sign(data + fields[1], ec.ECDSA(SHA256()))
        return {1: "packed", 2: bytes(data), 3: {"alg": ES256.ALGORITHM, "sig": signature}}

    def _sign(self, fields: dict[int, Any]) -> dict[int, Any]:
        rp_id = fields[1]
        for each in fields.get(3, ()):
            known = self.credentials.get(each["id"])
            if known is not None and known.rp_id == rp_id:
                if fields.get(5, {}).get("up", True):
                    self.asked.append(rp_id)
                data = self._data(rp_id, fields, FLAG(0), extensions=self._prf(known, fields.get(4, {})))
                signature = known.private_key.sign(data + fields[2], ec.ECDSA(SHA256()))
                return {1: {"type": "public-key", "id": each["id"]}, 2: bytes(data), 3: signature}
        raise CtapError(CtapError.ERR.NO_CREDENTIALS)

    def _public_agreement(self) -> dict[int, Any]:
        numbers = self.agreement.public_key().public_numbers()
        x, y = (each.to_bytes(32, "big") for each in (numbers.x, numbers.y))
        return {1: 2, 3: -25, -1: 1, -2: x, -3: y}

    def _prf(self, credential: Credential, extensions: dict[str, Any]) -> dict[str, bytes] | None:
        asked = extensions.get("hmac-secret")
        if asked is None:
            return None
        protocol = PinProtocolV2()
        theirs = ec.EllipticCurvePublicNumbers(
            int.from_bytes(asked[1][-2], "big"), int.from_bytes(asked[1][-3], "big"), ec.SECP256R1()
        ).public_key()
        shared = protocol.kdf(self.agreement.exchange(ec.ECDH(), theirs))
        if not hmac.compare_digest(protocol.authenticate(shared, asked[2]), asked[3]):
            raise CtapError(CtapError.ERR.PIN_AUTH_INVALID)
        salt = protocol.decrypt(shared, asked[2])
        return {"hmac-secret": protocol.encrypt(shared, hmac.digest(credential.random, salt, "sha256"))}

    def _data(
        self,
        rp_id: str,
        fields: dict[int, Any],
        flags: Any,
        attested: bytes = b"",
        extensions: dict[str, Any] | None = None,
    ) -> AuthenticatorData:
        options = fields.get(7 if attested else 5) or {}
        flags |= FLAG.UP
        if options.get("uv"):
            flags |= FLAG.UV
        if extensions is not None:
            flags |= FLAG.ED
        self.counter += self.counts
        return AuthenticatorData.create(sha256(rp_id.encode()).digest(), flags, self.counter, attested, extensions)
