"""Requests of customers (R27): placed with the form, and read by staff. Deciding them is in `db.request_decisions`.

A request names a customer: for an unknown e-mail address one is stored with it, so that an answer can be sent. The
license key is sealed for the request while staff decide (R28).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit, notices, subscriptions
from db.identifiers import new_id
from db.license_keys import KeyRing, last_four
from db.models.audit import AuditRecord
from db.models.customer import Customer
from db.models.license import License
from db.models.request import LicenseRequest
from db.subscriptions import Held, UnknownSubscription, held_query
from domain.request_form import Form

DAY = timedelta(days=1)


class UnknownRequest(LookupError):
    """No request has this id."""


class RequestRefused(Exception):
    """What is known here speaks against the request; the text says why and what can be done, with no secret in it."""


class TooManyRequests(RequestRefused):
    """The e-mail address has as many requests as anyone may have."""


class KeyKnown(RequestRefused):
    """The key is in the system already."""


class KeyUnknown(RequestRefused):
    """No subscription has the key that is to be changed."""


class AlreadyAsked(RequestRefused):
    """The same key is asked for by the same customer, and staff have not decided yet."""


class NotTheirs(RequestRefused):
    """The subscription is another customer's, or there is none."""


@dataclass(frozen=True)
class Bounds:
    """How many requests one e-mail address may have: the form is open to everybody."""

    open: int = 5
    """Not decided yet."""
    a_day: int = 10
    """Placed within 24 hours, decided or not."""


@dataclass(frozen=True)
class Placing:
    """What a request is placed with: who does it, when, and what is taken for granted of an unknown customer."""

    by: str
    at: datetime
    key_ring: KeyRing
    country: str
    """The business's own."""
    bounds: Bounds = Bounds()
    once: str = ""
    """The same again is the same request: of a form that was sent twice. Empty: each is another."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A request and whose it is."""

    request: LicenseRequest
    customer: Customer


async def place(session: AsyncSession, placing: Placing, form: Form) -> LicenseRequest:
    """Put a request before staff (R27). Raises RequestRefused and its family, but not what is about deciding.

    Requests of one e-mail address are placed one at a time, so that its bounds hold.
    """
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"request/{form.email}", 0)))
    )
    if placing.once and (known := await _placed_before(session, placing)) is not None:
        return known
    await _refuse_too_many(session, placing, form.email)
    held = await _about(session, placing.key_ring, form)
    customer = held.customer if held is not None else await _customer(session, placing, form)
    request_id = new_id("req")
    placed = LicenseRequest(
        id=request_id,
        customer_id=customer.id,
        email=form.email,
        kind=form.kind,
        text=form.text,
        subscription_id=held.subscription.id if held is not None else None,
        details=dict(form.stated) | ({"last_four": last_four(form.license_key)} if form.license_key else {}),
        at=placing.at,
    )
    if form.license_key:
        placed.license_key_ciphertext = placing.key_ring.seal(form.license_key, request_id)
        placed.license_fingerprint = placing.key_ring.fingerprint(form.license_key)
    session.add(placed)
    await session.flush()
    await notices.tell(
        session,
        kind="request_new",
        customer_id=customer.id,
        subscription_id=placed.subscription_id,
        subject=request_id,
        facts={"request_id": request_id, "request_kind": form.kind},
        at=placing.at,
        audience="staff",
    )
    await audit.record(
        session,
        actor=placing.by,
        action="request",
        subject=request_id,
        at=placing.at,
        details={"kind": form.kind},
        key=f"request/{placing.once}" if placing.once else None,
    )
    return placed


async def of_customer(session: AsyncSession, customer_id: str, limit: int = 100) -> list[LicenseRequest]:
    """A customer's own requests, newest first."""
    query = select(LicenseRequest).where(LicenseRequest.customer_id == customer_id)
    return list((await session.scalars(query.order_by(LicenseRequest.id.desc()).limit(limit))).all())


async def one(session: AsyncSession, request_id: str) -> Listed:
    """The request of this id. Raises UnknownRequest."""
    query = select(LicenseRequest, Customer).join(Customer, Customer.id == LicenseRequest.customer_id)
    row = (await session.execute(query.where(LicenseRequest.id == request_id))).one_or_none()
    if row is None:
        raise UnknownRequest(f"there is no request {request_id!r}: `requests` lists them, with their ids")
    return Listed(*row)


