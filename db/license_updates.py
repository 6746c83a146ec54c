"""License updates that are owed to paid orders: attempted, reported, done, late (R23–R25)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, cast

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db import orders
from db.models.license import License
from db.models.license_update import LicenseUpdate
from db.models.order import Order
from db.models.subscription import Subscription
from db.subscriptions import Held
from domain.messages import Channel, LicenseUpdated
from domain.tasks import Proof, UpdateStanding

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
    """For a renewal all that the license is to have, else what is added."""
    expected: frozenset[str]
    """Add-ons that the vendor's record must show afterwards."""
    dropped: frozenset[str]
    """Add-ons that it must not show any more."""
    title: str
    """Product, edition and size as they shall be, in words."""
    attempted_before: bool


@dataclass(frozen=True)
class Done:
    """What writing down a proof made of an update."""

    now_first: bool
    """It was not written down before."""
    promise_kept: bool
    """By the promise time (R23)."""
    soonest_promise_at: datetime | None
    """Of the license's updates that are still owed; None when none is."""


@dataclass(frozen=True)
class Wanted:
    """The license as an update is to make it."""

    from_expires_on: date
    to_expires_on: date
    edition: str
    size: str
    addons: tuple[str, ...]
    """All that it is to have."""
    dropped: tuple[str, ...]


def wanted(update: LicenseUpdate, license: License, order: Order, subscription: Subscription) -> Wanted:
    """What is asked for: what was fixed at the first attempt, until then what the license as it is now would become.

    Other updates may be done between the payment and the attempt.
    """
    if update.attempted_at is not None:
        target = (update.target_edition, update.target_size)
        kept, dropped = tuple(update.target_addons), tuple(update.dropped_addons)
        return Wanted(update.from_expires_on, update.to_expires_on, *target, kept, dropped)
    if order.kind == "renewal":
        target = (subscription.next_edition or license.edition, subscription.next_size or license.size)
        dropped = tuple(addon for addon in license.addons if addon in subscription.drop_addons)
        kept = tuple(addon for addon in license.addons if addon not in dropped)
        return Wanted(update.from_expires_on, update.to_expires_on, *target, kept, dropped)
    held = (license.edition, license.size)
    target = (update.target_edition, update.target_size) if order.kind == "upgrade" else held
    kept = (*license.addons, *(addon for addon in order.added_addons if addon not in license.addons))
    return Wanted(license.vendor_expires_on, license.vendor_expires_on, *target, kept, ())


def owed_query() -> Select[LicenseUpdate, License, Order, Subscription]:
    """Each license update with what it is about, one row each."""
    return (
        select(LicenseUpdate, License, Order, Subscription)
        .join(License, License.id == LicenseUpdate.license_id)
        .join(Order, Order.id == LicenseUpdate.order_id)
        .join(Subscription, Subscription.id == Order.subscription_id)
    )


_ATTEMPTED = (
    owed_query().where(LicenseUpdate.order_id == bindparam("order_id")).with_for_update(of=LicenseUpdate)
)


async def attempt(session: AsyncSession, order_id: str, at: datetime) -> Owed:
    """The update owed to the order, noting that it is now attempted: written before the vendor is called (R25).

    Raises UnknownOrder.
    """
    row = (await session.execute(_ATTEMPTED, {"order_id": order_id})).one_or_none()
    if row is None:
        raise orders.UnknownOrder(f"order {order_id} has no license update: it is not paid")
    update, license, order, subscription = row
    attempted_before = update.attempted_at is not None
    _fix(update, wanted(update, license, order, subscription), at)
    renews = order.kind == "renewal"
    return Owed(
        reference=update.reference,
        license_id=license.id,
        key_ciphertext=license.key_ciphertext,
        kind=KINDS[order.kind],
        months=subscription.months if renews else 0,
        from_expires_on=update.from_expires_on,
        to_expires_on=update.to_expires_on,
        edition=update.target_edition,
        size=update.target_size,
        addons=tuple(update.target_addons if renews else order.added_addons),
        expected=frozenset(update.target_addons),
        dropped=frozenset(update.dropped_addons),
        title=_title(license, update),
        attempted_before=attempted_before,
    )


