"""The verdict on a run: every rule that does not hold, with the ids to look for."""

from __future__ import annotations

from chaos.checker import arrivals, money, notices, promises, renewals
from chaos.checker.case import Cases
from chaos.checker.evidence import Evidence
from chaos.checker.violation import Violation


def violations(evidence: Evidence) -> list[Violation]:
    """All that is wrong; none when all is well."""
    cases = Cases(evidence)
    return [found for rules in (arrivals, renewals, money, notices, promises) for found in rules.check(cases)]
