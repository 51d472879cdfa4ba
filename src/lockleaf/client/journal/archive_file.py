"""An archive that a server made, read without one: its manifest, its lines, the sealed files in it, and its keyring."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from lockleaf.client.errors import ArchiveCodeUnknown, ArchiveWithoutKeys, NotAnArchive, WrongPassword
from lockleaf.crypto.errors import BadRecoveryCode, CryptoError, WeakKdf
from lockleaf.crypto.kdf import KdfParameters, unlock
from lockleaf.crypto.keyring import PASSWORD_LABEL, RECOVERY_LABEL, UCE_LABEL, Keyring, open_keyring
from lockleaf.crypto.recovery import recovery_key
from lockleaf.crypto.uce import derive_kek
from lockleaf.paths import StrPath
from lockleaf.wire.fields import decode_base64
from lockleaf.zips import DAMAGED_ZIP, open_zip

__all__ = ["ArchiveFile", "is_archive", "media_file"]

_FORMAT, _VERSION = "lockleaf-archive", 1
_MANIFEST = "manifest.json"
_MOST_OF_MANIFEST = 4 * 1024 * 1024
_LONGEST_LINE = 32 * 1024 * 1024
"""A payload has up to 4 MiB, which base64 makes longer by a third."""
_RATIO = 100
_SMALL = 64 * 1024 * 1024


def media_file(media_id: str) -> str:
    """Return the name under which the sealed bytes of an attached file lie in an archive."""
    return f"media/{media_id}.age"


def is_archive(path: StrPath) -> bool:
    """Tell whether a file is an archive that a server made of an account; blocks."""
    try:
        with ArchiveFile(Path(path)):
            return True
    except (NotAnArchive, OSError):
        return False


class ArchiveFile:
    """An open archive; blocks.

    Args:
        path: of the ZIP file.

    Raises:
        NotAnArchive: it is not an archive, is damaged, or is of a newer form.
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._zip = open_zip(path)
        except zipfile.BadZipFile:
            raise NotAnArchive from None
        try:
            self.manifest = self._read_manifest()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def _read_manifest(self) -> dict[str, Any]:
        try:
            with self.file(_MANIFEST) as file:
                manifest = json.loads(file.read(_MOST_OF_MANIFEST))
        except (ValueError, *DAMAGED_ZIP):
            raise NotAnArchive from None
        if not isinstance(manifest, dict) or (manifest.get("format"), manifest.get("version")) != (_FORMAT, _VERSION):
            raise NotAnArchive
        if not all(isinstance(manifest.get(name), dict) for name in ("account", "keys")):
            raise NotAnArchive
        return manifest

    @property
    def user_id(self) -> str:
        """The account's UUID."""
        return str(self.manifest["account"].get("id"))

    def has(self, name: str) -> bool:
        """Tell whether there is a file of a name."""
        return name in self._zip.NameToInfo

    def file(self, name: str) -> IO[bytes]:
        """Open a file of the archive.

        Raises:
            NotAnArchive: it is not there, or promises far more bytes than it has.
        """
        try:
            info = self._zip.getinfo(name)
            if info.file_size > max(_SMALL, _RATIO * info.compress_size):
                raise NotAnArchive
            return self._zip.open(info)
        except (KeyError, *DAMAGED_ZIP):
            raise NotAnArchive from None

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file, none where it is not there.

        Raises:
            NotAnArchive: it is damaged, or a line has no end.
        """
        if not self.has(name):
            return
        try:
            with self.file(name) as file:
                while line := file.readline(_LONGEST_LINE):
                    if not line.endswith(b"\n"):
                        raise NotAnArchive
                    yield line
        except DAMAGED_ZIP:
            raise NotAnArchive from None

    # ---- keys ----

    def keyring_by_password(self, password: str, *, allow_test_parameters: bool = False) -> Keyring:
        """Return the account's keyring, opened with the password that it had when the archive was made.

        Args:
            allow_test_parameters: key derivation may be far too cheap. For tests alone.

        Raises:
            WrongPassword: it does not open it.
            ArchiveWithoutKeys: there is no keyring in it.
            NotAnArchive: what is there is not an archive.
        """
        keys, account = self.manifest["keys"], self.manifest["account"]
        sealed, version = self._sealed_keyring()
        try:
            if keys.get("kek_salt") is not None:
                key, label = derive_kek(password, decode_base64(keys["kek_salt"])), UCE_LABEL
            else:
                name = account.get("email") or account.get("username") or ""
                parameters = KdfParameters.from_wire(keys["kdf"])
                derived = unlock(
                    password,
                    name,
                    parameters,
                    remembered=None,
                    allow_pbkdf2=True,
                    allow_test_parameters=allow_test_parameters,
                )
                key, label = derived.wrap_key, PASSWORD_LABEL
        except (WeakKdf, CryptoError, KeyError, TypeError, ValueError):
            raise NotAnArchive from None
        try:
            return open_keyring(sealed, key, label=label, user_id=self.user_id, version=version)
        except CryptoError:
            raise WrongPassword from None

    def keyring_by_code(self, code: str) -> Keyring:
        """Return the account's keyring, opened with a recovery code that was good when the archive was made.

        Raises:
            ArchiveCodeUnknown: it opens none.
            ArchiveWithoutKeys: there is no keyring in it.
        """
        self._sealed_keyring()
        try:
            key = recovery_key(code)
        except BadRecoveryCode:
            raise ArchiveCodeUnknown from None
        found: Keyring | None = None
        for line in self.lines("recovery_keyrings.jsonl"):
            try:
                each = json.loads(line)
                sealed, version = decode_base64(each["keyring"]), int(each["keyring_version"])
                found = open_keyring(sealed, key, label=RECOVERY_LABEL, user_id=self.user_id, version=version)
            except (CryptoError, KeyError, TypeError, ValueError):
                continue
        if found is None:
            raise ArchiveCodeUnknown
        return found

    def _sealed_keyring(self) -> tuple[bytes, int]:
        keys = self.manifest["keys"]
        if keys.get("keyring") is None:
            raise ArchiveWithoutKeys
        try:
            return decode_base64(keys["keyring"]), int(keys["keyring_version"])
        except (KeyError, TypeError, ValueError):
            raise NotAnArchive from None
