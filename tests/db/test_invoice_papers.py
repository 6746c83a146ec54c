"""An invoice is read whole: what paid it grant by grant and by card, and what went back (R18, R20)."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db import grants, invoice_papers, invoices, ledger, payments, refunds
from db.identifiers import new_id
from db.invoice_papers import InvoiceFacts
from db.invoices import UnknownInvoice
from db.ledger import Posting, system_account
from db.models.customer import Customer
from db.models.invoice import Invoice
from db.models.license import License
from db.models.order import Order
from db.models.payment import Payment
from db.models.subscription import Subscription
from domain.credits import allocate
from domain.pricing import Bill, Line, LineKind
from sandbox.postgres import Postgres
from tests.commands.program import CommandLine
from tests.db.bookkeeper import AT, TODAY, Bookkeeper

Sessions = async_sessionmaker[AsyncSession]

BILL = Bill(
    (
        Line(LineKind.RENEWAL, "SmarterMail Enterprise, 250 mailboxes: renewal", 20_000),
        Line(LineKind.ADDON, "Message Sniffer (184 of 365 days)", 6_049, "Message Sniffer", 184, 365),
        Line(LineKind.DISCOUNT, "Loyalty discount, 10%", -2_605, rate_bp=1_000),
        Line(LineKind.TAX, "Tax, 20%", 4_689, rate_bp=2_000),
    ),
    "GBP",
)
TOTAL = 28_133
FIRST, SECOND = AT + timedelta(days=16), AT + timedelta(days=17)


@dataclass(frozen=True)
class Shop:
    """Sells, takes payments and gives back, by the same functions as the worker, each in its transaction."""

    sessions: Sessions
    books: Bookkeeper

    async def order(self, customer_id: str) -> Order:
        """An order of a new license's renewal."""
        license_id, subscription_id = new_id("lic"), new_id("sub")
        order = Order(
            id=new_id("ord"),
            subscription_id=subscription_id,
            kind="renewal",
            key=f"{subscription_id}/2027-08-31/renewal/1",
            term_starts_on=date(2027, 9, 1),
            term_expires_on=date(2028, 8, 31),
            target_edition="Enterprise",
            target_size="250",
            ordered_at=AT,
        )
        async with self.sessions.begin() as session:
            session.add(
                License(
                    id=license_id,
                    customer_id=customer_id,
                    key_ciphertext=b"sealed",
                    fingerprint=license_id.encode()[-30:].rjust(32, b"."),
                    last_four="7K2P",
                    product="SmarterMail",
                    edition="Enterprise",
                    size="250",
                    vendor_expires_on=date(2027, 8, 31),
                )
            )
            await session.flush()
            session.add(
                Subscription(
                    id=subscription_id,
                    license_id=license_id,
                    customer_id=customer_id,
                    currency="GBP",
                    anchor_day=31,
                    starts_on=date(2026, 9, 1),
                    expires_on=date(2027, 8, 31),
                    at=AT,
                )
            )
            await session.flush()
            session.add(order)
        return order

    async def issue(self, customer_id: str, at: datetime = AT) -> tuple[Order, Invoice]:
        order = await self.order(customer_id)
        async with self.sessions.begin() as session:
            customer = await session.get_one(Customer, customer_id)
            return order, await invoices.issue(session, order, customer, BILL, at)

    async def use_credits(self, order: Order, invoice: Invoice) -> int:
        """What is left to pay after them."""
        async with self.sessions.begin() as session:
            usable = await grants.usable_grants(session, invoice.customer_id, "GBP", TODAY)
            uses = allocate(usable, invoice.total_minor, TODAY)
            await grants.use(
                session,
                key=f"{order.key}/credits/1",
                uses=uses,
                invoice_account_id=invoice.account_id,
                currency="GBP",
                at=AT,
                subject=order.id,
            )
        return invoice.total_minor - sum(use.amount_minor for use in uses)

    async def charge(
        self, order: Order, invoice: Invoice, amount_minor: int, status: str = "succeeded"
    ) -> None:
        async with self.sessions.begin() as session:
            payment = await payments.begin_charge(session, invoice, order.key, amount_minor, "pm_1", AT)
            payment.status, payment.provider_reference = status, f"ch_{status}"
            if status == "declined":
                payment.decline_kind, payment.completed_at = "soft", AT
            if status != "succeeded":
                return
            payment.completed_at = AT + timedelta(minutes=1)
            await ledger.post(
                session,
                key=payment.key,
                kind="charge",
                postings=[
                    Posting(system_account("card", "GBP"), -amount_minor),
                    Posting(invoice.account_id, amount_minor),
                ],
                currency="GBP",
                at=AT,
                subject=order.id,
            )

    async def give_back(
        self, order: Order, invoice: Invoice, reference: str, at: datetime, amount_minor: int | None = None
    ) -> None:
        async with self.sessions.begin() as session:
            customer = await session.get_one(Customer, invoice.customer_id)
            await refunds.give_back(session, invoice, order, customer, reference, at, at.date(), amount_minor)

    async def card_refunds_done(self, at: datetime) -> None:
        async with self.sessions.begin() as session:
            pending = (
                select(Payment)
                .where(Payment.kind == "refund", Payment.status == "pending")
                .order_by(Payment.id)
            )
            for number, payment in enumerate((await session.scalars(pending)).all(), start=1):
                payment.status, payment.provider_reference, payment.completed_at = (
                    "succeeded",
                    f"re_{number}",
                    at,
                )

    async def paid_by_two_grants_and_a_card(self) -> tuple[Order, Invoice]:
        customer_id = await self.books.customer()
        await self.books.grant(customer_id, 2_000, "promotional", reference="goodwill-17")
        await self.books.grant(customer_id, 18_000, "purchase", reference="P-2026-0817")
        order, invoice = await self.issue(customer_id)
        await self.charge(order, invoice, 8_133, "declined")
        await self.charge(order, invoice, await self.use_credits(order, invoice))
        return order, invoice

    async def read(self, number: str) -> InvoiceFacts:
        async with self.sessions() as session:
            return await invoice_papers.by_number(session, number)

    async def of_customer(self, customer_id: str) -> list[InvoiceFacts]:
        async with self.sessions() as session:
            return await invoice_papers.of_customer(session, customer_id)


