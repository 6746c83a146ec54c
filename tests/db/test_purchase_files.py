"""Files of purchases, and purchases recorded at the same time (R19)."""

import asyncio

import pytest

from db import intakes, purchases
from db.intakes import Counts
from db.models.audit import AuditRecord
from db.models.customer import Customer
from db.models.intake import Intake
from db.models.ledger import CreditGrant
from db.models.license import License
from db.models.subscription import Subscription
from db.purchase_refusals import PurchaseRefused
from db.purchases import Stored
from tests.db.bookkeeper import Bookkeeper, at_once
from tests.db.office import OTHER_KEY, Office, Sessions, license_row, purchase


@pytest.fixture
def office(sessions: Sessions) -> Office:
    return Office(sessions)


async def test_what_is_refused_of_a_file_leaves_no_trace_and_is_told_by_line(office: Office) -> None:
    await office.record(purchase("INV-0", license=license_row(OTHER_KEY)))

    stored = await office.store(
        purchase("INV-9", line=2, license=license_row("ABCDE-FGHJK-LMNPQ-00009", "zoe@elm.example")),
        purchase("INV-0", 1, line=3, license=license_row(OTHER_KEY)),
        purchase("INV-0", line=4, license=license_row(OTHER_KEY)),
        purchase("INV-7", line=5, license=license_row(OTHER_KEY, "ann@oak.example")),
    )

    assert [(one.line, one.new) for one in stored.recorded] == [(2, True), (4, False)]
    assert [(problem.line, problem.column) for problem in stored.refused] == [
        (3, "reference"),
        (5, "customer_email"),
    ]
    assert OTHER_KEY not in str(stored.refused)
    assert await office.count(Customer) == 2
    intake = await office.one(Intake, rows=4)
    assert (intake.taken, intake.unchanged, intake.flagged, intake.state) == (1, 1, 0, "starting")


async def test_a_transaction_that_is_rolled_back_records_nothing(office: Office, sessions: Sessions) -> None:
    """A file of which some are refused is not wanted by halves."""
    async with sessions() as session:
        await purchases.store(session, office.storing(), [purchase(), purchase("INV-2", line=3)])
        await session.rollback()

    for table in (Intake, Customer, License, Subscription, CreditGrant, AuditRecord):
        assert await office.count(table) == 0


async def test_the_same_purchase_at_once_grants_once(office: Office, books: Bookkeeper) -> None:
    """R19: of a new key, too."""
    found = await at_once(*(office.record(purchase()) for _ in range(12)))

    recorded = [one for (one,) in found]
    assert sum(one.new for one in recorded) == 1
    assert sum(one.taken_new_key for one in recorded) == 1
    assert len({one.grant_id for one in recorded}) == 1
    assert await books.balance("purchases/GBP") == -20_000
    assert await office.count(Subscription) == 1
    await books.check()


async def test_one_reference_with_several_amounts_at_once_stands_for_one(
    office: Office, books: Bookkeeper
) -> None:
    async def record(amount_minor: int) -> int:
        """Answers the amount granted, 0 when refused."""
        try:
            (recorded,) = await office.record(purchase(amount_minor=amount_minor))
        except PurchaseRefused:
            return 0
        return amount_minor if recorded.new else -1

    granted = await at_once(*(record(100 + number) for number in range(8)))

    assert len([amount for amount in granted if amount > 0]) == 1
    assert await books.balance("purchases/GBP") == -sum(granted)
    await books.check()


async def test_who_loses_the_race_for_a_reference_leaves_no_license_behind(office: Office) -> None:
    """Its key and customer were added before the reference turned out to be taken."""
    files = [
        purchase(license=license_row(f"ABCDE-FGHJK-LMNPQ-{number:05}", f"c{number}@pine.example"))
        for number in range(5)
    ]

    found = await at_once(*(office.store(one) for one in files))

    assert sorted(len(stored.refused) for stored in found) == [0, 1, 1, 1, 1]
    for table in (CreditGrant, Subscription, License, Customer):
        assert await office.count(table) == 1


async def test_several_references_for_one_new_key_at_once_are_all_granted(
    office: Office, books: Bookkeeper
) -> None:
    found = await at_once(*(office.record(purchase(f"INV-{number}")) for number in range(8)))

    recorded = [one for (one,) in found]
    assert all(one.new for one in recorded)
    assert sum(one.taken_new_key for one in recorded) == 1
    assert len({one.subscription_id for one in recorded}) == 1
    assert await books.balance("purchases/GBP") == -8 * 20_000
    assert await office.count(Customer) == 1


async def test_two_files_at_once_in_different_order_do_not_deadlock(
    office: Office, books: Bookkeeper
) -> None:
    rows = [
        purchase(
            f"INV-{number}",
            license=license_row(f"ABCDE-FGHJK-LMNPQ-{number:05}", f"c{number}@pine.example"),
            line=2 + number,
        )
        for number in range(30)
    ]

    found = await at_once(
        office.store(*rows), office.store(*rows[::-1]), office.store(*rows[15:], *rows[:15])
    )

    assert sorted(sum(one.new for one in stored.recorded) for stored in found) == [0, 0, 30]
    assert await books.balance("purchases/GBP") == -30 * 20_000


async def test_an_import_and_purchases_take_the_same_key_once(office: Office, sessions: Sessions) -> None:
    async def imported() -> Counts:
        async with sessions.begin() as session:
            return await intakes.store(session, office.storing(), [license_row()])

    async def bought() -> Stored:
        return await office.store(purchase())

    counts, stored = await asyncio.gather(imported(), bought())

    assert counts.taken + stored.recorded[0].taken_new_key == 1
    assert await office.count(Subscription) == 1
