"""Random cases from a seed: an expiry, some credit, and messages at instants around everything that has an instant."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from chaos.checker import dates

WAYS = (
    "cancel update",
    "cancel signal",
    "cancel signal",
    "button",
    "resume update",
    "resume signal",
    "money",
    "purse",
)
"""How a message comes. `money` is credit that the workflow is told of, `purse` is credit that it is not told of."""
LIVED = timedelta(days=35)
"""Beyond the expiry: a month for a late payment, and some days."""


@dataclass(frozen=True)
class Message:
    """One message: how it comes, when, and under which request id (empty: none)."""

    way: str
    at: datetime
    request_id: str


@dataclass(frozen=True)
class Case:
    """One subscription and what is said to it, in order of time."""

    number: int
    expires_on: date
    paid_before: bool
    """Whether the whole renewal lies ready as credit."""
    messages: tuple[Message, ...]

    @property
    def until(self) -> datetime:
        """To where it is lived."""
        return dates.local(self.expires_on + LIVED)

    def without(self, index: int) -> Case:
        """The same with one message less."""
        return replace(self, messages=self.messages[:index] + self.messages[index + 1 :])

    def __str__(self) -> str:
        said = "".join(f"\n    {m.at:%Y-%m-%d %H:%M:%S.%f} {m.way} {m.request_id}" for m in self.messages)
        money = "paid" if self.paid_before else "not paid"
        return f"case {self.number}: expires {self.expires_on}, {money} before{said}"


def cases(seed: int, count: int, today: date) -> Iterator[Case]:
    """So many cases; the same seed on the same day, the same cases."""
    for number in range(count):
        dice = random.Random(f"{seed}/{number}")
        expires_on = today + timedelta(days=dice.randint(70, 400))
        messages = [_message(dice, expires_on) for _ in range(dice.randint(1, 6))]
        yield Case(
            number, expires_on, dice.random() < 0.6, tuple(sorted(messages, key=lambda message: message.at))
        )


def _message(dice: random.Random, expires_on: date) -> Message:
    edges = [
        dates.cut_off(expires_on),
        dates.cut_off(expires_on),
        dates.renews_at(expires_on),
        dates.ends_at(expires_on),
        *(dates.local(expires_on - timedelta(days=days), time(9)) for days in (12, 9, 5, 2, 0)),
        dates.ends_at(expires_on + timedelta(days=30)),
    ]
    away = dice.choice(
        (
            timedelta(seconds=-1.5),
            timedelta(seconds=0.05),
            timedelta(minutes=dice.uniform(-90, 90)),  # an hour wrong in summer shows here
            timedelta(days=dice.uniform(-20, 4)),
        )
    )
    at = min(dice.choice(edges) + away, dates.local(expires_on + LIVED) - timedelta(hours=1))
    request_id = dice.choice(("", "a", "a", "b", "c", "d"))
    return Message(dice.choice(WAYS), at, request_id)
