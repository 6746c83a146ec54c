"""Reminders before the renewal date: each once, while there is something to remind of (R6)."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import select

from db.models.notice import Notice
from domain.messages import State
from tests.end_to_end.book import Book
from tests.end_to_end.dates import DAY, ZONE, local
from tests.end_to_end.subscribed import RENEWAL_MINOR, Subscribed

REMINDERS = ["reminder_60", "reminder_30", "reminder_16"]


async def test_each_reminder_is_written_on_its_day_and_says_what_will_happen(book: Book):
    """R6: 60, 30 and 16 days before the expiry, with the amount, the credits used, the rest and the dates."""
    subscription = await book.subscription(credit_minor=200_00)

    for days, expected in ((61, 0), (60, 1), (31, 1), (30, 2), (17, 2), (16, 3), (15, 3)):
        await subscription.at(local(subscription.expires_on - days * DAY, "09:01"))
        assert await subscription.notices() == REMINDERS[:expected]

    reminders = await _reminders(subscription)
    assert [reminder.at.astimezone(ZONE).date() for reminder in reminders] == [
        subscription.expires_on - days * DAY for days in (60, 30, 16)
    ]
    for reminder in reminders:
        assert (reminder.facts["total_minor"], reminder.facts["credits_minor"]) == (RENEWAL_MINOR, 200_00)
        assert reminder.facts["remainder_minor"] == RENEWAL_MINOR - 200_00
        assert date.fromisoformat(reminder.facts["cancel_by"]) == subscription.expires_on - 15 * DAY
        assert date.fromisoformat(reminder.facts["renews_on"]) == subscription.expires_on - 14 * DAY


async def test_nobody_is_reminded_of_a_renewal_that_was_cancelled(book: Book):
    """R6, R7: not of this one; and again once it is resumed."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 45 * DAY))
    await subscription.cancel()
    await subscription.at(local(subscription.expires_on - 20 * DAY))
    assert await subscription.notices() == ["reminder_60", "cancel_accepted"]

    await subscription.resume()
    await subscription.at(local(subscription.expires_on - 15 * DAY))

    assert await subscription.notices() == [
        "reminder_60",
        "cancel_accepted",
        "resume_accepted",
        "reminder_16",
    ]


async def test_reminders_come_again_in_the_next_term(book: Book):
    """R6: at most once per term, and in each term."""
    subscription = await book.subscription(credit_minor=2 * RENEWAL_MINOR)

    await subscription.at(local(subscription.next_expires_on))

    reminders = await _reminders(subscription)
    assert [(reminder.term_expires_on, reminder.kind) for reminder in reminders] == [
        (expiry, kind)
        for expiry in (subscription.expires_on, subscription.next_expires_on)
        for kind in REMINDERS
    ]


async def test_a_reminder_whose_day_was_over_before_the_subscription_came_is_not_made_up_for(book: Book):
    """R6: a license that is imported 40 days before its expiry is reminded of twice, not three times."""
    subscription = await book.subscription(expires_on=datetime.now(UTC).date() + 40 * DAY)

    await subscription.at(local(subscription.expires_on))

    assert [reminder.kind for reminder in await _reminders(subscription)] == ["reminder_30", "reminder_16"]
    assert (await subscription.status()).state == State.ACTIVE


async def _reminders(subscription: Subscribed) -> list[Notice]:
    query = select(Notice).where(
        Notice.subscription_id == subscription.id, Notice.kind.startswith("reminder")
    )
    async with subscription.world.sessions() as session:
        return list(await session.scalars(query.order_by(Notice.id)))
