"""Term after term: one order, one proof and one invoice each, for ever (R1, R21, R23–R25)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

from temporalio.api.enums.v1 import EventType

from domain.messages import State
from domain.term import next_term
from tests.end_to_end.book import Book
from tests.end_to_end.dates import DAY, coming_leap_day, local
from tests.end_to_end.subscribed import RENEWAL_MINOR

ACTIVITIES = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
LOCAL_ACTIVITIES = EventType.EVENT_TYPE_MARKER_RECORDED
OF_MOVED_CLOCKS = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
)
"""Events that only a test has."""


async def test_a_license_from_a_leap_day_is_renewed_once_a_term_and_finds_its_day_again(book: Book):
    """R1, R25: 29 February gives 28 February three times and 29 February again, without a gap or a second order."""
    subscription = await book.subscription(expires_on=coming_leap_day(), credit_minor=4 * RENEWAL_MINOR)

    terms = [subscription.term]
    for _ in range(4):
        await subscription.at(local(terms[-1].expires_on))
        terms.append(next_term(terms[-1], anchor_day=29))

    expiries = [str(term.expires_on) for term in terms]
    assert [expiry[5:] for expiry in expiries] == ["02-29", "02-28", "02-28", "02-28", "02-29"]
    assert subscription.renewals() == list(pairwise(expiries))
    orders = await subscription.orders()
    assert [(order.term_starts_on, order.term_expires_on) for order in orders] == [
        (before.expires_on + DAY, after.expires_on) for before, after in pairwise(terms)
    ]
    assert {order.state for order in orders} == {"fulfilled"}


async def test_after_a_renewal_vendor_rows_status_and_search_attributes_say_the_same(book: Book):
    """R24: an update counts when the vendor's own record shows it; whoever looks anywhere sees the new term."""
    subscription = await book.subscription(addons=["Message Sniffer"], credit_minor=3 * RENEWAL_MINOR)

    await subscription.at(local(subscription.expires_on))

    held, status, shown = (
        await subscription.row(),
        await subscription.status(),
        await subscription.attributes(),
    )
    expires_on = subscription.next_expires_on
    assert (
        held.subscription.expires_on == held.license.vendor_expires_on == status.term.expires_on == expires_on
    )
    assert (held.subscription.state, status.state, shown["SubscriptionState"]) == (State.ACTIVE,) * 3
    assert str(shown["ExpiresOn"])[:10] == str(expires_on)
    assert str(shown["RenewsOn"])[:10] == str(held.subscription.next_renews_on) == str(expires_on - 14 * DAY)
    assert (shown["PromiseBroken"], "PromiseAt" in shown, "FailureReason" in shown) == (False, False, False)
    assert (await subscription.notices())[-1] == "license_updated"
    [renewed] = await subscription.audit("renew")
    assert renewed.at - subscription.plan.renews_at < timedelta(minutes=1)


async def test_a_quiet_term_costs_few_events(book: Book, record_property):
    """The cost of a term with three reminders and one renewal, read from the real history: 40 events at most."""
    subscription = await book.subscription()
    await subscription.status()  # it has planned its term and sleeps

    await subscription.at(local(subscription.expires_on))

    term, _next = await subscription.runs()
    kinds = Counter(event.event_type for event in term if event.event_type not in OF_MOVED_CLOCKS)
    figures = {
        "events": kinds.total(),
        "activities": kinds[ACTIVITIES],
        "local_activities": kinds[LOCAL_ACTIVITIES],
    }
    print(f"a quiet term with three reminders: {figures}")
    for name, figure in figures.items():
        record_property(name, figure)
    assert len([kind for kind in await subscription.notices() if kind.startswith("reminder")]) == 3
    assert figures["events"] <= 40
