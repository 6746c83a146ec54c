"""Quotes of add-ons: reckoned to the penny (R14) and charged so, or refused and quoted anew (R15)."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import invoices, orders, quotes, subscriptions
from db.identifiers import new_id
from db.models.quote import Quote as QuoteRow
from db.quotes import QuoteRefused, Quoting
from db.subscriptions import Held
from domain import catalogue
from domain.messages import Quote
from domain.not_offered import UnknownAddon
from domain.ordering import NotForSale
from domain.term import Term
from domain.working_days import WorkingDays
from tests.db.bookkeeper import Bookkeeper
from tests.db.shelf import TERM, Shelf

Sessions = async_sessionmaker[AsyncSession]

EAS, SNIFFER = "Exchange ActiveSync", "Message Sniffer"
ON = datetime(2027, 3, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2027, 3, 2, tzinfo=UTC)

TEXT = """
[tax_rates_bp]
GB = 2000
[products.SmarterMail]
counted_in = "mailboxes"
[products.SmarterMail.editions.Enterprise]
code = "SmarterMailEnt"
sizes = ["250"]
prices = [{ valid_from = 2020-01-01, GBP = ["340.00"] }]
[products.SmarterMail.addons."Exchange ActiveSync"]
editions = ["Enterprise"]
sizes = ["250"]
prices = [{ valid_from = 2020-01-01, GBP = ["120.00"] }]
[products.SmarterMail.addons."Message Sniffer"]
editions = ["Enterprise"]
sizes = ["250"]
prices = [{ valid_from = 2020-01-01, GBP = ["80.00"] }]
"""
QUOTING = Quoting(catalogue.parse(TEXT), WorkingDays())
LOYAL = Quoting(catalogue.parse(f"loyalty_rate_bp = 1000\n{TEXT}"), WorkingDays())
DEARER = Quoting(catalogue.parse(TEXT.replace("120.00", "120.01")), WorkingDays())


@pytest.fixture
def shelf(sessions: Sessions) -> Shelf:
    return Shelf(sessions)


@pytest.fixture
async def held(shelf: Shelf) -> Held:
    """R14's example: covered 2026-09-01 to 2027-08-31; a customer of Jersey pays no tax."""
    return await shelf.license(edition="Enterprise", addons=(), expires_on=date(2027, 8, 31))


async def quoted(
    sessions: Sessions, held: Held, *addons: str, by: Quoting = QUOTING, at: datetime = ON
) -> Quote:
    async with sessions.begin() as session:
        held = await subscriptions.held(session, held.subscription.id)
        return await by.quote(session, held, addons or (EAS,), at)


async def accepted(
    sessions: Sessions, held: Held, quote: Quote, *addons: str, by: Quoting = QUOTING, at: datetime = ON
) -> Quote:
    async with sessions.begin() as session:
        held = await subscriptions.held(session, held.subscription.id, lock=True)
        return await by.accepted(session, held, quote.quote_id, addons or tuple(quote.addons), at)


async def waits_for_a_lock_or_is_over(sessions: Sessions, task: asyncio.Task[Quote]) -> None:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    while not task.done():
        async with sessions() as session:
            if await session.scalar(query):
                return


async def test_R14_an_addon_of_120_pounds_costs_60_49_with_184_of_365_days_left(
    sessions: Sessions, held: Held
) -> None:
    quote = await quoted(sessions, held)

    (line,) = quote.lines
    assert (line.amount_minor, line.days, line.term_days) == (60_49, 184, 365)
    assert (quote.total_minor, quote.credits_minor, quote.remainder_minor) == (60_49, 0, 60_49)
    assert (quote.term, quote.next_term) == (TERM, None)
    assert quote.promise_at == datetime(2027, 3, 2, 17, 30, tzinfo=UTC)


async def test_R13_R16_discount_and_tax_are_lines_of_their_own(sessions: Sessions, shelf: Shelf) -> None:
    british = await shelf.license(edition="Enterprise", addons=(), country="GB", expires_on=TERM.expires_on)

    quote = await quoted(sessions, british, by=LOYAL)

    assert [(line.kind, line.amount_minor) for line in quote.lines] == [
        ("addon", 60_49),
        ("discount", -6_05),
        ("tax", 10_89),
    ]
    assert quote.total_minor == 65_33


async def test_R14_once_the_renewal_is_settled_the_next_term_is_charged_too(
    sessions: Sessions, shelf: Shelf, held: Held
) -> None:
    await shelf.change(held, state="updating")

    quote = await quoted(sessions, held, at=datetime(2027, 8, 20, 12, tzinfo=UTC))

    assert [(line.days, line.term_days, line.amount_minor) for line in quote.lines] == [
        (12, 365, 3_95),
        (366, 366, 120_00),
    ]
    assert quote.next_term == Term(date(2027, 9, 1), date(2028, 8, 31))


