"""Every message that crosses into or out of a workflow, and the names by which workflows are found.

Messages are frozen, carry no secret (no license key, no e-mail address) and name their units: `…_minor` is an
integer of minor units, `…_on` a date of the business's zone, `…_at` an aware instant. Fields are only ever added,
with a default: a message written a year ago must still be read.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.decisions import Outcome, Renewed
from domain.milestones import Milestones
from domain.term import Term

TASK_QUEUE = "evergreen"


def subscription_workflow_id(subscription_id: str) -> str:
    """The id of the one workflow that keeps a subscription's promise."""
    return f"subscription/{subscription_id}"


def refund_workflow_id(invoice: str, reference: str) -> str:
    """The id of the workflow that carries out one staff refund (R20)."""
    return f"refund/{invoice}/{reference}"


def card_refund_workflow_id(payment_id: str, standing: str) -> str:
    """The id of the workflow that looks at a card refund as the provider tells that it `succeeded` or `failed`."""
    return f"card-refund/{payment_id}/{standing}"


def intake_workflow_id(intake_id: str) -> str:
    """The id of the workflow that starts the subscriptions of one import (R26)."""
    return f"intake/{intake_id}"


class Message(BaseModel):
    """A value that crosses; unknown fields are ignored, so that old code reads what new code wrote."""

    model_config = ConfigDict(frozen=True)


# ---- what people and programs say to a subscription ----------------------------------------------------------------

Words = Annotated[str, Field(max_length=500)]
Channel = Literal["api", "by_hand"]


class Typed(Message):
    """A payload that a person may type by hand: an unknown field is a typing error and is refused, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Words = Field("", description="who asks, like `support:jo` or `customer`")
    request_id: Words = Field(
        "", description="the same id again changes nothing and is answered the same (R10)"
    )


class Cancel(Typed):
    """Do not renew (R7, R8)."""

    reason: Words = Field("", description="why, for the audit")


class Resume(Typed):
    """Renew after all (R9)."""


class PaymentChanged(Typed):
    """A new card or credit is there: collect now if money is waited for (R22)."""


class AddAddons(Typed):
    """Add these add-ons to the license now (R14). With a quote exactly what it says is charged, or nothing (R15)."""

    addons: tuple[Words, ...] = Field(
        min_length=1, max_length=20, description="names, as the catalogue has them"
    )
    quote_id: Words = Field("", description="the quote that is accepted; empty: quote and proceed")


class Upgrade(Typed):
    """Staff accepted another size or edition: order it, to be paid by the customer (R27)."""

    edition: Words = Field(description="the edition it shall have")
    size: Words = Field(description="the size it shall have")
    price_minor: int | None = Field(
        None, ge=0, description="a stated net price; none: the difference, prorata"
    )
    reason: Words = Field("", description="why, for the audit")


class OrderPaid(Typed):
    """The customer wants an open order paid now, with credits and the saved card."""

    order_id: Words = Field(description="the order")


class ChangeAtRenewal(Typed):
    """What the next renewal leaves out or makes smaller; replaces what was said before. Empty: nothing."""

    drop_addons: tuple[Words, ...] = Field((), max_length=20, description="add-ons to leave out")
    edition: Words | None = Field(None, description="a smaller edition from then on")
    size: Words | None = Field(None, description="a smaller size from then on")


class LicenseUpdated(Typed):
    """Staff have news of a license update: it is done, refused, or to be done another way (R23, R24)."""

    update_id: Words = Field(description="the license update")
    expires_on: date | None = Field(
        None, description="done: the last covered day as the vendor's own record shows it"
    )
    refusal: Words = Field("", description="refused for good: why")
    channel: Channel | None = Field(None, description="to be done this way from now on")


class Decision(Message):
    """The answer to a cancel or resume (R7–R10). All dates are inclusive days of the business's zone."""

    kind: Literal["cancel", "resume"]
    outcome: Outcome
    received_at: datetime = Field(description="when the request was received (R3)")
    cancel_by: date = Field(
        description="last day on which a cancellation stopped the renewal it was about (R2)"
    )
    effective_on: date = Field(description="last covered day, or for a resume the renewal date")
    by: str
    request_id: str = ""
    sentence: str = Field(description="the answer in words, for the customer")


class Refused(Message):
    """A signal that could not be understood or taken; kept so that whoever sent it sees why."""

    at: datetime
    signal: str
    reason: str


# ---- the life of a subscription ------------------------------------------------------------------------------------