@pytest.fixture
def shop(sessions: Sessions, books: Bookkeeper) -> Shop:
    return Shop(sessions, books)


def parts(facts: InvoiceFacts) -> list[tuple[str, str, int]]:
    return [(part.source, part.reference, part.amount_minor) for part in facts.parts]


def adds_up(facts: InvoiceFacts) -> bool:
    return (
        facts.total_minor + facts.credited_minor - facts.paid_minor - facts.returned_minor == facts.due_minor
    )


PAID = [
    ("promotional", "goodwill-17", 2_000),
    ("purchase", "P-2026-0817", 18_000),
    ("card", "ch_succeeded", 8_133),
]


async def test_an_invoice_says_which_grant_and_which_card_paid_what(shop: Shop) -> None:
    """R18: every penny can be traced to its grant; a charge that was declined paid nothing."""
    _, invoice = await shop.paid_by_two_grants_and_a_card()

    facts = await shop.read(invoice.number)

    assert parts(facts) == PAID
    assert (facts.total_minor, facts.paid_minor, facts.due_minor) == (TOTAL, TOTAL, 0)
    assert [(line.kind, line.amount_minor, line.days, line.term_days) for line in facts.lines] == [
        ("renewal", 20_000, None, None),
        ("addon", 6_049, 184, 365),
        ("discount", -2_605, None, None),
        ("tax", 4_689, None, None),
    ]
    assert (facts.bill_to_name, facts.bill_to_country, facts.issued_at) == ("Ann", "GB", AT)
    assert adds_up(facts)


