"""The story this system was made for: a renewal paid before the move is used on its renewal date (R19)."""

from __future__ import annotations

from datetime import timedelta

from db.invoice_papers import Part
from domain.messages import State
from domain.term import next_term
from tests.end_to_end.dates import local
from tests.money.book import Book
from tests.money.subscribed import RENEWAL_MINOR


async def test_two_hundred_pounds_paid_before_the_move_renew_for_180_and_the_rest_helps_next_year(book: Book):
    """R13, R18, R19, R21: £180.00 used, £20.00 promotional; the year after the £20.00 first, the card for £160.00."""
    license, record_again = await book.bought_before("200.00", "INV-1042")
    customer = license.customer
    assert await customer.credits() == [("purchase", 200_00)]
    assert not (await record_again()).recorded.new
    assert await customer.credits() == [("purchase", 200_00)]

    await license.at(license.plan.renews_at - timedelta(minutes=1))
    assert await customer.papers() == []
    await license.days_before_expiry(13)

    [invoice] = await customer.papers()
    assert [(line.kind, line.amount_minor) for line in invoice.lines] == [
        ("renewal", 200_00),
        ("discount", -20_00),
    ]
    assert (invoice.total_minor, invoice.due_minor) == (RENEWAL_MINOR, 0)
    [part] = invoice.parts
    assert (part.source, part.reference, part.amount_minor) == (
        "purchase",
        "purchase/INV-1042",
        RENEWAL_MINOR,
    )
    bought, promotional = await customer.statement()
    assert [(line.kind, line.amount_minor, line.balance_minor) for line in bought.lines] == [
        ("grant", 200_00, 200_00),
        ("use", -RENEWAL_MINOR, 20_00),
        ("convert", -20_00, 0),
    ]
    assert (promotional.kind, promotional.amount_minor, promotional.remaining_minor) == (
        "promotional",
        20_00,
        20_00,
    )
    assert license.renewals() == license.one_renewal
    assert (await license.status()).state == State.ACTIVE

    await customer.save_card()
    await license.at(local(license.next_expires_on - timedelta(days=13)))

    [_first, second] = await customer.papers()
    assert (second.total_minor, second.due_minor) == (RENEWAL_MINOR, 0)
    assert [_told(part) for part in second.parts] == [("promotional", 20_00), ("card", 160_00)]
    assert await customer.credits() == [("purchase", 0), ("promotional", 0)]
    assert await customer.taken() == [(160_00, "GBP")]
    after_next = next_term(license.term, anchor_day=license.expires_on.day)
    after_next = next_term(after_next, anchor_day=license.expires_on.day)
    assert license.renewals() == [
        *license.one_renewal,
        (str(license.next_expires_on), str(after_next.expires_on)),
    ]


def _told(part: Part) -> tuple[str, int]:
    return part.source, part.amount_minor
