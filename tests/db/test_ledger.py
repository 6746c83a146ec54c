"""Posting: balanced movements under keys that are unique for ever (R17, R20)."""

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db import ledger
from db.ledger import NewMovement, Posting, grant_account
from db.models.ledger import Entry, Movement
from tests.db.bookkeeper import AT, Bookkeeper

Sessions = async_sessionmaker[AsyncSession]


async def test_the_same_movement_again_has_no_effect(books: Bookkeeper, sessions: Sessions) -> None:
    """R17, R25: a step that ran twice posts once and answers the same."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 20_000)
    invoice = await books.invoice(customer_id, 18_000)

    first = await books.use("renewal/1", invoice, (granted.grant_id, 18_000))
    again = await books.use("renewal/1", invoice, (granted.grant_id, 18_000))

    assert first.new
    assert again == ledger.Posted(first.movement_id, new=False)
    assert await books.left(granted.grant_id) == 2_000
    assert await books.balance(invoice) == 0


async def test_a_key_holds_one_content_for_ever(books: Bookkeeper) -> None:
    """R17: another amount under a used key is a conflict, not a second movement."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 20_000)
    invoice = await books.invoice(customer_id, 18_000)
    await books.use("renewal/1", invoice, (granted.grant_id, 18_000))

    with pytest.raises(ledger.EntryConflict):
        await books.use("renewal/1", invoice, (granted.grant_id, 17_999))

    assert await books.left(granted.grant_id) == 2_000


@pytest.mark.parametrize("amount_minor", [20_001, 2**40])
async def test_a_grant_cannot_be_overdrawn_and_the_session_stays_usable(
    books: Bookkeeper, sessions: Sessions, amount_minor: int
) -> None:
    """R17: refused under lock, before anything is written."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 20_000)
    invoice = await books.invoice(customer_id, 2**41)

    async with sessions.begin() as session:
        with pytest.raises(ledger.BalanceTooLow):
            await ledger.post(
                session,
                key="too much",
                kind="use",
                postings=[
                    Posting(grant_account(granted.grant_id), -amount_minor),
                    Posting(invoice, amount_minor),
                ],
                currency="GBP",
                at=AT,
                subject="an order",
            )
        assert await ledger.find(session, "too much") is None

    assert await books.left(granted.grant_id) == 20_000


async def test_an_invoice_cannot_be_paid_twice(books: Bookkeeper) -> None:
    """R17, R25: more than is owed is refused whatever key it comes under."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 50_000)
    invoice = await books.invoice(customer_id, 18_000)
    await books.use("renewal/1", invoice, (granted.grant_id, 18_000))

    with pytest.raises(ledger.BalanceTooLow):
        await books.use("renewal/2", invoice, (granted.grant_id, 18_000))


@pytest.mark.parametrize("amounts", [(), (0,), (5,), (5, -4), (5, -5, 1)])
async def test_a_movement_that_does_not_balance_is_refused_before_it_is_sent(
    sessions: Sessions, amounts: tuple[int, ...]
) -> None:
    """R17: the caller learns it at once, not at commit."""
    postings = [
        Posting(f"revenue/{currency}", amount) for currency, amount in zip("ABC", amounts, strict=False)
    ]
    async with sessions() as session:
        with pytest.raises(ledger.MovementUnbalanced):
            await ledger.post(
                session, key="k", kind="use", postings=postings, currency="GBP", at=AT, subject="s"
            )


async def test_currencies_never_mix(books: Bookkeeper) -> None:
    """R17: euros cannot go onto an account in pounds."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 20_000, currency="GBP")
    invoice = await books.invoice(customer_id, 20_000, currency="EUR")

    for currency in ("GBP", "EUR"):
        with pytest.raises(IntegrityError, match="fk_entries_account_id_currency"):
            await books.use("mixed", invoice, (granted.grant_id, 100), currency=currency)

    await books.check()


async def test_reversing_puts_credits_back_to_the_very_grants(books: Bookkeeper) -> None:
    """R20: each grant gets exactly what was taken from it, and the invoice is owed again."""
    customer_id = await books.customer()
    first = await books.grant(customer_id, 5_000)
    second = await books.grant(customer_id, 9_000)
    invoice = await books.invoice(customer_id, 12_000)
    await books.use("renewal/1", invoice, (first.grant_id, 5_000), (second.grant_id, 7_000))

    reversal = await books.reverse("renewal/1", "renewal/1/reversed")
    again = await books.reverse("renewal/1", "renewal/1/reversed")

    assert again == ledger.Posted(reversal.movement_id, new=False)
    assert await books.left(first.grant_id) == 5_000
    assert await books.left(second.grant_id) == 9_000
    assert await books.balance(invoice) == -12_000
    await books.check()


async def test_a_movement_is_reversed_once_whatever_the_key(books: Bookkeeper) -> None:
    """R20: a second reversal would make credit out of nothing."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 5_000)
    invoice = await books.invoice(customer_id, 5_000)
    await books.use("renewal/1", invoice, (granted.grant_id, 5_000))
    await books.reverse("renewal/1", "by staff")

    with pytest.raises(ledger.AlreadyReversed):
        await books.reverse("renewal/1", "by the workflow")

    assert await books.left(granted.grant_id) == 5_000


