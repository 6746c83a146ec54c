"""Our source as the architecture's tests read it: files, what each imports, what a name in it stands for."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_OURS = {"build", "dist", "node_modules"}
"""Folders that tools make; those that begin with a dot are not ours either."""


@dataclass(frozen=True)
class Import:
    """One imported module or name, by its full name, and where it is imported."""

    name: str
    line: int
    lazy: bool
    """Inside a function: only when that runs."""


def files(*endings: str) -> Iterator[Path]:
    """Our files with these endings, by their full path; with none given, all of them."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in NOT_OURS)
        for name in sorted(names):
            if not endings or name.endswith(endings):
                yield Path(folder, name)


def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def part_of(path: Path) -> str:
    """The part of the architecture that a file belongs to: its top folder, or its own name at the top."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(module: ast.Module) -> Iterator[Import]:
    """Everything a module imports; `from db import outbox` is `db.outbox`."""
    inside = {
        node
        for function in ast.walk(module)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, node in inside)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield Import(
                    f"{'.' * node.level}{node.module or ''}.{alias.name}", node.lineno, node in inside
                )


def within(name: str, *allowed: str) -> bool:
    """Whether a full name is one of the allowed ones, or inside one of them."""
    return any(name == place or name.startswith(f"{place}.") for place in allowed)


def shown(path: Path, line: int | None = None) -> str:
    """A place as an editor opens it."""
    return f"{path.relative_to(ROOT)}{f':{line}' if line else ''}"
