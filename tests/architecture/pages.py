"""What the pages of documentation must say, computed from the code that they describe.

python -m tests.architecture.pages      writes it into docs/settings.md and docs/command-line.md
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from commands.program import program
from config import Settings
from tests.architecture.source import ROOT, files, tree

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
WIDTH = 120
COMMANDS = "## The commands"
SUBSCRIPTION = ROOT / "workflows" / "subscription.py"


def page(name: str) -> str:
    """The text of a page, by its path from the top."""
    return (ROOT / name).read_text(encoding="utf-8")


def setting_rows() -> Iterator[str]:
    """The line of `docs/settings.md` for each setting."""
    for name, setting in Settings.model_fields.items():
        yield f"| `EVERGREEN_{name.upper()}` | {_default(setting)} | {setting.description} |"


def _default(setting: FieldInfo) -> str:
    value = setting.get_default()
    if value is PydanticUndefined:
        return "required"
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    if isinstance(value, Path):
        value = value.relative_to(ROOT)
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    return f"`{'none' if value is None or value == frozenset() else 'empty' if value == '' else value}`"


def commands() -> dict[str, str]:
    """Every command, with its section of `docs/command-line.md`."""
    group: Any = typer.main.get_command(program)
    return {name: _section(name, command) for name, command in group.commands.items()}


def _section(name: str, command: Any) -> str:
    options = [p for p in command.params if p.opts[0].startswith("-")]
    usage = " ".join([name, *(_argument(p) for p in command.params if p not in options)])
    text, _, example = (part.strip() for part in str(command.help).partition("Example: "))
    rows = [
        f"| `{max(p.opts, key=len)}` | {(p.help or '').replace('|', '/')} |"
        for p in options
        if p.opts[0] not in ("--help", "--json")
    ]
    table = ["", "| option | what it does |", "| --- | --- |", *rows] if rows else []
    shown = [f"    {line.strip().removeprefix('Example: ')}" for line in example.splitlines() if line.strip()]
    return "\n".join([f"### `{usage}`", *wrap(" ".join(text.split()), WIDTH), "", *shown, *table])


def _argument(parameter: Any) -> str:
    name = str(parameter.metavar or parameter.name).upper().strip("{}[]").removesuffix("...")
    return f"{name} …" if parameter.nargs == -1 else name


def messages(kind: str) -> Iterator[str]:
    """The names of the subscription workflow's signals, updates or queries (`kind`); not the dynamic one."""
    for node in ast.walk(tree(SUBSCRIPTION)):
        if not isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            call = decorator.func if isinstance(decorator, ast.Call) else decorator
            words = {k.arg: k.value for k in decorator.keywords} if isinstance(decorator, ast.Call) else {}
            if ast.unparse(call) == f"workflow.{kind}" and "dynamic" not in words:
                yield ast.literal_eval(words["name"]) if "name" in words else node.name


def targets() -> dict[str, str]:
    """The targets of the Makefile and what `make help` says of them."""
    return dict(re.findall(r"^([a-z-]+):.*## (.*)$", page("Makefile"), re.MULTILINE))


def broken_links() -> Iterator[str]:
    """Relative links in our pages that lead nowhere, to a file or to a heading."""
    for path in files(".md"):
        for target in LINK.findall(_without_code(path.read_text(encoding="utf-8"))):
            if re.match(r"[a-z]+:", target):
                continue
            where, _, heading = target.partition("#")
            found = (path.parent / where).resolve() if where else path
            if not found.exists() or (heading and heading not in _anchors(found)):
                yield f"{path.relative_to(ROOT)}: {target}"


def _anchors(path: Path) -> set[str]:
    headings = HEADING.findall(_without_code(path.read_text(encoding="utf-8"), spans=False))
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def _without_code(text: str, spans: bool = True) -> str:
    text = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text) if spans else text


def rewritten() -> Iterator[tuple[Path, str]]:
    """Both pages as they should be."""
    path = ROOT / "docs" / "settings.md"
    rows = re.compile(r"(^\| `EVERGREEN_.*\n)+", re.MULTILINE)
    table = "\n".join(setting_rows()) + "\n"
    yield path, rows.sub(lambda _: table, path.read_text(encoding="utf-8"), count=1)
    path = ROOT / "docs" / "command-line.md"
    before, _, _ = path.read_text(encoding="utf-8").partition(COMMANDS)
    yield path, "\n\n".join([before + COMMANDS, *commands().values()]) + "\n"


if __name__ == "__main__":
    for path, text in rewritten():
        path.write_text(text, encoding="utf-8")
