"""Devices of one account against a real server: the journal side of the SDK, with an account made the short way."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from lockleaf.client.journal.journal import Journal
from lockleaf.client.records.progress import ProgressCallback
from lockleaf.client.store import LocalStore, local_keys
from lockleaf.client.sync.synchroniser import Synchroniser, SyncReport
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.client.transport.tokens import MemoryTokens, SessionTokens
from lockleaf.crypto.keyring import PASSWORD_LABEL, RECOVERY_LABEL, Keyring, seal_keyring
from lockleaf.wire.account_fields import Kdf, RecoveryEntry
from lockleaf.wire.accounts import Signup, SignupAnswer
from lockleaf.wire.sessions import Login, LoginAnswer

AT_ONCE = RetryPolicy(attempts=3, base=0.0, cap=0.0)

__all__ = ["JournalDevice", "TestAccount", "new_account"]


async def _keys_agree() -> None:
    """Stands where the account side compares keys, which these tests are not about."""


@dataclass(frozen=True)
class TestAccount:
    """An account on a real server; its secret is random, since no password has to be derived here."""

    __test__ = False

    url: str
    user_id: str
    email: str
    secret: str = field(repr=False)
    keyring: Keyring = field(repr=False)
    custody: str = "e2e"

    def packed(self) -> str:
        """The account as text, for a device in another process."""
        fields = {"url": self.url, "user_id": self.user_id, "email": self.email, "secret": self.secret}
        return json.dumps({**fields, "custody": self.custody, "keyring": self.keyring.pack().hex()})

    @classmethod
    def unpacked(cls, text: str) -> TestAccount:
        """The account that `packed` gave."""
        fields = json.loads(text)
        return cls(**{**fields, "keyring": Keyring.unpack(bytes.fromhex(fields["keyring"]))})

    @asynccontextmanager
    async def device(
        self,
        folder: Path,
        *,
        http_transport: httpx.AsyncBaseTransport | None = None,
        url: str | None = None,
        share_dates: bool = False,
        clock_error: timedelta = timedelta(),
    ) -> AsyncIterator[JournalDevice]:
        """A device that keeps its journal in ``folder``, which may have been used before."""
        tokens = MemoryTokens()
        transport = Transport(url or self.url, tokens=tokens, http_transport=http_transport, retry=AT_ONCE)
        device_id = f"device-{folder.name}"
        answer = await transport.request(
            "POST",
            "/auth/login",
            body=Login(email=self.email, password=self.secret, device_name=folder.name, device_id=device_id),
            answer=LoginAnswer,
            authenticated=False,
        )
        tokens.save(SessionTokens.of(answer))
        path = folder / "store.sqlite3"
        if path.exists():
            store = LocalStore.open(path, local_keys(self.keyring))
        else:
            store = LocalStore.create(path, self.keyring)

        def clock() -> datetime:
            return datetime.now(UTC) + clock_error

        try:
            yield JournalDevice(
                device_id,
                store,
                transport,
                Journal(store, clock=clock),
                Synchroniser(
                    store,
                    transport,
                    user_id=self.user_id,
                    device_id=device_id,
                    check_keys=_keys_agree,
                    server_decides=self.custody == "uce",
                    share_dates=share_dates,
                    clock=clock,
                ),
            )
        finally:
            store.close()
            await transport.aclose()


@dataclass(frozen=True)
class JournalDevice:
    """One device: its store, its way to the server, its journal."""

    device_id: str
    store: LocalStore
    transport: Transport
    journal: Journal
    synchroniser: Synchroniser

    async def sync(self, progress: ProgressCallback | None = None, *, accept_restore: bool = False) -> SyncReport:
        """Synchronise once."""
        return await self.synchroniser.run(progress, accept_restore=accept_restore)

    async def bodies(self) -> dict[str, str]:
        """The text of every entry by id."""
        return {entry.id: entry.body for entry in await self.journal.list()}


async def new_account(url: str) -> TestAccount:
    """Sign up a new end-to-end encrypted account."""
    account = TestAccount(
        url=url,
        user_id=str(uuid.uuid4()),
        email=f"{secrets.token_hex(8)}@example.org",
        secret=base64.b64encode(secrets.token_bytes(32)).decode(),
        keyring=Keyring.new("2026-01-01T00:00:00Z"),
    )
    wrap = secrets.token_bytes(32)
    transport = Transport(url, tokens=MemoryTokens())
    try:
        await transport.request(
            "POST",
            "/auth/signup",
            body=Signup(
                email=account.email,
                password=account.secret,
                encryption_tier="e2e",
                id=uuid.UUID(account.user_id),
                privacy_tier="full_sync",
                kdf=Kdf(algorithm="argon2id", salt=bytes(16), iterations=3, memory_kib=65536, parallelism=1),
                keyring=seal_keyring(account.keyring, wrap, label=PASSWORD_LABEL, user_id=account.user_id, version=1),
                recipient=account.keyring.newest.recipient,
                signing_key=account.keyring.newest.public_signing_key,
                recovery=(
                    RecoveryEntry(
                        verifier_hash=secrets.token_bytes(32),
                        keyring=seal_keyring(
                            account.keyring, wrap, label=RECOVERY_LABEL, user_id=account.user_id, version=1
                        ),
                    ),
                ),
            ),
            answer=SignupAnswer,
            authenticated=False,
        )
    finally:
        await transport.aclose()
    return account
