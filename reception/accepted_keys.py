"""A key that was asked for with a request, taken into care the way an import does it (R26, R27)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncSession

import starter
from db import arrivals, audit, intakes, request_decisions, requests, subscriptions
from db.arrivals import Storing
from db.intakes import Counts
from db.license_keys import last_four
from db.requests import KeyKnown, Listed
from db.subscriptions import Held
from domain.intake_row import Row
from domain.local_time import local_date
from domain.request_license import license_row
from reception import licenses
from reception.acceptance import Accepted, Choice, Desk, Incomplete


async def add_key(desk: Desk, listed: Listed, choice: Choice) -> Accepted:
    """Store customer, license and subscription in the transaction that decides; its workflow starts durably.

    Raises RequestRefused, LicenseExpired, Incomplete, RPCError.
    """
    row = await _row(desk, listed, choice)
    request_id = listed.request.id
    digest = sha256(request_id.encode()).digest()
    storing = licenses.storing(f"request {request_id}", digest, desk.by, desk.at, desk.key_ring, desk.policy)
    await starter.start_intake(desk.client, storing.intake_id)
    async with desk.sessions.begin() as session:
        held = await _take(session, storing, listed, row, choice.answer)
    started = await _see_started(desk, storing)
    return Accepted(
        request_id, "add_key", held.subscription.id, carried_out=started, window_closed=row.window_closed
    )


async def _row(desk: Desk, listed: Listed, choice: Choice) -> Row:
    """The license to store, from what the customer filled in and staff add."""
    found, ring = listed.request, desk.key_ring
    sealed = found.license_key_ciphertext
    license_key = choice.license.get("license_key") or (ring.open(sealed, found.id) if sealed else "")
    async with desk.sessions() as session:
        if license_key and await requests.is_key_known(session, ring.fingerprint(license_key)):
            raise _known(license_key)
        has_one = await subscriptions.listing(session, customer=listed.customer.id, limit=1)
    known = {"customer_name": listed.customer.name, "country": listed.customer.country} if has_one else {}
    row = license_row(
        {**known, **{column: str(text) for column, text in found.details.items()}},
        choice.license,
        found.email,
        license_key,
        desk.catalogue,
        local_date(desk.at, desk.policy.zone),
        desk.policy.notice_days,
    )
    if not isinstance(row, Row):
        raise Incomplete(row)
    return row


async def _take(session: AsyncSession, storing: Storing, listed: Listed, row: Row, answer: str) -> Held:
    request_id, by, at = listed.request.id, storing.requested_by, storing.at
    chosen = {
        "product": row.product,
        "edition": row.edition,
        "size": row.size,
        "addons": list(row.addons),
        "expires_on": row.expires_on.isoformat(),
    }
    await request_decisions.decide(session, request_id, "accepted", by, at, answer, chosen)
    await request_decisions.correct_customer(session, listed.customer.id, row.customer_name, row.country)
    await intakes.begin(session, storing)
    arrived = await arrivals.take(session, storing, [row])
    subscription_id = arrived.new.get(storing.key_ring.fingerprint(row.license_key))
    if subscription_id is None:
        raise _known(row.license_key)
    await intakes.count(session, storing.intake_id, Counts(rows=1, taken=1, flagged=int(row.window_closed)))
    await audit.record(
        session,
        actor=by,
        action="add_license",
        subject=subscription_id,
        at=at,
        details={"request": request_id},
    )
    held = await subscriptions.held(session, subscription_id)
    await request_decisions.conclude(session, request_id, {"subscription": subscription_id}, at, held)
    return held


async def _see_started(desk: Desk, storing: Storing) -> bool:
    """Whether the workflow runs; the intake starts it without us when a worker is there."""
    with suppress(TimeoutError):
        async with asyncio.timeout(starter.ANSWER_WITHIN.total_seconds()):
            await licenses.see_started(desk.sessions, storing.intake_id, 1, lambda _started, _total: None)
            return True
    return False


def _known(license_key: str) -> KeyKnown:
    return KeyKnown(
        f"the key ending in {last_four(license_key)} is in our system already: decline the request"
    )
