"""The license updates that are owed, soonest promise first, with all that is needed to do one by hand (R23).

Also what became of the promises made, month by month. What changes an update is in `db.license_updates`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Integer, Row, Select, cast, func, literal, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit, license_updates
from db.license_keys import KeyRing
from db.license_updates import Wanted
from db.models.customer import Customer
from db.models.license import License
from db.models.license_update import LicenseUpdate
from db.models.order import Order
from db.models.promise import PromiseTime
from db.models.subscription import Subscription

SLIP_OF_THE_HAND = timedelta(days=366)
"""No vendor gives more than a year too much."""


class UnknownUpdate(LookupError):
    """No license update has this id."""


class UpdateClosed(Exception):
    """The license update is done or was refused before; nothing is owed any more."""


class ExpiryNotAsPromised(Exception):
    """The vendor's record does not show what was paid for (R24); the text says both dates."""


@dataclass(frozen=True, slots=True)
class QueuedUpdate:
    """One license update and everything needed to do it."""

    update_id: str
    order_id: str
    kind: str
    """`renewal`, `addon` or `upgrade`."""
    channel: str
    state: str
    subscription_id: str
    customer_id: str
    customer_name: str
    product: str
    edition: str
    size: str
    """As the license is now."""
    last_four: str
    has: tuple[str, ...]
    """The add-ons it has now."""
    wanted: Wanted
    promise_at: datetime
    paid_at: datetime | None
    warned_at: datetime | None
    late: bool
    """The promise time has passed."""

    @property
    def to_add(self) -> tuple[str, ...]:
        """Add-ons that it does not have yet."""
        return tuple(addon for addon in self.wanted.addons if addon not in self.has)

    def check_done(self, expires_on: date) -> None:
        """Check what the vendor's own record shows before it is reported. Raises UpdateClosed, ExpiryNotAsPromised."""
        self.check_open()
        promised_on = self.wanted.to_expires_on
        if expires_on < promised_on:
            raise ExpiryNotAsPromised(
                f"the vendor's record shows {expires_on}, promised is {promised_on}: it is not done until the record "
                "shows that day or a later one"
            )
        if expires_on - promised_on > SLIP_OF_THE_HAND:
            raise ExpiryNotAsPromised(
                f"{expires_on} is more than a year after {promised_on}, which is promised: is it a slip of the hand?"
            )

    def check_open(self) -> None:
        """Raises UpdateClosed unless the update is still owed."""
        if self.state != "pending":
            raise UpdateClosed(
                f"license update {self.update_id} is {self.state} already: nothing was changed"
            )


@dataclass(frozen=True, slots=True)
class Month:
    """The promises that fell due in one local month, written `2027-08`."""

    month: str
    kept: int
    broken: int
    """Done late, refused late, or still owed after the promise time."""
    refused: int
    """The vendor's final no, in time: the payment went back."""
    owed: int
    """Still to be done in time."""


async def queue(
    session: AsyncSession,
    now: datetime,
    late_only: bool = False,
    limit: int = 1000,
    after: tuple[datetime, str] | None = None,
) -> list[QueuedUpdate]:
    """All that is owed, by hand and by API, soonest promise first, after that of this promise and id. One statement."""
    query = (
        _query()
        .where(LicenseUpdate.state == "pending")
        .order_by(LicenseUpdate.promise_at, LicenseUpdate.id)
        .limit(limit)
    )
    if late_only:
        query = query.where(LicenseUpdate.promise_at <= now)
    if after is not None:
        query = query.where(tuple_(LicenseUpdate.promise_at, LicenseUpdate.id) > tuple_(*after))
    return [_queued(row, now) for row in (await session.execute(query)).all()]


async def one(session: AsyncSession, update_id: str, now: datetime) -> QueuedUpdate:
    """The license update of this id, whatever its state. Raises UnknownUpdate. One statement."""
    row = (await session.execute(_query().where(LicenseUpdate.id == update_id))).one_or_none()
    if row is None:
        raise UnknownUpdate(
            f"there is no license update {update_id!r}: `updates` lists those that are owed, with their ids"
        )
    return _queued(row, now)


async def reveal(
    session: AsyncSession, key_ring: KeyRing, update_id: str, by: str, at: datetime, why: str = ""
) -> str:
    """The whole license key, for whoever does the update; written to the audit (R28, R29). Raises UnknownUpdate.

    `why` is what a person says; a program has no other reason than the update.
    """
    query = select(License).join(LicenseUpdate, LicenseUpdate.license_id == License.id)
    license = (await session.scalars(query.where(LicenseUpdate.id == update_id))).one_or_none()
    if license is None:
        raise UnknownUpdate(f"there is no license update {update_id!r}")
    await audit.record(
        session,
        actor=by,
        action="reveal_license_key",
        subject=license.id,
        at=at,
        reason=": ".join(filter(None, (f"for license update {update_id}", why))),
    )
    return key_ring.open(license.key_ciphertext, license.id)


async def promises(session: AsyncSession, zone: str, now: datetime) -> list[Month]:
    """The promises of each local month, latest month first. One statement.

    What is closed was counted when it was; of the updates themselves only those still owed are read.
    """
    update, none = LicenseUpdate, literal(0)
    too_late = (update.promise_at <= now) | update.late
    parts = union_all(
        select(PromiseTime.promise_at, PromiseTime.kept, PromiseTime.broken, PromiseTime.refused, none),
        select(update.promise_at, none, cast(too_late, Integer), none, cast(~too_late, Integer)).where(
            update.state == "pending"
        ),
    ).subquery()
    promise_at, *counts = parts.columns
    month = func.to_char(func.timezone(zone, promise_at), "YYYY-MM").label("month")
    query = select(month, *map(func.sum, counts)).group_by(month).order_by(month.desc())
    return [Month(row[0], *map(int, row[1:])) for row in (await session.execute(query)).all()]


def _query() -> Select[LicenseUpdate, License, Order, Subscription, Customer]:
    return (
        license_updates.owed_query()
        .join(Customer, Customer.id == Subscription.customer_id)
        .add_columns(Customer)
    )


def _queued(row: Row[LicenseUpdate, License, Order, Subscription, Customer], now: datetime) -> QueuedUpdate:
    update, license, order, subscription, customer = row
    return QueuedUpdate(
        update_id=update.id,
        order_id=order.id,
        kind=order.kind,
        channel=update.channel,
        state=update.state,
        subscription_id=subscription.id,
        customer_id=customer.id,
        customer_name=customer.name,
        product=license.product,
        edition=license.edition,
        size=license.size,
        last_four=license.last_four,
        has=tuple(license.addons),
        wanted=license_updates.wanted(update, license, order, subscription),
        promise_at=update.promise_at,
        paid_at=order.paid_at,
        warned_at=update.warned_at,
        late=update.late or (update.state == "pending" and update.promise_at <= now),
    )
