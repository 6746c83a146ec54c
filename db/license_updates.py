"""License updates that are owed to paid orders: attempted, done, late (R23–R25)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db import orders
from db.models.license import License
from db.models.license_update import LicenseUpdate
from db.models.order import Order
from db.models.subscription import Subscription
from db.subscriptions import Held
from domain.messages import Proof

Kind = Literal["renewal", "addons", "upgrade"]
KINDS: dict[str, Kind] = {"renewal": "renewal", "addon": "addons", "upgrade": "upgrade"}


@dataclass(frozen=True)
class Owed:
    """What the vendor is to be asked for, and whether it was asked before."""

    reference: str
    license_id: str
    key_ciphertext: bytes
    kind: Kind
    months: int
    from_expires_on: date
    to_expires_on: date
    edition: str
    size: str
    addons: tuple[str, ...]
    attempted_before: bool


async def attempt(session: AsyncSession, order_id: str, at: datetime) -> Owed:
    """The update owed to the order, noting that it is now attempted: written before the vendor is called (R25).

    Raises UnknownOrder.
    """
    query = (
        select(LicenseUpdate, License, Order, Subscription.months)
        .join(License, License.id == LicenseUpdate.license_id)
        .join(Order, Order.id == LicenseUpdate.order_id)
        .join(Subscription, Subscription.id == Order.subscription_id)
        .where(LicenseUpdate.order_id == order_id)
        .with_for_update(of=LicenseUpdate)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise orders.UnknownOrder(f"order {order_id} has no license update: it is not paid")
    update, license, order, months = cast(tuple[LicenseUpdate, License, Order, int], tuple(row))
    attempted_before = update.attempted_at is not None
    update.attempted_at = update.attempted_at or at
    return Owed(
        reference=update.reference,
        license_id=license.id,
        key_ciphertext=license.key_ciphertext,
        kind=KINDS[order.kind],
        months=months if order.kind == "renewal" else 0,
        from_expires_on=update.from_expires_on,
        to_expires_on=update.to_expires_on,
        edition=update.target_edition,
        size=update.target_size,
        addons=tuple(update.target_addons),
        attempted_before=attempted_before,
    )


async def done(session: AsyncSession, held: Held, order_id: str, proof: Proof, at: datetime) -> None:
    """The vendor's own record shows the update (R24): the order is fulfilled and our license row follows."""
    update = await orders.update_of(session, order_id)
    order = await orders.by_id(session, order_id)
    update.state, update.done_at = "done", at
    update.seen_expires_on, update.seen_addons = proof.expires_on, list(proof.addons)
    order.state, order.fulfilled_at = "fulfilled", at
    license = held.license
    license.vendor_expires_on = proof.expires_on
    license.edition, license.size = update.target_edition, update.target_size
    license.addons = list(update.target_addons)


async def late(session: AsyncSession, order_id: str) -> None:
    """The promise time passed before the update was done (R23)."""
    (await orders.update_of(session, order_id)).late = True