class State(StrEnum):
    """Where a subscription stands; also its search attribute and the state of its row."""

    ACTIVE = "active"  # will renew
    CANCELLED = "cancelled"  # covered to the end of the term, then ends
    COLLECTING = "collecting"  # renewal due, money is waited for
    UPDATING = "updating"  # paid, the license is being updated at the vendor
    REFUSED = "refused"  # the vendor's final no; refunded; staff have it
    LAPSED = "lapsed"  # not paid by the end of the term; a payment within 30 days renews late
    EXPIRED = "expired"  # cancelled and over


class Paid(Message):
    """An order that is paid, and until when its license update is promised (R5)."""

    order_id: str
    update_id: str = Field("", description="the license update that is owed for it")
    kind: Literal["renewal", "addon", "upgrade"] = "renewal"
    channel: Channel = Field("api", description="how the vendor is reached for it")
    paid_at: datetime
    warn_at: datetime | None = Field(None, description="when staff are warned that the promise is near")
    promise_at: datetime


class Life(Message):
    """All that one run of the workflow hands to the next. One run covers one term."""

    subscription_id: str
    customer_id: str
    product: str = Field(description="product, edition and size in words")
    term: Term
    months: int = 12
    anchor_day: int = Field(description="day of the month on which terms end, clamped to the month (R1)")
    plan: Milestones
    renewed: Renewed | None = Field(None, description="the term before, whose days may still run (R8)")
    state: State = State.ACTIVE
    auto_renew: bool = True
    ends_after_next: bool = Field(False, description="a late cancellation is kept for the next expiry (R8)")
    reminders_sent: int = 0
    round: int = Field(1, description="goes up when this term's renewal was given back and is tried anew")
    promise_at: datetime | None = None
    promise_broken: bool = False
    failure: str | None = Field(None, description="why money or license is waited for, a code of ours")
    open_orders: tuple[Paid, ...] = Field(
        (), description="paid add-ons and upgrades, to be done in this order"
    )
    unpaid_orders: tuple[str, ...] = Field((), description="upgrades that wait to be paid, oldest first")
    answers: tuple[Decision, ...] = Field((), description="the latest decisions, newest last; bounded")
    refusals: tuple[Refused, ...] = Field((), description="the latest refused signals, newest last; bounded")

    @property
    def soonest_promise_at(self) -> datetime | None:
        """The soonest promise time of all that is paid and not done yet."""
        promises = [paid.promise_at for paid in self.open_orders]
        return min([*promises, self.promise_at] if self.promise_at else promises, default=None)


class Ending(Message):
    """How a subscription's workflow ended."""

    subscription_id: str
    state: State
    expires_on: date


class QuoteLine(Message):
    """One line of a quote; a discount's amount is below zero."""

    kind: str
    description: str
    amount_minor: int
    days: int | None = None
    term_days: int | None = None
    rate_bp: int | None = None


class CreditUse(Message):
    """What would be used of one grant."""

    grant_id: str
    amount_minor: int


class Quote(Message):
    """What a change of the license costs now (R15). Holds until local midnight; charged to the penny, or not at all."""

    quote_id: str
    subscription_id: str
    addons: tuple[str, ...]
    term: Term = Field(description="whose remaining days are charged")
    next_term: Term | None = Field(None, description="charged whole, as its renewal is settled already (R14)")
    currency: str
    lines: tuple[QuoteLine, ...]
    total_minor: int
    credits: tuple[CreditUse, ...]
    credits_minor: int
    remainder_minor: int
    promise_at: datetime = Field(description="when the license is updated by, if paid now (R5)")
    at: datetime
    lapses_at: datetime


class OrderAnswer(Message):
    """What became of a wish to change the license."""

    outcome: Literal["accepted", "to_be_paid", "refused"]
    reason: str = Field("", description="refused: why, and what can be done")
    order_id: str | None = None
    invoice: str | None = Field(None, description="its number")
    quote: Quote | None = Field(
        None, description="what is charged; refused: a new one, where one can be made"
    )
    paid: Paid | None = None
    by: str = ""
    request_id: str = ""


class Status(Message):
    """The answer to the `status` query."""

    subscription_id: str
    state: State
    product: str
    term: Term
    plan: Milestones
    auto_renew: bool
    ends_after_next: bool
    next_step: str = Field(description="what happens next, when and why, in words")
    promise_at: datetime | None
    promise_broken: bool
    last_failure: str | None
    decision: Decision | None
    refusals: tuple[Refused, ...]
    open_orders: tuple[Paid, ...] = ()
    unpaid_orders: tuple[str, ...] = ()
    last_order: OrderAnswer | None = None
