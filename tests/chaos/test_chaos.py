"""A short year of chaos holds every promise, and the checker sees it when one does not hold."""

from __future__ import annotations

import ast
import copy
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from rich.console import Console

from chaos import faults
from chaos.__main__ import chaos
from chaos.checker import evidence as evidences
from chaos.checker.judge import violations
from chaos.checker.violation import RULES
from chaos.journal import Journal
from chaos.plan import plan
from chaos.report import Report
from chaos.run import Size
from tests.architecture.source import ROOT, files, imports, part_of, tree, within
from tests.chaos import tampering
from tests.end_to_end.world import FAST_PLACE

SEED = 4
SUBSCRIPTIONS = 12
FAULTS = len(faults.KINDS)
"""Every kind once."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def told() -> tuple[Report, dict[str, Any]]:
    """What came of one run: the report, and the evidence that it was made from."""
    with tempfile.TemporaryDirectory(prefix="chaos-", dir=FAST_PLACE) as name:
        folder = Path(name)
        report = await chaos(folder, Size(SEED, SUBSCRIPTIONS, FAULTS), Console(quiet=True))
        return report, evidences.saved(folder)


async def test_a_year_of_chaos_breaks_no_promise(told: tuple[Report, dict[str, Any]]):
    report, _evidence = told

    assert report.violations == []
    assert report.subscriptions == SUBSCRIPTIONS
    assert report.renewals > 0


async def test_every_fault_was_really_injected(told: tuple[Report, dict[str, Any]]):
    """Trouble with a reply counts when a reply met it: licenses fall due until it has."""
    report, _evidence = told

    assert report.faults_dealt == FAULTS
    assert [kind for kind, times in report.faults.items() if not times] == []


@pytest.mark.parametrize("tamper", tampering.WAYS, ids=lambda way: way.__name__)
async def test_the_checker_sees_that_its_input_was_tampered_with(
    told: tuple[Report, dict[str, Any]], tamper: Callable[[dict[str, Any]], None]
):
    _report, evidence = told
    tampered = copy.deepcopy(evidence)
    tamper(tampered)

    found = violations(tampered)

    assert tampering.WAYS[tamper] in {violation.rule for violation in found}


def test_every_rule_of_the_checker_is_tampered_with():
    assert set(tampering.WAYS.values()) == set(RULES)


def test_the_checker_shares_no_code_with_what_it_checks():
    """Else a mistake would hide itself."""
    ours = {part_of(path) for path in files(".py")}
    allowed = ("chaos.checker", "asyncpg", "holidays", *sys.stdlib_module_names)
    wrong = [
        f"{path.name} imports {found.name}"
        for path in (ROOT / "chaos" / "checker").glob("*.py")
        for found in imports(tree(path))
        if not within(found.name, *allowed)
    ]

    assert "domain" in ours
    assert not wrong


def test_the_model_shares_no_code_with_the_rules_it_stands_beside():
    found = imports(ast.parse((ROOT / "tests" / "chaos" / "model" / "rules.py").read_text(encoding="utf-8")))

    assert not [one.name for one in found if not within(one.name, "chaos.checker", *sys.stdlib_module_names)]


def test_the_same_seed_makes_the_same_year():
    began_at = datetime(2026, 11, 25, 12, tzinfo=UTC)

    assert plan(7, 50, began_at) == plan(7, 50, began_at) != plan(8, 50, began_at)
    assert faults.deal(7, 42) == faults.deal(7, 42) != faults.deal(8, 42)
    assert {fault.kind for fault in faults.deal(7, len(faults.KINDS))} == set(faults.KINDS)


def test_a_run_that_was_cut_short_goes_on_where_it_was(tmp_path: Path):
    """What was done is not done again, and an act keeps the instant at which it was first begun."""
    first, later = datetime(2027, 8, 1, tzinfo=UTC), datetime(2027, 8, 2, tzinfo=UTC)
    journal = Journal(tmp_path / "traffic.jsonl")
    journal.began("KEY", 0, first)
    journal.write("done", key="KEY", act=0)
    journal.began("KEY", 1, first)
    journal.close()
    with (tmp_path / "traffic.jsonl").open("a", encoding="utf-8") as torn:
        torn.write('{"what": "do')

    again = Journal(tmp_path / "traffic.jsonl")

    assert again.is_done("KEY", 0)
    assert not again.is_done("KEY", 1)
    assert again.began("KEY", 1, later) == first
    again.close()
