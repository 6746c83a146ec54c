"""Recording renewals that were bought before the move to this system (R19), once for each reference.

The key is added if it is new and what was paid becomes `purchase` credit for that license. To turn auto-renewal on
again is for its workflow, which the caller asks after the commit. What the renewal leaves of the credit becomes
promotional when it is settled: `db.credit_use.convert_rest`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import arrivals, audit, grants, intakes, subscriptions
from db.arrivals import Storing
from db.intakes import Counts
from db.license_keys import KeyRing, last_four
from db.models.audit import AuditRecord
from db.models.ledger import CreditGrant
from db.models.license import License
from db.purchase_refusals import KeyUnknown, PurchaseRefused, ReferenceTaken, refuse_another, refuse_other
from db.subscriptions import Held, held_query
from domain.intake_problem import Problem
from domain.purchase import Purchase


@dataclass(frozen=True, slots=True)
class Recorded:
    """The purchase as it is here now, and what its subscription's workflow has still to be told."""

    line: int
    reference: str
    new: bool
    """It was recorded just now; else it was here before, and nothing was changed."""
    taken_new_key: bool
    grant_id: str
    customer_id: str
    subscription_id: str
    window_closed: bool
    """A new key whose coming renewal cannot be stopped any more (R26)."""
    auto_renew: bool
    resume: bool
    """Auto-renewal was off when the purchase was recorded, and its workflow has not answered `request_id` yet (R9)."""
    waits_for_money: bool
    """The renewal is due and unpaid: the workflow should collect now (R22)."""
    over: bool
    """The subscription has ended: the credit is there, but to be renewed the license needs a request (R27)."""

    @property
    def request_id(self) -> str:
        """By which the workflow knows a repeated request to resume (R10)."""
        return _key(self.reference)


@dataclass
class Stored:
    """What became of the good purchases of a file, in its order."""

    recorded: list[Recorded] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)


async def is_here(session: AsyncSession, key_ring: KeyRing, license_key: str) -> bool:
    """Whether a subscription has this key, so that a purchase for it need not describe the license."""
    return await _held(session, key_ring.fingerprint(license_key)) is not None


async def store(session: AsyncSession, storing: Storing, purchases: Iterable[Purchase]) -> Stored:
    """Record the purchases of a file under an intake, which starts the workflows of the new keys (R26).

    Those refused leave no trace. Whether the others are wanted then is for the caller: it commits or rolls back.
    """
    stored, counts = Stored(), Counts()
    await intakes.begin(session, storing)
    for chunk in intakes.chunks(purchases):
        # In the order in which an import adds customers: two at a time wait for each other instead of deadlocking.
        for purchase in sorted(chunk, key=lambda purchase: purchase.customer_email or ""):
            counts.rows += 1
            try:
                async with session.begin_nested():
                    recorded = await record(session, storing, purchase)
            except PurchaseRefused as no:
                stored.refused.append(Problem(purchase.line, no.column, no.reason, no.mend))
                continue
            stored.recorded.append(recorded)
            counts.taken += recorded.new
            counts.unchanged += not recorded.new
            counts.flagged += recorded.window_closed
    await intakes.count(session, storing.intake_id, counts)
    stored.recorded.sort(key=lambda recorded: recorded.line)
    stored.refused.sort(key=lambda problem: problem.line)
    return stored


async def record(session: AsyncSession, storing: Storing, purchase: Purchase) -> Recorded:
    """Record one purchase in the caller's transaction; the same reference again changes nothing (R19).

    A new key is started by `storing`'s intake, which must be there before it. Raises `PurchaseRefused`: the caller
    then rolls back to where it was.
    """
    if await _granted(session, purchase) is not None:
        return await _repeated(session, storing, purchase)
    held, taken_new_key = await _held_or_added(session, storing, purchase)
    refuse_another(held, purchase)
    try:
        granted = await grants.grant(
            session,
            held.customer.id,
            "purchase",
            purchase.amount_minor,
            purchase.currency,
            reference=_key(purchase.reference),
            reason="a renewal bought before the move (R19)",
            by=storing.requested_by,
            at=storing.at,
            for_subscription_id=held.subscription.id,
        )
    except grants.ReferenceTaken:
        return await _repeated(session, storing, purchase)
    if not granted.new:  # somebody recorded it since we looked
        return await _repeated(session, storing, purchase)
    await _mark_previous(session, storing, held, purchase)
    await _audit(session, storing, held, purchase, granted.grant_id, taken_new_key)
    return _recorded(
        held, purchase, granted.grant_id, resume=_is_off(held), new=True, taken_new_key=taken_new_key
    )


