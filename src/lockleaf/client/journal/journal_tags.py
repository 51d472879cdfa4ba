"""The tags of a journal, as its callers use them: each call runs in a thread."""

from __future__ import annotations

import asyncio
import builtins

from lockleaf.client.journal.tags import Tag, TagBook

__all__ = ["JournalTags"]


class JournalTags:
    """What a journal does with tags.

    Args:
        tags: of one profile.
    """

    def __init__(self, tags: TagBook) -> None:
        self._tags = tags

    async def tags(self) -> builtins.list[Tag]:
        """Return all tags alphabetically, with their colours and how many entries here have them."""
        return await asyncio.to_thread(self._tags.listed)

    async def tag(self, name: str) -> Tag:
        """Return one tag, by any spelling of its name.

        Raises:
            TagNotFound: no tag has this name.
        """
        return await asyncio.to_thread(self._tags.get, name)

    async def recolor_tag(self, name: str, color: str, *, base: Tag | None = None) -> Tag:
        """Give a tag the ``color`` (``#rrggbb``).

        Args:
            base: the tag as whoever decides saw it, here and below.

        Raises:
            TagNotFound: no tag has this name.
            TagChanged: it is not ``base`` any more; nothing was changed.
            InvalidTag: the colour is invalid.
        """
        return await asyncio.to_thread(self._tags.recolor, name, color, base)

    async def rename_tag(self, name: str, new_name: str, *, base: Tag | None = None) -> Tag:
        """Give a tag another name, in every entry that has it. One that has the name already takes it in.

        Entries keep whatever else was changed in them meanwhile.

        Raises:
            TagNotFound: no tag has this name.
            TagChanged: it is not ``base`` any more; nothing was changed.
            InvalidTag: the new name is invalid.
        """
        return await asyncio.to_thread(self._tags.rename, name, new_name, base)

    async def remove_tag(self, name: str, *, base: Tag | None = None) -> int:
        """Take a tag off every entry, and forget its colour; return how many entries had it.

        Raises:
            TagNotFound: no tag has this name.
            TagChanged: it is not ``base`` any more; nothing was changed.
        """
        return await asyncio.to_thread(self._tags.remove, name, base)

    async def clean_up_tags(self, days: int = 0) -> builtins.list[str]:
        """Remove the tags that no entry has and that nobody changed for so many ``days``; return their names."""
        return await asyncio.to_thread(self._tags.clean_up, days)
