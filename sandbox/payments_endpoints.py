"""Which of Stripe's endpoints are played, what may be sent to each, and who carries it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sandbox import payments_forms as forms
from sandbox.payments_book import FILTERS, Book
from sandbox.payments_cashier import Cashier
from sandbox.payments_faults import Operation
from sandbox.payments_forms import Listing
from sandbox.payments_problems import invalid
from sandbox.payments_returns import Returns
from sandbox.payments_shapes import Shape
from sandbox.payments_wallet import Wallet

Work = Callable[[str, Any], Shape]
"""Given the id in the path, or nothing, and the form."""

READABLE = {
    "customers": "customer",
    "payment_methods": "payment_method",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "setup_intents": "setup_intent",
    "checkout/sessions": "checkout.session",
    "events": "event",
}
LISTS = {
    "customers": ("email",),
    "payment_methods": ("customer", "type"),
    "payment_intents": ("customer",),
    "charges": ("customer", "payment_intent"),
    "refunds": ("charge", "payment_intent"),
    "events": ("type",),
}
"""What is listed, and by which fields it may be filtered."""


@dataclass(frozen=True)
class Endpoint:
    """One of Stripe's endpoints."""

    method: str
    path: str
    operation: Operation
    form: type[forms.Request]
    work: Work


@dataclass(frozen=True)
class Endpoints:
    """All of them, and who does the work."""

    book: Book
    wallet: Wallet
    cashier: Cashier
    returns: Returns

    def all(self) -> Iterable[Endpoint]:
        """Every endpoint."""
        yield from self._writing()
        for name, kind in READABLE.items():
            if name in LISTS:
                yield Endpoint("GET", f"/v1/{name}", "read", Listing, self._lister(name, kind))
            yield Endpoint("GET", f"/v1/{name}/{{id}}", "read", forms.Request, self._reader(kind))

    def expanded(self, answer: Shape, places: Iterable[str]) -> Shape:
        """The answer with whole objects in the place of these ids, `data.latest_charge`. Raises `Problem`."""
        for place in places:
            self._expand(answer, place.split("."), place)
        return answer

    def _writing(self) -> Iterable[Endpoint]:
        wallet, cashier = self.wallet, self.cashier
        yield _making("customers", "customer", forms.CustomerFacts, wallet.register)
        yield _changing("customers/{id}", "customer", forms.CustomerFacts, wallet.change)
        yield _changing("payment_methods/{id}/attach", "card", forms.Attachment, wallet.attach)
        yield _changing("payment_methods/{id}/detach", "card", forms.Request, wallet.detach)
        yield _making("payment_intents", "charge", forms.NewIntent, cashier.create)
        yield _changing("payment_intents/{id}/confirm", "charge", forms.Confirmation, cashier.confirm)
        yield _changing("payment_intents/{id}/cancel", "withdraw", forms.Cancellation, cashier.cancel)
        yield _making("refunds", "refund", forms.NewRefund, self.returns.refund)
        yield _making("checkout/sessions", "page", forms.NewSession, wallet.open_page)

    def _reader(self, kind: str) -> Work:
        return lambda reference, _form: self.book.read(kind, reference)

    def _lister(self, name: str, kind: str) -> Work:
        def page(_reference: str, listing: Listing) -> Shape:
            for field in FILTERS:
                if getattr(listing, field) is not None and field not in LISTS[name]:
                    raise invalid(f"Received unknown parameter: {field}", "parameter_unknown", field)
            found, more = self.book.page(kind, listing)
            return {"object": "list", "url": f"/v1/{name}", "has_more": more, "data": found}

        return page

    def _expand(self, answer: Any, path: list[str], place: str) -> None:
        first, *rest = path
        if isinstance(answer, list):
            for item in answer:
                self._expand(item, path, place)
            return
        if not isinstance(answer, dict) or first not in answer:
            raise invalid(f"This property cannot be expanded ({place}).", param="expand")
        if isinstance(answer[first], str):
            answer[first] = self.book.find(answer[first]) or answer[first]
        if rest and answer[first] is not None:
            self._expand(answer[first], rest, place)


def _making(
    path: str, operation: Operation, form: type[forms.Request], work: Callable[[Any], Shape]
) -> Endpoint:
    return Endpoint("POST", f"/v1/{path}", operation, form, lambda _reference, filled: work(filled))


def _changing(path: str, operation: Operation, form: type[forms.Request], work: Work) -> Endpoint:
    return Endpoint("POST", f"/v1/{path}", operation, form, work)
