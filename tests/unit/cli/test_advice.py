"""No advice that the program prints costs a word: none tells to delete, and all that touches a journal is followed."""

from __future__ import annotations

import inspect
import re

import pytest

from lockleaf.client import errors
from lockleaf.client.errors import IntegrityError, LocalError, LockleafError
from tests.acceptance.test_advice import FOLLOWED

NOTHING_AT_STAKE = {
    # what was asked for is not there, or was asked for wrongly: nothing is read or written
    **dict.fromkeys(
        (
            "EntryNotFound",
            "TagNotFound",
            "ConflictNotFound",
            "InboxItemNotFound",
            "AttachmentNotFound",
            "ProfileNotFound",
            "RevisionMissing",
            "DraftNotFound",
            "InvalidFolder",
            "PasswordNotText",
            "ReadOnlyFolder",
            "InvalidAccountDetail",
            "InvalidLinkCode",
            "SearchLanguageDiffers",
            "LabelsBelongToCustody",
            "NotYetSynced",
            "WithoutLinkCodes",
            "NoSuchFile",
            "InvalidProfileName",
            "InvalidLoginName",
            "PasskeyOfAnotherServer",
            "SecurityKeyFailed",
            "InvalidDeviceName",
            "InvalidTag",
            "InvalidSearch",
            "InvalidAttachment",
            "AttachmentTooLarge",
            "TooManyAttachments",
            "InvitationRequired",
            "RegistrationClosed",
        ),
        "names what there is; changes nothing",
    ),
    # before there is a journal here, or beside it
    **dict.fromkeys(
        (
            "AccountDeleted",
            "AccountHasKeys",
            "EmailTaken",
            "InsecureServer",
            "StoreNotPinned",
            "PasswordKnown",
            "PasswordUnsuitable",
            "PasswordTooWeak",
            "PasswordRequired",
            "KdfWeakened",
            "LinkOutdated",
            "WrongPassword",
            "RecoveryCodesUnconfirmed",
            "SchemaBehind",
            "AccountMismatch",
            "CustodyMismatch",
            "KeySubstituted",
            "KeyringMissing",
            "SealBroken",
            "RetiredKey",
        ),
        "nothing was taken over, and the advice is to ask, or to give another option",
    ),
    # what is written stays where it is; the advice is to wait, or to look at both
    **dict.fromkeys(
        (
            "EntryChanged",
            "EditConflict",
            "TagChanged",
            "EntryTooLarge",
            "InvalidEntry",
            "ImportRefused",
            "MalformedImport",
            "InboxItemUnreadable",
            "AttachmentAwaited",
            "FileChanged",
            "DiskFull",
            "KeychainSilent",
            "JournalMoved",
            "StoreLocked",
            "SyncAlreadyRunning",
            "UploadAlreadyRunning",
            "LocalStoreError",
            "MediaDamaged",
        ),
        "the text stays in the editor, the file or the journal; the advice is to look, to wait or to free some space",
    ),
    # an export or an archive is read or not; the journal is not touched
    **dict.fromkeys(
        (
            "ArchiveCodeUnknown",
            "ArchiveWithoutKeys",
            "ExportRunning",
            "NoPlaceForRevisions",
            "NotAnArchive",
            "NotAnExportFolder",
            "OtherExport",
        ),
        "nothing was written; the advice is another path or option, or the right secret",
    ),
    **dict.fromkeys(("IdAmbiguous", "IdTooShort"), "nothing was done; the advice is to type more"),
    "PictureUnreadable": "nothing was published; the picture lies where it was",
    # numbers are worked out anew from the entries
    **dict.fromkeys(
        ("MetricsNotInstalled", "MetricsOff", "MetricsOutdated", "MetricsUnreadable", "MetricKeyRolledBack"),
        "numbers alone",
    ),
}


def _concrete() -> dict[str, type[LockleafError]]:
    found = {name: getattr(errors, name) for name in errors.__all__}
    return {
        name: each
        for name, each in found.items()
        if inspect.isclass(each) and issubclass(each, LockleafError) and each not in (LocalError, IntegrityError)
    }


def test_every_error_about_a_journal_is_followed_or_has_nothing_at_stake() -> None:
    local = {name for name, each in _concrete().items() if issubclass(each, (IntegrityError, LocalError))}
    known = FOLLOWED.keys() | NOTHING_AT_STAKE.keys()
    hinted = {name for name, each in _concrete().items() if each.hint is not None}
    assert sorted((local | hinted) - known) == []


@pytest.mark.parametrize("name", sorted(_concrete()))
def test_no_message_advises_to_delete_or_to_forget(name: str) -> None:
    told = " ".join((inspect.cleandoc(_concrete()[name].__doc__ or ""), _concrete()[name].hint or ""))
    imperative = re.search(r"(^|[.;:,] (then )?)(delete|remove|forget|--forget|discard|erase)\b|--forget", told, re.I)
    assert imperative is None, told
