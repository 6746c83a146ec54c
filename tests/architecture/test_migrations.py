"""A migration runs while the release before it is still at work: it adds, and takes nothing away that code may use.

What an older release needs goes in two: stop using it, and a release later drop it (docs/deploying.md).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import ROOT, tree

MIGRATIONS = sorted((ROOT / "db" / "migrations" / "versions").glob("*.py"))
TAKES_AWAY = ("drop_table", "drop_column", "rename_table")
TAKES_AWAY_IN_SQL = re.compile(
    r"\b(DROP (TABLE|COLUMN|VIEW)|RENAME|SET NOT NULL|(?<!OR )TRUNCATE|DELETE FROM)\b", re.I
)
NARROWS = ("nullable", "type_", "new_column_name")
"""What an `alter_column` may not touch, unless it lets a column be empty."""

DROPPED_LATER: dict[str, str] = {}
"""A migration that takes away what no release at work uses any more → the last release that did."""


def takes_away(source: ast.Module) -> Iterator[str]:
    """What in `upgrade` an older release would stumble over."""
    upgrade = next(n for n in source.body if isinstance(n, ast.FunctionDef) and n.name == "upgrade")
    for call in (node for node in ast.walk(upgrade) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        given = {word.arg: ast.unparse(word.value) for word in call.keywords}
        if name in TAKES_AWAY:
            yield name
        elif name == "add_column":
            yield from _wanting(call)
        elif name == "alter_column" and (set(NARROWS) & given.keys()) and given.get("nullable") != "True":
            yield f"alter_column {ast.unparse(call.args[1])}"
        elif name == "execute" and (found := TAKES_AWAY_IN_SQL.search(ast.unparse(call))):
            yield found.group()


def _wanting(add_column: ast.Call) -> Iterator[str]:
    """A column that must be filled in, which an older release does not do."""
    for column in (node for node in ast.walk(add_column) if isinstance(node, ast.Call)):
        given = {word.arg: ast.unparse(word.value) for word in column.keywords}
        if given.get("nullable") == "False" and "server_default" not in given:
            yield f"add_column {ast.unparse(column.args[0])}, which wants a server_default"


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.stem)
def test_a_migration_takes_nothing_away_from_the_release_before(path):
    found = list(takes_away(tree(path)))

    assert path.stem in DROPPED_LATER or not found


@pytest.mark.parametrize(
    "line",
    [
        'op.drop_column("orders", "kind")',
        'op.rename_table("orders", "sales")',
        'op.alter_column("orders", "kind", nullable=False)',
        'op.alter_column("orders", "kind", new_column_name="sort")',
        'op.add_column("orders", sa.Column("sort", sa.Text(), nullable=False))',
        'op.execute("ALTER TABLE orders RENAME COLUMN kind TO sort")',
        'op.execute("alter table orders alter kind set not null")',
    ],
)
def test_the_rule_finds_what_it_forbids(line):
    assert list(takes_away(ast.parse(f"def upgrade():\n    {line}")))


def test_the_rule_lets_pass_what_only_adds():
    added = """
def upgrade():
    op.create_table("orders", sa.Column("id", sa.Text(), nullable=False))
    op.add_column("orders", sa.Column("sort", sa.Text(), nullable=True))
    op.add_column("orders", sa.Column("sorts", sa.Text(), server_default="", nullable=False))
    op.alter_column("orders", "kind", nullable=True)
    op.drop_constraint("ck_orders_kind_known", "orders")
"""
    assert not list(takes_away(ast.parse(added)))
