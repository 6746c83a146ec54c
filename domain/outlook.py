"""What happens next to a subscription and until when it can be changed, in words: for the Temporal UI and `show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.local_time import in_words

if TYPE_CHECKING:
    from domain.messages import Life


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


def markdown(life: Life) -> str:
    """The current details of a workflow, in the Markdown that the Temporal UI shows."""
    plan = life.plan
    rows = [
        f"### {life.product}",
        f"**{life.state.upper()}** — {next_step(life)}",
        "",
        "| | |",
        "| --- | --- |",
        f"| term | {life.term.starts_on} … {life.term.expires_on} |",
        f"| cancel by | {plan.cancel_by} (until {plan.cancel_until:%Y-%m-%d %H:%M} UTC) |",
        f"| renewal date | {plan.renews_on} |",
        f"| auto-renew | {'on' if life.auto_renew else 'off'} |",
    ]
    if life.failure:
        rows.append(f"| waiting because | {life.failure} |")
    if life.answers:
        last = life.answers[-1]
        rows.append(
            f"| last decision | {last.kind}: {last.outcome}, received {last.received_at:%Y-%m-%d %H:%M:%S} UTC |"
        )
    if life.refusals:
        refused = life.refusals[-1]
        rows.append(
            f"| last refused signal | {refused.signal} at {refused.at:%Y-%m-%d %H:%M} UTC: {refused.reason} |"
        )
    return "\n".join(rows)
