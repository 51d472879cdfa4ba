"""Drafts: what somebody typed or piped and what is not in the journal yet, so that no crash takes it.

A draft is known by a file in the profile's folder that says where it lies and what it belongs to, and holds no
content; beside it lies a sealed copy of what was typed, and of the fields that were given with it. An editor works on
a plain file elsewhere, in memory where there is such a folder: the sealed copy is what outlives a reboot.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from lockleaf.client.errors import DiskFull, DraftNotFound, LocalStoreError
from lockleaf.client.profile.private_files import locked, make_private_folder, write_private
from lockleaf.client.records.beginnings import one_beginning
from lockleaf.client.records.draft_seals import SEALED, draft_place
from lockleaf.crypto.encoding import decode_base64, encode_base64
from lockleaf.crypto.errors import Malformed
from lockleaf.paths import StrPath

__all__ = ["DraftContent", "DraftSeal", "Drafts", "Purpose", "UnsavedDraft", "known_drafts"]

Purpose = Literal["write", "edit", "resolve", "original"]
"""What a draft is for: a new entry, an entry's new text, a merged text; or the bytes of a text that was saved with
some of them replaced."""

_ID_BYTES = 4
_ID = re.compile(r"[0-9a-f]{8}")
_BEGINNING = timedelta(minutes=1)
"""So young a draft may be one that a program is just about to work on."""


class DraftSeal(Protocol):
    """Seals and opens what lies beside the local store; `LocalStore` does."""

    def seal_beside(self, name: str, data: bytes) -> bytes:
        """Return ``data`` sealed for the file ``name``."""
        ...

    def open_beside(self, name: str, sealed: bytes) -> bytes:
        """Return what was sealed for the file ``name``."""
        ...


@dataclass(frozen=True)
class UnsavedDraft:
    """What is known of a draft without a key.

    Attributes:
        id: 8 hexadecimal digits.
        purpose: what it is for.
        started: when it was begun, RFC 3339 in UTC.
        entry_id: the entry to which it belongs; None for a new one.
        conflict_id: the conflict that it resolves, if any.
        path: the plain file in which an editor works or worked; None if there never was one.
    """

    id: str
    purpose: Purpose
    started: str
    entry_id: str | None = None
    conflict_id: str | None = None
    path: str | None = None

    @property
    def has_plain_file(self) -> bool:
        """Whether the plain file is still there."""
        return self.path is not None and Path(self.path).is_file()


@dataclass(frozen=True)
class DraftContent:
    """What a draft holds.

    Attributes:
        text: the bytes that were typed or piped, whatever their encoding.
        initial: the bytes with which the editor began: the entry as its writer saw it.
        fields: title, mood, tags and so on, as they were given with the text.
        base: the version of the entry that its writer saw.
        typed_fields: whether the fields were typed as the text was, so that they alone are worth keeping.
    """

    text: bytes = b""
    initial: bytes = b""
    fields: Mapping[str, Any] = field(default_factory=dict)
    base: str | None = None
    typed_fields: bool = False

    @property
    def changed(self) -> bool:
        """Whether there is anything that the journal does not have."""
        if self.typed_fields and any(self.fields.values()):
            return True
        return bool(self.text.strip()) and self.text != self.initial


class Drafts:
    """The drafts of one profile. Methods block for as long as a small file takes.

    Args:
        folder: ``drafts`` in the profile's folder.
        seal: of the profile's local store.
        clock: gives the present time.
    """

    def __init__(self, folder: Path, seal: DraftSeal, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._seal = seal
        self._clock = clock

    def begin(
        self,
        purpose: Purpose,
        content: DraftContent,
        *,
        path: StrPath | None = None,
        entry_id: str | None = None,
        conflict_id: str | None = None,
        draft_id: str | None = None,
    ) -> UnsavedDraft:
        """Keep a new draft.

        Args:
            path: the plain file in which an editor is about to work.
            draft_id: 8 lower-case hexadecimal digits that the caller drew; drawn here if absent.

        Raises:
            DiskFull: there is no space.
            DraftNotFound: ``draft_id`` is no id of a draft.
        """
        if draft_id is not None and not _ID.fullmatch(draft_id):
            raise DraftNotFound
        make_private_folder(self._folder)
        draft = UnsavedDraft(
            draft_id or secrets.token_hex(_ID_BYTES),
            purpose,
            self._clock().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            entry_id,
            conflict_id,
            None if path is None else os.fspath(path),
        )
        self.keep(draft, content)
        self._note(draft)
        return draft

    def keep(self, draft: UnsavedDraft, content: DraftContent) -> None:
        """Seal what ``draft`` holds now in place of what was sealed before, whole or not at all.

        Raises:
            DiskFull: there is no space; what was sealed before is untouched.
        """
        document = {
            "text": encode_base64(content.text),
            "initial": encode_base64(content.initial),
            "fields": dict(content.fields),
            "base": content.base,
            "typed_fields": content.typed_fields,
        }
        sealed = self._seal.seal_beside(draft_place(draft.id), json.dumps(document).encode())
        write_private(self._folder / f"{draft.id}.{SEALED}", sealed)

    def move(self, draft: UnsavedDraft, path: StrPath) -> UnsavedDraft:
        """Remember that the plain file of ``draft`` is ``path`` from now on."""
        moved = replace(draft, path=os.fspath(path))
        self._note(moved)
        return moved

    def content(self, draft: UnsavedDraft) -> DraftContent:
        """Return what a draft holds: the plain file where it is still there, else what was sealed last.

        Raises:
            DraftNotFound: neither is there, or the sealed copy was altered.
        """
        try:
            document = json.loads(
                self._seal.open_beside(draft_place(draft.id), (self._folder / f"{draft.id}.{SEALED}").read_bytes())
            )
            kept = DraftContent(
                decode_base64(document["text"]),
                decode_base64(document["initial"]),
                document["fields"],
                document["base"],
                bool(document.get("typed_fields")),
            )
        except (OSError, Malformed, ValueError, KeyError, TypeError, LocalStoreError):
            if not draft.has_plain_file:
                raise DraftNotFound from None
            kept = DraftContent()
        if draft.path is not None:
            with suppress(OSError):
                plain = Path(draft.path).read_bytes()
                # An editor that ran out of disk leaves an empty file: what was sealed before is more than that.
                if plain.strip() or not kept.text.strip():
                    return replace(kept, text=plain)
        return kept

    def end(self, draft: UnsavedDraft) -> None:
        """Forget a draft whose bytes are safe elsewhere, or that nobody wants. Its plain file is not touched."""
        for kind in ("json", SEALED, "owner", "editor"):
            (self._folder / f"{draft.id}.{kind}").unlink(missing_ok=True)

    def list(self) -> list[UnsavedDraft]:
        """Return all drafts but those on which a program works at the moment, oldest first.

        One in which nothing was typed, and whose editor is gone, is forgotten.
        """
        left = []
        for draft in known_drafts(self._folder):
            try:
                content = self.content(draft)
            except DraftNotFound:
                content = DraftContent()
            if not content.changed and not self.is_edited(draft):
                if self._clock() - datetime.fromisoformat(draft.started) > _BEGINNING:
                    self._drop(draft)
                continue
            if draft.has_plain_file:
                # What an editor saved after its program was killed.
                with suppress(DiskFull):
                    self.keep(draft, content)
            left.append(draft)
        return left

    def find(self, wanted: str) -> UnsavedDraft:
        """Return a draft by its id or the beginning of it.

        Raises:
            DraftNotFound, IdAmbiguous, IdTooShort: there is none, there are several, or it could be any.
        """
        known = {draft.id: draft for draft in known_drafts(self._folder)}
        return known[one_beginning(wanted.strip().lower(), known, DraftNotFound)]

    @contextmanager
    def working_on(self, draft: UnsavedDraft) -> Iterator[None]:
        """Hold ``draft`` as long as this process works on it; the system lets go of it if the process dies.

        Raises:
            DraftNotFound: another program works on it.
        """
        with locked(self._folder / f"{draft.id}.owner", otherwise=DraftNotFound):
            yield

    @contextmanager
    def handle_for_editor(self, draft: UnsavedDraft) -> Iterator[int]:
        """Give a file descriptor for an editor to inherit.

        By it `is_edited` knows that the editor, or what it left running, has the draft open, even if this process is
        killed.
        """
        handle = os.open(self._folder / f"{draft.id}.editor", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            yield handle
        finally:
            os.close(handle)

    def is_edited(self, draft: UnsavedDraft) -> bool:
        """Return whether an editor still has the draft open."""
        return _is_held(self._folder / f"{draft.id}.editor")

    def _note(self, draft: UnsavedDraft) -> None:
        write_private(self._folder / f"{draft.id}.json", json.dumps(asdict(draft)).encode())

    def _drop(self, draft: UnsavedDraft) -> None:
        """Forget a draft that holds nothing, its plain file and the folder made for it included."""
        if draft.path is not None:
            path = Path(draft.path)
            with suppress(OSError):
                path.unlink(missing_ok=True)
                path.parent.rmdir()  # not if an editor left anything else in it
        self.end(draft)


def known_drafts(folder: StrPath) -> list[UnsavedDraft]:
    """Return the drafts noted in ``folder`` on which no program works at the moment, oldest first. Needs no key."""
    found = []
    for file in Path(folder).glob("*.json"):
        if _is_held(file.with_suffix(".owner")):
            continue
        try:
            known = json.loads(file.read_bytes())
            draft = UnsavedDraft(**known)
            datetime.fromisoformat(draft.started)
        except (OSError, ValueError, TypeError):
            continue
        if draft.id == file.stem:
            found.append(draft)
    return sorted(found, key=lambda draft: (draft.started, draft.id))


def _is_held(file: Path) -> bool:
    try:
        handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
