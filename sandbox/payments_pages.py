"""The sandbox provider's own pages: where a card is saved, and where a bank asks its customer. HTML, no scripts."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import DictLoader, Environment

from sandbox import payments_money, payments_shapes
from sandbox.payments_book import Book
from sandbox.payments_cards import CARDS
from sandbox.payments_cashier import Cashier
from sandbox.payments_problems import Problem
from sandbox.payments_shapes import Shape
from sandbox.payments_wallet import Wallet
from sandbox.payments_webhooks import Messenger

PAGES = {
    "page": """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}
fieldset{margin:0 0 1rem;padding:.5rem 1rem}label{display:block;padding:.25rem}
button{font:inherit;padding:.5rem 1rem}.note{color:#555}</style></head>
<body><main><h1>{{ title }}</h1>{% block body %}{% endblock %}
<p class="note">This is the payments sandbox: no real card, no real money.</p></main></body></html>""",
    "card": """{% extends "page" %}{% block body %}
{% if problem %}<p role="alert"><strong>{{ problem }}</strong> Choose another card.</p>{% endif %}
<form method="post"><fieldset><legend>Choose a test card</legend>
{% for token, card in cards %}<label><input type="radio" name="card" value="{{ token }}" required
{%- if loop.first %} checked{% endif %}> {{ card.name }} (ends in {{ card.last4 }})</label>
{% endfor %}</fieldset><button>Save card</button></form>
{% if back %}<p><a href="{{ back }}">Go back without saving</a></p>{% endif %}{% endblock %}""",
    "bank": """{% extends "page" %}{% block body %}
<p>Your bank asks: do you want to pay <strong>{{ amount }}</strong>?</p>
<form method="post"><button name="answer" value="approve">Approve</button>
<button name="answer" value="refuse">Refuse</button></form>{% endblock %}""",
    "over": """{% extends "page" %}{% block body %}<p>{{ text }}</p>
{% if back %}<p><a href="{{ back }}">Go back</a></p>{% endif %}{% endblock %}""",
}


@dataclass(frozen=True)
class Pages:
    """What customers see of the provider."""

    book: Book
    wallet: Wallet
    cashier: Cashier
    messenger: Messenger
    html: Environment = Environment(loader=DictLoader(PAGES), autoescape=True)  # noqa: RUF009 — never changed

    def routes(self) -> APIRouter:
        """The pages, and the forms on them."""
        router = APIRouter(tags=["pages"], include_in_schema=False)
        router.add_api_route("/c/pay/{session}", self.card, methods=["GET"])
        router.add_api_route("/c/pay/{session}", self.save_card, methods=["POST"])
        router.add_api_route("/redirect/authenticate/{intent}", self.bank, methods=["GET"])
        router.add_api_route("/redirect/authenticate/{intent}", self.tell_bank, methods=["POST"])
        return router

    async def card(self, session: str) -> Response:
        """The choice of a test card."""
        return self._card_page(self.book.read("checkout.session", session))

    async def save_card(self, session: str, request: Request) -> Response:
        """Save the chosen card and send the customer back; or say why the bank refused."""
        page = self.book.read("checkout.session", session)
        token = await _field(request, "card")
        if page["status"] != "open" or page["expires_at"] < payments_shapes.now():
            return self._card_page(page)
        if token not in CARDS:
            return self._card_page(page, "That is none of the cards.")
        try:
            with self.book.transaction():
                self.wallet.complete_page(page, token)
        except Problem as refusal:
            return self._card_page(page, str(refusal))
        self.messenger.wake()
        return RedirectResponse(page["success_url"].replace("{CHECKOUT_SESSION_ID}", session), 303)

    async def bank(self, intent: str) -> Response:
        """The bank's question."""
        charge = self.book.read("payment_intent", intent, "intent")
        if charge["status"] != "requires_action":
            return self._page("over", 409, "Your bank", text="There is nothing to approve any more.")
        amount = payments_money.shown(charge["amount"], charge["currency"])
        return self._page("bank", 200, "Your bank", amount=amount)

    async def tell_bank(self, intent: str, request: Request) -> Response:
        """The customer's answer."""
        answer = await _field(request, "answer")
        if answer not in ("approve", "refuse"):
            return await self.bank(intent)
        with self.book.transaction():
            back = self.cashier.answer_for_customer(intent, answer == "approve")
        self.messenger.wake()
        return RedirectResponse(back, 303) if back else await self.bank(intent)

    def _card_page(self, session: Shape, problem: str = "") -> Response:
        if session["status"] != "open":
            back = session["success_url"]
            return self._page("over", 409, "Your card", text="Your card is saved already.", back=back)
        if session["expires_at"] < payments_shapes.now():
            return self._page("over", 410, "Your card", text="This page has expired.")
        cards = {card: token for token, card in reversed(CARDS.items())}
        choice = [(token, card) for card, token in reversed(cards.items())]
        back = session["cancel_url"]
        return self._page(
            "card", 402 if problem else 200, "Your card", problem=problem, cards=choice, back=back
        )

    def _page(self, name: str, status: int, title: str, **facts: object) -> Response:
        return HTMLResponse(self.html.get_template(name).render(title=title, **facts), status)


async def _field(request: Request, name: str) -> str:
    return parse_qs((await request.body()).decode()).get(name, [""])[0]