async def test_R15_a_quote_says_which_grants_would_be_used_and_what_remains(
    sessions: Sessions, books: Bookkeeper, held: Held
) -> None:
    later = await books.grant(held.customer.id, 50_00)
    sooner = await books.grant(held.customer.id, 20_00, "promotional", expires_on=date(2027, 3, 1))
    await books.grant(held.customer.id, 99_00, "promotional", expires_on=date(2027, 2, 28))
    await books.grant(held.customer.id, 99_00, currency="EUR")

    quote = await quoted(sessions, held)

    assert [(use.grant_id, use.amount_minor) for use in quote.credits] == [
        (sooner.grant_id, 20_00),
        (later.grant_id, 40_49),
    ]
    assert (quote.credits_minor, quote.remainder_minor) == (60_49, 0)
    async with sessions() as session:
        row = await session.get_one(QuoteRow, quote.quote_id)
    assert (row.total_minor, row.credits_minor, row.addons) == (60_49, 60_49, [EAS])
    assert await books.left(later.grant_id) == 50_00, "a quote uses nothing"


@pytest.mark.parametrize(
    ("at", "lapses_at"),
    [
        (ON, MIDNIGHT),
        (datetime(2027, 3, 1, 23, 59, 59, tzinfo=UTC), MIDNIGHT),
        (datetime(2027, 7, 1, 22, 59, tzinfo=UTC), datetime(2027, 7, 1, 23, tzinfo=UTC)),
        (datetime(2027, 7, 1, 23, 0, tzinfo=UTC), datetime(2027, 7, 2, 23, tzinfo=UTC)),
    ],
)
async def test_R15_a_quote_lapses_at_local_midnight(
    sessions: Sessions, held: Held, at: datetime, lapses_at: datetime
) -> None:
    assert (await quoted(sessions, held, at=at)).lapses_at == lapses_at


async def test_R15_a_quote_is_charged_to_the_penny_until_midnight_and_not_after(
    sessions: Sessions, held: Held
) -> None:
    quote = await quoted(sessions, held)

    last = await accepted(sessions, held, quote, at=MIDNIGHT - timedelta(microseconds=1))
    assert (last.quote_id, last.lines, last.remainder_minor) == (quote.quote_id, quote.lines, 60_49)
    with pytest.raises(QuoteRefused, match="lapsed at midnight"):
        await accepted(sessions, held, quote, at=MIDNIGHT)


async def test_R15_a_quote_is_for_its_addons_in_any_order(sessions: Sessions, held: Held) -> None:
    quote = await quoted(sessions, held, EAS, SNIFFER)

    assert (await accepted(sessions, held, quote, SNIFFER, EAS)).lines == quote.lines
    for others in ((EAS,), (SNIFFER,)):
        with pytest.raises(QuoteRefused, match="is for Exchange ActiveSync, Message Sniffer"):
            await accepted(sessions, held, quote, *others)


async def test_R15_a_price_that_has_changed_is_refused(sessions: Sessions, held: Held) -> None:
    quote = await quoted(sessions, held)

    with pytest.raises(QuoteRefused, match="have changed"):
        await accepted(sessions, held, quote, by=DEARER)


async def test_R15_a_discount_that_is_gone_is_refused(sessions: Sessions, shelf: Shelf, held: Held) -> None:
    quote = await quoted(sessions, held, by=LOYAL)
    await shelf.change(held, auto_renew=False)

    with pytest.raises(QuoteRefused, match="have changed"):
        await accepted(sessions, held, quote, by=LOYAL)


async def test_R15_a_term_that_has_changed_is_refused(sessions: Sessions, shelf: Shelf, held: Held) -> None:
    quote = await quoted(sessions, held, at=datetime(2027, 8, 20, 8, tzinfo=UTC))
    await shelf.change(held, state="updating")

    with pytest.raises(QuoteRefused, match="have changed"):
        await accepted(sessions, held, quote, at=datetime(2027, 8, 20, 9, tzinfo=UTC))


async def test_R15_credit_that_came_since_is_not_used_unquoted(
    sessions: Sessions, books: Bookkeeper, held: Held
) -> None:
    quote = await quoted(sessions, held)
    await books.grant(held.customer.id, 5_00)

    with pytest.raises(QuoteRefused, match="have changed"):
        await accepted(sessions, held, quote)


