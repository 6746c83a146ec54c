"""The sandbox provider's controls, `/sandbox/…`: make trouble, change what cards answer, read the record. No key."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from sandbox.payments_book import Book
from sandbox.payments_faults import Fault, FaultKind, Faults
from sandbox.payments_forms import CardAnswer, Endpoint
from sandbox.payments_outbox import Outbox
from sandbox.payments_requests import Requests
from sandbox.payments_shapes import Shape
from sandbox.payments_wallet import Wallet
from sandbox.payments_webhooks import Messenger, owner


@dataclass(frozen=True)
class Controls:
    """What a test, a demonstration or a person does to the provider from outside Stripe's API."""

    book: Book
    wallet: Wallet
    requests: Requests
    outbox: Outbox
    faults: Faults
    messenger: Messenger

    def routes(self) -> APIRouter:
        """The controls, and the health page."""
        router = APIRouter(tags=["sandbox"])
        router.add_api_route("/sandbox/charges", self.charges, methods=["GET"])
        router.add_api_route("/sandbox/refunds", self.refunds, methods=["GET"])
        router.add_api_route("/sandbox/events", self.events, methods=["GET"])
        router.add_api_route("/sandbox/cards", self.let_answer, methods=["POST"])
        router.add_api_route("/sandbox/webhook", self.send_to, methods=["PUT"])
        router.add_api_route("/sandbox/faults", self.add_fault, methods=["POST"])
        router.add_api_route("/sandbox/faults", self.list_faults, methods=["GET"])
        router.add_api_route("/sandbox/faults", self.clear_faults, methods=["DELETE"])
        router.add_api_route("/healthz", self.health, methods=["GET"])
        return router

    async def charges(self, customer: str | None = None) -> Response:
        """Every charge that was tried, oldest first: how it stands, under which keys, how often asked for again."""
        return JSONResponse([self._charge(intent) for intent in self._all("payment_intent", customer)])

    async def refunds(self, customer: str | None = None) -> Response:
        """Every refund, oldest first."""
        charges = {intent["id"] for intent in self._all("payment_intent", customer)}
        refunds = [refund for refund in self.book.all("refund") if refund["payment_intent"] in charges]
        return JSONResponse([self._refund(refund) for refund in refunds])

    async def events(self, customer: str | None = None) -> Response:
        """Every event, oldest first, and what became of it."""
        states = self.outbox.states()
        events = [event for event in self.book.all("event") if customer in (None, owner(event))]
        return JSONResponse([_event(event, *states.get(event["id"], ("not_owed", 0))) for event in events])

    async def let_answer(self, wish: CardAnswer) -> Response:
        """Change what saved cards answer to charges."""
        with self.book.transaction():
            return JSONResponse({"payment_methods": self.wallet.let_answer(wish), "answers": wish.answers})

    async def send_to(self, endpoint: Endpoint) -> Response:
        """Send events elsewhere, what is owed too; `null`: nowhere. Once answered, nothing goes where it went."""
        async with self.messenger.sending:
            with self.book.transaction():
                self.outbox.send_to(endpoint)
        self.messenger.wake()
        return JSONResponse({"url": endpoint.url})

    async def add_fault(self, fault: Fault) -> Response:
        """Make trouble."""
        self.faults.add(fault)
        return await self.list_faults()

    async def list_faults(self) -> Response:
        """The trouble that is still to come."""
        return JSONResponse([fault.model_dump(mode="json") for fault in self.faults.standing()])

    async def clear_faults(self, kind: FaultKind | None = None) -> Response:
        """Make no more trouble, or none of this kind; what is owed to the webhook is sent at once."""
        self.faults.clear(kind)
        self.outbox.hurry()
        self.messenger.wake()
        return await self.list_faults()

    async def health(self) -> Response:
        """Whether the program runs (also while it plays `down`), and how much is in its book."""
        kinds = ("customer", "payment_intent", "refund", "event")
        counts = {f"{kind}s": self.book.count(kind) for kind in kinds}
        return JSONResponse({"status": "ok"} | counts | {"events_owed": self.outbox.owed()})

    def _all(self, kind: str, customer: str | None) -> list[Shape]:
        return self.book.all(kind, customer=customer) if customer else self.book.all(kind)

    def _charge(self, intent: Shape) -> Shape:
        error = intent["last_payment_error"] or {}
        latest = self.book.find(intent["latest_charge"] or "") or {}
        return _some(intent, "status", "amount", "currency", "customer", "description") | {
            "refunded": latest.get("amount_refunded", 0),
            "decline": error.get("decline_code") or error.get("code"),
            **self._said(intent),
        }

    def _refund(self, refund: Shape) -> Shape:
        return _some(refund, "status", "amount", "currency", "payment_intent") | self._said(refund)

    def _said(self, thing: Shape) -> Shape:
        keys = self.requests.keys_of(thing["id"])
        told = {"idempotency_keys": [key for key, _ in keys], "repeats": sum(times for _, times in keys)}
        return _some(thing, "metadata", "created") | told


def _some(thing: Shape, *names: str) -> Shape:
    return {name: thing[name] for name in ("id", *names)}


def _event(event: Shape, state: str, attempts: int) -> Shape:
    about = event["data"]["object"]["id"]
    return _some(event, "type", "created") | {"about": about, "state": state, "attempts": attempts}
