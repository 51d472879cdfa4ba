"""The SQL statements that stand in the server's source, whether or not a test sends them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["Found", "built", "written"]

_STATEMENT = re.compile(r"\s*(?:--[^\n]*\n\s*)*(?:WITH|SELECT|INSERT|UPDATE|DELETE)\b(?! /)")
_BUILDS = frozenset({"select", "insert", "update", "delete"})


class Found(NamedTuple):
    """A statement, and the module and the name or function where it stands."""

    place: str
    text: str


def written(folder: Path, package: str) -> Iterator[Found]:
    """Give each text that is a statement, with ``{}`` for what an f-string fills in; not those that only document."""
    for module, tree, _ in _modules(folder, package):
        around = _parents(tree)
        for node in ast.walk(tree):
            if isinstance(around.get(node), (ast.Expr, ast.JoinedStr)):
                continue
            if isinstance(node, ast.JoinedStr):
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            if _STATEMENT.match(text):
                yield Found(f"{module}.{_name(node, around)}", text)


def built(folder: Path, package: str) -> Iterator[Found]:
    """Give the source of each line in which SQLAlchemy builds a statement."""
    for module, tree, source in _modules(folder, package):
        around = _parents(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _BUILDS:
                line: ast.AST = node
                while not isinstance(line, ast.stmt):
                    line = around[line]
                yield Found(f"{module}.{_name(node, around)}", ast.get_source_segment(source, line) or "")


def _modules(folder: Path, package: str) -> Iterator[tuple[str, ast.Module, str]]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        if "migrations" not in parts and parts[-1] != "examples":
            source = path.read_text()
            yield ".".join((package, *parts)).removeprefix("."), ast.parse(source), source


def _parents(tree: ast.Module) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def _name(node: ast.AST, around: dict[ast.AST, ast.AST]) -> str:
    """The function that a node stands in, otherwise the name that the module gives it."""
    name = ""
    while node in around:
        node = around[node]
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return node.name
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
    return name
