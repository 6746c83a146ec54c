"""Renewals bought before the move are recorded once, for the right license (R19)."""

from dataclasses import replace
from datetime import date

import pytest

from db import audit, intakes, purchases
from db.models.audit import AuditRecord
from db.models.customer import Customer
from db.models.intake import Intake
from db.models.ledger import CreditGrant
from db.models.license import License
from db.models.subscription import Subscription
from db.purchase_refusals import CurrencyDiffers, KeyOfAnother, KeyUnknown, ReferenceTaken
from domain.purchase import Purchase
from tests.db.bookkeeper import AT, Bookkeeper
from tests.db.office import KEY, OTHER_KEY, RING, Office, Sessions, license_row, purchase, undescribed


@pytest.fixture
def office(sessions: Sessions) -> Office:
    return Office(sessions)


# ---- a new key -----------------------------------------------------------------------------------------------------


async def test_a_new_key_is_added_and_exactly_what_was_paid_becomes_its_credit(
    office: Office, books: Bookkeeper
) -> None:
    (recorded,) = await office.record(purchase(license=license_row(previous_customer=True)))

    assert (recorded.new, recorded.taken_new_key, recorded.auto_renew) == (True, True, True)
    assert (recorded.resume, recorded.waits_for_money, recorded.over) == (False, False, False)
    customer = await office.one(Customer)
    assert (customer.id, customer.email) == (recorded.customer_id, "jo@pine.example")
    assert customer.previous_customer
    license = await office.one(License)
    assert RING.open(license.key_ciphertext, license.id) == KEY
    assert (license.last_four, license.addons) == ("0001", ["MAPI & EWS"])
    subscription = await office.one(Subscription)
    assert (subscription.id, subscription.license_id) == (recorded.subscription_id, license.id)
    assert (subscription.starts_on, subscription.expires_on) == (date(2026, 9, 1), date(2027, 8, 31))
    assert subscription.next_renews_on == date(2027, 8, 17)
    assert subscription.auto_renew
    grant = await office.one(CreditGrant)
    assert (grant.id, grant.reference, grant.kind) == (recorded.grant_id, "purchase/INV-1", "purchase")
    assert grant.for_subscription_id == subscription.id, "else the rest would not become promotional (R19)"
    assert await books.left(grant.id) == 20_000
    await books.check()


async def test_its_workflow_is_started_by_the_intake(office: Office, sessions: Sessions) -> None:
    """R26: as an import's."""
    stored = await office.store(purchase())

    intake = await office.one(Intake)
    async with sessions() as session:
        waiting = await intakes.not_started(session, intake.id, 10)
    assert [held.subscription.id for held in waiting] == [stored.recorded[0].subscription_id]


async def test_a_key_is_here_once_its_purchase_is_recorded(office: Office, sessions: Sessions) -> None:
    async with sessions() as session:
        assert not await purchases.is_here(session, RING, KEY)
    await office.record(purchase())
    async with sessions() as session:
        assert await purchases.is_here(session, RING, KEY.lower())


async def test_a_new_key_past_its_cancel_by_is_marked(office: Office) -> None:
    """R26."""
    late = license_row(window_closed=True)

    (first,) = await office.record(purchase(license=late))
    (again,) = await office.record(purchase(license=late))

    assert first.window_closed
    assert not again.window_closed


async def test_a_new_key_that_is_not_described_is_refused(office: Office) -> None:
    with pytest.raises(KeyUnknown, match="no subscription has the key ending in 0001"):
        await office.record(undescribed())

    assert await office.count(CreditGrant) == 0


# ---- a known key ---------------------------------------------------------------------------------------------------


async def test_a_known_key_is_left_as_it_is_and_gets_the_credit(office: Office, books: Bookkeeper) -> None:
    (added,) = await office.record(purchase())

    otherwise = license_row(size="500", addons=(), customer_name="Another Name", card_token="pm_card_visa")
    (recorded,) = await office.record(purchase("INV-2", 4_000, license=otherwise))

    assert (recorded.new, recorded.taken_new_key) == (True, False)
    assert recorded.subscription_id == added.subscription_id
    assert (await office.one(License)).size == "250"
    customer = await office.one(Customer)
    assert (customer.name, customer.card_token) == ("Pine Hosting Ltd", None)
    assert await books.left(recorded.grant_id) == 4_000


