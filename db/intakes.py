"""Storing an import's rows, and which of its subscriptions have still to be started (R26)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from db import grants
from db.identifiers import new_id
from db.license_keys import KeyRing, last_four
from db.models.customer import Customer
from db.models.intake import Intake
from db.models.license import License
from db.models.subscription import Subscription
from db.subscriptions import Held, held_query
from domain import collection, term
from domain.intake_row import Row
from domain.milestones import Policy

CHUNK = 1000


class IntakeNotStored(LookupError):
    """The import's rows are not committed (yet)."""


@dataclass
class Counts:
    """What became of the good rows of an import."""

    rows: int = 0
    taken: int = 0
    unchanged: int = 0
    flagged: int = 0


@dataclass(frozen=True)
class Storing:
    """One import on its way into the tables: who, what and when."""

    intake_id: str
    filename: str
    digest: bytes
    requested_by: str
    at: datetime
    key_ring: KeyRing
    policy: Policy


async def store(session: AsyncSession, storing: Storing, rows: Iterable[Row]) -> Counts:
    """Store all good rows of a file in the caller's one transaction: all of them or none.

    A license key that is here already is left as it is. Statements come by the thousand rows.
    """
    session.add(
        Intake(
            id=storing.intake_id,
            filename=storing.filename,
            digest=storing.digest,
            requested_by=storing.requested_by,
            at=storing.at,
            state="starting",
        )
    )
    await session.flush()
    counts = Counts()
    for chunk in _chunks(rows):
        await _store_chunk(session, storing, chunk, counts)
    await session.execute(
        update(Intake)
        .where(Intake.id == storing.intake_id)
        .values(rows=counts.rows, taken=counts.taken, unchanged=counts.unchanged, flagged=counts.flagged)
    )
    return counts


async def _store_chunk(session: AsyncSession, storing: Storing, chunk: Sequence[Row], counts: Counts) -> None:
    customers = await _customers(session, storing, chunk)
    licenses = await _licenses(session, storing, chunk, customers)
    taken = [row for row in chunk if storing.key_ring.fingerprint(row.license_key) in licenses]
    if taken:
        await session.execute(
            insert(Subscription),
            [
                _subscription(
                    storing,
                    row,
                    licenses[storing.key_ring.fingerprint(row.license_key)],
                    customers[row.customer_email],
                )
                for row in taken
            ],
        )
    for row in taken:
        if row.opening_credit_minor:
            fingerprint = storing.key_ring.fingerprint(row.license_key).hex()
            await grants.grant(
                session,
                customers[row.customer_email],
                "purchase",
                row.opening_credit_minor,
                row.currency,
                reference=f"opening/{fingerprint}",
                reason="opening credit of the import",
                by=storing.requested_by,
                at=storing.at,
            )
    counts.rows += len(chunk)
    counts.taken += len(taken)
    counts.unchanged += len(chunk) - len(taken)
    counts.flagged += sum(row.window_closed for row in taken)


async def _customers(session: AsyncSession, storing: Storing, chunk: Sequence[Row]) -> dict[str, str]:
    """E-mail address → customer id; new ones are made, known ones are left as they are."""
    by_email = {row.customer_email: row for row in chunk}
    await session.execute(
        upsert(Customer).on_conflict_do_nothing(index_elements=["email"]),
        [
            {
                "id": new_id("cus"),
                "email": email,
                "name": row.customer_name,
                "country": row.country,
                "previous_customer": row.previous_customer,
                "card_token": row.card_token,
                "created_at": storing.at,
            }
            for email, row in sorted(by_email.items())
        ],
    )
    found = await session.execute(select(Customer.email, Customer.id).where(Customer.email.in_(by_email)))
    return {row.email: row.id for row in found}


async def _licenses(
    session: AsyncSession, storing: Storing, chunk: Sequence[Row], customers: dict[str, str]
) -> dict[bytes, str]:
    """Fingerprint → license id of the keys that were not here before (R26)."""
    values = []
    for row in sorted(chunk, key=lambda row: storing.key_ring.fingerprint(row.license_key)):
        license_id = new_id("lic")
        values.append(
            {
                "id": license_id,
                "customer_id": customers[row.customer_email],
                "key_ciphertext": storing.key_ring.seal(row.license_key, license_id),
                "fingerprint": storing.key_ring.fingerprint(row.license_key),
                "last_four": last_four(row.license_key),
                "product": row.product,
                "edition": row.edition,
                "size": row.size,
                "addons": list(row.addons),
                "vendor_expires_on": row.expires_on,
            }
        )
    made = await session.execute(
        upsert(License)
        .on_conflict_do_nothing(index_elements=["fingerprint"])
        .returning(License.fingerprint, License.id),
        values,
    )
    return {row.fingerprint: row.id for row in made}


def _subscription(storing: Storing, row: Row, license_id: str, customer_id: str) -> dict[str, object]:
    first = term.term_ending(row.expires_on)
    return {
        "id": new_id("sub"),
        "license_id": license_id,
        "customer_id": customer_id,
        "currency": row.currency,
        "anchor_day": row.expires_on.day,
        "starts_on": first.starts_on,
        "expires_on": first.expires_on,
        "renews_on": row.renews_on,
        "next_renews_on": collection.renewal_date(
            row.expires_on, row.renews_on, storing.policy.notice_days, storing.policy.renew_days_before
        ),
        "intake_id": storing.intake_id,
        "at": storing.at,
    }


async def not_started(session: AsyncSession, intake_id: str, limit: int) -> list[Held]:
    """Subscriptions of the import whose workflow start is not confirmed. Raises IntakeNotStored."""
    if await session.get(Intake, intake_id) is None:
        raise IntakeNotStored(f"import {intake_id} is not stored yet")
    query = (
        held_query()
        .where(Subscription.intake_id == intake_id, Subscription.started_at.is_(None))
        .order_by(Subscription.id)
        .limit(limit)
    )
    return [Held(*row) for row in (await session.execute(query)).all()]


async def mark_started(session: AsyncSession, intake_id: str, subscription_ids: Sequence[str]) -> int:
    """Note that these workflows run; answers how many of the import are left."""
    if subscription_ids:
        await session.execute(
            update(Subscription)
            .where(Subscription.id.in_(subscription_ids))
            .values(started_at=datetime.now(UTC))
        )
    left = select(func.count()).where(Subscription.intake_id == intake_id, Subscription.started_at.is_(None))
    return (await session.scalar(left)) or 0


async def finish(session: AsyncSession, intake_id: str) -> None:
    """All workflows of the import run."""
    await session.execute(
        update(Intake)
        .where(Intake.id == intake_id, Intake.state != "done")
        .values(state="done", finished_at=datetime.now(UTC))
    )


async def progress(session: AsyncSession, intake_id: str) -> tuple[int, int]:
    """Workflows of the import that are started, and all of them."""
    query = select(func.count(Subscription.started_at), func.count()).where(
        Subscription.intake_id == intake_id
    )
    started, total = (await session.execute(query)).one()
    return started, total


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