async def test_R15_credit_of_another_grant_is_another_quote_though_the_sum_is_the_same(
    sessions: Sessions, books: Bookkeeper, held: Held
) -> None:
    await books.grant(held.customer.id, 100_00)
    quote = await quoted(sessions, held)
    await books.grant(held.customer.id, 100_00, "promotional", priority=10)

    with pytest.raises(QuoteRefused, match="have changed"):
        await accepted(sessions, held, quote)


async def test_R15_credit_that_two_quotes_count_on_is_used_for_one(
    sessions: Sessions, books: Bookkeeper, shelf: Shelf
) -> None:
    """Two licenses of one customer: the second waits until the first has used the credit, and is then refused."""
    facts = {"email": "two@example.com", "edition": "Enterprise", "addons": ()}
    one, other = [await shelf.license(**facts, expires_on=TERM.expires_on) for _ in range(2)]
    granted = await books.grant(one.customer.id, 60_49)
    first, second = await quoted(sessions, one), await quoted(sessions, other)
    account_id = await books.invoice(one.customer.id, 60_49)

    async with sessions.begin() as session:
        locked = await subscriptions.held(session, one.subscription.id, lock=True)
        await QUOTING.accepted(session, locked, first.quote_id, (EAS,), ON)
        buying = asyncio.create_task(accepted(sessions, other, second))
        await waits_for_a_lock_or_is_over(sessions, buying)
        await books.pay_in(session, "first", one.customer.id, account_id, 60_49)

    with pytest.raises(QuoteRefused, match="have changed"):
        await buying
    assert await books.left(granted.grant_id) == 0


async def test_R15_a_quote_is_used_once(sessions: Sessions, held: Held) -> None:
    quote = await quoted(sessions, held)
    async with sessions.begin() as session:
        locked = await subscriptions.held(session, held.subscription.id, lock=True)
        order = orders.change(session, locked, "addon", new_id("key"), TERM, ON, added=[EAS])
        await session.flush()
        await quotes.used(session, quote.quote_id, order.id)

    with pytest.raises(QuoteRefused, match="was accepted before"):
        await accepted(sessions, held, quote)


async def test_R15_a_quote_of_another_subscription_or_of_nobody_is_refused(
    sessions: Sessions, shelf: Shelf, held: Held
) -> None:
    other = await shelf.license(edition="Enterprise", addons=(), expires_on=TERM.expires_on)
    quote = await quoted(sessions, other)

    for unknown in (quote, quote.model_copy(update={"quote_id": "quo_none"})):
        with pytest.raises(QuoteRefused, match="there is no quote"):
            await accepted(sessions, held, unknown)


async def test_an_addon_that_is_paid_and_waits_for_the_vendor_is_not_sold_twice(
    sessions: Sessions, shelf: Shelf, held: Held
) -> None:
    made_before = await quoted(sessions, held)
    await shelf.paid(held, "addon", added=[EAS])

    for wish in (quoted(sessions, held), accepted(sessions, held, made_before)):
        with pytest.raises(QuoteRefused, match="ordered and paid already"):
            await wish
    await quoted(sessions, held, SNIFFER)


async def test_what_cannot_be_sold_is_not_quoted(sessions: Sessions, shelf: Shelf, held: Held) -> None:
    with pytest.raises(UnknownAddon, match=r"Did you mean 'Message Sniffer'\?"):
        await quoted(sessions, held, "Mesage Snifer")
    await shelf.change(held, state="collecting")
    with pytest.raises(NotForSale, match="pay it first"):
        await quoted(sessions, held)


async def test_R11_what_rounds_to_nothing_is_quoted_ordered_and_invoiced(
    sessions: Sessions, held: Held
) -> None:
    """£0.01 for one day of 365: it costs nothing, and owes nothing."""
    cheap = Quoting(catalogue.parse(TEXT.replace("120.00", "0.01")), WorkingDays())
    last_day = datetime(2027, 8, 31, 12, tzinfo=UTC)

    quote = await quoted(sessions, held, by=cheap, at=last_day)
    async with sessions.begin() as session:
        locked = await subscriptions.held(session, held.subscription.id, lock=True)
        bill, terms = cheap.bill(locked, (EAS,), last_day)
        order = orders.change(session, locked, "addon", new_id("key"), terms.through, last_day, added=[EAS])
        await session.flush()
        await invoices.issue(session, order, locked.customer, bill, last_day)
        invoice, due_minor = await invoices.of_order(session, order.id)

    assert (quote.total_minor, invoice.total_minor, due_minor) == (0, 0, 0)
