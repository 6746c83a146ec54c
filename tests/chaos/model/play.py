"""Plays cases on the real workflow, many at a time, and compares what became of each with what the rules say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import select
from temporalio.service import RPCError, RPCStatusCode

from chaos.clock import Clock
from db.models.order import Order
from starter import NotRunning, RefusedByRule
from tests.chaos.model.cases import Case, Message
from tests.chaos.model.rules import PRICE_MINOR, Answer, Fate, Life, Said
from tests.end_to_end.book import Book
from tests.end_to_end.subscribed import Subscribed
from tests.end_to_end.world import OwnWorker, World, world
from tests.eventually import eventually

AT_ONCE = 16
UNDER_WAY = timedelta(seconds=20)
"""An attempt to collect that is under way may see credit that comes after it began."""
A_MINUTE = timedelta(minutes=1)


@dataclass
class Seen:
    """What was seen of one message: between which instants it came, and its answer where it has one."""

    message: Message
    earliest: datetime
    latest: datetime
    answer: Answer | None = None


@dataclass
class Outcome:
    """What became of a case on the real workflow."""

    case: Case
    seen: list[Seen] = field(default_factory=list)
    fate: Fate = field(default_factory=Fate)

    def differences(self) -> list[str]:
        """In what way no reading of the rules agrees; empty when one does."""
        said = [self._differences(fate) for fate in self._by_the_rules()]
        return min(said, key=len)

    def _by_the_rules(self) -> Iterator[Fate]:
        """What the rules say; where a boundary lies within a message's way to the server, for both of its sides."""
        choices = [
            {one.earliest, one.latest} if _straddles(self.case, one) else {one.earliest} for one in self.seen
        ]
        for instants in product(*(sorted(choice) for choice in choices)):
            credit = PRICE_MINOR if self.case.paid_before else 0
            said = [
                Said(_kind(one.message), at, _request_id(one.message), one.message.way != "purse")
                for one, at in zip(self.seen, instants, strict=True)
            ]
            yield Life(self.case.expires_on, credit).live(said, self.case.until)

    def _differences(self, rules: Fate) -> list[str]:
        found = []
        answered = [one for one in self.seen if _kind(one.message) != "money"]
        for one, answer in zip(answered, rules.answers, strict=True):
            if not _agree(one, answer, rules.paid_at, self.case):
                found.append(f"{one.message.way} at {one.earliest}: rules {answer}, workflow {one.answer}")
        found += [
            f"{name}: rules {getattr(rules, name)}, workflow {getattr(self.fate, name)}"
            for name in ("state", "auto_renew", "left_minor")
            if getattr(rules, name) != getattr(self.fate, name)
        ]
        paid = (rules.paid_at, self.fate.paid_at)
        if (paid[0] is None) != (paid[1] is None) or (
            paid[0] and paid[1] and abs(paid[0] - paid[1]) > A_MINUTE
        ):
            found.append(f"paid at: rules {paid[0]}, workflow {paid[1]}")
        return found


def _agree(one: Seen, rules: Answer, paid_at: datetime | None, case: Case) -> bool:
    """Whether the answer, where there is one, is what the rules say. Steps take time: while a renewal is under way
    it is answered about either term, and while a subscription is ending it may still answer.
    """
    if one.answer is None or one.answer == rules:
        return True
    if rules.outcome in ("ended", "refused"):
        ends = (at for at, what in Life(case.expires_on, 0).edges() if what in ("term over", "too late"))
        return any(end <= one.earliest < end + UNDER_WAY for end in ends)
    renewing = paid_at is not None and abs(one.earliest - paid_at) < UNDER_WAY
    return renewing and (one.answer.outcome, one.answer.effective_on) == (rules.outcome, rules.effective_on)


def _straddles(case: Case, one: Seen) -> bool:
    """Whether it matters when exactly the message came."""
    edges = (at for at, _what in Life(case.expires_on, 0).edges())
    return any(one.earliest < edge <= one.latest for edge in edges)


def _kind(message: Message) -> str:
    return {"button": "cancel", "purse": "money"}.get(message.way, message.way.split()[0])