async def test_of_a_known_key_nothing_need_be_described(office: Office) -> None:
    (added,) = await office.record(purchase())

    (recorded,) = await office.record(undescribed("INV-2", license_key=KEY.lower()))

    assert (recorded.new, recorded.subscription_id) == (True, added.subscription_id)


async def test_two_purchases_for_one_key_are_both_granted(office: Office, books: Bookkeeper) -> None:
    stored = await office.store(purchase("INV-1", 42_000), purchase("INV-2", 8_400, line=3))

    first, second = stored.recorded
    assert first.subscription_id == second.subscription_id
    assert (first.taken_new_key, second.taken_new_key) == (True, False)
    assert await books.left(first.grant_id) == 42_000
    assert await books.left(second.grant_id) == 8_400
    assert await office.count(Subscription) == 1


async def test_a_previous_customer_is_marked_and_never_unmarked(office: Office) -> None:
    """R13: 'we will also apply the loyalty discount for previous customers'."""
    (recorded,) = await office.record(purchase())
    assert not (await office.one(Customer)).previous_customer

    await office.record(undescribed("INV-2", previous_customer=True))
    await office.record(undescribed("INV-3", previous_customer=False))

    assert (await office.one(Customer)).previous_customer
    marked = await office.one(AuditRecord, action="mark_previous_customer")
    assert (marked.subject, marked.actor) == (recorded.customer_id, "staff:jo")


async def test_a_key_of_another_customer_is_refused(office: Office) -> None:
    (added,) = await office.record(purchase())

    with pytest.raises(KeyOfAnother, match=f"belongs to customer {added.customer_id}"):
        await office.record(purchase("INV-2", license=license_row(email="ann@oak.example")))

    assert await office.count(CreditGrant) == 1
    assert await office.count(Customer) == 1


async def test_another_currency_than_the_licenses_is_refused(office: Office) -> None:
    """R17: credit in euros could never pay a renewal in pounds."""
    await office.record(purchase())

    with pytest.raises(CurrencyDiffers, match="is renewed in GBP, which EUR cannot pay for"):
        await office.record(undescribed("INV-2", currency="EUR"))


# ---- the same again ------------------------------------------------------------------------------------------------


async def test_the_same_purchase_twice_grants_once(office: Office, books: Bookkeeper) -> None:
    (first,) = await office.record(purchase())
    (again,) = await office.record(purchase(previous_customer=True))
    (undescribed_again,) = await office.record(undescribed())

    assert again == replace(first, new=False, taken_new_key=False)
    assert undescribed_again == again
    assert await books.left(first.grant_id) == 20_000
    assert await books.balance("purchases/GBP") == -20_000
    assert not (await office.one(Customer)).previous_customer, "nothing is changed, the mark neither"
    assert await office.count(AuditRecord, action="purchase") == 1


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (purchase(amount_minor=21_000), "the amount £200.00, not £210.00"),
        (purchase(license=license_row(currency="EUR")), "the amount £200.00, not €200.00"),
        (undescribed(amount_minor=21_000), "the amount £200.00, not £210.00"),
        (
            purchase(license=license_row(OTHER_KEY)),
            "the key ending in 0001, not the one ending in 0002",
        ),
        (
            purchase(license=license_row(email="ann@oak.example")),
            r"customer cus_\w+, not the one with this e-mail address",
        ),
        (
            purchase(amount_minor=1, license=license_row(OTHER_KEY)),
            "the amount £200.00, not £0.01, the key ending in 0001, not the one ending in 0002",
        ),
    ],
)
async def test_the_same_reference_with_other_content_is_refused_naming_both(
    office: Office, books: Bookkeeper, other: Purchase, named: str
) -> None:
    (first,) = await office.record(purchase())

    with pytest.raises(ReferenceTaken, match=f"the reference was recorded before with {named}"):
        await office.record(other)

    assert await books.left(first.grant_id) == 20_000
    assert await office.count(License) == 1
    assert await office.count(Customer) == 1


