"""What came of a run: how much there was of everything, every kind of fault, every violation with its id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from chaos import faults
from chaos.checker.case import Cases
from chaos.checker.evidence import Evidence
from chaos.checker.notices import repeated_mails
from chaos.checker.violation import RULES, Violation


@dataclass(frozen=True)
class Report:
    """The figures."""

    seed: int
    subscriptions: int
    faults_dealt: int
    faults_struck: int
    seconds: float
    """Of this session; a run that was interrupted has had others before."""
    faults: dict[str, int]
    acts: dict[str, int]
    states: dict[str, int]
    renewals: int
    charges: int
    charges_declined: int
    credits_used: int
    promises_broken: int
    letters: int
    letters_repeated: int
    """Sent again under the same Message-ID, because a sender died before it had noted the first."""
    violations: list[str]

    @property
    def good(self) -> bool:
        """Nothing is wrong."""
        return not self.violations

    @classmethod
    def of(cls, evidence: Evidence, found: Sequence[Violation], subscriptions: int, seconds: float) -> Report:
        """The report on a run."""
        cases = Cases(evidence)
        plan = cases.lines("plan")[0]
        struck = faults.counted(line["kind"] for line in cases.lines("fault"))
        charges = Counter(charge["status"] for charge in evidence["payments"]["charges"])
        return cls(
            seed=plan["seed"],
            subscriptions=subscriptions,
            faults_dealt=len(cases.lines("dealt")),
            faults_struck=sum(struck.values()),
            seconds=round(seconds, 1),
            faults=struck,
            acts=dict(Counter(line["kind"] for line in cases.lines("done"))),
            states=dict(Counter(row["state"] for row in evidence["tables"]["subscriptions"])),
            renewals=sum(order["kind"] == "renewal" for order in evidence["vendor"]["orders"]),
            charges=charges["succeeded"],
            charges_declined=charges["requires_payment_method"],
            credits_used=sum(movement["kind"] == "use" for movement in evidence["tables"]["movements"]),
            promises_broken=sum(update["late"] for update in evidence["tables"]["license_updates"]),
            letters=len(evidence["mails"]),
            letters_repeated=repeated_mails(cases),
            violations=[str(violation) for violation in found],
        )

    def as_document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return asdict(self) | {"good": self.good}

    def show(self, console: Console) -> None:
        """The figures as two tables, then the violations."""
        table = Table(title=f"chaos, seed {self.seed}", title_justify="left", show_header=False)
        words = {name: value for name, value in asdict(self).items() if isinstance(value, int | float)}
        for name, value in words.items():
            table.add_row(name.replace("_", " "), f"{value:,}")
        for name, counts in (("acts", self.acts), ("states", self.states)):
            table.add_row(name, ", ".join(f"{kind} {times}" for kind, times in sorted(counts.items())))
        console.print(table)
        struck = Table(title="faults that really happened", title_justify="left", show_header=False)
        for kind, times in self.faults.items():
            struck.add_row(kind, str(times) if times else "[red]0[/]")
        console.print(struck)
        broken = Counter(violation.split(":")[0] for violation in self.violations)
        for rule, promise in RULES.items():
            console.print(
                f"[red]{broken[rule]:4}[/] {promise}" if broken[rule] else f"[green]  ok[/] {promise}"
            )
        for violation in self.violations:
            console.print(f"[red]{violation}[/]", highlight=False, markup=True)
