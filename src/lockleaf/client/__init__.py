"""The SDK: accounts, an offline-first journal, and a sync that verifies what the server says.

`Client` is asynchronous; `BlockingClient` has the same methods for programs without an event loop. Every error is in
`lockleaf.client.errors`.
"""

from __future__ import annotations

from lockleaf.client.account import AccountService
from lockleaf.client.blocking import (
    BlockingAccount,
    BlockingClient,
    BlockingInbox,
    BlockingJournal,
    BlockingMedia,
    BlockingServerSearch,
)
from lockleaf.client.claims import Claim
from lockleaf.client.client import Client
from lockleaf.client.differences import Difference, TakenIn
from lockleaf.client.disputes import StaleConflict
from lockleaf.client.drafts import DraftContent, Drafts, UnsavedDraft
from lockleaf.client.entries import Entry, EntryDraft, Exported, Progress, ProgressCallback
from lockleaf.client.errors import ApiError, IntegrityError, LocalError, LockleafError, TransportError
from lockleaf.client.inbox import Inbox, InboxItem
from lockleaf.client.journal import UNCHANGED, Conflict, ImportReport, Journal, Remark, Skipped
from lockleaf.client.keychain import FileKeychain, Keychain, SystemKeychain
from lockleaf.client.links import LinkCode
from lockleaf.client.listing import EntriesPage
from lockleaf.client.media.attachments import Attachment, Medium
from lockleaf.client.media.book import ListedAttachment
from lockleaf.client.media.carrying import MediaReport
from lockleaf.client.media.rotation import MediaRotation
from lockleaf.client.media.service import Media
from lockleaf.client.metrics.summary import Period, Stats, Trend
from lockleaf.client.metrics.tally import MetricsReport
from lockleaf.client.profile import Profile, default_home, profile_names
from lockleaf.client.recovery import RecoveryCodes
from lockleaf.client.repair import RepairReport
from lockleaf.client.retry import RetryPolicy
from lockleaf.client.revisions import Revision
from lockleaf.client.search.results import Found, Highlight, Hit
from lockleaf.client.search.service import ServerSearch
from lockleaf.client.strength import new_passphrase
from lockleaf.client.sync import SyncReport
from lockleaf.client.tags import Tag

__all__ = [
    "UNCHANGED",
    "AccountService",
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
    "Difference",
    "DraftContent",
    "Drafts",
    "EntriesPage",
    "Entry",
    "EntryDraft",
    "Exported",
    "FileKeychain",
    "Found",
    "Highlight",
    "Hit",
    "ImportReport",
    "Inbox",
    "InboxItem",
    "IntegrityError",
    "Journal",
    "Keychain",
    "LinkCode",
    "ListedAttachment",
    "LocalError",
    "LockleafError",
    "Media",
    "MediaReport",
    "MediaRotation",
    "Medium",
    "MetricsReport",
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
    "new_passphrase",
    "profile_names",
]
