"""What came in: import files and signals. Every row is there once, every mistyped signal was refused (R26, R29)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from chaos.checker.case import Cases
from chaos.checker.violation import Violation


def check(cases: Cases) -> Iterator[Violation]:
    """Imports, then signals, then whether every story came to its end."""
    endings = Counter(row["last_four"] for row in cases.tables["licenses"])
    held = Counter(row["license_id"] for row in cases.tables["subscriptions"])
    by_ending = {row["last_four"]: row["id"] for row in cases.tables["licenses"]}
    imported = {line["key"] for line in cases.lines("license")}
    for key in sorted(imported):
        ending = key[-4:]
        if endings[ending] != 1 or held[by_ending.get(ending)] != 1:
            yield Violation(
                "intake", key, f"{endings[ending]} licenses, {held[by_ending.get(ending)]} subscriptions"
            )
    if len(cases.tables["subscriptions"]) != len(imported):
        found = f"{len(cases.tables['subscriptions'])} subscriptions of {len(imported)} imported licenses"
        yield Violation("intake", "subscriptions", found)
    for row in cases.tables["subscriptions"]:
        if row["started_at"] is None:
            yield Violation("intake", row["id"], "its workflow was never started")
    for case in cases.all:
        typed = sum(act["kind"] == "typo" and act["answer"]["outcome"] == "left" for act in case.acts)
        refused = len(case.lines("refused_signal"))
        if refused < typed:
            yield Violation("signal", case.id, f"{typed} mistyped signals, {refused} refusals")
        if case.over is None:
            yield Violation("signal", case.id, "its story never came to its end")
    for line in cases.lines("stuck"):
        yield Violation("signal", line["key"], line["reason"])
