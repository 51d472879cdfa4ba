"""The SDK: accounts, an offline-first journal, and a sync that verifies what the server says.

`Client` is asynchronous; `BlockingClient` has the same methods for programs without an event loop. What a program needs
is importable from here, every type of a public signature and every error among it, and loaded when it is first used.
"""

# ruff: noqa: F403  (the errors, of which each module says its own)
from __future__ import annotations

from typing import TYPE_CHECKING

from lockleaf.client.places import PLACES
from lockleaf.lazy import lazily

if TYPE_CHECKING:
    from lockleaf.client.account.account import AccountService
    from lockleaf.client.account.archive import Archive
    from lockleaf.client.account.factors import FactorCodes, Factors, NewApp
    from lockleaf.client.account.link_codes import LinkCode, parse_link_code
    from lockleaf.client.account.networks import Networks, authorization_code
    from lockleaf.client.account.passkeys import SecurityKey
    from lockleaf.client.account.password_strength import new_passphrase, weakness
    from lockleaf.client.account.privacy import PrivacyChoices
    from lockleaf.client.account.privacy_tiers import TIERS
    from lockleaf.client.account.recovery_codes import RecoveryCodes
    from lockleaf.client.blocking import (
        BlockingAccount,
        BlockingClient,
        BlockingFactors,
        BlockingInbox,
        BlockingJournal,
        BlockingMedia,
        BlockingMetrics,
        BlockingNetworks,
        BlockingPrivacy,
        BlockingServerSearch,
        BlockingSync,
    )
    from lockleaf.client.client import Client
    from lockleaf.client.disclosure.facts import Fact, FactGroup, FactUnit, Sight, Visibility
    from lockleaf.client.disclosure.server_view import ServerView
    from lockleaf.client.disclosure.stored_entries import OpenedText, StoredEntry, StoredLabel
    from lockleaf.client.errors.accounts import *
    from lockleaf.client.errors.base import *
    from lockleaf.client.errors.claims import Claim, RememberedCheckpoint
    from lockleaf.client.errors.exports import *
    from lockleaf.client.errors.factors import *
    from lockleaf.client.errors.integrations import *
    from lockleaf.client.errors.integrity import *
    from lockleaf.client.errors.journal import *
    from lockleaf.client.errors.local import *
    from lockleaf.client.errors.logins import *
    from lockleaf.client.errors.media import *
    from lockleaf.client.errors.metrics import *
    from lockleaf.client.errors.objects import *
    from lockleaf.client.errors.records import *
    from lockleaf.client.errors.requests import *
    from lockleaf.client.errors.search import *
    from lockleaf.client.errors.transport import *
    from lockleaf.client.gathering import Gathered, gather
    from lockleaf.client.journal.archive_file import is_archive
    from lockleaf.client.journal.drafts import DraftContent, Drafts, Purpose, UnsavedDraft, known_drafts
    from lockleaf.client.journal.exporters.archive_exports import export_archive
    from lockleaf.client.journal.exporters.documents import attachment_document, entry_document, revision_document
    from lockleaf.client.journal.exporters.exporting import ExportReport, MissingPart
    from lockleaf.client.journal.exporters.exports import AgeIdentity
    from lockleaf.client.journal.exporters.targets import Left
    from lockleaf.client.journal.import_report import ImportReport, Remark, Skipped
    from lockleaf.client.journal.importers import read_jsonl
    from lockleaf.client.journal.importers.containers import Container, Member
    from lockleaf.client.journal.importers.protocol import Importer, ImportOptions
    from lockleaf.client.journal.inbox import Inbox, InboxItem
    from lockleaf.client.journal.journal import Journal
    from lockleaf.client.journal.journal_writes import Written
    from lockleaf.client.journal.revisions import Revision
    from lockleaf.client.journal.tags import Tag
    from lockleaf.client.keychain.keychains import FileKeychain, Keychain, KeysIn, SystemKeychain
    from lockleaf.client.keychain.unlocked_key import DEFAULT_IDLE
    from lockleaf.client.media.local_attachments import ListedAttachment
    from lockleaf.client.media.media import Media
    from lockleaf.client.media.media_rotation import MediaRotation
    from lockleaf.client.media.sealed_files import KeptMedia
    from lockleaf.client.media.transfers import MediaRefusal, MediaReport
    from lockleaf.client.metrics.metrics import Metrics
    from lockleaf.client.metrics.summary import By, Period, Stats, Trend
    from lockleaf.client.metrics.sums import MetricsReport
    from lockleaf.client.profile.profiles import (
        CustodyName,
        Profile,
        ProfileFolder,
        default_home,
        expanded,
        profile_names,
    )
    from lockleaf.client.publishing import (
        Publication,
        prepare_publication,
        publish,
        publishable,
    )
    from lockleaf.client.records.attachments import Attachment, MediaObject
    from lockleaf.client.records.bases import Base
    from lockleaf.client.records.beginnings import one_beginning
    from lockleaf.client.records.entries import (
        UNCHANGED,
        EarlierDraft,
        Entry,
        EntryDraft,
        Exported,
        IncomingFile,
        Unchanged,
    )
    from lockleaf.client.records.progress import Progress, ProgressCallback
    from lockleaf.client.records.views import Conflict
    from lockleaf.client.search.listing import EntriesPage
    from lockleaf.client.search.query_text import is_filter, only_excludes
    from lockleaf.client.search.results import Found, Highlight, Hit
    from lockleaf.client.search.server_search import ServerSearch
    from lockleaf.client.sync.conflict_sync import StaleConflict
    from lockleaf.client.sync.differences import Choose, Difference, TakenIn
    from lockleaf.client.sync.push import Rejection
    from lockleaf.client.sync.repair import Confirm, Doubt, RepairReport
    from lockleaf.client.sync.sync import Sync
    from lockleaf.client.sync.synchroniser import SyncReport
    from lockleaf.client.transport.retries import RetryPolicy
    from lockleaf.client.transport.second_factor import FactorQuestion, SecondFactor
    from lockleaf.crypto.kdf import KdfParameters, KdfProfile
    from lockleaf.wire.account_fields import Kdf
    from lockleaf.wire.accounts import Account
    from lockleaf.wire.custody import Access
    from lockleaf.wire.days import local_time
    from lockleaf.wire.factors import Factor, FactorList, PasskeyAssertion
    from lockleaf.wire.integrations import Connecting, Integration, Picture, Pulled, PushResult, Target
    from lockleaf.wire.login_names import Identification
    from lockleaf.wire.privacy import DeletedCounts, FeaturesAvailable, Privacy, PrivacyChanged
    from lockleaf.wire.problem_documents import Problem
    from lockleaf.wire.profiles import FeatureFlags, Features, Preferences, Statistics, Storage
    from lockleaf.wire.profiles import Profile as AccountDetails
    from lockleaf.wire.search import SearchIndex
    from lockleaf.wire.sessions import Session
    from lockleaf.wire.tiers import PrivacyTier