def _request_id(message: Message) -> str:
    return message.request_id if " " in message.way else ""


@dataclass
class Player:
    """Plays cases in one world."""

    world: World
    book: Book
    clock: Clock

    async def all(self, cases: Iterable[Case], tick: Callable[[], None] = lambda: None) -> list[Outcome]:
        """Every case, some at a time."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(case: Case) -> Outcome:
            async with gate:
                outcome = await self.play(case)
                tick()
                return outcome

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(case)) for case in cases]
        return [task.result() for task in tasks]

    async def play(self, case: Case) -> Outcome:
        """One case from its start to a month after its expiry."""
        credit_minor = PRICE_MINOR if case.paid_before else 0
        subscription = await self.book.subscription(expires_on=case.expires_on, credit_minor=credit_minor)
        outcome = Outcome(case)
        for message in case.messages:
            await self.clock.advance(subscription.workflow_id, message.at)
            outcome.seen.append(await self._say(subscription, message))
        await self.clock.advance(subscription.workflow_id, case.until)
        outcome.fate = await self._fate(subscription)
        return outcome

    async def shrunk(self, case: Case) -> tuple[Case, list[str]]:
        """The smallest case that still disagrees with the rules, found by leaving messages out one by one."""
        differences = (await self.play(case)).differences()
        index = 0
        while index < len(case.messages):
            smaller = case.without(index)
            still = (await self.play(smaller)).differences()
            if still:
                case, differences = smaller, still
            else:
                index += 1
        return case, differences

    async def _say(self, subscription: Subscribed, message: Message) -> Seen:
        earliest = await self._now(subscription, message)
        seen = Seen(message, earliest, earliest)
        request_id = _request_id(message)
        try:
            match message.way:
                case "cancel update":
                    seen.answer = _answer(await subscription.cancel(request_id=request_id))
                case "resume update":
                    seen.answer = _answer(await subscription.resume(request_id=request_id))
                case "cancel signal" | "resume signal":
                    await subscription.signal(
                        message.way.split()[0], {"by": "support:jo", "request_id": request_id}
                    )
                case "button":
                    await subscription.press_cancel()
                case _:
                    await subscription.grant(PRICE_MINOR, tell=message.way == "money")
        except NotRunning:
            seen.answer = Answer("ended")
        except RefusedByRule:
            seen.answer = Answer("refused")
        except RPCError as failed:
            if failed.status != RPCStatusCode.NOT_FOUND:
                raise
            seen.answer = Answer("ended")
        seen.latest = await self._now(subscription, message)
        if message.way == "purse":
            seen.earliest -= UNDER_WAY
        return seen

    async def _now(self, subscription: Subscribed, message: Message) -> datetime:
        """What its clock shows; of one that has ended, when the message was to come."""
        return await self.clock.now(subscription.workflow_id) or message.at

    async def _fate(self, subscription: Subscribed) -> Fate:
        """As the tables tell it, once nothing is under way."""

        async def nothing_under_way() -> bool:
            return (await subscription.row()).subscription.state not in ("updating",)

        await eventually(nothing_under_way, f"{subscription.id} is not being updated")
        row = (await subscription.row()).subscription
        async with self.world.sessions() as session:
            paid = await session.scalar(
                select(Order.paid_at).where(
                    Order.subscription_id == subscription.id, Order.state.in_(("paid", "fulfilled"))
                )
            )
        left = sum(grant.remaining_minor for grant in await subscription.statement())
        return Fate(
            paid_at=paid,
            state="over" if row.state == "lapsed" else row.state,
            auto_renew=row.auto_renew,
            left_minor=left,
        )


def _answer(decision: Any) -> Answer:
    return Answer(str(decision.outcome), decision.cancel_by, decision.effective_on)


@asynccontextmanager
async def player() -> AsyncIterator[Player]:
    """A world of its own with a worker in it."""
    async with world(identity="model") as made:
        own = OwnWorker(made)
        await own.start()
        try:
            yield Player(made, Book(made), Clock(made.client))
        finally:
            await own.stop()
