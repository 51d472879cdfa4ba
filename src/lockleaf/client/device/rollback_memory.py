"""What this device remembers of an account against rollback, outside the local store.

It survives logout, ``--forget``, a damaged store and a repair (PROTOCOL section 11): the highest keyring version, the
key derivation, the account's epochs and where its history ended, what devices signed about that, and to which stores
attachments may go. Nothing in it is secret from the server; the email or name is kept as a digest, so that a file of a
forgotten account names nobody. It is not sealed: whoever can write here can replace the program too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from lockleaf.client.history.signers import signer_of
from lockleaf.client.keychain.password_keys import kdf_from_wire, kdf_to_wire
from lockleaf.client.profile.private_files import make_private_folder, write_private
from lockleaf.client.profile.profiles import Profile
from lockleaf.client.store import LocalStore
from lockleaf.client.store.verified_history import Position, Remembered
from lockleaf.crypto.encoding import lp
from lockleaf.crypto.epochs import statement_id, statement_message
from lockleaf.crypto.kdf import KdfParameters
from lockleaf.crypto.links import LinkCode
from lockleaf.crypto.normalise import normalise_email
from lockleaf.wire.account_fields import Kdf
from lockleaf.wire.base import Body
from lockleaf.wire.epochs import Epoch, Statement
from lockleaf.wire.fields import Digest, Sequence64

__all__ = ["Memory", "MemoryFolder"]

_LABEL = b"lockleaf/1/memory"
_FILE = re.compile(r"[0-9a-f-]{36}\.json")


class _End(Body):
    epoch: str
    seq: Sequence64
    head: Digest


class Memory(Body):
    """What is remembered of one account."""

    server: str
    login_name_digest: Digest
    user_id: UUID
    kdf: Kdf | None = None
    keyring_version: Sequence64
    epochs: tuple[Epoch, ...] = ()
    end: _End | None = None
    statements: tuple[Statement, ...] = ()
    store_origins: tuple[str, ...] = ()

    @property
    def key_derivation(self) -> KdfParameters | None:
        """How this device last derived keys from the account's password."""
        return None if self.kdf is None else kdf_from_wire(self.kdf)


class MemoryFolder:
    """The memories of one profile; its name is remembered with them.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def of_account(self, user_id: UUID) -> Memory | None:
        """Return what is remembered of an account."""
        return self._read(self._file(user_id))

    def find(self, server: str, login_name: str) -> Memory | None:
        """Return what is remembered of the account that ``login_name`` had at ``server``."""
        files = sorted(self.path.glob("*.json")) if self.path.is_dir() else []
        for file in files:
            memory = self._read(file) if _FILE.fullmatch(file.name) else None
            if memory is None or memory.server != server:
                continue
            if memory.login_name_digest == _digest(memory.user_id, login_name):
                return memory
        return None

    def note_account(self, profile: Profile) -> None:
        """Remember an account's keys; a lower keyring version than the remembered one leaves that."""
        if profile.is_local:
            return
        before = self.of_account(profile.user_id)
        version = max(profile.keyring_version, before.keyring_version if before is not None else 0)
        facts = {
            "server": profile.server,
            "login_name_digest": _digest(profile.user_id, profile.login_name),
            "user_id": profile.user_id,
            "kdf": None if profile.kdf is None else kdf_to_wire(profile.kdf),
            "keyring_version": version,
        }
        memory = Memory(**facts) if before is None else before.model_copy(update=facts)
        if memory != before:
            self._write(memory)

    def note_history(self, profile: Profile, store: LocalStore) -> None:
        """Remember where the history ended that ``store`` has verified."""
        history = store.history
        position, before = history.position(), self.of_account(profile.user_id)
        if before is None or position is None:
            return
        update = {
            "epochs": tuple(history.epochs()),
            "end": _End(epoch=position.epoch, seq=position.seq, head=position.head),
            "statements": tuple(history.statements().values()),
        }
        memory = before.model_copy(update=update)
        if memory != before:
            self._write(memory)

    def note_link(self, user_id: UUID, link: LinkCode) -> None:
        """Remember the end of the history that a link code names, if this device has not verified one itself."""
        before = self.of_account(user_id)
        if before is not None and before.end is None:
            self._write(before.model_copy(update={"end": _End(epoch=link.epoch, seq=link.seq, head=link.head)}))

    def store_origins(self, user_id: UUID) -> tuple[str, ...]:
        """Return the origins of stores of attachments that the account's user allowed."""
        memory = self.of_account(user_id)
        return () if memory is None else memory.store_origins

    def set_store_origins(self, profile: Profile, origins: Iterable[str]) -> None:
        """Remember which stores of attachments the account's user allows."""
        self.note_account(profile)
        memory = self.of_account(profile.user_id)
        if memory is not None:
            self._write(memory.model_copy(update={"store_origins": tuple(sorted(set(origins)))}))

    def seed(self, profile: Profile, store: LocalStore) -> None:
        """Give a new ``store`` what an earlier one of this device had verified."""
        memory = self.of_account(profile.user_id)
        if memory is None:
            return
        user_id = str(memory.user_id)
        kept = {}
        for each in memory.statements:
            what = (each.kind, user_id, each.n, each.old_epoch, each.seq, each.head, each.new_epoch)
            if signer_of(store.keyring, statement_message(*what, each.device_id, each.time), each.signature):
                kept[statement_id(*what)] = each
        with store.transaction():
            store.history.keep_statements(kept)
            if memory.end is not None:
                end = Position(memory.end.epoch, memory.end.seq, memory.end.head)
                store.history.remember(Remembered(memory.epochs, end))

    def _file(self, user_id: UUID) -> Path:
        return self.path / f"{user_id}.json"

    def _read(self, file: Path) -> Memory | None:
        try:
            return Memory.model_validate_json(file.read_bytes())
        except (FileNotFoundError, ValidationError):
            # Written whole or not at all: what is no memory was made by somebody else.
            return None

    def _write(self, memory: Memory) -> None:
        make_private_folder(self.path)
        write_private(self._file(memory.user_id), memory.model_dump_json(indent=1, exclude_none=True).encode())


def _digest(user_id: UUID, login_name: str) -> bytes:
    return sha256(_LABEL + lp(str(user_id)) + lp(normalise_email(login_name))).digest()