__all__ = [
    "DEFAULT_IDLE",
    "TIERS",
    "UNCHANGED",
    "Access",
    "Account",
    "AccountDetails",
    "AccountService",
    "AgeIdentity",
    "Archive",
    "Attachment",
    "Base",
    "BlockingAccount",
    "BlockingClient",
    "BlockingFactors",
    "BlockingInbox",
    "BlockingJournal",
    "BlockingMedia",
    "BlockingMetrics",
    "BlockingNetworks",
    "BlockingPrivacy",
    "BlockingServerSearch",
    "BlockingSync",
    "By",
    "Choose",
    "Claim",
    "Client",
    "Confirm",
    "Conflict",
    "Connecting",
    "Container",
    "CustodyName",
    "DeletedCounts",
    "Difference",
    "Doubt",
    "DraftContent",
    "Drafts",
    "EarlierDraft",
    "EntriesPage",
    "Entry",
    "EntryDraft",
    "ExportReport",
    "Exported",
    "Fact",
    "FactGroup",
    "FactUnit",
    "Factor",
    "FactorCodes",
    "FactorList",
    "FactorQuestion",
    "Factors",
    "FeatureFlags",
    "Features",
    "FeaturesAvailable",
    "FileKeychain",
    "Found",
    "Gathered",
    "Highlight",
    "Hit",
    "Identification",
    "ImportOptions",
    "ImportReport",
    "Importer",
    "Inbox",
    "InboxItem",
    "IncomingFile",
    "Integration",
    "Journal",
    "Kdf",
    "KdfParameters",
    "KdfProfile",
    "KeptMedia",
    "Keychain",
    "KeysIn",
    "Left",
    "LinkCode",
    "ListedAttachment",
    "Media",
    "MediaObject",
    "MediaRefusal",
    "MediaReport",
    "MediaRotation",
    "Member",
    "Metrics",
    "MetricsReport",
    "MissingPart",
    "Networks",
    "NewApp",
    "OpenedText",
    "PasskeyAssertion",
    "Period",
    "Picture",
    "Preferences",
    "Privacy",
    "PrivacyChanged",
    "PrivacyChoices",
    "PrivacyTier",
    "Problem",
    "Profile",
    "ProfileFolder",
    "Progress",
    "ProgressCallback",
    "Publication",
    "Pulled",
    "Purpose",
    "PushResult",
    "RecoveryCodes",
    "Rejection",
    "Remark",
    "RememberedCheckpoint",
    "RepairReport",
    "RetryPolicy",
    "Revision",
    "SearchIndex",
    "SecondFactor",
    "SecurityKey",
    "ServerSearch",
    "ServerView",
    "Session",
    "Sight",
    "Skipped",
    "StaleConflict",
    "Statistics",
    "Stats",
    "Storage",
    "StoredEntry",
    "StoredLabel",
    "Sync",
    "SyncReport",
    "SystemKeychain",
    "Tag",
    "TakenIn",
    "Target",
    "Trend",
    "Unchanged",
    "UnsavedDraft",
    "Visibility",
    "Written",
    "attachment_document",
    "authorization_code",
    "default_home",
    "entry_document",
    "expanded",
    "export_archive",
    "gather",
    "is_archive",
    "is_filter",
    "known_drafts",
    "local_time",
    "new_passphrase",
    "one_beginning",
    "only_excludes",
    "parse_link_code",
    "prepare_publication",
    "profile_names",
    "publish",
    "publishable",
    "read_jsonl",
    "revision_document",
    "weakness",
]

if not TYPE_CHECKING:
    __getattr__ = lazily(globals(), PLACES, whole=["lockleaf.client.errors"])
