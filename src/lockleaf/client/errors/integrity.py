"""What contradicts what this device verified or remembers: the server, or somebody on the way, changed something."""

from __future__ import annotations

from lockleaf.client.errors.base import LockleafError
from lockleaf.client.errors.claims import Claim, RememberedCheckpoint
from lockleaf.exit_codes import ExitCode

__all__ = [
    "AccountMismatch",
    "CustodyMismatch",
    "HistoryForked",
    "IntegrityError",
    "KdfWeakened",
    "KeySubstituted",
    "KeyringMissing",
    "KeyringRolledBack",
    "LinkOutdated",
    "MetricKeyRolledBack",
    "MetricsUnreadable",
    "RetiredKey",
    "SealBroken",
    "ServerEmptied",
    "ServerRestored",
    "UnsealedChange",
]


class IntegrityError(LockleafError):
    """The server's answer contradicts what this device knows. Nothing of it was taken over."""

    exit_code = ExitCode.INTEGRITY

    @property
    def details(self) -> tuple[str, ...]:
        """What else there is to say about this very answer, in sentences."""
        return ()


class HistoryForked(IntegrityError):
    """The server sent history that does not match what this device, or another device of yours, verified.

    Changes were dropped, altered, replayed or reordered; it is also what a server shows that was put back from a backup
    without saying so. Everything on this device is untouched, you can go on writing, and nothing more is sent. Do not
    trust this server until its operator has explained it. Then repair this device: that compares what is here with what
    the server shows now, sends what the server lacks, keeps both versions where they differ, and deletes nothing.
    """

    hint = "lockleaf repair"

    def __init__(self, reason: str, contradicts: RememberedCheckpoint | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.contradicts = contradicts
        """What another device signed, if that is what the server's history does not agree with."""

    @property
    def details(self) -> tuple[str, ...]:
        """What was signed otherwise, in sentences."""
        return () if self.contradicts is None else (self.contradicts.sentence(),)


class SealBroken(IntegrityError):
    """The server gave sealed bytes that your keys do not open, or not as this.

    They were altered, or stand in a place where you did not put them. Nothing was taken over; do not trust this
    server until its operator has explained it.
    """


class UnsealedChange(IntegrityError):
    """The server gave an entry, a tag or a deletion that none of your devices sealed.

    Your devices seal everything, deletions and tags too: somebody without your keys made this, such as the server.
    Nothing was taken over, everything on this device is untouched, and you can go on writing. Do not trust this server
    until its operator has explained it. Then repair this device: that compares what is here with what the server shows
    now, and deletes nothing. As long as the server shows something like this, the repair stops too and changes nothing.
    """

    hint = "lockleaf repair"


class RetiredKey(IntegrityError):
    """The server gave something that a retired key of yours sealed or signed after that key was given up.

    None of your devices does that. Somebody who has an old keyring, such as that of a lost device, works together with
    this server. Nothing was taken over, and everything here stays; do not trust this server until its operator has
    explained it.
    """


class KeyringRolledBack(IntegrityError):
    """The server gave an older keyring than this device has seen.

    Its database may have been restored from an old backup, or somebody wants you to write under a key that you
    have given up. Nothing was taken over, everything here stays, and you can go on writing; ask the operator. If it was
    restored, repair this device: with your consent that writes the newer keys there again. The password in force is
    then the one of that backup.
    """

    hint = "lockleaf repair"


class MetricKeyRolledBack(IntegrityError):
    """The server gave an older key for encrypted metrics than this device has seen.

    Its database may have been restored from an old backup, or somebody wants you to count under a key that you have
    given up. Nothing was taken over; ask the operator, or use `lockleaf stats rebuild`, which begins anew from the
    entries on this device.
    """


class MetricsUnreadable(IntegrityError):
    """Your devices cannot have made the server's sums: they are wrong, or another device is still counting.

    Sync again, on your other devices too, and ask again. If it stays, `lockleaf stats --local` shows what the entries
    on this device come to, and `lockleaf stats rebuild` has everything counted anew.
    """


class KeyringMissing(IntegrityError):
    """The server gave no keyring for this account, so nothing can be read with it.

    Another application made the account and keeps its keys to itself, or the server holds the keyring back. Nothing
    was taken over. If you know that it was another application, `lockleaf adopt` gives the account keys of its own. For
    an account that you made with Lockleaf, ask the operator instead: adopting sends your password to the server.
    """


class KdfWeakened(IntegrityError):
    """The server asked to derive your keys in a way that is not safe, or weaker than before.

    Weak parameters make a password easier to guess, and absurd ones stop the device that tries them. Nothing was
    derived; do not log in to this server until its operator has explained it.
    """

    hint = "--allow-pbkdf2 or --allow-weak-kdf, only if you know yourself that the account was made that way"


class LinkOutdated(IntegrityError):
    """The server names another way to derive your keys than the link code.

    Either the password or the keys were changed since the code was made, or the server is lying. Nothing was
    derived, and nothing was sent. Make a new code on the device that made this one, once it has synced, and log in with
    that; if it is refused as well, do not trust this server until its operator has explained it.
    """


class CustodyMismatch(IntegrityError):
    """The account is encrypted in another way than you chose, by what the server says or by what this device remembers.

    The choice is yours alone, made with the account, and is never changed by an answer. Nothing was taken over. If you
    chose right, do not trust this server until its operator has explained it.
    """


class KeySubstituted(IntegrityError):
    """The server gave a public key for your account that is not yours.

    Whoever made it could read what others seal to you. Nothing was taken over; do not trust this server.
    """


class AccountMismatch(IntegrityError):
    """The server answered for another account than yours. Nothing of its answer was taken over.

    Check the server's address; if it is right, do not trust this server until its operator has explained it.
    """


class ServerRestored(IntegrityError):
    """The server says that it was put back to an earlier state. Nothing was taken over; what you have here stays.

    First ask the operator. If it is so, sync again and accept it: what the server lost is sent again, what differs is
    merged or becomes a conflict, and nothing is deleted. If nobody restored anything, do not accept: somebody may be
    hiding what your devices wrote.
    """

    hint = "lockleaf sync --accept-restore"

    def __init__(self, claim: Claim, missing: tuple[tuple[str, str], ...]) -> None:
        records = "1 record here is" if len(missing) == 1 else f"{len(missing):,} records here are"
        super().__init__(f"{records} not at the server" if missing else None)
        self.claim = claim
        self.missing = missing

    @property
    def epoch(self) -> str:
        """The epoch in which the server is now."""
        return self.claim.epoch

    @property
    def from_seq(self) -> int:
        """From where the server goes on, it says."""
        return self.claim.from_seq

    @property
    def details(self) -> tuple[str, ...]:
        """What the server claims, beside what was verified, in sentences."""
        return self.claim.sentences()


class ServerEmptied(ServerRestored):
    """The server no longer holds this account's journal: it was deleted there, as happens when the tier is lowered.

    Everything that this device had is still here. If you lowered the privacy tier in between, sync again and accept
    it: what is here is sent again, what other devices have differently is merged or becomes a conflict, and nothing is
    deleted. If you did not, ask the operator.
    """

    hint = "lockleaf sync --accept-restore"
