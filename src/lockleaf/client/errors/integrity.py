"""A server, or somebody on the way, that is not honest."""

from __future__ import annotations

from lockleaf.client.errors.base import LockleafError

__all__ = [
    "AccountMismatch",
    "CustodyMismatch",
    "HistoryForked",
    "IntegrityError",
    "KdfWeakened",
    "KeySubstituted",
    "KeyringMissing",
    "KeyringRolledBack",
    "MetricKeyRolledBack",
    "MetricsUnreadable",
    "RetiredKey",
    "SealBroken",
    "ServerEmptied",
    "ServerRestored",
]


class IntegrityError(LockleafError):
    """The server's answer contradicts what this device knows. Nothing of it was taken over."""


class HistoryForked(IntegrityError):
    """The server's history is not the one that this device, or another device of yours, has seen.

    Changes were dropped, altered, replayed or reordered. What you wrote on this device is untouched, and nothing more
    is sent. Do not trust this server until its operator has explained it. See first whether your other devices still
    sync: if they all do, only what this device remembers is at odds. Then keep a copy of what was never synced here,
    log out and forget the journal on this device, and log in again.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SealBroken(IntegrityError):
    """The server gave sealed bytes that your keys do not open, or not as this.

    They were altered, or stand in a place where you did not put them. Nothing was taken over; do not trust this
    server until its operator has explained it.
    """


class RetiredKey(IntegrityError):
    """The server gave something that a retired key of yours sealed or signed after that key was given up.

    None of your devices does that. Somebody who has an old keyring, such as that of a lost device, works together with
    this server. Nothing was taken over, and everything here stays; do not trust this server until its operator has
    explained it.
    """


class KeyringRolledBack(IntegrityError):
    """The server gave an older keyring than this device has seen.

    Its database may have been restored from an old backup, or somebody wants you to write under a key that you
    have given up. Nothing was taken over; ask the operator.
    """


class MetricKeyRolledBack(IntegrityError):
    """The server gave an older key for encrypted metrics than this device has seen.

    Its database may have been restored from an old backup, or somebody wants you to count under a key that you have
    given up. Nothing was taken over; ask the operator, or use `lockleaf stats rebuild`, which begins anew from the
    entries on this device.
    """


class MetricsUnreadable(IntegrityError):
    """The server's sums are none that your devices can have made: they are wrong, or another device is still counting.

    Sync again, on your other devices too, and ask again. If it stays, `lockleaf stats --local` shows what the entries
    on this device come to, and `lockleaf stats rebuild` has everything counted anew.
    """


class KeyringMissing(IntegrityError):
    """The server gave no keyring for this account, so nothing can be read with it.

    The account was made by a program that keeps its keys to itself, or the server holds the keyring back: log in with
    that program, or ask the operator. Nothing was taken over.
    """


class KdfWeakened(IntegrityError):
    """The server asked to derive your keys in a way that is not safe, or weaker than before.

    Weak parameters make a password easier to guess, and absurd ones stop the device that tries them. Nothing was
    derived; do not log in to this server until its operator has explained it.
    """


class CustodyMismatch(IntegrityError):
    """The account is encrypted in another way than you chose, by what the server says or by what this device remembers.

    The choice is yours alone, made with the account, and is never changed by an answer. Nothing was taken over. If you
    chose rightly, do not trust this server until its operator has explained it.
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
    """The server was restored from an older state and lacks changes that it had confirmed.

    You still have them on this device. If the operator confirms the restore, sync again and accept it: what the
    server lost is sent again, what differs is merged or becomes a conflict, and nothing is deleted.
    """

    def __init__(self, epoch: str, from_seq: int, missing: tuple[tuple[str, str], ...]) -> None:
        super().__init__(f"{len(missing)} records differ")
        self.epoch = epoch
        self.from_seq = from_seq
        self.missing = missing


class ServerEmptied(ServerRestored):
    """The server no longer holds this account's journal: it was deleted there, as happens when the tier is lowered.

    Everything that this device had is still here. If you lowered the privacy tier in between, sync again and accept
    it: what is here is sent again, what other devices have differently is merged or becomes a conflict, and nothing is
    deleted. If you did not, ask the operator.
    """