async def test_what_was_spent_cannot_be_ungranted(books: Bookkeeper) -> None:
    """R17: reversing a grant that was used would take it below zero."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 5_000, reference="P-1")
    invoice = await books.invoice(customer_id, 5_000)
    await books.use("renewal/1", invoice, (granted.grant_id, 1))

    with pytest.raises(ledger.BalanceTooLow):
        await books.reverse("grant/P-1", "grant/P-1/reversed")


async def test_an_unknown_movement_cannot_be_reversed(books: Bookkeeper) -> None:
    with pytest.raises(ledger.MovementUnknown):
        await books.reverse("never posted", "k")


async def test_each_grant_touched_has_one_entry(books: Bookkeeper, sessions: Sessions) -> None:
    """R18: every penny of a renewal can be traced to its grant and back, in order of use."""
    customer_id = await books.customer()
    ids = [(await books.grant(customer_id, 1_000)).grant_id for _ in range(3)]
    invoice = await books.invoice(customer_id, 2_500)

    posted = await books.use("renewal/1", invoice, *zip(ids, (1_000, 1_000, 500), strict=True))

    entries = select(Entry.account_id, Entry.amount_minor).where(Entry.movement_id == posted.movement_id)
    async with sessions() as session:
        assert [tuple(row) for row in await session.execute(entries.order_by(Entry.id))] == [
            (grant_account(ids[0]), -1_000),
            (grant_account(ids[1]), -1_000),
            (grant_account(ids[2]), -500),
            (invoice, 2_500),
        ]


async def test_paying_with_credits_takes_two_statements(books: Bookkeeper, engine: AsyncEngine) -> None:
    """Round trips are the cost of a renewal: lock and read the grants, then post."""
    customer_id = await books.customer()
    for _ in range(5):
        await books.grant(customer_id, 1_000)
    invoice = await books.invoice(customer_id, 4_500)
    statements: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *call: statements.append(call[2]))

    await books.pay("renewal/1", customer_id, invoice, 4_500)

    assert len(statements) == 2


async def test_a_refused_movement_leaves_no_trace(books: Bookkeeper, sessions: Sessions) -> None:
    """R17: no movement without entries, no entries without a movement."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 10)
    invoice = await books.invoice(customer_id, 100)
    with pytest.raises(ledger.BalanceTooLow):
        await books.use("renewal/1", invoice, (granted.grant_id, 11))

    async with sessions() as session:
        assert await session.scalar(select(func.count()).where(Movement.kind == "use")) == 0
    await books.check()


def _using(key: str, grant_id: str, invoice: str, amount_minor: int) -> NewMovement:
    postings = (Posting(grant_account(grant_id), -amount_minor), Posting(invoice, amount_minor))
    return NewMovement(key, "use", postings, "GBP", subject="order")


async def test_movements_posted_together_are_as_if_one_came_after_the_other(
    books: Bookkeeper, sessions: Sessions
) -> None:
    """R17: also when one of them was posted before."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 10_000)
    invoice = await books.invoice(customer_id, 10_000)
    old, new = (_using(key, granted.grant_id, invoice, 4_000) for key in ("use/1", "use/2"))
    async with sessions.begin() as session:
        (first,) = await ledger.post_all(session, [old], at=AT)

    async with sessions.begin() as session:
        posted = await ledger.post_all(session, [old, new], at=AT)

    assert [one.new for one in posted] == [False, True]
    assert posted[0].movement_id == first.movement_id
    assert (await books.left(granted.grant_id), await books.balance(invoice)) == (2_000, -2_000)


async def test_movements_that_together_take_too_much_are_refused(
    books: Bookkeeper, sessions: Sessions
) -> None:
    """R17: each of them by itself would have been possible."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 10_000)
    invoice = await books.invoice(customer_id, 20_000)
    uses = [_using(key, granted.grant_id, invoice, 6_000) for key in ("use/1", "use/2")]

    with pytest.raises(ledger.BalanceTooLow):
        async with sessions.begin() as session:
            await ledger.post_all(session, uses, at=AT)

    assert (await books.left(granted.grant_id), await books.balance(invoice)) == (10_000, -20_000)


async def test_a_key_among_many_holds_one_content_for_ever(books: Bookkeeper, sessions: Sessions) -> None:
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 10_000)
    invoice = await books.invoice(customer_id, 10_000)
    async with sessions.begin() as session:
        await ledger.post_all(session, [_using("use/1", granted.grant_id, invoice, 1_000)], at=AT)

    between = (granted.grant_id, invoice)
    uses = [_using(*use) for use in (("use/2", *between, 500), ("use/1", *between, 2_000))]
    with pytest.raises(ledger.EntryConflict):
        async with sessions.begin() as session:
            await ledger.post_all(session, uses, at=AT)

    assert await books.left(granted.grant_id) == 9_000
