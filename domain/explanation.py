"""Why things are as they are with a subscription, and what comes next: a timeline, each line with rule and reason.

The words of a line are `domain.timeline`'s, as on the customer's page. Here each is given the rule of the business that
it follows and the reason why it happened, or will.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from domain import timeline
from domain.local_time import in_words
from domain.money import format_minor

if TYPE_CHECKING:
    from domain.messages import Life

Source = Literal["intake", "audit", "order", "ledger", "notice", "history", "plan"]

AUDITED = {
    "cancel": "R7, R8",
    "resume": "R9",
    "renew": "R1, R24",
    "license_updated": "R24",
    "update_report": "R23",
    "promise_broken": "R23",
    "lapse": "R22",
    "end": "R7, R22",
    "refund": "R20",
    "void_order": "R20",
    "refused_signal": "R10",
    "change_at_renewal": "R21",
    "reveal_license_key": "R28",
    "order_addon": "R14, R15",
    "order_upgrade": "R27",
    "purchase": "R19",
}
"""The rules behind a line of the audit."""

MOVED = {
    "grant": ("R17", "credit was put on the account"),
    "use": ("R18", "credits are used in the order of priority, expiry, kind and age"),
    "charge": ("R21", "what credits did not cover was taken from the saved card"),
    "refund": ("R20", "a payment went back to where it came from"),
    "reverse": ("R20", "a movement was taken back"),
    "expire": ("R18", "a grant is usable through the end of its expiry date"),
    "convert": ("R19", "what the discount left of a purchase became promotional credit"),
    "invoice": ("R21", "the order was invoiced"),
    "void": ("R20", "the invoice was taken back"),
}
"""Rule and reason of a movement of the ledger, by its kind."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an explanation."""

    at: datetime
    what: str
    rule: str
    why: str
    source: Source
    by: str = ""
    coming: bool = False

    def as_document(self) -> dict[str, Any]:
        """The line as JSON values."""
        return {name: getattr(self, name) for name in ("at", "what", "rule", "why", "source", "by", "coming")}


def audited(at: datetime, actor: str, action: str, details: Mapping[str, Any], reason: str | None) -> Line:
    """A line of the audit (R29)."""
    told = timeline.audited(action, details)
    words = action.replace("_", " ")
    why = reason or ""
    if action in ("cancel", "resume") and "outcome" in details:
        why = f"{details['outcome']}: received {details['received_at']}, cancel-by {details['cancel_by']}"
        why += f"; reason given: {reason}" if reason else ""
        told = told or (str(details.get("sentence", words)), "plain")
    text = told[0] if told is not None else f"{words[0].upper()}{words[1:]}."
    return Line(at, text, AUDITED.get(action, "R29"), why, "audit", by=actor)


def moved(at: datetime, kind: str, what_minor: int, currency: str, key: str) -> Line:
    """A movement of the ledger that touches the subscription's orders or the customer's credits (R17)."""
    rule, why = MOVED[kind]
    amount = format_minor(abs(what_minor), currency)
    return Line(at, f"Ledger: {kind} of {amount}.", rule, f"{why} (key {key})", "ledger")


def told(at: datetime, kind: str, audience: str, sent_at: datetime | None) -> Line:
    """A letter of the outbox (R6)."""
    sent = "" if sent_at is not None else "; it waits in the outbox"
    whom = "We wrote to staff" if audience == "staff" else "We wrote"
    return Line(
        at, f"{whom}: {kind.replace('_', ' ')}.", "R6", f"each kind goes out once a term{sent}", "notice"
    )


def coming(life: Life, now: datetime, price: tuple[int, int, str] | None) -> list[Line]:
    """What is to come by the workflow's own plan, in order."""
    lines = []
    for event in timeline.coming(life, now, price):
        rule, why = _planned(life, event.at)
        lines.append(Line(event.at, event.text, rule, event.detail or why, "plan", coming=True))
    return lines


def _planned(life: Life, at: datetime) -> tuple[str, str]:
    """Rule and reason of an instant of the plan."""
    plan, expires = life.plan, in_words(life.term.expires_on)
    if at == plan.cancel_until:
        return "R2, R3", f"counted back from the expiry, {expires}; what counts is when it is received"
    if at == plan.renews_at:
        return "R4, R21", f"the days from then to {expires} are the time to collect a payment that fails"
    if at in plan.attempts:
        return "R22", life.failure or "a payment that failed is tried again"
    if at == plan.term_ends_at:
        return ("R7" if life.state == "cancelled" else "R1"), f"the term covers {expires} to its end"
    if at == plan.late_until_at:
        return "R22", "a payment within 30 days after the expiry renews late"
    if at == life.soonest_promise_at:
        return "R5, R23", "the end of the next working day after the payment"
    return "R6", "reminders go out so many days before the expiry"
