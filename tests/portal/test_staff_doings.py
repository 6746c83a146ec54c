"""What staff do: on a customer's behalf, with updates, requests and money. Each of it counts once, and says why."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from db.models.audit import AuditRecord
from db.models.order import Order
from db.models.request import LicenseRequest
from db.models.subscription import Subscription
from tests.eventually import eventually
from tests.money.book import Book
from tests.portal.doings import ADDON, ask_something, order_addons, quote, update_of
from tests.portal.visitor import OPS, SUPPORT

BY = f"support:{SUPPORT}"


async def lines(world, action):
    async with world.sessions() as session:
        return list(await session.scalars(select(AuditRecord).where(AuditRecord.action == action)))


async def stuck(world, subscribed):
    """An order is paid whose update the vendor's API cannot do now; the update's page."""
    await subscribed.customer.grant(500_00)
    trouble = {"kind": "down", "license_key": subscribed.license_key}
    world.vendor.control("POST", "/sandbox/faults", json=trouble)
    return f"/staff/updates/{await update_of(world, await order_addons(world, subscribed))}"


@pytest.fixture
async def subscribed(book: Book):
    """Somebody's license."""
    return await book.subscription(book.customer("GB"))


async def test_R29_a_cancellation_on_behalf_says_who_and_why_and_is_taken_back(world, subscribed, jo):
    here = f"/staff/subscriptions/{subscribed.id}"
    await jo.open(f"{here}/cancel")
    assert "The renewal is cancelled." in jo.text
    form = jo.form(f"{here}/cancel")
    assert (await jo.send(form)).status_code == 422

    answers = await asyncio.gather(*(jo.send(form, reason="asked by phone") for _ in range(3)))

    assert {answer.status_code for answer in answers} == {200}
    [line] = await lines(world, "cancel")
    assert (line.actor, line.reason) == (BY, "asked by phone")
    assert len(await subscribed.notices("cancel_accepted")) == 1
    await jo.open(f"{here}/resume")
    await jo.submit(f"{here}/resume", reason="asked again")
    assert "Auto-renewal is on again" in jo.text
    [line] = await lines(world, "resume_on_behalf")
    assert (line.actor, line.reason) == (BY, "asked again")


async def test_R15_add_ons_on_behalf_are_ordered_once_by_two_of_the_staff(world, subscribed, jo, al):
    await subscribed.customer.grant(500_00)
    made = await quote(world, subscribed)
    here = f"/staff/subscriptions/{subscribed.id}/quotes/{made.quote_id}"
    forms = []
    for visitor in (jo, al):
        await visitor.open(here)
        forms.append((visitor, visitor.form(f"{here}/pay")))

    await asyncio.gather(*(visitor.send(form, reason="by phone") for visitor, form in forms))

    async with world.sessions() as session:
        orders = list(await session.scalars(select(Order).where(Order.subscription_id == subscribed.id)))
    assert [order.added_addons for order in orders] == [[ADDON]]
    assert {line.reason for line in await lines(world, "addons_on_behalf")} == {"by phone"}


async def test_add_ons_are_chosen_on_behalf_and_no_card_is_ever_asked_of_staff(subscribed, jo):
    here = f"/staff/subscriptions/{subscribed.id}"
    await jo.open(f"{here}/addons")
    await jo.submit(f"{here}/quotes", addons=[ADDON])
    assert "staff never handle cards" in jo.text

    await subscribed.customer.grant(500_00)
    await jo.open(f"{here}/addons")
    await jo.submit(f"{here}/quotes", addons=[ADDON])
    await jo.submit(f"{jo.page.url.path}/pay", reason="by phone")

    assert "Ordered. It is paid, on invoice" in jo.text


async def test_R24_an_update_is_moved_to_the_queue_and_done_with_the_expiry_as_seen(
    world, subscribed, jo, al
):
    here = await stuck(world, subscribed)
    await jo.open("/staff/updates")
    assert here in jo.page.text
    assert " left" in jo.text
    await jo.open(here)
    await jo.submit(f"{here}/moved", reason="the vendor is down")
    assert "will be done another way" in jo.text

    await jo.open(here)
    first = jo.form(f"{here}/done")
    early = str(subscribed.expires_on - timedelta(days=1))
    assert (await jo.send(first, expires_on=early)).status_code == 422
    await al.open(here)
    second = al.form(f"{here}/done")
    done = [jo.send(first, expires_on=str(subscribed.expires_on)) for _ in range(2)]
    assert {answer.status_code for answer in await asyncio.gather(*done)} == {200}
    await jo.open(here)
    assert "The vendor's record shows it." in jo.text
    assert (await subscribed.row()).license.addons == [ADDON]

    told = (await al.send(second, expires_on=str(subscribed.expires_on))).text
    assert "is done already: nothing was changed" in told
    assert [line.reason for line in await lines(world, "move_update")] == ["the vendor is down"]
    assert len(await subscribed.notices("license_updated")) == 1


async def test_R20_R23_a_refusal_that_two_of_the_staff_tell_twice_gives_the_payment_back_once(
    world, subscribed, jo, al
):
    """To look the key up at the vendor needs a reason, which is kept (R28)."""
    here = await stuck(world, subscribed)
    forms = []
    for visitor in (jo, al):
        await visitor.open(here)
        forms.append((visitor, visitor.form(f"{here}/refused")))
    look = jo.form(f"{here}/key")
    assert (await jo.send(look)).status_code == 422
    assert await lines(world, "reveal_license_key") == []
    assert subscribed.license_key in (await jo.send(look, reason="to renew it by hand")).text
    [line] = await lines(world, "reveal_license_key")
    assert (line.actor, line.reason.endswith(": to renew it by hand")) == (BY, True)

    twice = [visitor.send(form, reason="RevokedKey") for visitor, form in forms * 2]
    assert {answer.status_code for answer in await asyncio.gather(*twice)} == {200}

    async def given_back():
        return await subscribed.customer.credits() == [("promotional", 500_00)]

    await eventually(given_back, "the credit is back")
    assert len(await subscribed.customer.papers("credit_note")) == 1


