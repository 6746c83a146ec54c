"""Taking out of a copied book what could reach the outside: e-mail addresses, keys, cards and who holds them.

The license keys stay sealed as they are and are never opened; a forecast has keys of its own making, which the sandbox
vendor knows. Names are taken out too: a report looks them up in the real book.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.license_keys import KeyRing
from db.models.customer import Customer
from db.models.invoice import Invoice
from db.models.license import License
from db.models.payment import Payment
from db.subscriptions import Held
from domain.draws import drawn
from forecast.assumptions import Assumptions
from sandbox.payments_cards import CARDS

PAYS = "pm_card_visa"
DECLINES = {"soft": "pm_card_chargeDeclined", "hard": "pm_card_chargeDeclinedLostCard"}
NOBODY = "forecast.invalid"
"""A domain that cannot exist: were a letter sent by mistake, nobody would get it."""

EARLIER = "an earlier card"


async def disguise(
    session: AsyncSession,
    book: list[Held],
    declined: Mapping[str, str],
    assumptions: Assumptions,
    key_ring: KeyRing,
) -> list[dict[str, Any]]:
    """Change the copied rows; answers the licenses as the sandbox vendor is to register them."""
    customers = {held.customer.id: held.customer for held in book}
    for customer in customers.values():
        await _disguise(session, customer, declined.get(customer.id), assumptions)
    return [_with_own_key(held.license, key_ring) for held in book]


async def _disguise(
    session: AsyncSession, customer: Customer, declined: str | None, assumptions: Assumptions
) -> None:
    token, card = customer.card_token, None
    if token is not None:
        customer.card_token = card = _card(token, declined, customer.email, assumptions)
    tried = select(Invoice.id).where(Invoice.customer_id == customer.id)
    await session.execute(
        update(Payment)
        .where(Payment.invoice_id.in_(tried))
        .values(payment_method=case((Payment.payment_method == token, card), else_=EARLIER))
    )
    customer.email, customer.name = f"{customer.id}@{NOBODY}", customer.id
    customer.provider_customer_id = None


def _card(token: str, declined: str | None, email: str, assumptions: Assumptions) -> str:
    """A test card that does what this one is expected to do."""
    rate_bp = assumptions.decline_rate_bp
    if rate_bp is not None and drawn(assumptions.seed, email, rate_bp):
        return DECLINES["soft"]
    if declined is not None:
        return DECLINES[declined]
    return token if token in CARDS else PAYS


def _with_own_key(license: License, key_ring: KeyRing) -> dict[str, Any]:
    key = f"FORECAST-{license.id}"
    license.key_ciphertext = key_ring.seal(key, license.id)
    license.fingerprint = key_ring.fingerprint(key)
    return {
        "license_key": key,
        "product": license.product,
        "edition": license.edition,
        "size": license.size,
        "addons": list(license.addons),
        "expires_on": license.vendor_expires_on.isoformat(),
    }
