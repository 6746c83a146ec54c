"""What happens next to a subscription and until when it can be changed, in words: for the Temporal UI and `show`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from domain.local_time import in_words

if TYPE_CHECKING:
    from domain.messages import Life

HEADLINES = {
    "active": "Will renew",
    "cancelled": "Cancelled",
    "collecting": "Waits for money",
    "updating": "Paid, the license is being updated",
    "refused": "Refused by the vendor",
    "lapsed": "Lapsed",
    "expired": "Over",
}
"""What each state means to somebody who sees it for the first time."""

REASONS = {
    "NoCard": "credit does not pay for all of it and no card is saved",
    "CardDeclined": "the card was declined",
    "ConfirmationNeeded": "the customer has to confirm the payment with their bank, and has been written to",
    "PromiseBroken": "the promise time has passed; the update is still being tried, staff have been told",
    "NotPaidInTime": "nothing was paid by the end of the term",
    "UnknownKey": "the vendor does not know the license key",
    "RevokedKey": "the vendor has withdrawn the license key",
    "OrderNotPossible": "the vendor cannot carry the order out",
}
"""Codes of ours, as in the search attribute `FailureReason`."""

HOW_TO_CHANGE = (
    "*To change it:* send a signal (`cancel`, `resume`, `add_addons`, `payment_changed`), or press *Request "
    "Cancellation*, which means the same as `cancel`. Never *Terminate*: the license would not be renewed."
)


def next_step(life: Life) -> str:
    """One or two sentences: what comes next, when, and why."""
    plan, expires = life.plan, in_words(life.term.expires_on)
    match life.state:
        case "active":
            sentence = (
                f"Renews on {in_words(plan.renews_on)} for the term after {expires}; "
                f"can be cancelled through {in_words(plan.cancel_by)}."
            )
        case "cancelled":
            sentence = f"Will not renew: covered through {expires}, then it ends. Can be resumed until then."
        case "collecting":
            sentence = (
                f"The renewal is due and waits for money; unpaid at the end of {expires} the license lapses."
            )
        case "updating":
            promise = f"{life.promise_at:%Y-%m-%d %H:%M} UTC" if life.promise_at else "the promise time"
            sentence = f"Paid; the license is to be updated at the vendor by {promise}."
            if life.promise_broken:
                sentence += " That promise is broken; the update is still being tried."
        case "refused":
            sentence = (
                f"The vendor refused for good and the payment was given back. Covered through {expires}."
            )
        case "lapsed":
            sentence = (
                f"Not paid by {expires}; nothing was taken. A payment before {plan.late_until_at:%Y-%m-%d %H:%M} UTC "
                "renews it late."
            )
        case _:
            sentence = f"Ended; the license was covered through {expires}."
    if life.ends_after_next:
        sentence += " A late cancellation is kept: the subscription ends at the expiry after this renewal."
    return sentence


def why(failure: str) -> str:
    """A reason for waiting in words, with its code for whoever filters by it."""
    code, _, detail = failure.partition(":")
    said = REASONS.get(code, "see the last failure of the pending activity, or the audit")
    return f"{said} (`{code}`{f', the bank says {detail}' if detail else ''})"


def markdown(life: Life) -> str:
    """The current details of a workflow, in the Markdown that the Temporal UI shows: read by people new to it."""
    parts = [f"### {life.product}", f"**{HEADLINES[life.state]}.** {next_step(life)}"]
    if life.failure:
        parts.append(f"**Why it waits:** {why(life.failure)}.")
    parts += [_table("when", "what happens", _timeline(life)), *_said(life), HOW_TO_CHANGE]
    return "\n\n".join(parts)


def _timeline(life: Life) -> list[tuple[str, str]]:
    """The days of this term that are of interest, in order; times are UTC."""
    plan, term = life.plan, life.term
    renews = life.auto_renew
    rows = [(_at(at), f"reminder, {days} days before expiry") for days, at in plan.reminders]
    rows = [(f"~~{at}~~ sent", what) for at, what in rows[: life.reminders_sent]] + rows[
        life.reminders_sent :
    ]
    rows.append((f"through {in_words(plan.cancel_by)}", "a cancellation stops the coming renewal"))
    if renews:
        rows.append((_at(plan.renews_at), "renewal: credits are used, the card pays the rest"))
    if renews and life.state == "collecting":
        rows.append((" · ".join(f"{at:%d %b}" for at in plan.attempts), "the payment is tried again"))
    if life.soonest_promise_at is not None:
        rows.append((f"by {_at(life.soonest_promise_at)}", "promised: the license is updated at the vendor"))
    rows.append(
        (f"through {in_words(term.expires_on)}", f"the license is covered, since {in_words(term.starts_on)}")
    )
    if life.state == "lapsed":
        rows.append((f"until {_at(plan.late_until_at)}", "a payment still renews the license"))
    return rows


def _said(life: Life) -> list[str]:
    """The latest decision and the latest refused signal, where there are any."""
    parts = []
    if life.answers:
        last = life.answers[-1]
        parts.append(
            f"**Last request:** {last.kind} by {last.by}, received {_at(last.received_at)}: {last.sentence}"
        )
    if life.refusals:
        refused = life.refusals[-1]
        parts.append(f"**Last refused signal:** `{refused.signal}` at {_at(refused.at)}: {refused.reason}")
    if life.open_orders:
        orders = ", ".join(f"{paid.kind}, promised by {_at(paid.promise_at)}" for paid in life.open_orders)
        parts.append(f"**Paid and to be done:** {orders}")
    return parts


def _table(left: str, right: str, rows: list[tuple[str, str]]) -> str:
    lines = [f"| {left} | {right} |", "| --- | --- |", *(f"| {a} | {b} |" for a, b in rows)]
    return "\n".join(lines)


def _at(instant: datetime) -> str:
    return f"{in_words(instant.date())}, {instant:%H:%M} UTC"
