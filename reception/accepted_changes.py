"""Another size or edition that was asked for with a request: an upgrade is ordered now, a downgrade noted (R27).

The decision is committed first and then carried out under the request's id: of two who decide only one has an effect,
and whoever is interrupted accepts the request again, which goes on with it.
"""

from __future__ import annotations

from typing import Any

import starter
from db import request_decisions, subscriptions
from db.requests import Listed, NotTheirs
from db.subscriptions import AmbiguousSubscription, Held, UnknownSubscription
from domain.messages import ChangeAtRenewal, OrderAnswer, Upgrade
from domain.money import NotMoney, parse_minor
from reception.acceptance import Accepted, Choice, Desk, NotAccepted, missing
from starter import NotRunning, RefusedByRule


async def change(desk: Desk, listed: Listed, choice: Choice) -> Accepted:
    """Decide, then carry out; what the workflow refuses leaves the request open.

    Raises RequestRefused, NotAccepted, Incomplete; NoWorker, when it is accepted but nobody has carried it out.
    """
    found = listed.request
    if found.state == "open":
        held = await _held(desk, listed, choice)
        chosen = _chosen(listed, held, choice)
        answer = choice.answer or _usual_answer(found.kind, held)
        async with desk.sessions.begin() as session:
            await request_decisions.decide(session, found.id, "accepted", desk.by, desk.at, answer, chosen)
    else:
        chosen = found.details.get("chosen", {})
        if any(
            choice.license.get(column, chosen[column]) != chosen[column] for column in ("edition", "size")
        ):
            raise request_decisions.already(found)
    return await _carried_out(desk, listed, chosen)


async def _held(desk: Desk, listed: Listed, choice: Choice) -> Held:
    """The subscription that is to be changed: staff's word goes before the customer's."""
    wanted = choice.subscription or listed.request.subscription_id
    if not wanted:
        raise missing("subscription", "the request does not say which license it is about", "Say which.")
    try:
        async with desk.sessions() as session:
            held = await subscriptions.find(session, wanted)
    except UnknownSubscription as unknown:
        raise NotAccepted(str(unknown)) from unknown
    except AmbiguousSubscription as ambiguous:
        raise missing("subscription", str(ambiguous), "") from ambiguous
    if held.customer.id != listed.customer.id:
        raise NotTheirs(f"{held.subscription.id} is another customer's than the request's")
    return held


def _chosen(listed: Listed, held: Held, choice: Choice) -> dict[str, Any]:
    """What is ordered: staff's word, else the customer's, else as it is."""
    stated = listed.request.details
    edition = choice.license.get("edition") or stated.get("edition")
    size = choice.license.get("size") or stated.get("size")
    if not edition and not size:
        raise missing("size", "the request says neither a size nor an edition", "Say at least one.")
    chosen = {
        "subscription": held.subscription.id,
        "edition": edition or held.license.edition,
        "size": size or held.license.size,
    }
    if listed.request.kind == "downgrade":
        if choice.price:
            reason = "a smaller license costs less from its renewal on; nothing is paid now"
            raise missing("price", reason, "Leave it out.")
        return chosen
    return chosen | {"price_minor": _price_minor(choice.price, held.subscription.currency)}


def _price_minor(price: str, currency: str) -> int | None:
    if not price:
        return None
    try:
        price_minor = parse_minor(price, currency)
    except NotMoney as wrong:
        raise missing("price", str(wrong), "Write it like 50.00.") from wrong
    if not price_minor:
        raise missing("price", "an order costs something", "Leave it out for the difference of the prices.")
    return price_minor


def _usual_answer(kind: str, held: Held) -> str:
    if kind != "downgrade":
        return ""
    renews_on = held.subscription.next_renews_on
    return "It takes effect at your next renewal" + (f", on {renews_on}." if renews_on else ".")


async def _carried_out(desk: Desk, listed: Listed, chosen: dict[str, Any]) -> Accepted:
    found = listed.request
    try:
        answer = await _asked(desk, found.id, found.kind, chosen)
    except (NotRunning, RefusedByRule) as no:
        await _reopen(desk, found.id, str(no))
        raise NotAccepted(f"{no}. The request stays open.") from no
    accepted = Accepted(found.id, found.kind, chosen["subscription"], answer, answer is not None)
    if answer is not None and answer.outcome == "refused":
        await _reopen(desk, found.id, answer.reason)
    elif answer is not None:
        outcome = {"order": answer.order_id, "invoice": answer.invoice}
        async with desk.sessions.begin() as session:
            await request_decisions.conclude(session, found.id, outcome, desk.at)
    return accepted


async def _asked(desk: Desk, request_id: str, kind: str, chosen: dict[str, Any]) -> OrderAnswer | None:
    subscription_id, edition, size = chosen["subscription"], chosen["edition"], chosen["size"]
    if kind == "upgrade":
        upgrade = Upgrade(
            edition=edition,
            size=size,
            price_minor=chosen["price_minor"],
            reason=f"request {request_id}",
            by=desk.by,
            request_id=request_id,
        )
        return (await starter.upgrade(desk.client, subscription_id, upgrade)).answer
    async with desk.sessions() as session:
        held = await subscriptions.held(session, subscription_id)
    smaller = ChangeAtRenewal(
        drop_addons=tuple(held.subscription.drop_addons),
        edition=edition if edition != held.license.edition else held.subscription.next_edition,
        size=size if size != held.license.size else held.subscription.next_size,
        by=desk.by,
        request_id=request_id,
    )
    return (await starter.change_at_renewal(desk.client, subscription_id, smaller)).answer


async def _reopen(desk: Desk, request_id: str, reason: str) -> None:
    async with desk.sessions.begin() as session:
        await request_decisions.reopen(session, request_id, desk.by, desk.at, reason)
