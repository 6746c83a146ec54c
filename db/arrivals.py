"""Licenses that come to us: their customers, the keys that are new, and the subscriptions made for those (R26).

Who sends them and what was paid for them is the caller's: an import, or purchases made before the move (R19).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from db.identifiers import new_id
from db.license_keys import KeyRing, last_four
from db.models.customer import Customer
from db.models.license import License
from db.models.subscription import Subscription
from domain import collection, term
from domain.intake_row import Row
from domain.milestones import Policy


@dataclass(frozen=True)
class Storing:
    """One intake on its way into the tables: who, what and when."""

    intake_id: str
    filename: str
    digest: bytes
    requested_by: str
    at: datetime
    key_ring: KeyRing
    policy: Policy


@dataclass(frozen=True, slots=True)
class Arrived:
    """What has become of some rows."""

    customer_ids: dict[str, str]
    """By e-mail address, of every row."""
    new: dict[bytes, str]
    """Fingerprint → subscription id of the keys that were not here before (R26)."""


async def take(session: AsyncSession, storing: Storing, rows: Sequence[Row]) -> Arrived:
    """Add the customers and licenses that are new, each license with its subscription, to be started by the intake.

    What is here already is left as it is. A key is there once in `rows`. Four statements however many rows.
    """
    customer_ids = await _customers(session, storing, rows)
    by_fingerprint = {storing.key_ring.fingerprint(row.license_key): row for row in rows}
    license_ids = await _licenses(session, storing, by_fingerprint, customer_ids)
    made = {
        fingerprint: _subscription(storing, row, license_ids[fingerprint], customer_ids[row.customer_email])
        for fingerprint, row in by_fingerprint.items()
        if fingerprint in license_ids
    }
    if made:
        await session.execute(insert(Subscription), list(made.values()))
    return Arrived(customer_ids, {fingerprint: str(values["id"]) for fingerprint, values in made.items()})


async def _customers(session: AsyncSession, storing: Storing, rows: Sequence[Row]) -> dict[str, str]:
    """E-mail address → customer id; new ones are made, known ones are left as they are.

    But for a card: one that any row of theirs names is the card of all their licenses, unless they have another.
    """
    by_email: dict[str, Row] = {}
    for row in rows:
        first = by_email.setdefault(row.customer_email, row)
        by_email[row.customer_email] = replace(
            first,
            card_token=first.card_token or row.card_token,
            previous_customer=first.previous_customer or row.previous_customer,
        )
    made = upsert(Customer)
    await session.execute(
        made.on_conflict_do_update(
            index_elements=["email"],
            set_={"card_token": made.excluded.card_token},
            where=Customer.card_token.is_(None) & made.excluded.card_token.is_not(None),
        ),
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
    session: AsyncSession, storing: Storing, by_fingerprint: dict[bytes, Row], customer_ids: dict[str, str]
) -> dict[bytes, str]:
    """Fingerprint → license id of the keys that were not here before (R26)."""
    values = []
    for fingerprint, row in sorted(by_fingerprint.items(), key=lambda one: one[0]):
        license_id = new_id("lic")
        values.append(
            {
                "id": license_id,
                "customer_id": customer_ids[row.customer_email],
                "key_ciphertext": storing.key_ring.seal(row.license_key, license_id),
                "fingerprint": fingerprint,
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
