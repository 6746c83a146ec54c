"""Adding add-ons: choose, see the quote, pay exactly that (R14, R15)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import Response

import starter
from db import books, orders
from db import quotes as quote_rows
from db.quotes import QuoteRefused, Quoting
from db.subscriptions import Held
from domain.messages import AddAddons, OrderAnswer, Quote
from domain.not_offered import NotOffered
from domain.ordering import NotForSale
from domain.pricing import AddonAlreadyHeld, Bill, LineKind, NoAddons, OutsideTerm
from portal.asking import NotTaken, Refused, ask, not_taken
from portal.customer.owned import Theirs
from portal.means import Given, Means, Reading
from portal.pages.confirm import new_request_id
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form, Sent
from portal.security.visits import Customer

NO = (NotForSale, NotOffered, AddonAlreadyHeld, NoAddons, OutsideTerm, QuoteRefused)
"""Why something cannot be quoted."""

router = APIRouter()


@dataclass(frozen=True)
class Offer:
    """An add-on that the license could get now."""

    name: str
    net_minor: int
    total_minor: int
    days: int | None
    term_days: int | None


@dataclass(frozen=True)
class ChoosePage:
    """The model of `customer/addons.html`."""

    path: str
    title: str
    expires_on: date
    currency: str
    offers: tuple[Offer, ...]
    reason: str
    mistake: str = ""


@dataclass(frozen=True)
class QuotePage:
    """The model of `customer/quote.html`."""

    path: str
    title: str
    quote: Quote
    credits: tuple[tuple[str, int], ...]
    """What each grant pays, by the name its owner knows it by."""
    used: str
    """Where the order is that was made of it; empty: none."""
    lapsed: bool
    lapses_at: datetime
    card_saved: bool
    request_id: str = field(default_factory=new_request_id)

    @property
    def card_needed(self) -> bool:
        """Credits do not cover it, and there is no card yet."""
        return self.quote.remainder_minor > 0 and not self.card_saved


@router.get("/subscriptions/{subscription_id}/addons")
async def choose(request: Request, means: Given, reading: Reading, held: Theirs) -> Response:
    """What the license could get now, each with its price for the rest of the term."""
    return page(request, "customer/addons.html", await choice(reading, means, held))


@router.post("/subscriptions/{subscription_id}/quotes")
async def quote(
    request: Request,
    subscription_id: str,
    visitor: Customer,
    form: Form,
    means: Given,
    reading: Reading,
    held: Theirs,
) -> Response:
    """Make a quote of what was chosen, and go on to it; nothing is ordered yet."""
    await limits.hold(means, limits.CHANGE, visitor.by)
    quote_id, mistake = await make_quote(means, held, form)
    if mistake:
        return page(request, "customer/addons.html", await choice(reading, means, held, mistake), status=422)
    return seen_next(f"/subscriptions/{subscription_id}/quotes/{quote_id}")


@router.get("/subscriptions/{subscription_id}/quotes/{quote_id}")
async def see_quote(
    request: Request, quote_id: str, means: Given, reading: Reading, held: Theirs
) -> Response:
    """The quote, line by line, and the button that pays it."""
    return page(request, "customer/quote.html", await quote_page(reading, means, held, quote_id))


@router.post("/subscriptions/{subscription_id}/quotes/{quote_id}/pay")
async def pay_quote(
    request: Request,
    subscription_id: str,
    quote_id: str,
    visitor: Customer,
    form: Form,
    means: Given,
    reading: Reading,
    held: Theirs,
) -> Response:
    """Order it at exactly this quote; a quote is accepted once, whatever is sent twice (R15)."""
    kept = await quote_page(reading, means, held, quote_id)
    if kept.used:
        return seen_next(kept.used)
    await limits.hold(means, limits.CHANGE, visitor.by)
    here = f"/subscriptions/{subscription_id}/quotes/{quote_id}"
    wish = AddAddons(addons=kept.quote.addons, quote_id=quote_id, by=visitor.by, request_id=form.request_id)
    try:
        taken = await ask(starter.add_addons(means.temporal, subscription_id, wish))
    except NotTaken:
        return not_taken(request, form, "Your order", here)
    except Refused as no:
        await flash(means, visitor.visit, "That was not ordered.", "bad", str(no))
        return seen_next(here)
    return seen_next(await _after(means, visitor, subscription_id, here, taken.answer))


async def _after(
    means: Means, visitor: Customer, subscription_id: str, here: str, answer: OrderAnswer | None
) -> str:
    """Where to go on, and what is said there."""
    subscription = f"/subscriptions/{subscription_id}"
    if answer is None:
        await flash(
            means,
            visitor.visit,
            "Received.",
            "good",
            "Your order is kept and being worked on. This page shows it in a moment; it counts once.",
        )
        return subscription
    if answer.outcome == "refused":
        again = answer.quote.quote_id if answer.quote else None
        detail = why_not_ordered(answer)
        if again:
            detail += " This is what it costs now."
        await flash(means, visitor.visit, "That was not ordered.", "bad", detail)
        return f"{subscription}/quotes/{again}" if again else here
    await flash(means, visitor.visit, "Thank you, it is paid.", "good", "We mail you a receipt.")
    return f"{subscription}/orders/{answer.order_id}"


async def make_quote(means: Means, held: Held, form: Sent) -> tuple[str, str]:
    """The id of a new quote for what was chosen, or else why there is none."""
    wanted = tuple(dict.fromkeys(form.texts("addons")))
    try:
        async with means.sessions.begin() as session:
            return (await quoting(means).quote(session, held, wanted, means.now())).quote_id, ""
    except NO as no:
        return "", f"That cannot be added: {no}." if wanted else "Choose at least one."


def why_not_ordered(answer: OrderAnswer) -> str:
    """The workflow's no, as a sentence."""
    return f"{answer.reason[:1].upper()}{answer.reason[1:].rstrip('.')}. Nothing was taken."


