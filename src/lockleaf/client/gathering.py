"""What only the server has of a journal, brought to this device before it is deleted there."""

from __future__ import annotations

from dataclasses import dataclass

from lockleaf.client.client import Client
from lockleaf.client.errors import LockleafError, TransportError
from lockleaf.client.records.progress import ProgressCallback

__all__ = ["Gathered", "gather"]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is on this device after `gather`.

    Attributes:
        entries, tags, conflicts, inbox: how many there are; of conflicts the open ones.
        media: attached files, here or not.
        kept: attached files and thumbnails that are here.
        lost: attached files that are at the server alone and could not be fetched.
        trouble: why the device could not sync, so that it may lack what others wrote.
    """

    entries: int
    tags: int
    conflicts: int
    inbox: int
    media: int
    kept: int
    lost: int
    trouble: LockleafError | None


async def gather(client: Client, progress: ProgressCallback | None = None) -> Gathered:
    """Sync, and fetch all attached files that only the server has: for when it is about to give up what it holds.

    Args:
        client: logged in to an account whose server holds the journal.
        progress: told of the stage ``fetch``, in bytes.

    Raises:
        TransportError: the server cannot be reached.
        LockleafError: what `ServerMedia.keep_all` raises.
    """
    trouble = None
    try:
        await client.sync()
    except TransportError:
        raise
    except LockleafError as error:
        trouble = error  # as much as is here is kept and told
    kept = await client.media.keep_all(progress)
    files = await client.media.list()
    return Gathered(
        entries=await client.journal.count(),
        tags=len(await client.journal.tags()),
        conflicts=len(await client.journal.conflicts()),
        inbox=await client.inbox.count(),
        media=len(files),
        kept=kept.kept,
        lost=sum(not each.waiting for each in files),
        trouble=trouble,
    )
