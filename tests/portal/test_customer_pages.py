"""What customers see and do, without scripts: every page and every form of theirs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select

from db.models.audit import AuditRecord
from db.models.invoice import Invoice
from db.models.order import Order
from db.models.request import LicenseRequest
from domain.local_time import in_words
from tests.eventually import eventually
from tests.money.book import Book
from tests.portal.doings import ADDON, ask_something, order_addons, quote


async def lines(world, subject, action):
    async with world.sessions() as session:
        query = select(AuditRecord).where(AuditRecord.subject == subject, AuditRecord.action == action)
        return list(await session.scalars(query))


async def orders_of(world, subscribed):
    async with world.sessions() as session:
        return list(await session.scalars(select(Order).where(Order.subscription_id == subscribed.id)))


@pytest.fixture
async def owned(book: Book, somebody):
    """Somebody signed in, and their license."""
    customer = book.customer("GB")
    subscribed = await book.subscription(customer, addons=["Message Sniffer"])
    await somebody.sign_in(customer.email)
    return subscribed


async def late(book, days=10):
    """A license whose last day to cancel has passed and whose renewal waits for a card."""
    customer = book.customer("GB")
    subscribed = await book.subscription(customer, expires_on=datetime.now(UTC).date() + timedelta(days=days))
    await eventually(lambda: waits(subscribed), "the renewal is due")
    return subscribed


async def waits(subscribed):
    return (await subscribed.row()).subscription.state == "collecting"


async def test_the_page_of_a_subscription_tells_what_comes_and_what_it_costs(owned, somebody):
    await owned.customer.grant(50_00)
    await somebody.open(f"/subscriptions/{owned.id}")

    plan = owned.plan
    assert f"Renews on {in_words(plan.renews_on)}" in somebody.text
    assert f"Last day to cancel: {in_words(plan.cancel_by)}" in somebody.text
    assert "Credits will pay £50.00" in somebody.text
    assert "No card is saved yet" in somebody.text
    assert "Your license came into our care" in somebody.text
    assert f"{owned.license_key}" not in somebody.page.text
    assert owned.license_key[-4:] in somebody.text


async def test_R28_showing_the_key_is_written_down(world, owned, somebody):
    await somebody.open(f"/subscriptions/{owned.id}")
    await somebody.submit(f"/subscriptions/{owned.id}/key")

    assert owned.license_key in somebody.text
    [line] = await lines(world, owned.id, "reveal_license_key")
    assert line.actor == f"customer:{owned.customer.id}"


async def test_the_last_day_to_cancel_goes_into_a_calendar(owned, somebody):
    answer = await somebody.open(f"/subscriptions/{owned.id}/cancel-by.ics")

    assert answer.headers["content-type"].startswith("text/calendar")
    [event] = Calendar.from_ical(answer.content).walk("VEVENT")
    assert event.decoded("dtstart") == owned.plan.cancel_by
    assert "SmarterMail Professional 250" in event["summary"]


async def test_R7_a_cancellation_in_time_and_its_undoing(world, owned, somebody):
    here = f"/subscriptions/{owned.id}"
    await somebody.open(here)
    assert "Cancel Subscription" in somebody.text
    await somebody.open(f"{here}/cancel")
    assert "If you cancel now, this is what we answer" in somebody.text

    await somebody.submit(f"{here}/cancel", reason="moved")
    assert "The renewal is cancelled." in somebody.text
    assert "Will not renew" in somebody.text
    [line] = await lines(world, owned.id, "cancel")
    assert (line.reason, line.actor) == ("moved", f"customer:{owned.customer.id}")
    assert len(await owned.notices("cancel_accepted")) == 1

    await somebody.open(f"{here}/resume")
    await somebody.submit(f"{here}/resume")
    assert "Auto-renewal is on again" in somebody.text
    assert len(await owned.notices("resume_accepted")) == 1


async def test_R8_too_late_to_cancel_is_explained_and_the_wish_is_kept(book, somebody):
    subscribed = await late(book)
    await somebody.sign_in(subscribed.customer.email)
    here = f"/subscriptions/{subscribed.id}"
    await somebody.open(f"{here}/cancel")
    assert "It is too late to stop this renewal" in somebody.text

    await somebody.submit(f"{here}/cancel")

    assert "so this renewal goes ahead. The cancellation is kept" in somebody.text
    assert "Resume Subscription" in somebody.text
    assert len(await subscribed.notices("cancel_deferred")) == 1


async def test_R10_a_form_sent_twice_at_once_counts_once(world, owned, somebody):
    await somebody.open(f"/subscriptions/{owned.id}/cancel")
    form = somebody.form(f"/subscriptions/{owned.id}/cancel")

    answers = await asyncio.gather(*(somebody.send(form) for _ in range(4)))

    assert {answer.status_code for answer in answers} == {200}
    assert len(await lines(world, owned.id, "cancel")) == 1
    assert len(await owned.notices("cancel_accepted")) == 1


async def test_two_tabs_and_the_back_button_cancel_once(world, owned, somebody):
    here = f"/subscriptions/{owned.id}"
    await somebody.open(f"{here}/cancel")
    old = somebody.form(f"{here}/cancel")
    await somebody.open(f"{here}/cancel")
    await somebody.submit(f"{here}/cancel")

    again = await somebody.send(old)

    assert "already cancelled" in again.text
    assert len(await owned.notices("cancel_accepted")) == 1


async def test_an_addon_is_chosen_quoted_and_paid_with_credits(world, owned, somebody):
    await owned.customer.grant(500_00)
    here = f"/subscriptions/{owned.id}"
    await somebody.open(f"{here}/addons")
    await somebody.submit(f"{here}/quotes", addons=[ADDON])
    assert "Paid now, the license is updated by" in somebody.text
    quoted = somebody.page.url.path
    await somebody.submit(f"{quoted}/pay")

    assert "Thank you, it is paid." in somebody.text
    assert "the license is updated by" in somebody.text.lower() or "Done." in somebody.text
    assert [order.kind for order in await orders_of(world, owned)] == ["addon"]

    async def done():
        return ADDON in (await owned.row()).license.addons

    await eventually(done, "the add-on is on the license")
    await somebody.open(somebody.page.url.path)
    assert "Done." in somebody.text
    await somebody.open(here)
    assert f"The license was updated at the vendor; it has {ADDON}" in somebody.text


async def test_R15_a_quote_is_paid_once_however_often_it_is_sent(world, owned, somebody):
    await owned.customer.grant(500_00)
    made = await quote(world, owned)
    here = f"/subscriptions/{owned.id}/quotes/{made.quote_id}"
    await somebody.open(here)
    first = somebody.form(f"{here}/pay")
    await somebody.open(here)
    second = somebody.form(f"{here}/pay")

    await asyncio.gather(*(somebody.send(form) for form in (first, first, second)))
    await somebody.send(first)

    assert len(await orders_of(world, owned)) == 1
    await somebody.open(here)
    assert "accepted already" in somebody.text


async def test_nothing_is_offered_where_there_is_nothing_to_add(world, owned, somebody):
    await owned.customer.grant(500_00)
    await order_addons(world, owned)
    await somebody.open(f"/subscriptions/{owned.id}")

    assert "Add Addons" not in somebody.text
    await somebody.open(f"/subscriptions/{owned.id}/addons")
    assert "Nothing can be added now" in somebody.text


async def test_without_credits_a_card_is_saved_first_on_the_providers_page(world, owned, somebody):
    made = await quote(world, owned)
    here = f"/subscriptions/{owned.id}/quotes/{made.quote_id}"
    await somebody.open(here)
    assert "no card is saved yet" in somebody.text
    leading = await somebody.submit("/cards/new", follow=False)
    assert leading.headers["location"].startswith(world.stack.addresses.urls["payments"])

    entered = await world.http.post(leading.headers["location"], data={"card": "pm_card_visa"})
    await somebody.open(entered.headers["location"].removeprefix(somebody.origin))

    assert "Your card is saved." in somebody.text
    await somebody.submit(f"{here}/pay")
    assert "Thank you, it is paid." in somebody.text


async def test_a_declined_card_is_told_and_nothing_is_ordered(owned, somebody, world):
    await owned.customer.save_card(answers="insufficient_funds")
    made = await quote(world, owned)
    here = f"/subscriptions/{owned.id}/quotes/{made.quote_id}"
    await somebody.open(here)
    await somebody.submit(f"{here}/pay")

    assert "That was not ordered." in somebody.text
    assert "Nothing was taken." in somebody.text


async def test_an_addon_is_left_out_at_the_renewal_and_kept_after_all(owned, somebody):
    here = f"/subscriptions/{owned.id}"
    await somebody.open(f"{here}/at-renewal?addon=Message%20Sniffer")
    await somebody.submit(f"{here}/at-renewal")
    assert "The next renewal leaves out Message Sniffer" in somebody.text
    assert (await owned.row()).subscription.drop_addons == ["Message Sniffer"]

    await somebody.open(f"{here}/at-renewal?addon=Message%20Sniffer")
    await somebody.submit(f"{here}/at-renewal")
    assert "Message Sniffer is renewed." in somebody.text
    assert (await owned.row()).subscription.drop_addons == []


async def test_invoices_and_credits_show_where_every_penny_went(world, owned, somebody):
    await owned.customer.grant(500_00)
    ordered = await order_addons(world, owned)
    await somebody.open("/invoices")
    assert str(ordered.invoice) in somebody.text
    await somebody.open(f"/invoices/{ordered.invoice}")
    assert "How it was paid" in somebody.text
    assert (await somebody.open(f"/invoices/{ordered.invoice}/pdf")).content.startswith(b"%PDF")
    assert "stylesheet" in (await somebody.open(f"/invoices/{ordered.invoice}/paper")).text

    await somebody.open("/credits")
    assert f"Used for {ordered.invoice}" in somebody.text
    assert "£500.00" in somebody.text


async def test_a_renewal_that_waits_for_money_is_collected_when_a_card_is_saved(book, somebody, world):
    subscribed = await late(book)
    await somebody.sign_in(subscribed.customer.email)
    await somebody.open("/cards")
    assert "This waits to be paid" in somebody.text
    leading = await somebody.submit("/cards/new", follow=False)
    entered = await world.http.post(leading.headers["location"], data={"card": "pm_card_visa"})
    await somebody.open(entered.headers["location"].removeprefix(somebody.origin))

    await subscribed.until_renewed()
    assert "visa" in (await somebody.open("/cards")).text.lower()


async def test_R27_the_request_form_and_its_state(world, owned, somebody):
    await somebody.open("/requests/new?kind=upgrade")
    wanted = {"kind": "upgrade", "subscription": owned.id, "size": "500", "text": "We grow."}
    form = somebody.form("/requests")
    await somebody.submit("/requests", **wanted)
    assert "your request is with our staff" in somebody.text
    await somebody.send(form, **wanted)

    async with world.sessions() as session:
        placed = list(await session.scalars(select(LicenseRequest)))
    assert [each.kind for each in placed] == ["upgrade"]
    await somebody.open("/requests")
    assert "Waits for an answer" in somebody.text


async def test_R27_whoever_is_no_customer_may_ask_too(world, book, somebody):
    await somebody.open("/requests/new")
    await somebody.submit("/requests", kind="add_key", customer_email="new@example.org", license_key="")
    assert somebody.page.status_code == 422
    await somebody.submit(
        "/requests", customer_email="new@example.org", license_key="NEWKEY-12345-ABCDE-77777"
    )

    assert "We mail the answer to new@example.org" in somebody.text
    async with world.sessions() as session:
        [placed] = await session.scalars(select(LicenseRequest))
    assert placed.license_key_ciphertext is not None


async def test_new_customers_see_real_empty_pages(world, book, somebody):
    customer = book.customer("GB")
    await book.subscription(customer)
    await somebody.sign_in(customer.email)
    for path, said in (
        ("/credits", "No credits yet"),
        ("/invoices", "No invoice yet"),
        ("/cards", "No card is saved"),
        ("/requests", "No request yet"),
        ("/subscriptions?ended=true", "None has ended"),
    ):
        await somebody.open(path)
        assert said in somebody.text


async def test_a_request_of_somebody_else_is_not_there(world, book, browser):
    mine, theirs = book.customer("GB"), book.customer("GB")
    await book.subscription(mine)
    await book.subscription(theirs)
    asked = await ask_something(world, theirs)
    visitor = await browser()
    await visitor.sign_in(mine.email)

    assert (await visitor.open(f"/requests/{asked}")).status_code == 404
    async with world.sessions() as session:
        assert not list(await session.scalars(select(Invoice)))