async def test_what_is_not_paid_is_due(shop: Shop) -> None:
    """A charge whose outcome is not known yet has paid nothing yet."""
    order, invoice = await shop.issue(await shop.books.customer())
    await shop.charge(order, invoice, TOTAL, "unknown")

    facts = await shop.read(invoice.number)

    assert (facts.parts, facts.due_minor) == ((), TOTAL)


async def test_what_was_given_back_is_read_both_on_the_invoice_and_on_its_credit_notes(shop: Shop) -> None:
    """R20: the card first, then credits, the last used first; each credit note knows what went back with it."""
    order, invoice = await shop.paid_by_two_grants_and_a_card()
    await shop.give_back(order, invoice, "staff/1", FIRST, 5_000)
    await shop.card_refunds_done(FIRST + timedelta(days=3))  # after the second was decided
    await shop.give_back(order, invoice, "staff/2", SECOND, 6_000)

    facts = await shop.read(invoice.number)

    credits_back = ("purchase", "P-2026-0817", -2_867)
    first_back, second_back = (
        ("card", "re_1", -5_000),
        ("card", f"{order.key}/charge/2/refund/staff/2", -3_133),
    )
    assert sorted(parts(facts)) == sorted([*PAID, first_back, credits_back, second_back])
    assert [part.done for part in facts.parts if part.amount_minor == -3_133] == [False]
    assert [(note.number, note.total_minor) for note in facts.notes] == [
        ("CRN-2027-000001", -5_000),
        ("CRN-2027-000002", -6_000),
    ]
    assert facts.due_minor == 0
    assert adds_up(facts)

    first, second = await shop.read("CRN-2027-000001"), await shop.read("CRN-2027-000002")
    assert (first.kind, first.corrects, first.notes, first.due_minor) == (
        "credit_note",
        invoice.number,
        (),
        0,
    )
    assert parts(first) == [first_back]
    assert sorted(parts(second)) == sorted([second_back, credits_back])
    assert (first.total_minor, second.total_minor) == (-5_000, -6_000)
    await shop.books.check()


async def test_an_invoice_taken_back_before_it_was_paid_owes_nothing(shop: Shop) -> None:
    """R22: when a term lapses, credits go back and the invoice is taken back whole."""
    customer_id = await shop.books.customer()
    await shop.books.grant(customer_id, 2_000, "promotional", reference="goodwill-17")
    order, invoice = await shop.issue(customer_id)
    await shop.use_credits(order, invoice)
    await shop.give_back(order, invoice, "lapse", FIRST)

    facts, note = await shop.of_customer(customer_id)

    assert parts(facts) == [("promotional", "goodwill-17", 2_000), ("promotional", "goodwill-17", -2_000)]
    assert (facts.due_minor, facts.credited_minor) == (0, -TOTAL)
    assert parts(note) == [("promotional", "goodwill-17", -2_000)]
    assert adds_up(facts)


async def test_a_customer_s_papers_come_oldest_first_and_nobody_else_s(shop: Shop) -> None:
    order, invoice = await shop.paid_by_two_grants_and_a_card()
    await shop.give_back(order, invoice, "staff/1", FIRST, 5_000)
    _, later = await shop.issue(invoice.customer_id, SECOND)
    await shop.issue(await shop.books.customer())

    numbers = [facts.number for facts in await shop.of_customer(invoice.customer_id)]

    assert numbers == [invoice.number, "CRN-2027-000001", later.number]
    assert await shop.of_customer("cus_nobody") == []


async def test_two_invoices_do_not_share_payments(shop: Shop) -> None:
    """Though one grant paid a part of both."""
    customer_id = await shop.books.customer()
    await shop.books.grant(customer_id, 40_000, "purchase", reference="P-1")
    for _ in range(2):
        await shop.use_credits(*await shop.issue(customer_id))

    first, second = await shop.of_customer(customer_id)

    assert parts(first) == [("purchase", "P-1", TOTAL)]
    assert parts(second) == [("purchase", "P-1", 40_000 - TOTAL)]
    assert second.due_minor == 2 * TOTAL - 40_000


