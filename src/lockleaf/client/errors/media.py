"""Attachments: files that cannot be taken, bytes that are not the right ones, and a store that does not answer."""

from __future__ import annotations

from lockleaf.client.errors.base import ApiError
from lockleaf.client.errors.integrity import IntegrityError
from lockleaf.client.errors.local import LocalError
from lockleaf.client.errors.transport import TransportError
from lockleaf.exit_codes import ExitCode

__all__ = [
    "AttachmentAwaited",
    "AttachmentNotFound",
    "AttachmentTooLarge",
    "FileChanged",
    "InsecureObjectStore",
    "InvalidAttachment",
    "MediaDamaged",
    "MediaDeleted",
    "MediaIdTaken",
    "NoSuchFile",
    "ObjectStoreRefused",
    "ObjectStoreUnreachable",
    "PartUnknown",
    "PictureUnreadable",
    "QuotaExceeded",
    "StoreNotPinned",
    "TooManyAttachments",
    "UploadAlreadyRunning",
    "UploadDamaged",
    "UploadIncomplete",
]


class NoSuchFile(LocalError):
    """There is no file of this name that can be read: nothing, a folder, a device or a pipe. Check the path."""

    exit_code = ExitCode.INPUT


class FileChanged(LocalError):
    """The file was changed while it was read, so nothing was attached. Wait until it is finished, and try again."""

    exit_code = ExitCode.INPUT


class AttachmentTooLarge(LocalError):
    """The file is too large: an attachment has at most 5 GB. Use a smaller file, or split it."""

    exit_code = ExitCode.INPUT


class TooManyAttachments(LocalError):
    """An entry has at most 100 attachments. Use another entry for more."""

    exit_code = ExitCode.INPUT


class PictureUnreadable(LocalError):
    """A picture cannot be read, so what a camera wrote into it cannot be removed: it was not published.

    Look whether it opens elsewhere; --with-metadata publishes it as it is.
    """

    exit_code = ExitCode.INPUT


class InvalidAttachment(LocalError):
    """This is no name of a file, or no media type such as image/jpeg. Use others: attach takes both as options."""

    exit_code = ExitCode.INPUT


class AttachmentNotFound(LocalError):
    """There is no such attachment on this device. Check the id."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf media shows the ids"


class AttachmentAwaited(LocalError):
    """The server does not have this attachment. The device that attached it has not sent it yet, or it was deleted.

    Sync that device, then try again.
    """

    exit_code = ExitCode.NOT_FOUND


class UploadAlreadyRunning(LocalError):
    """Another program is sending attachments of this profile at the moment. Wait until it has finished."""


class MediaDamaged(IntegrityError):
    """The attachment is not the one that was attached: its bytes were altered, cut, or exchanged for others.

    It was damaged at the server, on its way, or by somebody. Nothing was written. Try again; if it stays so, use
    another copy of the file, and ask the operator.
    """


class ObjectStoreUnreachable(TransportError):
    """The store of attachments cannot be reached. What you attached is kept on this device; try again later."""


class ObjectStoreRefused(TransportError):
    """The store refused the attachment's bytes. What you attached is kept on this device.

    Try again; if it stays so, ask the operator.
    """


class InsecureObjectStore(TransportError):
    """The server names a store of attachments to which this device does not send anything.

    Its address is not https://, or is one of this machine's own while the server is not. Check with the operator.
    """


class StoreNotPinned(TransportError):
    """The server names a store of attachments that you have not allowed for this account. Nothing was sent to it.

    What you attached is kept on this device. A server that lies could have files, and this device's address, go to
    whomever it likes. Ask the operator where files lie; if this is the place, allow it, and sync again.
    """

    hint = "lockleaf media allow ORIGIN, once the operator confirmed it; then lockleaf sync"

    def __init__(self, origin: str) -> None:
        super().__init__(origin)
        self.origin = origin
        """Scheme, host and port of the store."""


class MediaIdTaken(ApiError):
    """The account has another attachment under this id. This program should have chosen another."""


class MediaDeleted(ApiError):
    """The attachment was deleted, here or on another device. Restore it first."""


class PartUnknown(ApiError):
    """The server knows the attachment, but no such part of it. This program should have asked for another."""


class UploadIncomplete(ApiError):
    """The store does not have all of the attachment yet. Its upload goes on with the next sync of its device."""


class UploadDamaged(ApiError):
    """What arrived at the store is not what was sent, and was thrown away. Sync again to send it once more."""


class QuotaExceeded(ApiError):
    """The account's quota is used up: with this it would hold more than the server allows.

    It is kept on this device. Ask the operator for a larger quota, then sync again.
    """
