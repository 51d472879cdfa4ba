"""What the journal on this device has not, or does not take."""

from __future__ import annotations

from lockleaf.client.errors.local import LocalError
from lockleaf.exit_codes import ExitCode

__all__ = [
    "ConflictNotFound",
    "DraftNotFound",
    "EditConflict",
    "EntryChanged",
    "EntryNotFound",
    "EntryTooLarge",
    "ImportRefused",
    "InboxItemNotFound",
    "InboxItemUnreadable",
    "InvalidEntry",
    "InvalidTag",
    "LabelsBelongToCustody",
    "MetricsNotInstalled",
    "MetricsOff",
    "MetricsOutdated",
    "RevisionMissing",
    "TagChanged",
    "TagNotFound",
]


class DraftNotFound(LocalError):
    """There is no such draft on this device, or a program works on it at the moment."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf drafts shows the ids"


class EntryNotFound(LocalError):
    """There is no such entry on this device."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf list shows the ids"


class EntryChanged(LocalError):
    """The entry changed since you looked at it, so nothing was done. Look at it again, then decide."""

    exit_code = ExitCode.CONFLICT
    hint = "lockleaf show ID"


class EditConflict(LocalError):
    """The entry changed in the same place since you opened it, or before it was deleted. It stays as it is now.

    Your version is kept as a conflict, and nothing of it is lost. Compare both, then choose one or merge them.
    """

    exit_code = ExitCode.CONFLICT
    hint = "lockleaf conflicts compares both; lockleaf resolve ID local, remote or merged decides"

    def __init__(self, entry_id: str, conflict_id: str) -> None:
        super().__init__()
        self.entry_id = entry_id
        self.conflict_id = conflict_id


class RevisionMissing(LocalError):
    """There is no such revision of this entry, or the server does not keep it any more. Check the list of them."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf history ID shows those that there are"


class MetricsOff(LocalError):
    """The server keeps no sums for this account.

    Use `lockleaf stats --local`, which needs no server, or have it add up encrypted numbers: `lockleaf stats on`.
    """


class MetricsNotInstalled(LocalError):
    """The library for encrypted numbers is not installed here: entries are synced, and their numbers wait.

    Install it with `pip install 'lockleaf[metrics]'`; `lockleaf stats --local` works without.
    """


class MetricsOutdated(LocalError):
    """Another device began to count anew, and this one has not heard of the new key.

    Sync again, then ask again: `lockleaf sync`.
    """


class TagNotFound(LocalError):
    """There is no such tag on this device: no entry has it, and none is kept without one."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf tags shows them"


class TagChanged(LocalError):
    """The tag changed since you looked at it: its name, its colour, or how many entries have it. Look at it again."""

    exit_code = ExitCode.CONFLICT
    hint = "lockleaf tags"


class LabelsBelongToCustody(LocalError):
    """In this account the server can read while a session is in use, and makes the labels itself.

    Taking them away would hide nothing from it. An end-to-end encrypted account can do without them.
    """

    exit_code = ExitCode.CONFLICT


class InvalidTag(LocalError):
    """This is no tag: a name is one line of at most 200 characters, a colour is written as #0377d2."""

    exit_code = ExitCode.INPUT


class ImportRefused(LocalError):
    """This cannot be imported, and nothing was."""

    exit_code = ExitCode.INPUT


class InvalidEntry(LocalError):
    """An entry has an invalid field: a date that does not exist, a tag or mood that is empty or too long."""

    exit_code = ExitCode.INPUT


class EntryTooLarge(LocalError):
    """The entry is too long: at most 4,032 KiB fit into one. Split it."""

    exit_code = ExitCode.INPUT


class ConflictNotFound(LocalError):
    """There is no such open conflict on this device."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf conflicts shows the ids"


class InboxItemNotFound(LocalError):
    """No such item waits in the inbox on this device."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf inbox shows the ids"


class InboxItemUnreadable(LocalError):
    """The item cannot be accepted: your keys do not open it, or what is inside is no entry. It stays in the inbox.

    A newer version of this program may open it. If you are sure that you do not want it, refuse it.
    """

    exit_code = ExitCode.INPUT
