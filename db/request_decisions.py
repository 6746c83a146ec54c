"""Deciding requests (R27): each of them once, and what came of it.

What an accepted request leads to is ordered elsewhere, under the request's id, so that ordering it again orders
nothing. `conclude` writes down what it has led to; a request that is accepted and not concluded was interrupted, and
accepting it again goes on with it. Then its license key is forgotten: the license has its own (R28).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, exists, update
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit, notices, requests
from db.models.customer import Customer
from db.models.request import LicenseRequest
from db.models.subscription import Subscription
from db.requests import RequestRefused
from db.subscriptions import Held

Decided = Literal["accepted", "declined"]


class AlreadyDecided(RequestRefused):
    """Somebody else was first."""


async def decide(
    session: AsyncSession,
    request_id: str,
    decided: Decided,
    by: str,
    at: datetime,
    reason: str = "",
    chosen: Mapping[str, Any] | None = None,
) -> LicenseRequest:
    """Accept or decline a request that is open: whoever comes second changes nothing and is told so.

    `chosen` is what is accepted, to be carried out. Raises UnknownRequest, AlreadyDecided.
    """
    statement = (
        update(LicenseRequest)
        .where(LicenseRequest.id == request_id, LicenseRequest.state == "open")
        .values(
            state=decided,
            decided_by=by,
            decided_at=at,
            reason=reason or None,
            details=LicenseRequest.details.concat({"chosen": dict(chosen)} if chosen else {}),
        )
        .returning(LicenseRequest)
        .execution_options(populate_existing=True)
    )
    found = (await session.scalars(statement)).one_or_none()
    if found is None:
        raise already((await requests.one(session, request_id)).request)
    await _audit(session, found, f"request_{decided}", by, at, dict(chosen or {}), reason)
    if decided == "declined":
        _forget_key(found)
        await notices.tell(
            session,
            kind="request_declined",
            customer_id=found.customer_id or "",
            subscription_id=found.subscription_id,
            subject=found.id,
            facts={"request_id": found.id, "request_kind": found.kind, "answer": reason},
            at=at,
        )
    return found


async def reopen(session: AsyncSession, request_id: str, by: str, at: datetime, reason: str) -> None:
    """What was accepted cannot be carried out: the request waits for another decision."""
    statement = (
        update(LicenseRequest)
        .where(LicenseRequest.id == request_id, LicenseRequest.state == "accepted", ~_concluded())
        .values(
            state="open",
            decided_by=None,
            decided_at=None,
            reason=None,
            details=LicenseRequest.details.delete_path(array(["chosen"])),
        )
        .returning(LicenseRequest)
        .execution_options(populate_existing=True)
    )
    found = (await session.scalars(statement)).one_or_none()
    if found is not None:
        await _audit(session, found, "request_reopened", by, at, {}, reason)


async def conclude(
    session: AsyncSession, request_id: str, outcome: Mapping[str, Any], at: datetime, held: Held | None = None
) -> None:
    """Write down what an accepted request has led to, once, and tell the customer."""
    statement = (
        update(LicenseRequest)
        .where(LicenseRequest.id == request_id, LicenseRequest.state == "accepted", ~_concluded())
        .values(details=LicenseRequest.details.concat({"outcome": dict(outcome)}))
        .returning(LicenseRequest)
        .execution_options(populate_existing=True)
    )
    found = (await session.scalars(statement)).one_or_none()
    if found is None:
        return
    _forget_key(found)
    if held is not None:
        found.subscription_id = held.subscription.id
    facts = {"request_id": found.id, "request_kind": found.kind, "answer": found.reason}
    await notices.tell(
        session,
        kind="request_accepted",
        customer_id=found.customer_id or "",
        subscription_id=found.subscription_id,
        subject=found.id,
        facts={**facts, **_license_facts(held)} if held is not None else facts,
        at=at,
    )


def is_concluded(request: LicenseRequest) -> bool:
    """Whether what was accepted has been carried out."""
    return request.state != "open" and (request.state == "declined" or "outcome" in request.details)


async def correct_customer(session: AsyncSession, customer_id: str, name: str, country: str) -> None:
    """Take name and country from staff for a customer who came with a request and has no subscription yet."""
    has_one = exists().where(Subscription.customer_id == customer_id)
    await session.execute(
        update(Customer).where(Customer.id == customer_id, ~has_one).values(name=name, country=country)
    )


def _concluded() -> ColumnElement[bool]:
    concluded: ColumnElement[bool] = LicenseRequest.details.has_key("outcome")
    return concluded


def already(found: LicenseRequest) -> AlreadyDecided:
    """What is told to whoever comes second."""
    return AlreadyDecided(
        f"request {found.id} was {found.state} by {found.decided_by} at {found.decided_at:%Y-%m-%d %H:%M} UTC"
    )


def _forget_key(found: LicenseRequest) -> None:
    found.license_key_ciphertext = found.license_fingerprint = None


def _license_facts(held: Held) -> dict[str, Any]:
    row = held.subscription
    return {
        "title": held.title,
        "last_four": held.license.last_four,
        "expires_on": row.expires_on.isoformat(),
        "renews_on": row.next_renews_on.isoformat() if row.next_renews_on else None,
    }


async def _audit(
    session: AsyncSession,
    about: LicenseRequest,
    action: str,
    by: str,
    at: datetime,
    details: Mapping[str, Any],
    reason: str = "",
) -> None:
    await audit.record(
        session, actor=by, action=action, subject=about.id, at=at, details=details, reason=reason or None
    )
