"""Foreseeing: fill a scratch stack with a book, let its time pass, and read what happened there."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config import Settings
from db import happenings, subscriptions
from db.models.ledger import Account as LedgerAccount
from db.models.ledger import CreditGrant
from db.subscriptions import Held
from domain import pricing
from domain.catalogue import Catalogue
from domain.foresight import Account, Subject
from domain.local_time import end_of, local_date
from domain.messages import Life
from domain.not_offered import NotOffered
from forecast import lives, prices
from forecast.actor import Actor
from forecast.assumptions import Assumptions
from forecast.disguise import disguise
from forecast.doing import acts, departures
from forecast.events import Event
from forecast.foreseen import Foreseen
from forecast.passing import Passing
from forecast.scratch import Scratch, scratch
from forecast.turns import Act

MOST = 1_000_000


@dataclass(frozen=True)
class Filled:
    """A book that was put into a scratch database: as of when, and whose card's last charge was declined, and how."""

    at: datetime
    declined: Mapping[str, str] = field(default_factory=dict)


Fill = Callable[[Scratch], Awaitable[Filled]]
"""Puts a book into an empty scratch database."""

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, of how much."""


def unseen(_what: str, _done: int, _of: int) -> None:
    """Nobody looks."""


@dataclass
class Sight:
    """One forecast on its way."""

    live: Settings
    assumptions: Assumptions
    until: date
    events: tuple[Event, ...] = ()
    """What is known to be done on the way."""
    progress: Progress = unseen
    stack: Callable[[Settings], AbstractAsyncContextManager[Scratch]] = scratch
    """Where it is foreseen."""
    seconds: dict[str, float] = field(default_factory=dict)

    async def of(self, fill: Fill, folder: Path) -> Foreseen:
        """Foresee a book. `folder` is for its price list.

        Raises CatalogueError, PriceListNotUnderstood, ProgramFailed.
        """
        assumptions = self.assumptions
        source = assumptions.price_file or self.live.catalogue
        text = prices.rewritten(source.read_text(encoding="utf-8"), assumptions.loyalty_rate_bp)
        price_list = folder / "catalogue.toml"
        await asyncio.to_thread(price_list.write_text, text, encoding="utf-8")
        self.progress("starting servers", 0, 0)
        began = perf_counter()
        async with self.stack(assumptions.settings(self.live, price_list)) as made:
            self._took("servers", began)
            return await self._of(made, fill)

    async def _of(self, made: Scratch, fill: Fill) -> Foreseen:
        began = perf_counter()
        self.progress("copying the book", 0, 0)
        filled = await fill(made)
        book, problems = await self._book(made)
        subjects = {one.subscription.id: self._subject(one, made.settings) for one in book}
        leaving = [one.subscription.id for one in book if self.assumptions.leaves(one.customer.email)]
        events = [*self.events, *departures(map(subjects.__getitem__, leaving), filled.at)]
        async with made.sessions.begin() as session:
            book = [one for one in await _held(session) if one.subscription.id in subjects]
            key_ring = made.settings.key_ring()
            licenses = await disguise(session, book, filled.declined, self.assumptions, key_ring)
            await session.flush()
            reckons = lives.till(made.settings)
            begun = [await lives.life(session, one, reckons) for one in book]
        await made.register(licenses)
        credits_now = await _credits(made, datetime.now(UTC).date())
        await made.work()
        self._took("book", began)

        until_at = end_of(self.until, made.settings.zone)
        actor = Actor(made.sessions, made.client)
        done = acts(events, subjects, actor, made.settings.zone, until_at)
        passing = await self._pass(made, begun, until_at, done)
        problems += actor.not_done
        began = perf_counter()
        async with made.sessions() as session:
            found = await happenings.between(session, filled.at, until_at, made.settings.zone)
        problems += [f"{one}: did not come to the horizon" for one in passing.stuck]
        left = await _credits(made, self.until)
        self._took("reading", began)
        return Foreseen(
            began_at=filled.at,
            until=self.until,
            assumptions=(*self.assumptions.in_words(), *self._known()),
            subjects=subjects,
            happenings=tuple(found),
            credits_now=credits_now,
            credits_left=left,
            problems=tuple(problems),
            seconds=self.seconds,
        )

    async def _pass(
        self, made: Scratch, begun: list[Life], until_at: datetime, doing: Mapping[str, Sequence[Act]]
    ) -> Passing:
        began, done, total = perf_counter(), 0, len(begun)

        def tell(subscriptions: int) -> None:
            nonlocal done
            done += subscriptions
            self.progress("time passes", done, total)

        self.progress("time passes", 0, total)
        customers: defaultdict[str, list[Life]] = defaultdict(list)
        for life in sorted(begun, key=lambda one: one.subscription_id):
            customers[life.customer_id].append(life)
        passing = Passing(made.client, until_at, tell, doing)
        await passing.pass_by(list(customers.values()))
        self._took("time", began)
        return passing

    async def _book(self, made: Scratch) -> tuple[list[Held], list[str]]:
        """The copied book, without what has no price: its renewal would wait for somebody to mend the price list."""
        catalogue = made.settings.price_list()
        book, problems = [], []
        async with made.sessions() as session:
            for held in await _held(session):
                missing = _unpriced(held, catalogue, self.until)
                if missing is None:
                    book.append(held)
                else:
                    problems.append(f"{held.subscription.id}: {missing}")
        return book, problems

    def _subject(self, held: Held, rules: Settings) -> Subject:
        row = held.subscription
        plan = lives.plan(held, rules.policy())
        return Subject(
            subscription_id=row.id,
            license=held.title,
            last_four=held.license.last_four,
            customer_id=held.customer.id,
            customer=held.customer.name,
            currency=row.currency,
            state=row.state,
            auto_renew=row.auto_renew,
            by_hand=self._by_hand(held.license.product),
            expires_on=row.expires_on,
            cancel_by=plan.cancel_by,
            cancel_until=plan.cancel_until,
            renews_on=plan.renews_on,
            promised_on=local_date(row.promise_at, rules.zone) if row.promise_at else None,
            promise_broken=row.promise_broken,
        )

    def _known(self) -> list[str]:
        """That there are events, as a reader is told."""
        return [f"{len(self.events)} events are known to come"] if self.events else []

    def _by_hand(self, product: str) -> bool:
        """As the real price list has it; the forecast's own has every update done by the sandbox vendor."""
        try:
            return self.live.price_list().channel(product) == "by_hand"
        except NotOffered:
            return True

    def _took(self, step: str, began: float) -> None:
        self.seconds[step] = round(perf_counter() - began, 2)


async def _held(session: AsyncSession) -> list[Held]:
    return await subscriptions.listing(session, limit=MOST)


async def _credits(made: Scratch, on: date) -> dict[Account, int]:
    """What customers have to use on a day."""
    query = (
        select(
            CreditGrant.customer_id, CreditGrant.currency, CreditGrant.expires_on, LedgerAccount.balance_minor
        )
        .join(LedgerAccount, LedgerAccount.id == CreditGrant.account_id)
        .where(LedgerAccount.balance_minor != 0)
    )
    found: defaultdict[Account, int] = defaultdict(int)
    async with made.sessions() as session:
        for row in await session.execute(query):
            if row.expires_on is None or row.expires_on >= on:
                found[row.customer_id, row.currency] += row.balance_minor
    return dict(found)


def _unpriced(held: Held, catalogue: Catalogue, until: date) -> str | None:
    """Why its renewal cannot be priced; None if it can."""
    row = held.subscription
    for on in (row.next_renews_on or row.expires_on, until):
        try:
            pricing.renewal_bill(
                catalogue, held.item_at_renewal, row.currency, held.customer.country, loyal=True, on=on
            )
        except NotOffered as missing:
            return str(missing)
    return None
