"""Reads in the source which notices are told: of every call of `WAYS` its kinds, audience, facts.

It reads what people write: literals, `a if b else c`, dicts with `**`, variables, functions that pass a kind on. What
it cannot read fails with the place, so that no notice goes untested.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ("activities", "commands", "db", "portal", "workflows")

SERIES = {
    "f'reminder_{reminder.days_before}'": {"reminder_60", "reminder_30", "reminder_16"},
    "f'ended_{record.state}'": {"ended_lapsed", "ended_refused"},
    "f'{decision.kind}_{decision.outcome}'": {"cancel_accepted", "cancel_deferred", "resume_accepted"},
}
"""Kinds that are put together, and what can come out; `resume` is never deferred (R9)."""

ABOUT = ("held", "kind", "facts", "at", "subject", "audience")
WAYS = {"notices.tell": (), "letters.about": ABOUT, "letters.tell": ("session", *ABOUT)}
"""The functions that tell, and what they take by position."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Written = tuple[ast.expr, Function]
"""An expression, and the function in which it is written."""


class CannotRead(Exception):
    """A notice is told in a way that this file does not understand."""


@dataclass(frozen=True)
class Told:
    """One notice that is told somewhere."""

    kind: str
    audience: str
    facts: frozenset[str]
    place: str


def all_told() -> tuple[list[Told], list[CannotRead]]:
    """Every notice that our source tells, and what could not be read."""
    letters = _functions(_parse(ROOT / "activities" / "letters.py"))
    found: list[Told | CannotRead] = []
    for path in sorted(path for place in PLACES for path in (ROOT / place).rglob("*.py")):
        source = path.read_text()
        if any(f"{way}(" in source for way in WAYS):
            found += _Module(path, letters).told()
    told = sorted({each for each in found if isinstance(each, Told)}, key=_in_order)
    return told, [each for each in found if isinstance(each, CannotRead)]


def _in_order(told: Told) -> tuple[str, str, str, list[str]]:
    return told.audience, told.kind, told.place, sorted(told.facts)


class _Module:
    def __init__(self, path: Path, letters: dict[str, Function]) -> None:
        self.path = path
        self.functions = letters | _functions(_parse(path))

    def told(self) -> Iterator[Told | CannotRead]:
        for function in self.functions.values():
            calls = [(call, taken) for way, taken in WAYS.items() for call in _calls(function, way)]
            for call, positional in calls:
                given = {name: (value, function) for name, value in zip(positional, call.args, strict=False)}
                given |= {word.arg: (word.value, function) for word in call.keywords if word.arg}
                try:
                    yield from self._read(given, f"{self.path.relative_to(ROOT)}:{call.lineno}")
                except CannotRead as unknown:
                    yield unknown

    def _read(self, given: dict[str, Written], place: str) -> Iterator[Told]:
        kind, inside = given["kind"]
        if isinstance(kind, ast.Name) and kind.id in _parameters(inside):
            for passed in self._passed_to(inside):
                yield from self._read(
                    {word: _replaced(value, passed) for word, value in given.items()}, place
                )
            return
        audience = given.get("audience", (ast.Constant("customer"), inside))
        for name, whom, facts in itertools.product(
            self._words(kind, inside), self._words(*audience), self._facts(*given["facts"])
        ):
            yield Told(name, whom, facts, f"{place}, {inside.name}")

    def _passed_to(self, function: Function) -> Iterator[dict[str, Written]]:
        """What each caller of a function gives it, by the names of its parameters."""
        names = [name for name in _parameters(function) if name != "self"]
        defaults = dict(zip(reversed(names), reversed(function.args.defaults), strict=False))
        for caller in self.functions.values():
            for call in _calls(caller, function.name):
                given = dict(zip(names, call.args, strict=False))
                given |= {word.arg: word.value for word in call.keywords if word.arg}
                yield {name: (value, caller) for name, value in (defaults | given).items()}

    def _words(self, value: ast.expr, inside: Function) -> set[str]:
        match value:
            case ast.Constant(value=str(word)):
                return {word}
            case ast.IfExp(body=yes, orelse=no):
                return self._words(yes, inside) | self._words(no, inside)
            case ast.JoinedStr() if (written := ast.unparse(value)) in SERIES:
                return SERIES[written]
            case ast.Name(id=name):
                return self._words(self._assigned(name, inside), inside)
        raise CannotRead(
            f"{self.path.name}, {inside.name}: which kinds are {ast.unparse(value)}? Say so in SERIES"
        )

    def _facts(self, value: ast.expr, inside: Function) -> set[frozenset[str]]:
        """The names of the facts; more than one set where it depends."""
        match value:
            case ast.Dict(keys=keys, values=values):
                plain = frozenset(key.value for key in keys if isinstance(key, ast.Constant))
                spread = [value for key, value in zip(keys, values, strict=True) if key is None]
                parts = itertools.product(*(self._facts(part, inside) for part in spread))
                return {plain.union(*part) for part in parts}
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in self.functions:
                called = self.functions[name]
                returned = [n.value for n in ast.walk(called) if isinstance(n, ast.Return) and n.value]
                return set[frozenset[str]]().union(*(self._facts(part, called) for part in returned))
            case ast.Call(func=ast.Name(id="sealed"), args=[_, _, ast.Dict() as secrets]):
                return self._facts(secrets, inside)  # opened again before the letter is written
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                both = itertools.product(self._facts(left, inside), self._facts(right, inside))
                return {one | other for one, other in both}
            case ast.IfExp(body=yes, orelse=no):
                return self._facts(yes, inside) | self._facts(no, inside)
            case ast.Name(id=name):
                return self._facts(self._assigned(name, inside), inside)
        raise CannotRead(
            f"{self.path.name}, {inside.name}: which facts are {ast.unparse(value)}? Write a dict"
        )

    def _assigned(self, name: str, inside: Function) -> ast.expr:
        for node in ast.walk(inside):
            match node:
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                    return value
                case ast.AnnAssign(target=ast.Name(id=target), value=value) if target == name and value:
                    return value
        raise CannotRead(f"{self.path.name}, {inside.name}: where does {name} come from?")


def _replaced(value: Written, passed: dict[str, Written]) -> Written:
    """What stands for a parameter, seen from the caller; anything else as it is."""
    written = value[0]
    return passed.get(written.id, value) if isinstance(written, ast.Name) else value


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _functions(module: ast.Module) -> dict[str, Function]:
    return {node.name: node for node in ast.walk(module) if isinstance(node, Function)}


def _parameters(function: Function) -> list[str]:
    return [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]


def _calls(function: Function, name: str) -> Iterator[ast.Call]:
    """The calls of a function by its name, be it a method or not."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (name, f"self.{name}"):
            yield node