async def test_it_takes_the_same_number_of_statements_whatever_the_history(
    shop: Shop, engine: AsyncEngine
) -> None:
    order, invoice = await shop.paid_by_two_grants_and_a_card()
    async with counted(engine) as short:
        await shop.read(invoice.number)
        await shop.of_customer(invoice.customer_id)
    for number in range(5):
        await shop.give_back(order, invoice, f"staff/{number}", FIRST + timedelta(days=number), 1_000)
        await shop.issue(invoice.customer_id, SECOND)

    async with counted(engine) as long:
        assert len((await shop.read(invoice.number)).notes) == 5
        assert len(await shop.of_customer(invoice.customer_id)) == 11

    assert len(long) == len(short) == 8


@pytest.mark.parametrize("number", ["INV-2027-999999", "", "' OR 1=1 --", "INV-2027"])
async def test_a_number_that_nobody_gave_is_unknown(shop: Shop, number: str) -> None:
    await shop.paid_by_two_grants_and_a_card()

    with pytest.raises(UnknownInvoice, match="there is no invoice"):
        await shop.read(number)


async def test_a_number_may_be_typed_in_small_letters(shop: Shop) -> None:
    _, invoice = await shop.paid_by_two_grants_and_a_card()

    assert (await shop.read(f" {invoice.number.lower()} ")).number == invoice.number


async def test_the_command_line_shows_lists_and_saves_it(
    shop: Shop, postgres: Postgres, tmp_path: Path
) -> None:
    order, invoice = await shop.paid_by_two_grants_and_a_card()
    await shop.give_back(order, invoice, "staff/1", FIRST, 5_000)
    evergreen = command_line(postgres, tmp_path)

    shown = await evergreen("invoice", invoice.number, "--pdf", "it.pdf", "--html", "it.html")
    listed = await evergreen("invoices", invoice.customer_id)
    as_json = await evergreen("invoice", "CRN-2027-000001", "--json")

    assert shown.code == 0, shown.err
    for text in (
        invoice.number,
        "184 of 365 days",
        "P-2026-0817",
        "£180.00",
        "Card, refund under way",
        "£281.33",
    ):
        assert text in shown.out
    assert (tmp_path / "it.pdf").read_bytes().startswith(b"%PDF-1.7")
    assert 'href="evergreen-invoice.css"' in (tmp_path / "it.html").read_text(encoding="utf-8")
    assert "@media print" in (tmp_path / "evergreen-invoice.css").read_text(encoding="utf-8")
    assert "corrected by CRN-2027-000001" in listed.said
    assert as_json.json["corrects"] == invoice.number
    assert [payment["amount_minor"] for payment in as_json.json["payments"]] == [-5_000]


async def test_the_command_line_says_what_is_wrong(shop: Shop, postgres: Postgres, tmp_path: Path) -> None:
    _, invoice = await shop.paid_by_two_grants_and_a_card()
    evergreen = command_line(postgres, tmp_path)

    unknown = await evergreen("invoice", "INV-1999-000001")
    nobody = await evergreen("invoices", "nobody@example.com", "--json")
    nowhere = await evergreen("invoice", invoice.number, "--pdf", "no/such/folder/it.pdf")

    assert (unknown.code, unknown.out) == (1, "")
    assert "there is no invoice INV-1999-000001" in unknown.said
    assert (nobody.code, nobody.out) == (1, "")
    assert nowhere.code == 2
    assert "cannot be written" in nowhere.said


def command_line(postgres: Postgres, folder: Path) -> CommandLine:
    key = base64.b64encode(bytes(range(32))).decode()
    variables = {
        "EVERGREEN_DATABASE_URL": postgres.url("evergreen"),
        "EVERGREEN_SECRET_KEYS": f"test:{key}",
        "EVERGREEN_CODEC_KEYS": f"test:{key}",
        "EVERGREEN_FINGERPRINT_PEPPER": key,
    }
    return CommandLine(folder, variables)


@asynccontextmanager
async def counted(engine: AsyncEngine) -> AsyncIterator[list[str]]:
    """The statements sent meanwhile, without those that begin and end a transaction."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
