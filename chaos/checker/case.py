"""The evidence sorted by license: what was imported, what was done to it, what became of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from chaos.checker import dates
from chaos.checker.evidence import Evidence


@dataclass
class Case:
    """One license."""

    key: str
    row: Evidence
    """As it was imported."""
    subscription: Evidence
    acts: list[Evidence] = field(default_factory=list)
    """What was done to it, in turn."""
    orders: list[Evidence] = field(default_factory=list)
    audit: list[Evidence] = field(default_factory=list)
    at_vendor: list[Evidence] = field(default_factory=list)
    """The vendor's orders for its key."""
    over: Evidence | None = None
    """The end of its story; None if it never came."""

    @property
    def id(self) -> str:
        """Of its subscription."""
        return str(self.subscription["id"])

    @property
    def reached(self) -> datetime | None:
        """How far its clock was moved; None if it ended before."""
        return datetime.fromisoformat(self.over["at"]) if self.over and self.over["at"] else None

    def due_on(self, expires_on: date) -> datetime:
        """When the renewal of the term falls due."""
        first = expires_on.isoformat() == self.row["expires_on"]
        wanted = date.fromisoformat(self.row["renews_on"]) if first and self.row["renews_on"] else None
        return dates.renews_at(expires_on, wanted)

    def expiries(self) -> Iterator[date]:
        """The expiry it came with, and those after it."""
        expires_on = date.fromisoformat(self.row["expires_on"])
        anchor = expires_on.day
        while True:
            yield expires_on
            expires_on = dates.year_on(expires_on, anchor)

    def lines(self, action: str) -> list[Evidence]:
        """Its audit of one kind."""
        return [line for line in self.audit if line["action"] == action]


class Cases:
    """All of them, and the evidence that is not about one license."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.tables: dict[str, list[Evidence]] = evidence["tables"]

    @cached_property
    def all(self) -> list[Case]:
        """By license; a row without a subscription has no case (rule `intake` tells)."""
        endings = {row["last_four"]: row["id"] for row in self.tables["licenses"]}
        held = {row["license_id"]: row for row in self.tables["subscriptions"]}
        rows = {line["key"]: line for line in self.lines("license")}
        cases = {
            key: Case(key, row, held[endings[key[-4:]]])
            for key, row in rows.items()
            if endings.get(key[-4:]) in held
        }
        by_id = {case.id: case for case in cases.values()}
        for line in self.lines("done"):
            cases[line["key"]].acts.append(line)
        for line in self.lines("over"):
            cases[line["key"]].over = line
        for order in self.tables["orders"]:
            by_id[order["subscription_id"]].orders.append(order)
        for line in self.tables["audit"]:
            if line["subject"] in by_id:
                details = line["details"]
                by_id[line["subject"]].audit.append(
                    line | {"details": json.loads(details) if isinstance(details, str) else details}
                )
        for order in self.evidence["vendor"]["orders"]:
            if order["license_key"] in cases:
                cases[order["license_key"]].at_vendor.append(order)
        return list(cases.values())

    def lines(self, what: str) -> list[Evidence]:
        """The traffic log's lines of one kind."""
        return [line for line in self.evidence["traffic"] if line["what"] == what]

    def by(self, table: str, column: str) -> dict[Any, list[Evidence]]:
        """A table's rows by one of its columns."""
        found: dict[Any, list[Evidence]] = defaultdict(list)
        for row in self.tables[table]:
            found[row[column]].append(row)
        return found