async def listing(session: AsyncSession, decided_too: bool = False, limit: int = 1000) -> list[Listed]:
    """Open requests, oldest first; or all, latest first. One statement."""
    query = select(LicenseRequest, Customer).join(Customer, Customer.id == LicenseRequest.customer_id)
    if decided_too:
        query = query.order_by(LicenseRequest.id.desc())
    else:
        query = query.where(LicenseRequest.state == "open").order_by(LicenseRequest.id)
    return [Listed(*row) for row in (await session.execute(query.limit(limit))).all()]


async def reveal(
    session: AsyncSession, key_ring: KeyRing, request_id: str, by: str, at: datetime, why: str | None = None
) -> str | None:
    """The whole key that a request brings, for staff to look it up at the vendor; audited (R28, R29).

    None when it brings none, or is decided. Raises UnknownRequest.
    """
    found = (await one(session, request_id)).request
    if found.license_key_ciphertext is None:
        return None
    await audit.record(session, actor=by, action="reveal_license_key", subject=found.id, at=at, reason=why)
    return key_ring.open(found.license_key_ciphertext, found.id)


async def is_key_known(session: AsyncSession, fingerprint: bytes) -> bool:
    """Whether a license with this key is in the system."""
    return bool(await session.scalar(select(exists().where(License.fingerprint == fingerprint))))


async def _placed_before(session: AsyncSession, placing: Placing) -> LicenseRequest | None:
    query = (
        select(LicenseRequest)
        .join(AuditRecord, AuditRecord.subject == LicenseRequest.id)
        .where(AuditRecord.key == f"request/{placing.once}")
    )
    return (await session.scalars(query)).one_or_none()


async def _refuse_too_many(session: AsyncSession, placing: Placing, email: str) -> None:
    bounds = placing.bounds
    query = select(
        func.count().filter(LicenseRequest.state == "open"),
        func.count().filter(LicenseRequest.at > placing.at - DAY),
    ).where(_of(email))
    waiting, today = (await session.execute(query)).one()
    if waiting >= bounds.open:
        raise TooManyRequests(
            f"{waiting} requests of this e-mail address wait for an answer already: please wait for it"
        )
    if today >= bounds.a_day:
        raise TooManyRequests(
            f"{today} requests came from this e-mail address within a day: try again tomorrow"
        )


async def _about(session: AsyncSession, key_ring: KeyRing, form: Form) -> Held | None:
    """The subscription that a request is about, if it says which."""
    held = None
    if form.license_key:
        fingerprint = key_ring.fingerprint(form.license_key)
        row = (await session.execute(held_query().where(License.fingerprint == fingerprint))).one_or_none()
        held = Held(*row) if row is not None else None
        ends = f"the key ending in {last_four(form.license_key)}"
        if form.kind == "add_key" and await is_key_known(session, fingerprint):
            raise KeyKnown(f"{ends} is in our system already: there is nothing to add")
        if form.kind == "add_key" and (asked := await _asked_before(session, form, fingerprint)):
            raise AlreadyAsked(f"request {asked} asks for {ends} already, and waits for an answer")
        if held is None and form.kind in ("upgrade", "downgrade"):
            raise KeyUnknown(f"{ends} is not in our system: ask for it to be added first (add-key)")
    if form.subscription_id and form.kind != "add_key":
        try:
            held = await subscriptions.held(session, form.subscription_id)
        except UnknownSubscription as unknown:
            raise NotTheirs(str(unknown)) from unknown
    if held is not None and held.customer.email != form.email:
        raise NotTheirs("that license is another customer's: give the e-mail address that we know for it")
    return held


async def _asked_before(session: AsyncSession, form: Form, fingerprint: bytes) -> str | None:
    query = select(LicenseRequest.id).where(
        LicenseRequest.state == "open",
        _of(form.email),
        LicenseRequest.license_fingerprint == fingerprint,
    )
    return (await session.scalars(query.limit(1))).one_or_none()


def _of(email: str) -> ColumnElement[bool]:
    """Requests from this e-mail address, found by its customer."""
    return LicenseRequest.customer_id == select(Customer.id).where(Customer.email == email).scalar_subquery()


async def _customer(session: AsyncSession, placing: Placing, form: Form) -> Customer:
    """The customer of this e-mail address; an unknown one is stored, for they are to get an answer."""
    unless_known = upsert(Customer).values(
        id=new_id("cus"),
        email=form.email,
        name=form.stated.get("customer_name") or form.email.partition("@")[0],
        country=form.stated.get("country") or placing.country,
        created_at=placing.at,
    )
    await session.execute(unless_known.on_conflict_do_nothing(index_elements=["email"]))
    return (await session.scalars(select(Customer).where(Customer.email == form.email))).one()