async def test_a_reference_that_another_credit_has_is_refused(office: Office, books: Bookkeeper) -> None:
    await books.grant(await books.customer(), 20_000, reference="purchase/INV-1")

    with pytest.raises(ReferenceTaken, match="not granted for a purchase"):
        await office.record(purchase())

    assert await office.count(License) == 0


# ---- auto-renewal, and what waits ----------------------------------------------------------------------------------


async def test_a_cancelled_subscription_is_to_be_asked_to_renew_after_all(office: Office) -> None:
    """R19, R9: only its workflow may change that, by a request that is told apart by the reference (R10)."""
    (added,) = await office.record(purchase())
    await office.change(added.subscription_id, state="cancelled", auto_renew=False)

    (recorded,) = await office.record(undescribed("INV-2"))

    assert (recorded.resume, recorded.auto_renew, recorded.over) == (True, False, False)
    assert recorded.request_id == "purchase/INV-2"
    assert not (await office.one(Subscription)).auto_renew


async def test_a_repeat_asks_again_until_the_workflow_has_answered(
    office: Office, sessions: Sessions
) -> None:
    """The command may have died between the two."""
    (added,) = await office.record(purchase())
    await office.change(added.subscription_id, state="cancelled", auto_renew=False)
    await office.record(undescribed("INV-2"))

    (before,) = await office.record(undescribed("INV-2"))
    async with sessions.begin() as session:
        await audit.record(
            session,
            actor="staff:jo",
            action="resume",
            subject=added.subscription_id,
            at=AT,
            details={"request_id": "purchase/INV-2"},
        )
    (after,) = await office.record(undescribed("INV-2"))

    assert (before.new, before.resume) == (False, True)
    assert (after.new, after.resume) == (False, False), "cancelled since: a repeat must not undo that"


async def test_a_cancellation_after_the_purchase_is_not_undone_by_a_repeat(office: Office) -> None:
    (added,) = await office.record(purchase())
    await office.change(added.subscription_id, state="cancelled", auto_renew=False)

    (again,) = await office.record(purchase())

    assert (again.new, again.resume, again.auto_renew) == (False, False, False)


@pytest.mark.parametrize("state", ["collecting", "lapsed"])
async def test_a_renewal_that_waits_for_money_is_to_be_told(office: Office, state: str) -> None:
    """R22."""
    (added,) = await office.record(purchase())
    await office.change(added.subscription_id, state=state)

    (recorded,) = await office.record(undescribed("INV-2"))

    assert (recorded.waits_for_money, recorded.over) == (True, False)


@pytest.mark.parametrize("state", ["expired", "lapsed"])
async def test_for_a_license_that_is_over_the_credit_is_kept(
    office: Office, books: Bookkeeper, state: str
) -> None:
    """R19, R27: the answer says that it needs a request."""
    (added,) = await office.record(purchase())
    await office.change(added.subscription_id, state=state, auto_renew=False, next_renews_on=None)

    (recorded,) = await office.record(undescribed("INV-2"))

    assert (recorded.over, recorded.resume, recorded.waits_for_money) == (True, False, False)
    assert await books.left(recorded.grant_id) == 20_000


async def test_each_purchase_is_audited(office: Office) -> None:
    """R29, and no key in it (R28)."""
    (recorded,) = await office.record(purchase())

    line = await office.one(AuditRecord, action="purchase")
    assert (line.subject, line.actor, line.at) == (recorded.subscription_id, "staff:jo", AT)
    assert line.details == {
        "reference": "INV-1",
        "grant": recorded.grant_id,
        "amount_minor": 20_000,
        "currency": "GBP",
        "new_license": True,
        "auto_renew_was_off": False,
    }


async def test_the_credit_is_the_licenses_own(office: Office, books: Bookkeeper) -> None:
    """What a customer paid for one license is marked as such, also if they have two."""
    both = [purchase("INV-1"), purchase("INV-2", 30_000, license=license_row(OTHER_KEY), line=3)]
    stored = await office.store(*both)

    for recorded in stored.recorded:
        grant = await office.one(CreditGrant, id=recorded.grant_id)
        assert grant.for_subscription_id == recorded.subscription_id
        assert await books.left(grant.id) == grant.amount_minor
    assert len({recorded.customer_id for recorded in stored.recorded}) == 1
