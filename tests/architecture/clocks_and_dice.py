"""Finds what a workflow must never use: clocks, dice and ways around the search for them.

A replayed workflow must come to the same decisions. Temporal's sandbox sees to that for what it loads itself, but our
own modules are passed through it, and in them `datetime.now()` runs silently. Hence this search in the source.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

BANNED = {
    "datetime.datetime.now": "workflow.now(), or an argument",
    "datetime.datetime.today": "workflow.now(), or an argument",
    "datetime.datetime.utcnow": "workflow.now(), or an argument",
    "datetime.date.today": "workflow.now() in the business's zone, or an argument",
    "time.time": "workflow.time()",
    "time.time_ns": "workflow.time_ns()",
    "time.monotonic": "workflow.time()",
    "time.monotonic_ns": "workflow.time_ns()",
    "time.perf_counter": "workflow.time()",
    "time.perf_counter_ns": "workflow.time_ns()",
    "time.process_time": "workflow.time()",
    "time.process_time_ns": "workflow.time_ns()",
    "time.clock_gettime": "workflow.time()",
    "time.localtime": "an argument",
    "time.gmtime": "an argument",
    "time.strftime": "an argument",
    "time.sleep": "asyncio.sleep in a workflow",
    "random": "workflow.random()",
    "secrets": "an activity",
    "uuid.uuid1": "workflow.uuid4()",
    "uuid.uuid4": "workflow.uuid4()",
    "uuid.uuid6": "workflow.uuid4()",
    "uuid.uuid7": "workflow.uuid4()",
    "os.urandom": "an activity",
    "os.getrandom": "an activity",
    "importlib": "an import at the top",
    "builtins.__import__": "an import at the top",
}
"""What is banned, a function or a whole module, and what to use instead."""


@dataclass(frozen=True)
class Use:
    """One banned thing in a source, and where."""

    name: str
    line: int

    def __str__(self) -> str:
        """Say what and what instead."""
        return f"line {self.line}: {self.name}; use {BANNED[self.name]}"


def uses(module: ast.Module) -> list[Use]:
    """Every use of a clock or dice, by whatever name it was imported, called or only passed on."""
    search = _Search()
    search.visit(module)
    return sorted(set(search.found), key=lambda use: (use.line, use.name))


@dataclass
class _Search(ast.NodeVisitor):
    """Reads from top to bottom, knowing what each imported or assigned name stands for."""

    stands_for: dict[str, str] = field(default_factory=lambda: {"__import__": "builtins.__import__"})
    found: list[Use] = field(default_factory=list)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._note(alias.name, node)
            first = alias.name.partition(".")[0]
            self.stands_for[alias.asname or first] = alias.name if alias.asname else first

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            name = f"{node.module or ''}.{alias.name}"
            if alias.name == "*":
                for banned in BANNED:
                    if banned.startswith(f"{node.module}."):
                        self._note(banned, node)
            self._note(name, node)
            self.stands_for[alias.asname or alias.name] = name

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            self._assigned(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        if node.value is not None:
            self._assigned(node.target, node.value)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._note(self._meaning(node), node)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._note(self._meaning(node), node)

    def visit_Call(self, node: ast.Call) -> None:
        self._note(self._meaning(node), node)
        self.generic_visit(node)

    def _assigned(self, target: ast.expr, value: ast.expr) -> None:
        meaning = self._meaning(value)
        if isinstance(target, ast.Name) and meaning:
            self.stands_for[target.id] = meaning

    def _meaning(self, node: ast.expr) -> str | None:
        """The full name that an expression stands for, if it is a name, an attribute or a plain getattr."""
        match node:
            case ast.Name(id=name):
                return self.stands_for.get(name)
            case ast.Attribute(value=value, attr=attribute):
                of = self._meaning(value)
                return f"{of}.{attribute}" if of else None
            case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(attribute)), *_]):
                of = self._meaning(value)
                return f"{of}.{attribute}" if of else None
        return None

    def _note(self, name: str | None, node: ast.stmt | ast.expr) -> None:
        for banned in BANNED if name else ():
            if name == banned or str(name).startswith(f"{banned}."):
                self.found.append(Use(banned, node.lineno))


def found_in(source: str) -> Iterator[str]:
    """The banned names in a piece of source, for the test of this search."""
    for use in uses(ast.parse(source)):
        yield use.name
