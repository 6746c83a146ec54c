"""Customers: finding one, and the card they pay with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit
from db.models.audit import AuditRecord
from db.models.customer import Customer
from db.models.license import License
from db.models.subscription import Subscription
from domain.card import SavedCard

WAITING = ("collecting", "lapsed")


class UnknownCustomer(LookupError):
    """No customer has this id or e-mail address."""


async def find(session: AsyncSession, text: str) -> Customer:
    """The customer of this id or e-mail address. Raises UnknownCustomer."""
    query = select(Customer).where(or_(Customer.id == text, Customer.email == text.strip().lower()))
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise UnknownCustomer("there is no such customer: give an id (cus_…) or the e-mail address we know")
    return found


async def save_card(session: AsyncSession, saved: SavedCard, customer_id: str | None = None) -> list[str]:
    """Keep a customer's newest card; answers the ids of their subscriptions that wait for money (R22).

    The customer is known by the provider's id of them; by ours, when it is the first card.
    """
    theirs = Customer.provider_customer_id == saved.customer_reference
    keep = (
        update(Customer)
        .where(theirs if customer_id is None else Customer.id == customer_id)
        .values(provider_customer_id=saved.customer_reference, card_token=saved.payment_method)
        .returning(Customer.id)
    )
    found = (await session.scalars(keep)).one_or_none()
    return [] if found is None else await waiting_for_money(session, found)


async def waiting_for_card(session: AsyncSession, saved: SavedCard, at: datetime) -> list[str]:
    """Ids of the subscriptions that a card which the provider told of may renew (R22); answered once for each card.

    Several events tell of one card, and come again. Tell the workflows in this transaction: if that fails the next
    event does it. Whoever asks meanwhile waits for the customer's row, and finds the line of the audit (R29).
    """
    theirs = select(Customer.id).where(Customer.provider_customer_id == saved.customer_reference)
    customer_id = (await session.scalars(theirs.with_for_update(key_share=True))).one_or_none()
    key = f"card/{saved.payment_method}"
    if customer_id is None or await session.scalar(select(AuditRecord.id).where(AuditRecord.key == key)):
        return []
    await audit.record(
        session,
        actor="customer",
        action="save_card",
        subject=customer_id,
        at=at,
        details={"card": f"{saved.brand} {saved.last4}"},
        key=key,
    )
    return await waiting_for_money(session, customer_id)


async def waiting_for_money(session: AsyncSession, customer_id: str) -> list[str]:
    """Ids of the customer's subscriptions that a new card or credit may renew (R22)."""
    query = select(Subscription.id).where(
        Subscription.customer_id == customer_id, Subscription.state.in_(WAITING)
    )
    return list((await session.scalars(query.order_by(Subscription.id))).all())


async def titles_waiting_for_money(session: AsyncSession, customer_id: str) -> list[tuple[str, str]]:
    """Id and title of each of the customer's subscriptions that waits for money."""
    query = (
        select(Subscription.id, License)
        .join(License, License.id == Subscription.license_id)
        .where(Subscription.customer_id == customer_id, Subscription.state.in_(WAITING))
        .order_by(Subscription.expires_on, Subscription.id)
    )
    return [
        (found, f"{license.product} {license.edition} {license.size}")
        for found, license in (await session.execute(query)).all()
    ]


async def last_card(session: AsyncSession, customer_id: str) -> str:
    """What may be shown of the card that was saved last, like `visa 4242`; empty when it is not known."""
    query = select(AuditRecord.details["card"].astext).where(
        AuditRecord.subject == customer_id, AuditRecord.action == "save_card"
    )
    return (await session.scalars(query.order_by(AuditRecord.id.desc()).limit(1))).one_or_none() or ""


async def known_to_provider(session: AsyncSession, customer_id: str, customer_reference: str) -> None:
    """Keep the payment provider's id of the customer, so that what it tells of them is understood."""
    statement = update(Customer).where(Customer.id == customer_id, Customer.provider_customer_id.is_(None))
    await session.execute(statement.values(provider_customer_id=customer_reference))
