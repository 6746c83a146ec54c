"""Many at once on few connections: nothing is overdrawn, posted twice or deadlocked (R17, R25)."""

import asyncio
from collections import Counter

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import ledger
from db.ledger import Posting
from tests.db.bookkeeper import AT, Bookkeeper, at_once

Sessions = async_sessionmaker[AsyncSession]


async def test_fifty_at_once_never_overdraw_a_grant(books: Bookkeeper) -> None:
    """R17: of fifty uses of £3.00 a grant of £100.00 allows thirty-three."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 10_000)
    invoice = await books.invoice(customer_id, 100_000)

    outcomes = await asyncio.gather(
        *(books.use(f"use/{number}", invoice, (granted.grant_id, 300)) for number in range(50)),
        return_exceptions=True,
    )

    assert Counter(type(outcome) for outcome in outcomes) == {ledger.Posted: 33, ledger.BalanceTooLow: 17}
    assert await books.left(granted.grant_id) == 100
    await books.check()


async def test_fifty_renewals_at_once_share_what_there_is(books: Bookkeeper) -> None:
    """R18: each reads the grants under lock, so all of it is used and none of it twice."""
    customer_id = await books.customer()
    for amount_minor in (5_000, 3_000, 2_001):
        await books.grant(customer_id, amount_minor)
    invoice = await books.invoice(customer_id, 1_000_000)

    uses = await at_once(*(books.pay(f"pay/{n}", customer_id, invoice, 300) for n in range(50)))

    assert sum(use.amount_minor for each in uses for use in each) == 10_001
    assert await books.balance(invoice) == 10_001 - 1_000_000
    await books.check()


async def test_a_key_is_posted_once_by_fifty_at_once(books: Bookkeeper) -> None:
    """R25: however many workers run the same step."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 10_000)
    invoice = await books.invoice(customer_id, 10_000)

    posted = await at_once(*(books.use("once", invoice, (granted.grant_id, 300)) for _ in range(50)))

    assert sum(each.new for each in posted) == 1
    assert len({each.movement_id for each in posted}) == 1
    assert await books.left(granted.grant_id) == 9_700


async def test_the_last_of_a_grant_is_taken_once_and_its_repeats_are_told_so(books: Bookkeeper) -> None:
    """R25: a repeat finds nothing left, yet it is a repeat, not a refusal."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 300)
    invoice = await books.invoice(customer_id, 300)

    posted = await at_once(*(books.use("all", invoice, (granted.grant_id, 300)) for _ in range(20)))

    assert sum(each.new for each in posted) == 1


async def test_a_reference_grants_once_to_twenty_at_once(books: Bookkeeper) -> None:
    """R19: importing the same purchase twice, even at the same moment, grants once."""
    customer_id = await books.customer()

    granted = await at_once(*(books.grant(customer_id, 20_000, reference="P-1") for _ in range(20)))

    assert sum(each.new for each in granted) == 1
    assert [each.remaining_minor for each in await books.statement(customer_id)] == [20_000]


async def test_the_same_two_grants_in_opposite_order_do_not_deadlock(books: Bookkeeper) -> None:
    """Accounts are locked in the order of their ids, whatever order they are posted in."""
    customer_id = await books.customer()
    a, b = [(await books.grant(customer_id, 50_000)).grant_id for _ in range(2)]
    invoice = await books.invoice(customer_id, 100_000)

    await at_once(
        *(books.use(f"ab/{number}", invoice, (a, 1), (b, 1)) for number in range(100)),
        *(books.use(f"ba/{number}", invoice, (b, 1), (a, 1)) for number in range(100)),
    )

    assert await books.left(a) == await books.left(b) == 49_800


async def test_the_first_movements_of_a_currency_do_not_deadlock(sessions: Sessions) -> None:
    """Our own accounts are made by whoever comes first, always in the same order."""

    async def two_movements(number: int, first: ledger.SystemKind, second: ledger.SystemKind) -> None:
        async with sessions.begin() as session:
            for kind in (first, second):
                await ledger.post(
                    session,
                    key=f"{number}/{kind}",
                    kind="charge",
                    postings=[Posting(f"{kind}/SEK", 1), Posting("card/SEK", -1)],
                    currency="SEK",
                    at=AT,
                    subject="s",
                )

    await at_once(
        *(two_movements(number, "revenue", "tax") for number in range(20)),
        *(two_movements(number, "tax", "revenue") for number in range(20, 40)),
    )
