"""What workflows ask of activities, and what they are answered: one frozen message per crossing.

The same promises as in `domain.messages`: no secret, units in the names, fields only ever added.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from domain.messages import (
    AddAddons,
    ChangeAtRenewal,
    Channel,
    Decision,
    LicenseUpdated,
    Message,
    OrderAnswer,
    Paid,
    Refused,
    State,
    Upgrade,
)
from domain.milestones import Milestones
from domain.term import Term


class Reminder(Message):
    """Tell the customer of the coming renewal (R6)."""

    subscription_id: str
    term: Term
    days_before: int
    plan: Milestones
    at: datetime


class Receipt(Message):
    """When and by whom the server says that a request was received (R3)."""

    received_at: datetime
    identity: str


class ReceiptQuestion(Message):
    """Which event of which run: the `ordinal`-th readable signal of that name, or the cancel request of the run."""

    workflow_id: str
    run_id: str
    signal: str | None = Field(description="the signal's name; None for Temporal's own cancel request")
    ordinal: int = Field(1, description="counts from 1")


class DecisionRecord(Message):
    """A decision to be written down and told (R7–R10, R29)."""

    subscription_id: str
    term: Term
    decision: Decision
    reason: str
    state: State
    auto_renew: bool
    ends_after_next: bool
    at: datetime
    key: str = Field("", description="tells this request from every other, also from one taken up with it")


class RefusalRecord(Message):
    """A refused signal to be audited (R29)."""

    subscription_id: str
    refused: Refused
    key: str = Field("", description="tells this refusal from every other, also from one taken up with it")


class SettleRequest(Message):
    """Settle the renewal of `term` into the term that follows it (R21)."""

    subscription_id: str
    term: Term
    next_term: Term
    round: int
    renews_on: date = Field(description="the date whose prices hold (R12)")
    late: bool = Field(False, description="the term is over: all or nothing (R22)")
    at: datetime


class Settlement(Message):
    """How far an order is paid: `paid` when nothing is due any more, else `failure` says why not."""

    order_id: str | None = Field(None, description="none: nothing was ordered, for it cannot be paid")
    currency: str
    total_minor: int
    due_minor: int
    paid: Paid | None = None
    failure: str | None = None
    card: bool = Field(False, description="a card is there that may pay the rest")


class ChargeRequest(Message):
    """Take what is due on an order from the saved card (R21, R22)."""

    subscription_id: str
    order_id: str
    mode: Literal["scheduled", "fresh", "withdraw"] = "scheduled"
    at: datetime


class CardRefunds(Message):
    """Card refunds that are written down and have still to be carried out (R20)."""

    payment_ids: tuple[str, ...] = ()


class RefundRequest(Message):
    """Give back an invoice, or part of it, as staff decided (R20)."""

    invoice: str = Field(description="its number")
    amount_minor: int | None = Field(None, description="none: all that is left")
    reference: str = Field(description="tells this refund from another of the same invoice")
    by: str
    reason: str
    at: datetime


class CardRefund(Message):
    """One card refund to be carried out; or looked at again, as the provider has news of it."""

    payment_id: str
    at: datetime
    news: bool = Field(False, description="it may have turned out otherwise than it seemed")


class LicenseChange(Message):
    """Update the license for a paid order, at the vendor, and read it back (R23, R24)."""

    order_id: str
    at: datetime


class Proof(Message):
    """What the vendor's own record shows after the update (R24)."""

    expires_on: date
    addons: tuple[str, ...]
    title: str = Field("", description="product, edition and size as they are now; empty: as they were")


class UpdateRecord(Message):
    """A proved update to be written down."""

    subscription_id: str
    order_id: str
    proof: Proof
    at: datetime


class TermRecord(UpdateRecord):
    """A proved renewal to be written down; the next term begins."""

    next_term: Term
    auto_renew: bool


class TermNote(Message):
    """Something about one term, and why: it ended unpaid."""

    subscription_id: str
    term: Term
    reason: str
    at: datetime


class LapseNote(TermNote):
    """The term ended unpaid; a payment until then still renews (R22)."""

    late_until_at: datetime


class OrderNote(TermNote):
    """Something about one order, and why: its promise is broken, or it is to be given back."""

    order_id: str


class EndRecord(Message):
    """The subscription's state at or after the end of its term."""

    subscription_id: str
    term: Term
    state: State
    at: datetime


class PlanRequest(Message):
    """Plan the milestones of a term."""

    subscription_id: str
    term: Term
    renews_on: date | None = None


class IntakeRequest(Message):
    """Start the workflows of an import's stored subscriptions (R26)."""

    intake_id: str
    started: int = 0


class IntakeChunk(Message):
    """How many were started by one activity, and how many are left."""

    started: int
    left: int


class IntakeResult(Message):
    """The end of an import."""

    intake_id: str
    started: int


class AddonOrder(Message):
    """Order add-ons for a subscription (R14, R15)."""

    subscription_id: str
    request: AddAddons
    at: datetime


class UpgradeOrder(Message):
    """Order another size or edition (R27)."""

    subscription_id: str
    request: Upgrade
    at: datetime


class RenewalChange(Message):
    """Write down what the next renewal changes."""

    subscription_id: str
    request: ChangeAtRenewal
    at: datetime


class Ordered(Message):
    """An order that was written down, and how far credits have paid it; or why it was not."""

    answer: OrderAnswer
    settlement: Settlement | None = None


class UpdateReport(Message):
    """Staff's news of a license update, to be checked and written down."""

    subscription_id: str
    report: LicenseUpdated
    at: datetime


class UpdateStanding(Message):
    """How a license update stands after staff's news."""

    channel: Channel
    proof: Proof | None = None
    refusal: str | None = None
