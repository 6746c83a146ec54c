"""Orders: what a customer owes for, and the license as it shall be once that is paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.identifiers import new_id
from db.models.license_update import LicenseUpdate
from db.models.order import Order
from db.subscriptions import Held
from domain.term import Term


class UnknownOrder(LookupError):
    """No order has this id."""


def renewal_key(subscription_id: str, term: Term, round: int) -> str:
    """The once-only key of a renewal: one order per subscription, term and round (R25)."""
    return f"{subscription_id}/{term.expires_on}/renewal/{round}"


def change_key(subscription_id: str, kind: str, request_id: str) -> str:
    """The once-only key of an order that was asked for: one per request (R10, R25)."""
    return f"{subscription_id}/{kind}/{request_id}"


async def by_key(session: AsyncSession, key: str) -> Order | None:
    """The order under this key, its row held to the end of the transaction."""
    return (await session.scalars(select(Order).where(Order.key == key).with_for_update())).one_or_none()


_FOR_RENEWAL = (
    select(Order)
    .where(
        Order.subscription_id == bindparam("subscription_id"),
        or_(Order.key == bindparam("key"), and_(Order.kind != "renewal", Order.state == "paid")),
    )
    .order_by(Order.paid_at, Order.id)
    .with_for_update()
)


async def for_renewal(
    session: AsyncSession, subscription_id: str, key: str
) -> tuple[Order | None, tuple[Order, ...]]:
    """The order under this key, if there is one, and the changes that are paid and not done, first paid first.

    Their rows are held to the end of the transaction. One statement.
    """
    found = (await session.scalars(_FOR_RENEWAL, {"subscription_id": subscription_id, "key": key})).all()
    renewal = next((order for order in found if order.key == key), None)
    return renewal, tuple(order for order in found if order is not renewal)


async def by_id(session: AsyncSession, order_id: str) -> Order:
    """The order of this id, its row held to the end of the transaction. Raises UnknownOrder."""
    order = (await session.scalars(select(Order).where(Order.id == order_id).with_for_update())).one_or_none()
    if order is None:
        raise UnknownOrder(f"there is no order {order_id}")
    return order


def renewal(session: AsyncSession, held: Held, key: str, next_term: Term, at: datetime) -> Order:
    """Order the renewal into `next_term`, of the license as it is to be then."""
    order = Order(
        id=new_id("ord"),
        subscription_id=held.subscription.id,
        kind="renewal",
        key=key,
        term_starts_on=next_term.starts_on,
        term_expires_on=next_term.expires_on,
        target_edition=held.item_at_renewal.edition,
        target_size=held.item_at_renewal.size,
        target_addons=list(held.item_at_renewal.addons),
        ordered_at=at,
    )
    session.add(order)
    return order


def change(
    session: AsyncSession,
    held: Held,
    kind: Literal["addon", "upgrade"],
    key: str,
    through: Term,
    at: datetime,
    added: Sequence[str] = (),
    edition: str | None = None,
    size: str | None = None,
    quote_id: str | None = None,
) -> Order:
    """Order a change of the license that lasts to the end of `through`, the last term paid for."""
    license = held.license
    order = Order(
        id=new_id("ord"),
        subscription_id=held.subscription.id,
        kind=kind,
        key=key,
        term_starts_on=through.starts_on,
        term_expires_on=through.expires_on,
        target_edition=edition or license.edition,
        target_size=size or license.size,
        target_addons=[*license.addons, *added],
        added_addons=list(added),
        quote_id=quote_id,
        ordered_at=at,
    )
    session.add(order)
    return order


async def paid(
    session: AsyncSession, order: Order, held: Held, paid_at: datetime, promise_at: datetime, channel: str
) -> LicenseUpdate:
    """Mark the order paid and owe its license update by the promise time, in one transaction (R23, R25)."""
    order.state, order.paid_at, order.promise_at = "paid", paid_at, promise_at
    await session.flush()  # an order that is new comes before what refers to it
    expires_on = held.license.vendor_expires_on
    update = LicenseUpdate(
        id=new_id("upd"),
        order_id=order.id,
        license_id=held.license.id,
        reference=order.key,
        channel=channel,
        from_expires_on=expires_on,
        to_expires_on=order.term_expires_on if order.kind == "renewal" else expires_on,
        target_edition=order.target_edition,
        target_size=order.target_size,
        target_addons=list(order.target_addons),
        promise_at=promise_at,
    )
    session.add(update)
    return update


async def open_renewals(session: AsyncSession, subscription_id: str) -> list[Order]:
    """Renewals that were invoiced and are not paid; at most one, held to the end of the transaction."""
    query = (
        select(Order)
        .where(Order.subscription_id == subscription_id, Order.kind == "renewal", Order.state == "open")
        .with_for_update()
    )
    return list((await session.scalars(query)).all())


async def paid_changes(session: AsyncSession, subscription_id: str) -> tuple[Order, ...]:
    """Add-ons and upgrades that are paid and not done yet, in the order in which they were paid."""
    query = select(Order).where(
        Order.subscription_id == subscription_id, Order.kind != "renewal", Order.state == "paid"
    )
    return tuple((await session.scalars(query.order_by(Order.paid_at, Order.id))).all())


async def renewal_with(session: AsyncSession, refused: Order) -> Order | None:
    """The renewal that was settled while these add-ons waited for the vendor, and so was priced with them."""
    query = (
        select(Order)
        .where(
            Order.subscription_id == refused.subscription_id,
            Order.kind == "renewal",
            Order.state.in_(("paid", "fulfilled")),
            Order.ordered_at >= refused.ordered_at,
            Order.target_addons.overlap(refused.added_addons),
        )
        .order_by(Order.ordered_at)
        .limit(1)
        .with_for_update()
    )
    return (await session.scalars(query)).one_or_none()


async def of_subscription(session: AsyncSession, subscription_id: str, order_id: str) -> Order | None:
    """The order of this id, if it is of this subscription; nothing is locked."""
    query = select(Order).where(Order.id == order_id, Order.subscription_id == subscription_id)
    return (await session.scalars(query)).one_or_none()


async def unfinished_changes(session: AsyncSession, subscription_id: str) -> list[Order]:
    """Add-ons and upgrades that wait to be paid or to be done at the vendor, oldest first; nothing is locked."""
    query = select(Order).where(
        Order.subscription_id == subscription_id, Order.kind != "renewal", Order.state.in_(("open", "paid"))
    )
    return list((await session.scalars(query.order_by(Order.id))).all())


async def refuse_update(session: AsyncSession, order: Order, refusal: str) -> None:
    """The vendor's final no to the order's license update (R23)."""
    update = await update_of(session, order.id)
    update.state, update.refusal = "refused", refusal


async def update_of(session: AsyncSession, order_id: str) -> LicenseUpdate:
    """The license update that a paid order owes, its row held to the end of the transaction. Raises UnknownOrder."""
    query = select(LicenseUpdate).where(LicenseUpdate.order_id == order_id).with_for_update()
    update = (await session.scalars(query)).one_or_none()
    if update is None:
        raise UnknownOrder(f"order {order_id} has no license update: it is not paid")
    return update