async def _held_or_added(session: AsyncSession, storing: Storing, purchase: Purchase) -> tuple[Held, bool]:
    """The subscription of the key, and whether it was made just now."""
    fingerprint = storing.key_ring.fingerprint(purchase.license_key)
    if (held := await _held(session, fingerprint)) is not None:
        return held, False
    arrived = None
    if purchase.license is not None:
        arrived = await arrivals.take(session, storing, [purchase.license])
        held = await _held(session, fingerprint)
    if arrived is None or held is None:
        reason = f"no subscription has the key ending in {last_four(purchase.license_key)}"
        raise KeyUnknown(
            "license_key", reason, "Describe the license and its customer, or have it requested."
        )
    return held, fingerprint in arrived.new


async def _held(session: AsyncSession, fingerprint: bytes) -> Held | None:
    row = (await session.execute(held_query().where(License.fingerprint == fingerprint))).one_or_none()
    return Held(*row) if row is not None else None


async def _granted(session: AsyncSession, purchase: Purchase) -> CreditGrant | None:
    by_reference = select(CreditGrant).where(CreditGrant.reference == _key(purchase.reference))
    return (await session.scalars(by_reference)).one_or_none()


async def _repeated(session: AsyncSession, storing: Storing, purchase: Purchase) -> Recorded:
    """The purchase that the reference stands for, if it is this one. Raises `ReferenceTaken`, naming both."""
    granted = await _granted(session, purchase)
    if granted is None or granted.for_subscription_id is None:
        reason = "the reference stands for a credit that was not granted for a purchase"
        raise ReferenceTaken("reference", reason, "Give the purchase another reference.")
    held = await subscriptions.held(session, granted.for_subscription_id)
    refuse_other(granted, held, purchase, storing.key_ring)
    resume = _is_off(held) and await _still_to_resume(session, held, purchase)
    return _recorded(held, purchase, granted.id, resume=resume)


async def _mark_previous(session: AsyncSession, storing: Storing, held: Held, purchase: Purchase) -> None:
    """Previous customers earn the loyalty rate (R13); nobody loses the mark by a purchase that does not say so."""
    if not purchase.previous_customer or held.customer.previous_customer:
        return
    held.customer.previous_customer = True
    await audit.record(
        session,
        actor=storing.requested_by,
        action="mark_previous_customer",
        subject=held.customer.id,
        at=storing.at,
        reason=f"stated with purchase {purchase.reference}",
    )


async def _audit(
    session: AsyncSession,
    storing: Storing,
    held: Held,
    purchase: Purchase,
    grant_id: str,
    taken_new_key: bool,
) -> None:
    await audit.record(
        session,
        actor=storing.requested_by,
        action="purchase",
        subject=held.subscription.id,
        at=storing.at,
        details={
            "reference": purchase.reference,
            "grant": grant_id,
            "amount_minor": purchase.amount_minor,
            "currency": purchase.currency,
            "new_license": taken_new_key,
            "auto_renew_was_off": _is_off(held),
        },
        key=_key(purchase.reference),
    )


async def _still_to_resume(session: AsyncSession, held: Held, purchase: Purchase) -> bool:
    """Whether whoever recorded the purchase died before asking: a later cancellation must not be undone by a repeat."""
    key = _key(purchase.reference)
    was_off = exists().where(AuditRecord.key == key, AuditRecord.details["auto_renew_was_off"].as_boolean())
    answered = exists().where(
        AuditRecord.subject == held.subscription.id,
        AuditRecord.action == "resume",
        AuditRecord.details["request_id"].as_string() == key,
    )
    return bool(await session.scalar(select(was_off & ~answered)))


def _recorded(
    held: Held,
    purchase: Purchase,
    grant_id: str,
    *,
    resume: bool,
    new: bool = False,
    taken_new_key: bool = False,
) -> Recorded:
    row = held.subscription
    return Recorded(
        line=purchase.line,
        reference=purchase.reference,
        new=new,
        taken_new_key=taken_new_key,
        grant_id=grant_id,
        customer_id=held.customer.id,
        subscription_id=row.id,
        window_closed=taken_new_key and purchase.window_closed,
        auto_renew=row.auto_renew,
        resume=resume,
        waits_for_money=row.state in ("collecting", "lapsed") and not _is_over(held),
        over=_is_over(held),
    )


def _is_off(held: Held) -> bool:
    return not held.subscription.auto_renew and not _is_over(held)


def _is_over(held: Held) -> bool:
    """While a late payment can still renew a lapsed one, it is on auto-renewal (R22)."""
    row = held.subscription
    return row.state == "expired" or (row.state == "lapsed" and not row.auto_renew)


def _key(reference: str) -> str:
    """The purchase's name for ever: of its grant, its audit line and its request to resume."""
    return f"purchase/{reference}"