async def test_R27_of_two_who_answer_a_request_the_second_is_told_who_was_first(world, subscribed, jo, al):
    asked = await ask_something(world, subscribed.customer)
    here = f"/staff/requests/{asked}"
    await jo.open("/staff/requests")
    assert "Can you call me?" in jo.text
    await jo.open(here)
    await al.open(here)
    late = al.form(f"{here}/decline")
    await jo.submit(f"{here}/accept", answer="We call you today.")
    assert "Accepted." in jo.text

    assert f"was accepted by {BY}" in (await al.send(late, reason="no")).text
    async with world.sessions() as session:
        found = await session.get(LicenseRequest, asked)
    assert (found.state, found.decided_by, found.reason) == ("accepted", BY, "We call you today.")


async def test_R27_a_key_is_added_once_what_is_missing_is_filled_in(world, book, somebody, jo):
    await somebody.open("/requests/new")
    wanted = {
        "customer_email": "new@example.org",
        "license_key": "NEWKEY-12345-ABCDE-77777",
        "product": "SmarterMail",
    }
    await somebody.submit("/requests", kind="add_key", **wanted)
    async with world.sessions() as session:
        [asked] = await session.scalars(select(LicenseRequest.id))
    here = f"/staff/requests/{asked}"
    await jo.open(here)
    look = jo.form(f"{here}/key")
    assert (await jo.send(look)).status_code == 422
    assert wanted["license_key"] in (await jo.send(look, reason="to look it up")).text
    assert [line.reason for line in await lines(world, "reveal_license_key")] == ["to look it up"]
    await jo.submit(f"{here}/accept", edition="Professional")
    assert jo.page.status_code == 422
    assert "NEWKEY" not in jo.page.text
    filled = {
        "customer_name": "New Ltd",
        "country": "GB",
        "currency": "GBP",
        "size": "250",
    }

    covered_through = datetime.now(UTC).date() + timedelta(days=300)
    await jo.submit(f"{here}/accept", expires_on=str(covered_through), **filled)

    assert "it is renewed from now on" in jo.text
    async with world.sessions() as session:
        [subscription] = await session.scalars(select(Subscription))
    assert f"Added as {subscription.id}" in jo.text


async def test_R27_an_upgrade_that_is_accepted_is_ordered_once_to_be_paid(
    world, subscribed, somebody, jo, al
):
    await somebody.sign_in(subscribed.customer.email)
    await somebody.open("/requests/new?kind=upgrade")
    await somebody.submit("/requests", kind="upgrade", subscription=subscribed.id, size="500")
    async with world.sessions() as session:
        [asked] = await session.scalars(select(LicenseRequest.id))
    here = f"/staff/requests/{asked}"
    forms = []
    for visitor in (jo, al):
        await visitor.open(here)
        forms.append((visitor, visitor.form(f"{here}/accept")))

    await asyncio.gather(*(visitor.send(form, subscription=subscribed.id) for visitor, form in forms))

    async with world.sessions() as session:
        orders = list(await session.scalars(select(Order).where(Order.kind == "upgrade")))
    assert [order.target_size for order in orders] == ["500"]


async def test_R19_support_grants_up_to_its_limit_and_ops_any_amount(subscribed, jo, al):
    here = f"/staff/customers/{subscribed.customer.id}"
    wanted = {"currency": "GBP", "reference": "case-17", "reason": "slow update"}
    await jo.open(f"{here}/grant")
    await jo.submit(f"{here}/grant", amount="100.01", **wanted)
    assert jo.page.status_code == 422
    assert f"Support may give up to £100.00 at once. Ask somebody of ops: {OPS}." in jo.text
    assert await subscribed.customer.credits() == []

    await al.open(f"{here}/grant")
    form = al.form(f"{here}/grant")
    await asyncio.gather(*(al.send(form, amount="100.01", **wanted) for _ in range(3)))

    assert await subscribed.customer.credits() == [("promotional", 100_01)]
    await jo.submit(f"{here}/grant", amount="20.00", **wanted)
    assert "Another grant has this reference" in jo.text


async def test_R20_a_refund_goes_back_once_and_never_past_the_limit_of_support(world, subscribed, jo, al):
    await subscribed.customer.grant(1000_00)
    ordered = await order_addons(world, subscribed, "Message Sniffer", ADDON)
    [paper] = await subscribed.customer.papers()
    here = f"/staff/invoices/{ordered.invoice}"
    wanted = {"reference": "case-17", "reason": "not as promised"}
    assert paper.total_minor > 100_00
    await jo.open(f"{here}/refund")
    await jo.submit(f"{here}/refund", **wanted)
    assert (jo.page.status_code, "Support may give up to" in jo.text) == (422, True)

    form = jo.form(f"{here}/refund")
    for answer in await asyncio.gather(*(jo.send(form, amount="20.00", **wanted) for _ in range(3))):
        assert answer.status_code == 200
    notes = await subscribed.customer.papers("credit_note")
    assert [note.total_minor for note in notes] == [-20_00]
    assert (
        "case-17 was given back before: nothing was changed."
        in (await jo.send(form, amount="20.00", **wanted)).text
    )

    await al.open(f"{here}/refund")
    await al.submit(f"{here}/refund", reference="case-18", reason="all of it")
    assert "Given back:" in al.text
    notes = await subscribed.customer.papers("credit_note")
    assert sum(note.total_minor for note in notes) == -paper.total_minor