async def choice(
    session: AsyncSession, means: Means, held: Held, mistake: str = "", above: str = ""
) -> ChoosePage:
    """What the license could get now; `above` is what stands before the path of staff's own pages."""
    row, item = held.subscription, held.item
    waiting = await orders.paid_changes(session, row.id)
    ordered = tuple(addon for order in waiting for addon in order.added_addons)
    offers: tuple[Offer, ...] = ()
    reason = ""
    try:
        names = means.catalogue.available_addons(
            item.product, item.edition, item.size, (*item.addons, *ordered)
        )
        offers = tuple(_offer(name, quoting(means).bill(held, (name,), means.now())[0]) for name in names)
    except NO as no:
        reason = str(no)
    return ChoosePage(
        f"{above}/subscriptions/{row.id}", held.title, row.expires_on, row.currency, offers, reason, mistake
    )


def _offer(name: str, bill: Bill) -> Offer:
    own = [line for line in bill.lines if line.kind == LineKind.ADDON]
    net_minor = sum(line.amount_minor for line in own)
    return Offer(name, net_minor, bill.total_minor, own[0].days, own[0].term_days)


async def quote_page(
    session: AsyncSession, means: Means, held: Held, quote_id: str, above: str = ""
) -> QuotePage:
    """The kept quote; `above` as in `choice`. Raises 404 when it is not of this subscription."""
    row = await quote_rows.kept(session, held.subscription.id, quote_id)
    if row is None:
        raise HTTPException(404)
    made = Quote.model_validate(row.basis)
    names = {
        granted.grant_id: f"{granted.kind.capitalize()} credit {granted.reference}"
        for granted in await books.statement(session, held.customer.id)
    }
    path = f"{above}/subscriptions/{held.subscription.id}"
    return QuotePage(
        path=path,
        title=held.title,
        quote=made,
        credits=tuple((names.get(use.grant_id, "Credit"), -use.amount_minor) for use in made.credits),
        used=f"{path}/orders/{row.used_by_order_id}" if row.used_by_order_id else "",
        lapsed=means.now() >= row.lapses_at,
        lapses_at=row.lapses_at,
        card_saved=held.customer.card_token is not None,
    )


def quoting(means: Means) -> Quoting:
    """What makes quotes, with our prices and promises."""
    return Quoting(means.catalogue, means.working_days)
