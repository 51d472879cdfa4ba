"""The SDK: accounts, an offline-first journal, and a sync that verifies what the server says.

`Client` is asynchronous; `BlockingClient` has the same methods for programs without an event loop. Every error is in
`lockleaf.client.errors`.
"""

from __future__ import annotations

from lockleaf.client.account.account import AccountService
from lockleaf.client.account.link_codes import LinkCode
from lockleaf.client.account.password_strength import new_passphrase
from lockleaf.client.account.recovery_codes import RecoveryCodes
from lockleaf.client.blocking import (
    BlockingAccount,
    BlockingClient,
    BlockingInbox,
    BlockingJournal,
    BlockingMedia,
    BlockingServerSearch,
)
from lockleaf.client.client import Client
from lockleaf.client.errors import ApiError, IntegrityError, LocalError, LockleafError, TransportError
from lockleaf.client.errors.claims import Claim
from lockleaf.client.journal.archive_file import is_archive
from lockleaf.client.journal.drafts import DraftContent, Drafts, UnsavedDraft
from lockleaf.client.journal.exporters.archive_exports import export_archive
from lockleaf.client.journal.exporters.exporting import ExportReport, MissingPart
from lockleaf.client.journal.exporters.exports import AgeIdentity
from lockleaf.client.journal.exporters.targets import Left
from lockleaf.client.journal.importers.containers import Container, Member
from lockleaf.client.journal.importers.protocol import Importer, ImportOptions
from lockleaf.client.journal.inbox import Inbox, InboxItem
from lockleaf.client.journal.journal import UNCHANGED, Conflict, ImportReport, Journal, Remark, Skipped
from lockleaf.client.journal.revisions import Revision
from lockleaf.client.journal.tags import Tag
from lockleaf.client.keychain.keychains import FileKeychain, Keychain, SystemKeychain
from lockleaf.client.media.local_attachments import ListedAttachment
from lockleaf.client.media.media import Media
from lockleaf.client.media.media_rotation import MediaRotation
from lockleaf.client.media.transfers import MediaReport
from lockleaf.client.metrics.summary import Period, Stats, Trend
from lockleaf.client.metrics.sums import MetricsReport
from lockleaf.client.networks import Networks
from lockleaf.client.profile.profiles import Profile, default_home, profile_names
from lockleaf.client.records.attachments import Attachment, MediaObject
from lockleaf.client.records.entries import Entry, EntryDraft, Exported, IncomingFile, Progress, ProgressCallback
from lockleaf.client.search.listing import EntriesPage
from lockleaf.client.search.results import Found, Highlight, Hit
from lockleaf.client.search.server_search import ServerSearch
from lockleaf.client.sync.conflict_sync import StaleConflict
from lockleaf.client.sync.differences import Difference, TakenIn
from lockleaf.client.sync.repair import RepairReport
from lockleaf.client.sync.synchroniser import SyncReport
from lockleaf.client.transport.retries import RetryPolicy

__all__ = [
    "UNCHANGED",
    "AccountService",
    "AgeIdentity",
    "ApiError",
    "Attachment",
    "BlockingAccount",
    "BlockingClient",
    "BlockingInbox",
    "BlockingJournal",
    "BlockingMedia",
    "BlockingServerSearch",
    "Claim",
    "Client",
    "Conflict",
    "Container",
    "Difference",
    "DraftContent",
    "Drafts",
    "EntriesPage",
    "Entry",
    "EntryDraft",
    "ExportReport",
    "Exported",
    "FileKeychain",
    "Found",
    "Highlight",
    "Hit",
    "ImportOptions",
    "ImportReport",
    "Importer",
    "Inbox",
    "InboxItem",
    "IncomingFile",
    "IntegrityError",
    "Journal",
    "Keychain",
    "Left",
    "LinkCode",
    "ListedAttachment",
    "LocalError",
    "LockleafError",
    "Media",
    "MediaObject",
    "MediaReport",
    "MediaRotation",
    "Member",
    "MetricsReport",
    "MissingPart",
    "Networks",
    "Period",
    "Profile",
    "Progress",
    "ProgressCallback",
    "RecoveryCodes",
    "Remark",
    "RepairReport",
    "RetryPolicy",
    "Revision",
    "ServerSearch",
    "Skipped",
    "StaleConflict",
    "Stats",
    "SyncReport",
    "SystemKeychain",
    "Tag",
    "TakenIn",
    "TransportError",
    "Trend",
    "UnsavedDraft",
    "default_home",
    "export_archive",
    "is_archive",
    "new_passphrase",
    "profile_names",
]
