"""Merging the attachments of an entry: as a set, in which one that was sealed anew is still the same attachment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["differs_in_seals_alone", "merge_attachments"]

_SEAL = ("media_id", "sealed_size", "sealed_sha256", "recipient")
"""What of a description is another after a file was sealed anew."""
_ABSENT = object()

Described = dict[str, Any]
Listed = Mapping[str, Described]
"""The attachments of one version, by their media ids, in order."""


def merge_attachments(before: Listed, ours: Listed, theirs: Listed) -> list[Described] | None:
    """Return the attachments of both sides, each taken as a field of its own.

    One that a side sealed anew counts as unchanged there, so that neither a deletion nor a change of it on the other
    side is undone or becomes a conflict. Where both sealed it anew, theirs stands: the server accepted it first.

    The same bytes under the same name that each side attached by itself are one attachment, theirs: two devices that
    import the same journal at once attach each file twice.

    Returns:
        The list; None where both sides changed the same one differently.
    """
    mine, anew = _as_before(before, ours)
    yours, anew_there = _as_before(before, theirs)
    anew |= anew_there
    merged = []
    attached_there = [
        _file(each) for media_id, each in yours.items() if media_id not in before and media_id not in mine
    ]
    for media_id in dict.fromkeys((*yours, *mine)):
        was, here, there = (side.get(media_id, _ABSENT) for side in (before, mine, yours))
        if here != there and was not in (here, there):
            return None
        value = there if here in (there, was) else here
        if was is _ABSENT and there is _ABSENT and (twice := _file(mine[media_id])) in attached_there:
            attached_there.remove(twice)
            continue
        if isinstance(value, dict):
            merged.append(_sealed_as(value, anew[media_id]) if media_id in anew else value)
    return merged


def differs_in_seals_alone(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Tell whether two entries' maps say the same, but for the seals of their attachments."""
    names = {*before, *after} - {"attachments"}
    if any(before.get(name) != after.get(name) for name in names):
        return False
    listed = [each.get("attachments") for each in (before, after)]
    if not all(isinstance(each, list) and all(isinstance(one, dict) for one in each) for each in listed):
        return listed[0] == listed[1]
    return [_plain(one) for one in listed[0] or ()] == [_plain(one) for one in listed[1] or ()]


def _as_before(before: Listed, side: Listed) -> tuple[dict[str, Described], dict[str, Described]]:
    """Return a side with what it sealed anew as it was before, and by its former id what took its place."""
    # Files without a digest cannot be told from each other.
    was = {media_id: _plain(each) for media_id, each in before.items() if isinstance(each.get("sha256"), bytes)}
    shown: dict[str, Described] = {}
    anew: dict[str, Described] = {}
    for media_id, each in side.items():
        known, said = each == before.get(media_id), _plain(each)
        same = [media_id] if media_id in before else [one for one in was if one not in side]
        former = next((one for one in same if not known and one not in anew and was.get(one) == said), None)
        if former is None:
            shown[media_id] = each
        else:
            shown[former] = before[former]
            anew[former] = each
    return shown, anew


def _file(described: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what tells two files from each other; one without a digest is like none."""
    digest = described.get("sha256")
    return (described.get("name"), described.get("size"), digest if isinstance(digest, bytes) else object())


def _plain(described: Mapping[str, Any]) -> Described:
    said = {name: value for name, value in described.items() if name not in _SEAL}
    small = said.get("thumbnail")
    return said | {"thumbnail": _plain(small)} if isinstance(small, dict) else said


def _sealed_as(value: Described, anew: Mapping[str, Any]) -> Described:
    """Return a description with the seals of the one that took its place."""
    sealed = {name: each for name, each in value.items() if name not in _SEAL}
    sealed |= {name: anew[name] for name in _SEAL if name in anew}
    small, other = value.get("thumbnail"), anew.get("thumbnail")
    if isinstance(small, dict) and isinstance(other, dict):
        sealed["thumbnail"] = _sealed_as(small, other)
    return sealed
