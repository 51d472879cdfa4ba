"""Three-way merge of one record: what two devices made of the same revision (PROTOCOL section 5, Conflict).

Pure: no clock decides anything, and nothing is dropped in silence. Where both sides changed the same thing to different
ends, the answer is a conflict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from merge3 import Merge3

from lockleaf.client.records.attachment_merge import differs_in_seals_alone, merge_attachments
from lockleaf.wire.names import distinct_names, known_as

__all__ = ["Conflicting", "Merged", "Version", "merge", "merge_versions", "said", "same_content"]

_ABSENT = object()
_NOT_CONTENT = frozenset({"seen", "device", "written_at", "counted", "resolves"})
"""Fields that describe a writing, not what was written."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Both sides' changes in one map."""

    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conflicting:
    """Names of the fields that both sides changed differently."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One side: its content, which for a deletion is None."""

    content: dict[str, Any] | None

    @property
    def deleted(self) -> bool:
        """Whether this side is a deletion."""
        return self.content is None


def same_content(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Tell whether two maps (None: a deletion) say the same, whoever wrote them."""
    if one is None or other is None:
        return one is other
    return said(one) == said(other)


def said(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a map says, without what is absent and what describes its writing."""
    return {name: value for name, value in content.items() if name not in _NOT_CONTENT and value is not None}


def merge_versions(base: Version | None, local: Version, remote: Version) -> Version | Conflicting:
    """Merge two versions that follow ``base``, any of which may be a deletion.

    Args:
        base: what both follow; None where there is nothing common (the same record made on two devices).

    Returns:
        The merged version, or the fields in conflict; ``("deleted",)`` where one side deleted what the other edited.
    """
    if same_content(local.content, remote.content):
        return remote
    if base is not None:
        if same_content(base.content, local.content):
            return remote
        if same_content(base.content, remote.content):
            return local
    if local.content is None or remote.content is None:
        kept = remote if local.content is None else local
        before = None if base is None else base.content
        if before is not None and kept.content is not None and differs_in_seals_alone(said(before), said(kept.content)):
            # Whoever sealed a file anew said nothing against the deletion of its entry.
            return local if local.content is None else remote
        return Conflicting(("deleted",))
    merged = merge(base.content if base is not None else None, local.content, remote.content)
    return Version(merged.content) if isinstance(merged, Merged) else merged


def merge(base: Mapping[str, Any] | None, local: Mapping[str, Any], remote: Mapping[str, Any]) -> Merged | Conflicting:
    """Merge two maps that follow ``base``: the body by lines, tags and attachments as sets, all else one by one.

    Unknown fields are merged like known ones. A field that is absent and one that is None are the same.
    """
    origin = base or {}
    content: dict[str, Any] = {}
    conflicts: list[str] = []
    for name in dict.fromkeys((*remote, *local)):
        if name in _NOT_CONTENT:
            continue
        before, ours, theirs = _get(origin, name), _get(local, name), _get(remote, name)
        if ours in (theirs, before):
            value = theirs
        elif theirs == before:
            value = ours
        else:
            value = _merge_field(name, before, ours, theirs)
            if value is None:
                conflicts.append(name)
                continue
        if value is not _ABSENT:
            content[name] = value
    return Conflicting(tuple(sorted(conflicts))) if conflicts else Merged(content)


def _merge_field(name: str, before: Any, ours: Any, theirs: Any) -> Any:
    """The merged value of a field that both sides changed, None where they cannot be merged."""
    if name == "tags":
        sides = [[] if side is _ABSENT else side for side in (before, ours, theirs)]
        if all(_is_list_of_text(side) for side in sides):
            return _merge_tags(*sides)
    if name == "attachments":
        lists = [_by_media_id([] if side is _ABSENT else side) for side in (before, ours, theirs)]
        if all(side is not None for side in lists):
            merged = merge_attachments(*(side or {} for side in lists))
            return _ABSENT if merged == [] else merged
    if name == "metrics":
        maps = [{} if side is _ABSENT else side for side in (before, ours, theirs)]
        if all(isinstance(side, dict) for side in maps):
            return _merge_metrics(*maps)
    if name == "body" and isinstance(before, str) and isinstance(ours, str) and isinstance(theirs, str):
        return _merge_lines(before, ours, theirs)
    return None


def _merge_tags(before: list[str], ours: list[str], theirs: list[str]) -> Any:
    """A tag is there if a side added it, or if both kept it; it is the same one in every spelling.

    Where a side spelled it anew, that spelling stands, the one that the server accepted first before the other.
    """
    were, mine, yours = ({known_as(tag) for tag in side} for side in (before, ours, theirs))
    wanted = (were & mine & yours) | (mine - were) | (yours - were)
    anew = [tag for tag in (*theirs, *ours) if tag not in before]
    spelled = {known_as(tag): tag for tag in (*reversed((*theirs, *ours)), *reversed(anew))}
    return [spelled[known_as(tag)] for tag in distinct_names((*theirs, *ours)) if known_as(tag) in wanted] or _ABSENT


def _by_media_id(value: Any) -> dict[str, Any] | None:
    """Attachments by the media that they are, None where there is one that cannot be told from others."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        return None
    named = {each.get("media_id"): each for each in value}
    return named if len(named) == len(value) and all(isinstance(each, str) for each in named) else None


def _merge_metrics(before: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> Any:
    """The metrics of both sides, each taken as a field of its own; None where both changed the same one."""
    merged = {}
    for name in dict.fromkeys((*theirs, *ours)):
        was, mine, yours = _get(before, name), _get(ours, name), _get(theirs, name)
        if mine != yours and was not in (mine, yours):
            return None
        value = yours if mine in (yours, was) else mine
        if value is not _ABSENT:
            merged[name] = value
    return merged or _ABSENT


def _merge_lines(before: str, ours: str, theirs: str) -> str | None:
    """The text with both sides' changed lines, None where they changed the same ones.

    Lines are what stands between line feeds, and the last one has none: so a line added behind it does not change it.
    """
    merged: list[str] = []
    for group in Merge3(before.split("\n"), ours.split("\n"), theirs.split("\n")).merge_groups():
        if group[0] == "conflict":
            return None
        merged.extend(group[1])
    return "\n".join(merged)


def _get(content: Mapping[str, Any], name: str) -> Any:
    value = content.get(name, _ABSENT)
    return _ABSENT if value is None else value


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