def _title(license: License, update: LicenseUpdate) -> str:
    return f"{license.product} {update.target_edition} {update.target_size}"


def _fix(update: LicenseUpdate, asked: Wanted, at: datetime) -> None:
    """Say once what is asked for; from then on it does not change."""
    if update.attempted_at is not None:
        return
    update.attempted_at = at
    update.from_expires_on, update.to_expires_on = asked.from_expires_on, asked.to_expires_on
    update.target_edition, update.target_size = asked.edition, asked.size
    update.target_addons, update.dropped_addons = list(asked.addons), list(asked.dropped)


_other = aliased(LicenseUpdate)
_CLOSING = (
    select(
        LicenseUpdate,
        Order,
        select(func.min(_other.promise_at))
        .where(
            _other.license_id == LicenseUpdate.license_id,
            _other.state == "pending",
            _other.id != LicenseUpdate.id,
        )
        .scalar_subquery(),
    )
    .join(Order, Order.id == LicenseUpdate.order_id)
    .where(LicenseUpdate.order_id == bindparam("order_id"))
    .with_for_update(of=(LicenseUpdate, Order))
)


async def done(session: AsyncSession, held: Held, order_id: str, proof: Proof, at: datetime) -> Done:
    """The vendor's own record shows the update (R24): the order is fulfilled and our license row follows.

    Raises UnknownOrder.
    """
    row = (await session.execute(_CLOSING, {"order_id": order_id})).one_or_none()
    if row is None:
        raise orders.UnknownOrder(f"order {order_id} has no license update: it is not paid")
    update, order, soonest_promise_at = row
    now_first = update.state != "done"
    update.state, update.done_at = "done", at
    update.seen_expires_on, update.seen_addons = proof.expires_on, list(proof.addons)
    order.state, order.fulfilled_at = "fulfilled", at
    license = held.license
    license.vendor_expires_on = proof.expires_on
    license.edition, license.size = update.target_edition, update.target_size
    license.addons = list(update.target_addons)
    return Done(
        now_first=now_first,
        promise_kept=not update.late and at <= update.promise_at,
        soonest_promise_at=soonest_promise_at,
    )


async def late(session: AsyncSession, order_id: str) -> bool:
    """The promise time passed before the update was done (R23); False if that was noted before."""
    update = await orders.update_of(session, order_id)
    noted_before, update.late = update.late, True
    return not noted_before


async def warned(session: AsyncSession, order_id: str, at: datetime) -> None:
    """Staff were warned that the promise time is near."""
    (await orders.update_of(session, order_id)).warned_at = at


async def report(session: AsyncSession, news: LicenseUpdated, at: datetime) -> UpdateStanding:
    """Take staff's news of an update; what does not show what was promised leaves it as it is (R24).

    Raises UnknownOrder.
    """
    query = owed_query().where(LicenseUpdate.id == news.update_id).with_for_update(of=LicenseUpdate)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise orders.UnknownOrder(f"there is no license update {news.update_id}")
    update, license, order, subscription = row
    if news.channel is not None:
        update.channel = news.channel
    channel = cast(Channel, update.channel)
    if news.refusal:
        return UpdateStanding(channel=channel, refusal=news.refusal)
    asked = wanted(update, license, order, subscription)
    if news.expires_on is None or news.expires_on < asked.to_expires_on:
        return UpdateStanding(channel=channel)
    _fix(update, asked, at)
    proof = Proof(
        expires_on=news.expires_on,
        addons=tuple(update.target_addons),
        title=_title(license, update),
    )
    return UpdateStanding(channel=channel, proof=proof)
