"""The saved card: a new one is entered on the payment provider's own page; a number never comes here."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response
from temporalio.service import RPCError

from db import customers
from domain.card import Payer
from payments.payment_provider import PaymentError
from portal.means import Given, Reading
from portal.newest_card import use_newest_card
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form
from portal.security.visits import Customer, is_own_path

router = APIRouter()
log = structlog.get_logger("portal.cards")


@dataclass(frozen=True)
class CardPage:
    """The model of `customer/card.html`."""

    saved: bool
    card: str
    """Like `visa 4242`; empty when only the provider knows."""
    possible: bool
    waiting: tuple[tuple[str, str], ...]
    """Path and title of what waits for money."""


@router.get("/cards")
async def card(request: Request, visitor: Customer, means: Given, reading: Reading) -> Response:
    """Which card pays, and what waits for one."""
    customer = await customers.find(reading, visitor.customer_id)
    waiting = await customers.titles_waiting_for_money(reading, visitor.customer_id)
    model = CardPage(
        saved=customer.card_token is not None,
        card=await customers.last_card(reading, visitor.customer_id) if customer.card_token else "",
        possible=means.charges_cards,
        waiting=tuple((f"/subscriptions/{found}", title) for found, title in waiting),
    )
    return page(request, "customer/card.html", model)


@router.post("/cards/new")
async def new(request: Request, visitor: Customer, form: Form, means: Given, reading: Reading) -> Response:
    """Lead on to the provider's page; each time another one, none of which takes anything."""
    await limits.hold(means, limits.CHANGE, visitor.by)
    onward = form.text("onward")
    customer = await customers.find(reading, visitor.customer_id)
    back = {"was": _mark(customer.card_token)} | ({"onward": onward} if is_own_path(onward) else {})
    payer = Payer(customer.id, customer.email, customer.name, customer.provider_customer_id)
    try:
        setup = await means.provider.setup_page(payer, f"{means.portal_url}/cards/saved?{urlencode(back)}")
    except PaymentError as failed:
        log.warning("no page to enter a card", failure=type(failed).__name__)
        detail = "Nothing has been changed. Try again in a few minutes."
        await flash(means, visitor.visit, "The payment provider does not answer.", "bad", detail)
        return seen_next("/cards")
    async with means.sessions.begin() as session:
        await customers.known_to_provider(session, customer.id, setup.customer_reference)
    return RedirectResponse(setup.url, status_code=303)


@router.get("/cards/saved")
async def saved(
    request: Request,
    visitor: Customer,
    means: Given,
    reading: Reading,
    onward: str = "",
    was: str = "",
) -> Response:
    """Back from the provider's page: look at once, for what it tells us by itself may take a moment."""
    customer = await customers.find(reading, visitor.customer_id)
    there = False
    if customer.provider_customer_id is not None:
        try:
            collected = await use_newest_card(
                means.sessions, means.temporal, means.provider, customer.provider_customer_id, means.now()
            )
            there = collected is not None
        except (PaymentError, RPCError) as failed:  # the provider tells us by itself too
            log.warning("the newest card cannot be asked for", failure=type(failed).__name__)
    await reading.refresh(customer)
    if there and _mark(customer.card_token) != was:
        await flash(
            means, visitor.visit, "Your card is saved.", "good", "What waits for it is collected now."
        )
    elif not there:
        await flash(
            means, visitor.visit, "No card has been saved yet.", "warning", "You can try again at any time."
        )
    return seen_next(onward if is_own_path(onward) else "/cards")


def _mark(card_token: str | None) -> str:
    """Tells one card from another, for the way there and back; what it is made of cannot be read off it."""
    return sha256(card_token.encode()).hexdigest()[:16] if card_token else ""
