"""Paths may be text wherever the SDK takes one."""

from __future__ import annotations

import inspect
import pathlib
import typing
from pathlib import Path

import lockleaf.client as face
from lockleaf.client import Client, FileKeychain, is_archive, profile_names, read_jsonl
from lockleaf.client.errors import LockleafError


def test_whatever_takes_a_path_takes_text() -> None:
    refusing = []
    for name in face.__all__:
        public = getattr(face, name)
        members = inspect.getmembers_static(public) if inspect.isclass(public) else [("", public)]
        if inspect.isclass(public) and issubclass(public, LockleafError):
            continue
        for member, found in members:
            function = getattr(found, "__func__", found)
            if not inspect.isfunction(function) or (member.startswith("_") and member != "__init__"):
                continue
            if not function.__module__.startswith("lockleaf.client"):
                continue
            hints = typing.get_type_hints(function)
            for parameter in inspect.signature(function).parameters:
                kinds = [hints.get(parameter), *typing.get_args(hints.get(parameter))]
                if pathlib.Path in kinds and str not in kinds:
                    refusing.append(f"{name}.{member}({parameter})")
    # What these hold was made by the SDK itself.
    made_here = ("Archive.", "Media.", "Journal.", "Drafts.__init__", "Container.", "RepairReport.")
    assert [each for each in refusing if not each.startswith(made_here)] == []


async def test_a_journal_is_kept_and_files_are_read_where_text_says(tmp_path: Path) -> None:
    (tmp_path / "entries.jsonl").write_text('{"text": "from a file"}\n')
    assert len(list(read_jsonl(f"{tmp_path}/entries.jsonl"))) == 1
    assert not is_archive(f"{tmp_path}/entries.jsonl")
    keychain = FileKeychain(f"{tmp_path}/keys.json")
    keychain.set("a", "b")
    assert FileKeychain(tmp_path / "keys.json").get("a") == "b"
    async with await Client.open(f"{tmp_path}/home", keychain=keychain) as client:
        assert client.profile is None
    assert profile_names(f"{tmp_path}/home") == []
