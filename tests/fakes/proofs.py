"""Tables whose rows are proved by tests, which are named by where they stand below their folder."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]


def not_there(names: Iterable[str]) -> list[str]:
    """Of these files, classes and tests those that are not there."""
    found: dict[str, set[str]] = {}
    for file in {name.partition("::")[0] for name in names}:
        path = TESTS / file
        tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else None
        found[file] = {file, *_below(tree, file)} if tree else set()
    return [name for name in names if name not in found[name.partition("::")[0]]]


def _below(tree: ast.Module | ast.ClassDef, name: str) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inner = f"{name}::{node.name}"
            yield inner
            if isinstance(node, ast.ClassDef):
                yield from _below(node, inner)
