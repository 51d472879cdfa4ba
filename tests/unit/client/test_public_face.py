"""What a program can import from `lockleaf.client`."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

import lockleaf.client as face
from lockleaf.client import errors


def own_classes(hint: Any) -> Iterator[type[Any]]:
    """Every class of ours within an annotation."""
    if isinstance(hint, type) and hint.__module__.startswith("lockleaf."):
        yield hint
    for each in hint if isinstance(hint, list | tuple) else typing.get_args(hint):
        yield from own_classes(each)


def functions(kind: type[Any]) -> Iterator[Any]:
    """The public methods and properties of a class; of the blocking client, those that its methods stand for."""
    for name, member in inspect.getmembers_static(kind):
        if not name.startswith("_") or name == "__call__":
            function = behind(member)
            if inspect.isfunction(function) and function.__module__.startswith("lockleaf."):
                yield function


def behind(member: Any) -> Any:
    """The function behind a property, cached or not, a class method or a method that waits; anything else as it is."""
    for name in ("__func__", "fget", "func", "_method", "_opener"):
        if not inspect.isfunction(member) and hasattr(member, name):
            return behind(getattr(member, name))
    return member


def hints(public: Any) -> Iterator[Any]:
    """Every annotation of what is public in an object."""
    if inspect.isfunction(public):
        yield from typing.get_type_hints(public).values()
    if not isinstance(public, type):
        return
    for function in functions(public):
        yield from typing.get_type_hints(function).values()
    if dataclasses.is_dataclass(public) or issubclass(public, BaseModel):
        yield from (kind for name, kind in typing.get_type_hints(public).items() if not name.startswith("_"))


def test_every_type_of_a_public_signature_is_importable_from_the_sdk() -> None:
    exported = [getattr(face, name) for name in (*face.__all__, *errors.__all__)]
    missing = {
        f"{kind.__module__}.{kind.__qualname__}"
        for public in exported
        for hint in hints(public)
        for kind in own_classes(hint)
        if not any(kind is each for each in exported)
    }
    assert not missing


def test_every_error_is_importable_from_the_sdk() -> None:
    for name in errors.__all__:
        assert getattr(face, name) is getattr(errors, name)


def test_a_signature_with_a_type_that_is_not_exported_is_found() -> None:
    async def asks(one: dict[str, list[errors.EntryNotFound | None]]) -> None:
        del one

    asks.__annotations__ = {"one": dict[str, list[errors.EntryNotFound | None]]}
    assert list(own_classes(typing.get_type_hints(asks)["one"])) == [errors.EntryNotFound]
    assert {each.__name__ for each in functions(face.BlockingJournal)} == {
        each.__name__ for each in functions(face.Journal)
    }
    assert "account" in {each.__name__ for each in functions(face.Client)}
    assert "watch" in {each.__name__ for each in functions(face.BlockingSync)}


def test_importing_the_sdk_loads_nothing_below_it() -> None:
    program = "import sys, lockleaf.client; print(*(name for name in sys.modules if name.startswith('lockleaf')))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert set(loaded) == {"lockleaf", "lockleaf.lazy", "lockleaf.client", "lockleaf.client.places"}


def test_a_name_that_the_sdk_does_not_have_is_an_attribute_error() -> None:
    assert not hasattr(face, "NoSuchThing")
    # A module of the errors is not taken for a package of the SDK.
    from lockleaf.client import search

    assert search.__name__ == "lockleaf.client.search"
