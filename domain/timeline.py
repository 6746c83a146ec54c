"""What happened to a subscription, what will happen, and until when it can be changed: one list, in words.

Pure: what happened comes from the tables (``db.timeline``), what comes next from the plan. The sentences are those
of decisions, letters and the Temporal UI wherever these have one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from domain.local_time import in_words
from domain.money import format_minor

if TYPE_CHECKING:
    from domain.messages import Life

KINDS = {"renewal": "The renewal", "addon": "An add-on", "upgrade": "The upgrade"}
"""What an order is, to begin a sentence with."""

Tone = Literal["plain", "letter", "problem", "last_chance"]


@dataclass(frozen=True, slots=True)
class Event:
    """One line. Of a `whole_day` only the day of `at` is told; `coming` has not happened yet."""

    at: datetime
    text: str
    detail: str = ""
    tone: Tone = "plain"
    by: str = ""
    """Who did it, as the audit has it; empty: nobody in particular."""
    coming: bool = False
    whole_day: bool = False


def in_order(events: Iterable[Event]) -> list[Event]:
    """Oldest first; what happens at the same instant in the order given."""
    return sorted(events, key=lambda event: event.at)


def audited(action: str, details: Mapping[str, Any]) -> tuple[str, Tone] | None:
    """What a line of the audit says to a reader; None for what is told elsewhere or is nobody's business."""
    match action:
        case "cancel" | "resume":
            sentence = str(details.get("sentence", ""))
            return (sentence, "plain") if sentence and details.get("outcome") != "no_change" else None
        case "renew":
            return f"Renewed: the license now runs to {_day(details.get('to'))}.", "plain"
        case "license_updated":
            added = ", ".join(details.get("addons") or ())
            return f"The license was updated at the vendor{f'; it has {added}' if added else ''}.", "plain"
        case "promise_broken":
            return "The license should have been updated by now; it is still being tried.", "problem"
        case "change_at_renewal":
            return _at_renewal(details), "plain"
        case "reveal_license_key":
            return "The license key was shown.", "plain"
        case "void_order":
            return "The order was not paid, so it was taken back.", "problem"
        case "refund":
            return "Money was given back.", "plain"
        case "end":
            return "The subscription ended.", "plain"
        case "refused_signal":
            return "A request could not be understood and changed nothing.", "problem"
    return None


def ordered(kind: str, addons: Iterable[str], invoice: str | None, total: str) -> str:
    """An order, as its first line says it."""
    return f"{_what(kind, addons)} was ordered{f': {total}, invoice {invoice}' if invoice else ''}."


def paid(kind: str, addons: Iterable[str]) -> str:
    """An order that is paid."""
    return f"{_what(kind, addons)} is paid."


def _what(kind: str, addons: Iterable[str]) -> str:
    names = ", ".join(addons)
    return names if kind == "addon" and names else KINDS[kind]


def coming(life: Life, now: datetime, price: tuple[int, int, str] | None = None) -> list[Event]:
    """What is to come of this term, in order; ``price`` is total and credits of the renewal, and their currency."""
    plan, events = life.plan, list[Event]()
    renews = life.state == "active"
    if renews:
        events += [
            Event(at, f"We remind you by mail, {days} days before the license expires.", coming=True)
            for days, at in plan.reminders
        ]
        events.append(
            Event(
                plan.cancel_until,
                f"Last day to cancel: {in_words(plan.cancel_by)}, until midnight.",
                "Cancelled by then, this renewal does not happen. Later, the cancellation counts for the next one.",
                tone="last_chance",
                coming=True,
                whole_day=True,
            )
        )
        events.append(Event(plan.renews_at, "The renewal is paid and ordered.", _price(price), coming=True))
    if life.state == "collecting":
        events += [Event(at, "We try to collect the payment again.", coming=True) for at in plan.attempts]
    if (promise := life.soonest_promise_at) is not None:
        events.append(Event(promise, "The license is updated by now: that is our promise.", coming=True))
    events += _ends(life)
    return in_order(event for event in events if event.at > now)


def _ends(life: Life) -> list[Event]:
    """How the term ends."""
    plan, last_day = life.plan, in_words(life.term.expires_on)
    match life.state:
        case "cancelled":
            text, detail = (
                f"Covered through {last_day}; then the subscription ends.",
                "Until then you can resume it.",
            )
        case "collecting":
            text, detail = (
                f"Unpaid at the end of {last_day}, the license lapses.",
                "Nothing is taken in that case.",
            )
        case "lapsed":
            text, detail = "Last moment to renew late.", "After that the subscription ends."
            return [Event(plan.late_until_at, text, detail, tone="last_chance", coming=True)]
        case "active" if life.ends_after_next:
            text = f"The next term begins after {last_day}, and is the last."
            detail = "The late cancellation is kept."
        case "active" | "updating":
            text, detail = f"This term ends with {last_day}, and the next one begins.", ""
        case _:
            return []
    return [Event(plan.term_ends_at, text, detail, coming=True, whole_day=True)]


def _price(price: tuple[int, int, str] | None) -> str:
    if price is None:
        return ""
    total_minor, credits_minor, currency = price
    whole = f"{format_minor(total_minor, currency)} with tax"
    if not credits_minor:
        return f"{whole}, from your card."
    if credits_minor == total_minor:
        return f"{whole}, all from your credits."
    rest = format_minor(total_minor - credits_minor, currency)
    return f"{whole}: {format_minor(credits_minor, currency)} from your credits, {rest} from your card."


def _at_renewal(details: Mapping[str, Any]) -> str:
    dropped = ", ".join(details.get("drop_addons") or ())
    smaller = " ".join(str(details[name]) for name in ("edition", "size") if details.get(name))
    parts = [f"leaves out {dropped}"] if dropped else []
    parts += [f"makes it {smaller}"] if smaller else []
    return (
        f"The next renewal {' and '.join(parts)}."
        if parts
        else "The next renewal keeps the license as it is."
    )


def _day(iso: object) -> str:
    return in_words(date.fromisoformat(str(iso)))
