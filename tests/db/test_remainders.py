"""What is left of a grant: promotional after a transition (R19), taken after its expiry (R18)."""

from datetime import date, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import remainders
from tests.db.bookkeeper import TODAY, Bookkeeper, at_once

Sessions = async_sessionmaker[AsyncSession]


async def test_what_the_loyalty_discount_leaves_becomes_promotional(books: Bookkeeper) -> None:
    """R19: paid £200.00, rate 10 % → £180.00 used, £20.00 promotional."""
    customer_id = await books.customer()
    paid = await books.grant(customer_id, 20_000, reference="P-1")
    invoice = await books.invoice(customer_id, 18_000)
    await books.pay("renewal/1", customer_id, invoice, 18_000)

    converted = await books.convert(paid.grant_id, "P-1/rest")

    assert converted is not None
    purchase, promotional = await books.statement(customer_id)
    assert (purchase.kind, purchase.remaining_minor) == ("purchase", 0)
    assert (promotional.kind, promotional.remaining_minor) == ("promotional", 2_000)
    assert promotional.grant_id == converted.grant_id
    assert [line.kind for line in purchase.lines] == ["grant", "use", "convert"]
    await books.check()


async def test_converting_again_answers_the_grant_it_made(books: Bookkeeper) -> None:
    """R25: once, however many do it at the same time."""
    paid = await books.grant(await books.customer(), 2_000)

    converted = await at_once(*(books.convert(paid.grant_id, "rest") for _ in range(10)))

    assert len({each.grant_id for each in converted if each}) == 1
    assert [each.new for each in converted if each].count(True) == 1
    assert len([each for each in converted if each]) == 10


async def test_nothing_left_makes_no_grant(books: Bookkeeper) -> None:
    customer_id = await books.customer()
    paid = await books.grant(customer_id, 2_000)
    await books.pay("renewal/1", customer_id, await books.invoice(customer_id, 2_000), 2_000)

    assert await books.convert(paid.grant_id, "rest") is None
    assert len(await books.statement(customer_id)) == 1


async def test_only_a_purchase_is_converted(books: Bookkeeper) -> None:
    given = await books.grant(await books.customer(), 2_000, "promotional")
    with pytest.raises(remainders.NotAPurchase):
        await books.convert(given.grant_id, "rest")


async def test_an_expired_grant_is_taken_once(books: Bookkeeper) -> None:
    """R18: usable through the end of its expiry date; the day after, what is left is taken."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 2_000, "promotional", expires_on=TODAY)

    with pytest.raises(remainders.NotExpired):
        await books.expire(granted.grant_id, TODAY)
    taken = await at_once(*(books.expire(granted.grant_id, TODAY + timedelta(days=1)) for _ in range(5)))

    assert sorted(taken) == [0, 0, 0, 0, 2_000]
    assert await books.balance("expired/GBP") == 2_000
    await books.check()


async def test_credits_put_back_after_expiry_expire_again(books: Bookkeeper) -> None:
    """R20, R18: a reversal puts them back to their grant, whose date has passed."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 2_000, "promotional", expires_on=TODAY)
    invoice = await books.invoice(customer_id, 1_500)
    await books.use("renewal/1", invoice, (granted.grant_id, 1_500))
    tomorrow = TODAY + timedelta(days=1)

    assert await books.expire(granted.grant_id, tomorrow) == 500
    await books.reverse("renewal/1", "renewal/1/reversed")
    assert await books.expire(granted.grant_id, tomorrow) == 1_500


async def test_a_grant_without_expiry_never_expires(books: Bookkeeper) -> None:
    granted = await books.grant(await books.customer(), 2_000)
    with pytest.raises(remainders.NotExpired):
        await books.expire(granted.grant_id, date.max)


async def test_expired_grants_are_those_that_still_hold_something(
    books: Bookkeeper, sessions: Sessions
) -> None:
    customer_id = await books.customer()
    held = [
        (await books.grant(customer_id, 100, expires_on=TODAY - timedelta(days=days))).grant_id
        for days in (1, 3, 2)
    ]
    await books.grant(customer_id, 100, expires_on=TODAY)
    await books.grant(customer_id, 100)
    await books.expire(held[0])

    async with sessions() as session:
        assert await remainders.expired_grants(session, TODAY) == [held[1], held[2]]
        assert await remainders.expired_grants(session, TODAY, limit=1) == [held[1]]


async def test_an_unknown_grant_is_said_to_be_unknown(books: Bookkeeper) -> None:
    with pytest.raises(remainders.GrantUnknown):
        await books.expire("grant_none")
