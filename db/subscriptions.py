"""Subscriptions with the license and the customer they are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, or_, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.customer import Customer
from db.models.license import License
from db.models.order import Order
from db.models.subscription import Subscription
from domain.catalogue import LicenseItem
from domain.term import Term

ENDED = ("expired",)
"""States of a subscription that is over; a lapsed one can still be renewed late for a while."""


class UnknownSubscription(LookupError):
    """No subscription has this id, and no license key ends so."""


class AmbiguousSubscription(LookupError):
    """More than one license key ends in these four characters; the ids say which there are."""


@dataclass(frozen=True)
class Held:
    """A subscription, the license it keeps renewed, and whose it is."""

    subscription: Subscription
    license: License
    customer: Customer
    waiting: tuple[Order, ...] = ()
    """Add-ons and upgrades that are paid and not done yet, oldest first; read only where the renewal is priced."""

    @property
    def item(self) -> LicenseItem:
        """The license as the catalogue prices it."""
        license = self.license
        return LicenseItem(license.product, license.edition, license.size, tuple(license.addons))

    @property
    def item_at_renewal(self) -> LicenseItem:
        """The license as the next renewal will make it: without dropped add-ons, with a new size or edition.

        What is paid and waits for the vendor will be on it by then.
        """
        row, license = self.subscription, self.license
        edition, size, addons = license.edition, license.size, list(license.addons)
        for order in self.waiting:
            addons += [addon for addon in order.added_addons if addon not in addons]
            if order.kind == "upgrade":
                edition, size = order.target_edition, order.target_size
        return LicenseItem(
            license.product,
            row.next_edition or edition,
            row.next_size or size,
            tuple(addon for addon in addons if addon not in row.drop_addons),
        )

    @property
    def term(self) -> Term:
        """The current term, both dates inclusive."""
        return Term(self.subscription.starts_on, self.subscription.expires_on)

    @property
    def title(self) -> str:
        """Product, edition and size in words."""
        return title(self.license)


def title(license: License) -> str:
    """Product, edition and size in words, as a person would say it."""
    return f"{license.product} {license.edition} {license.size}"


def held_query() -> Select[Subscription, License, Customer]:
    """Subscription, license and customer of each subscription, one row each."""
    return (
        select(Subscription, License, Customer)
        .join(License, License.id == Subscription.license_id)
        .join(Customer, Customer.id == Subscription.customer_id)
    )


async def held(session: AsyncSession, subscription_id: str, lock: bool = False) -> Held:
    """The subscription of this id; with `lock` its row is held to the end of the transaction.

    Raises UnknownSubscription.
    """
    query = held_query().where(Subscription.id == subscription_id)
    if lock:
        query = query.with_for_update(of=Subscription)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise UnknownSubscription(f"there is no subscription {subscription_id}")
    return Held(*row)


async def find(session: AsyncSession, text: str) -> Held:
    """The subscription of this id, or the only one whose license key ends in these four characters.

    Raises UnknownSubscription, AmbiguousSubscription.
    """
    # Two look-ups by index: one condition over both tables would read all of them.
    by_id = select(Subscription.id).where(Subscription.id == text)
    by_key = (
        select(Subscription.id)
        .join(License, License.id == Subscription.license_id)
        .where(License.last_four == text.upper())
    )
    query = held_query().where(Subscription.id.in_(union_all(by_id, by_key))).limit(6)
    rows = (await session.execute(query)).all()
    if not rows:
        raise UnknownSubscription(
            f"there is no subscription {text!r}: give its id, or the last four characters of its license key"
        )
    if len(rows) > 1:
        ids = ", ".join(row[0].id for row in rows[:5]) + (", …" if len(rows) > 5 else "")
        raise AmbiguousSubscription(f"{text!r} ends more than one license key; give the id: {ids}")
    return Held(*rows[0])


async def of_customer(
    session: AsyncSession,
    customer_id: str,
    ended: bool = False,
    after: tuple[date, str] | None = None,
    limit: int = 50,
) -> list[Held]:
    """Theirs that go on, or those that have ended, soonest expiry first, after that of this expiry and id."""
    over = Subscription.state.in_(ENDED)
    query = held_query().where(Subscription.customer_id == customer_id, over if ended else ~over)
    if after is not None:
        query = query.where(tuple_(Subscription.expires_on, Subscription.id) > tuple_(*after))
    query = query.order_by(Subscription.expires_on, Subscription.id).limit(limit)
    return [Held(*row) for row in (await session.execute(query)).all()]


async def listing(
    session: AsyncSession,
    state: str | None = None,
    customer: str | None = None,
    renews_before: date | None = None,
    limit: int = 10_000,
) -> list[Held]:
    """Subscriptions by renewal date, soonest first; `customer` is an id or an e-mail address."""
    query = held_query().order_by(Subscription.next_renews_on, Subscription.id).limit(limit)
    if state is not None:
        query = query.where(Subscription.state == state)
    if customer is not None:
        query = query.where(or_(Customer.id == customer, Customer.email == customer.lower()))
    if renews_before is not None:
        query = query.where(Subscription.next_renews_on < renews_before, Subscription.auto_renew)
    return [Held(*row) for row in (await session.execute(query)).all()]
