"""The main stories of a subscription, each told once so that its history can be kept and replayed for ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from domain.messages import State
from tests.end_to_end.book import Book
from tests.end_to_end.dates import DAY, MOMENT, TUESDAY, coming_weekday, local
from tests.end_to_end.subscribed import RENEWAL_MINOR, Subscribed
from tests.eventually import eventually

Story = Callable[[Book], Awaitable[Subscribed]]


async def renewed(book: Book) -> Subscribed:
    """Three reminders and a renewal, as nearly every term goes."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on))
    return subscription


async def cancelled_and_expired(book: Book) -> Subscribed:
    """R7, R10: in time, twice; then the term runs out."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 40 * DAY))
    await subscription.cancel(reason="moved", request_id="mail-1")
    await subscription.cancel(request_id="mail-1")
    await subscription.at(subscription.plan.term_ends_at + MOMENT)
    await subscription.ending()
    return subscription


async def cancelled_and_resumed(book: Book) -> Subscribed:
    """R9: after the renewal date, so that it is renewed at once."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 40 * DAY))
    await subscription.cancel()
    await subscription.at(local(subscription.expires_on - 5 * DAY))
    await subscription.resume()
    await subscription.renewed()
    return subscription


async def cancelled_late(book: Book) -> Subscribed:
    """R3, R8: by signal, so that the server is asked when it came; renewed once more, then over."""
    subscription = await book.subscription()
    await subscription.at(subscription.plan.cancel_until)
    await subscription.signal("cancel", {"by": "support:jo"})
    await subscription.answer()
    await subscription.at(local(subscription.next_expires_on + DAY))
    await subscription.ending()
    return subscription


async def paid_after_a_while(book: Book) -> Subscribed:
    """R22: not enough at first, then credit comes."""
    subscription = await book.subscription(credit_minor=0)
    await subscription.at(local(subscription.expires_on - 4 * DAY))
    await subscription.grant(RENEWAL_MINOR)
    await subscription.renewed()
    return subscription


async def lapsed(book: Book) -> Subscribed:
    """R22: never paid; nothing taken."""
    subscription = await book.subscription(credit_minor=100_00)
    await subscription.at(subscription.plan.late_until_at + MOMENT)
    await subscription.ending()
    return subscription


async def renewed_late(book: Book) -> Subscribed:
    """R22: paid a week after the expiry."""
    subscription = await book.subscription(credit_minor=100_00)
    await subscription.at(local(subscription.expires_on + 7 * DAY))
    await subscription.grant(RENEWAL_MINOR)
    await subscription.renewed()
    return subscription


async def refused_and_renewed_anew(book: Book) -> Subscribed:
    """R9, R20, R23: the key was revoked; it is put right and resumed."""
    subscription = await book.subscription()
    book.mark(subscription, "revoked")
    await subscription.at(local(subscription.expires_on - 13 * DAY))
    await subscription.until(State.REFUSED)
    book.mark(subscription, "active")
    await subscription.resume(by="staff:jo")
    await subscription.renewed()
    return subscription


async def promise_broken(book: Book) -> Subscribed:
    """R23: the vendor is down until after the promise, which is short: the money came late in the evening."""
    subscription = await book.subscription(expires_on=coming_weekday(TUESDAY) + 13 * DAY, credit_minor=0)
    book.world.vendor.fault("down", subscription.license_key)
    await subscription.at(local(subscription.expires_on - 13 * DAY, "23:59"))
    await subscription.grant(RENEWAL_MINOR)
    promise_at = (await subscription.until(State.UPDATING)).promise_at
    assert promise_at is not None
    await subscription.at(promise_at + MOMENT)
    book.world.vendor.control("DELETE", "/sandbox/faults")
    await subscription.at(local(subscription.expires_on))
    return subscription


async def signals_refused(book: Book) -> Subscribed:
    """R29: wrong payloads and a wrong name; then it is renewed as if nothing had been."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 40 * DAY))
    wrong: list[tuple[object, ...]] = [("x",), ({"by": 3},), ({}, {}), ({"bye": "jo"},)]
    for payloads in wrong:
        await subscription.signal("cancel", *payloads)
    await subscription.signal("cansel")

    async def refused() -> bool:
        return len(await subscription.audit("refused_signal")) == 5

    await eventually(refused, "five refusals")
    await subscription.at(local(subscription.expires_on))
    return subscription


async def button_pressed(book: Book) -> Subscribed:
    """Temporal's own cancel request, resumed, pressed again after the cut-off."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 40 * DAY))
    await subscription.press_cancel()
    await subscription.answer()
    await subscription.resume()
    await subscription.at(local(subscription.expires_on - 14 * DAY, "08:00"))
    await subscription.press_cancel()
    await subscription.answer(3)
    await subscription.at(local(subscription.next_expires_on + DAY))
    await subscription.ending()
    return subscription


STORIES: tuple[Story, ...] = (
    renewed,
    cancelled_and_expired,
    cancelled_and_resumed,
    cancelled_late,
    paid_after_a_while,
    lapsed,
    renewed_late,
    refused_and_renewed_anew,
    promise_broken,
    signals_refused,
    button_pressed,
)
