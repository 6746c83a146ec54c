"""What accepting a request stands on, what staff choose, and what comes of it (R27)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

from db.license_keys import KeyRing
from domain.catalogue import Catalogue
from domain.intake_problem import Problem
from domain.messages import OrderAnswer
from domain.milestones import Policy


class NotAccepted(Exception):
    """A rule, or the workflow, says no; the text is why. The request stays open."""


class Incomplete(Exception):
    """Something is missing or wrong in what staff chose, column by column. Nothing was accepted."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.column}: {problem.reason}" for problem in problems))
        self.problems = tuple(problems)


def missing(column: str, reason: str, mend: str) -> Incomplete:
    """One thing that staff have to say, or to say otherwise."""
    return Incomplete([Problem(1, column, reason, mend)])


@dataclass(frozen=True)
class Desk:
    """Where one member of staff decides: the tables, the workflows, the rules' tables, who and when."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client
    key_ring: KeyRing
    catalogue: Catalogue
    policy: Policy
    by: str
    at: datetime


@dataclass(frozen=True)
class Choice:
    """What staff say when they accept; what is left empty stays as the customer filled it in."""

    license: dict[str, str] = field(repr=False)
    """By column, as in an import; may hold the license key."""
    subscription: str
    price: str
    answer: str
    """To the customer."""


@dataclass(frozen=True)
class Accepted:
    """What came of it; not carried out yet when no worker has answered."""

    request_id: str
    kind: str
    subscription_id: str | None
    answer: OrderAnswer | None = None
    carried_out: bool = True
    window_closed: bool = False
    """The coming renewal of the license cannot be stopped any more (R26)."""

    @property
    def refusal(self) -> str:
        """Why the workflow would not do it: the request stays open. Empty unless it said no."""
        refused = self.answer is not None and self.answer.outcome == "refused"
        return self.answer.reason if self.answer is not None and refused else ""
