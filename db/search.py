"""Finding what staff look for by what they have at hand: a name, an address, four characters, a number, an id."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import func, literal_column, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.customer import WORDS, Customer
from db.models.invoice import Invoice
from db.models.license import License
from db.models.license_update import LicenseUpdate
from db.models.order import Order
from db.models.request import LicenseRequest
from db.models.subscription import Subscription
from db.subscriptions import Held, held_query

MOST = 50
LAST_FOUR = 4
BETWEEN_WORDS = re.compile(r"[\s!-/:-@\[-`{-~]+")
"""As `db.models.customer.WORDS` has it."""


async def customers(session: AsyncSession, typed: str, limit: int = MOST) -> Sequence[Customer]:
    """Those in whose name or e-mail address each typed word begins a word, whatever its case; by name.

    Of more than `limit` that fit it is some: to find the first of them by name all would have to be read.
    """
    words = [word for word in BETWEEN_WORDS.split(typed) if word]
    if not words:
        return []
    # A single letter is taken as a whole word: it begins too many others.
    wanted = " & ".join(f"'{word}':*" if len(word) > 1 else f"'{word}'" for word in words)
    fits = literal_column(WORDS).op("@@")(func.to_tsquery(text("'simple'"), wanted))
    some = select(Customer.id).where(fits).limit(limit)
    query = select(Customer).where(Customer.id.in_(some)).order_by(Customer.name, Customer.id)
    return (await session.scalars(query)).all()


async def by_last_four(session: AsyncSession, text: str, limit: int = MOST) -> list[Held]:
    """Subscriptions whose license key ends so; none unless the text is as long as what is shown of a key."""
    if len(text) != LAST_FOUR:
        return []
    query = held_query().where(License.last_four == text.upper()).order_by(Subscription.id).limit(limit)
    return [Held(*row) for row in (await session.execute(query)).all()]


async def exactly(session: AsyncSession, text: str) -> tuple[str, str] | None:
    """What has this very id, number or reference: its noun, and the id (or number) of what to show for it."""
    for noun, query in (
        ("customer", select(Customer.id).where(or_(Customer.id == text, Customer.email == text.lower()))),
        ("subscription", select(Subscription.id).where(Subscription.id == text)),
        ("subscription", select(Order.subscription_id).where(Order.id == text)),
        ("invoice", select(Invoice.number).where(or_(Invoice.number == text.upper(), Invoice.id == text))),
        ("request", select(LicenseRequest.id).where(LicenseRequest.id == text)),
        (
            "update",
            select(LicenseUpdate.id).where(or_(LicenseUpdate.id == text, LicenseUpdate.reference == text)),
        ),
    ):
        if (found := (await session.scalars(query.limit(1))).one_or_none()) is not None:
            return noun, found
    return None
