"""Every route of the portal, and what it answers to whom. A route that is not in the table fails the test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from starlette.routing import BaseRoute, Mount

from tests.money.book import Book
from tests.money.customer import Customer
from tests.portal.application import portal_application
from tests.portal.doings import ask_something, bad_file, order_addons, update_of
from tests.portal.forms import forms
from tests.portal.visitor import OPS, SUPPORT, Visitor

SIGN_IN, ELSEWHERE = 303, 303
"""Somebody who is not signed in is led to sign in; and some pages only lead on."""


@dataclass(frozen=True)
class Route:
    """What a route answers to nobody, to customer A about B's things, to customer A about A's own, support, ops.

    A POST is sent with a good token and nothing else in its form.
    """

    method: str
    path: str
    nobody: int
    others: int
    own: int
    support: int
    ops: int


def open_to_all(method: str, path: str, status: int) -> Route:
    return Route(method, path, status, status, status, status, status)


def customers(method: str, path: str, own: int, others: int = 404) -> Route:
    """For the customer it belongs to; for staff there is nothing here."""
    return Route(method, path, SIGN_IN, others, own, 404, 404)


def staff(method: str, path: str, support: int, ops: int) -> Route:
    """For staff; customers find nothing here."""
    return Route(method, path, SIGN_IN, 404, 404, support, ops)


TABLE = [
    open_to_all("GET", "/healthz", 200),
    open_to_all("GET", "/readyz", 200),
    open_to_all("GET", "/", ELSEWHERE),
    Route("GET", "/account", SIGN_IN, 200, 200, 200, 200),
    Route("GET", "/sign-in", 200, ELSEWHERE, ELSEWHERE, ELSEWHERE, ELSEWHERE),
    open_to_all("POST", "/sign-in", 422),
    open_to_all("GET", "/sign-in/staff", 404),
    open_to_all("GET", "/sign-in/staff/back", 404),
    open_to_all("GET", "/sign-in/link/{token}", 410),
    open_to_all("POST", "/sign-in/enter", 410),
    open_to_all("GET", "/signed-out", 200),
    open_to_all("GET", "/signed-out/everywhere", 200),
    open_to_all("POST", "/webhooks/payments", 400),
    customers("GET", "/subscriptions", 200, others=200),
    customers("GET", "/subscriptions/{subscription}", 200),
    customers("POST", "/subscriptions/{subscription}/key", 200),
    customers("GET", "/subscriptions/{subscription}/cancel-by.ics", 200),
    customers("GET", "/subscriptions/{subscription}/cancel", 200),
    customers("POST", "/subscriptions/{subscription}/cancel", 303),
    customers("GET", "/subscriptions/{subscription}/resume", 200),
    customers("POST", "/subscriptions/{subscription}/resume", 303),
    customers("GET", "/subscriptions/{subscription}/addons", 200),
    customers("POST", "/subscriptions/{subscription}/quotes", 422),
    customers("GET", "/subscriptions/{subscription}/quotes/{quote}", 200),
    customers("POST", "/subscriptions/{subscription}/quotes/{quote}/pay", 303),
    customers("GET", "/subscriptions/{subscription}/orders/{order}", 200),
    customers("GET", "/subscriptions/{subscription}/orders/{order}/state", 200),
    customers("POST", "/subscriptions/{subscription}/orders/{order}/pay", 303),
    customers("GET", "/subscriptions/{subscription}/at-renewal?addon=Message%20Sniffer", 200),
    customers("POST", "/subscriptions/{subscription}/at-renewal", 303),
    customers("GET", "/credits", 200, others=200),
    customers("GET", "/invoices", 200, others=200),
    customers("GET", "/invoices/{invoice}", 200),
    customers("GET", "/invoices/{invoice}/paper", 200),
    customers("GET", "/invoices/{invoice}/pdf", 200),
    customers("GET", "/cards", 200, others=200),
    customers("POST", "/cards/new", 303, others=303),
    customers("GET", "/cards/saved", 303, others=303),
    customers("GET", "/requests", 200, others=200),
    Route("GET", "/requests/new", 200, 200, 200, 200, 200),
    Route("POST", "/requests", 422, 422, 422, 422, 422),
    customers("GET", "/requests/{request}", 200),
    staff("GET", "/staff", 200, 200),
    staff("GET", "/staff/search", 200, 200),
    staff("GET", "/staff/customers/{customer}", 200, 200),
    staff("GET", "/staff/customers/{customer}/grant", 200, 200),
    staff("POST", "/staff/customers/{customer}/grant", 422, 422),
    staff("GET", "/staff/subscriptions/{subscription}", 200, 200),
    staff("POST", "/staff/subscriptions/{subscription}/key", 422, 422),
    staff("GET", "/staff/subscriptions/{subscription}/cancel", 303, 303),
    staff("POST", "/staff/subscriptions/{subscription}/cancel", 422, 422),
    staff("GET", "/staff/subscriptions/{subscription}/resume", 200, 200),
    staff("POST", "/staff/subscriptions/{subscription}/resume", 422, 422),
    staff("GET", "/staff/subscriptions/{subscription}/addons", 200, 200),
    staff("POST", "/staff/subscriptions/{subscription}/quotes", 422, 422),
    staff("GET", "/staff/subscriptions/{subscription}/quotes/{quote}", 200, 200),
    staff("POST", "/staff/subscriptions/{subscription}/quotes/{quote}/pay", 303, 303),
    staff("GET", "/staff/invoices/{invoice}", 200, 200),
    staff("GET", "/staff/invoices/{invoice}/paper", 200, 200),
    staff("GET", "/staff/invoices/{invoice}/pdf", 200, 200),
    staff("GET", "/staff/invoices/{invoice}/refund", 200, 200),
    staff("POST", "/staff/invoices/{invoice}/refund", 422, 422),
    staff("GET", "/staff/updates", 200, 200),
    staff("GET", "/staff/updates/{update}", 200, 200),
    staff("POST", "/staff/updates/{update}/key", 422, 422),
    staff("POST", "/staff/updates/{update}/done", 422, 422),
    staff("POST", "/staff/updates/{update}/refused", 422, 422),
    staff("POST", "/staff/updates/{update}/moved", 422, 422),
    staff("GET", "/staff/requests", 200, 200),
    staff("GET", "/staff/requests/{request}", 200, 200),
    staff("POST", "/staff/requests/{request}/key", 422, 422),
    staff("POST", "/staff/requests/{request}/accept", 422, 422),
    staff("POST", "/staff/requests/{request}/decline", 422, 422),
    staff("GET", "/staff/imports", 200, 200),
    staff("POST", "/staff/imports", 422, 422),
    staff("GET", "/staff/imports/{import}", 200, 200),
    staff("GET", "/staff/imports/{import}/state", 200, 200),
    staff("GET", "/staff/imports/{import}/refused.csv", 200, 200),
    staff("GET", "/staff/forecast", 404, 404),
    staff("GET", "/staff/differences", 200, 200),
    staff("POST", "/staff/differences/{difference}/accept", 403, 422),
    # Last: it ends the session.
    open_to_all("POST", "/sign-out", ELSEWHERE),
]

PROGRAMS = ("/api/", "/codec/")
"""Where programs come with tokens: their own table is beside their tests."""


def routes(among: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in among:
        if isinstance(route, Mount):
            continue
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if inner is not None:
            yield from routes(inner.routes)
            continue
        for method in getattr(route, "methods", None) or ():
            if method != "HEAD":
                yield method, route.path  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Things:
    """The ids that stand in the addresses, of one customer, and a file that was only checked."""

    subscription: str
    quote: str
    order: str
    invoice: str
    request: str
    customer: str
    update: str
    imported: str
    difference: str = "dif_none"
    token: str = "nothing"

    def address(self, path: str) -> str:
        """The path with them; what a route takes besides its path stands in the table too."""
        return path.format_map(vars(self) | {"import": self.imported})


async def things(book: Book, customer: Customer) -> Things:
    """A customer who has one of everything."""
    subscribed = await book.subscription(customer, addons=["Message Sniffer"])
    await customer.grant(500_00)
    ordered = await order_addons(book.world, subscribed)
    return Things(
        subscription=subscribed.id,
        quote=ordered.quote.quote_id,
        order=str(ordered.order_id),
        invoice=str(ordered.invoice),
        request=await ask_something(book.world, customer),
        customer=customer.id,
        update=await update_of(book.world, ordered),
        imported=await bad_file(book.world),
    )


def pattern(path: str) -> str:
    """The path as the application declares it."""
    for name in ("customer", "subscription", "quote", "order", "request", "update", "import", "difference"):
        path = path.replace(f"{{{name}}}", f"{{{name}_id}}")
    return path.replace("{invoice}", "{number}").partition("?")[0]


async def answers(visitor: Visitor, route: Route, of: Things) -> int:
    path = of.address(route.path)
    if route.method == "GET":
        return (await visitor.http.get(path)).status_code
    await visitor.open("/account" if "evergreen" in visitor.http.cookies else "/sign-in")
    token = dict(forms(visitor.page.text)[0].fields)["form_token"]
    return (await visitor.post(path, {"form_token": token, "request_id": token}, follow=False)).status_code


async def test_every_route_answers_everybody_as_the_table_says(world, book, browser):
    a, b = book.customer("GB"), book.customer("GB")
    of_a, of_b = await things(book, a), await things(book, b)
    nobody, owner, jo, al = [await browser() for _ in range(4)]
    for visitor, email in ((owner, a.email), (jo, SUPPORT), (al, OPS)):
        await visitor.sign_in(email)

    found = []
    for route in TABLE:
        if route.path == "/sign-out":  # it ends the session, so once for each
            others = route.others
        else:
            others = await answers(owner, route, of_b)
        asked = [await answers(visitor, route, of_a) for visitor in (nobody, owner, jo, al)]
        found.append(Route(route.method, route.path, asked[0], others, *asked[1:]))

    assert found == TABLE


async def test_every_form_of_the_table_is_refused_without_its_token(world, book, browser):
    a = book.customer("GB")
    of_a = await things(book, a)
    owner, jo = [await browser() for _ in range(2)]
    await owner.sign_in(a.email)
    await jo.sign_in(OPS)

    for route in TABLE:
        if route.method == "POST" and not route.path.startswith("/webhooks/"):
            visitor = jo if route.path.startswith("/staff") else owner
            answer = await visitor.post(of_a.address(route.path), {"request_id": "1"}, follow=False)
            assert answer.status_code == 403, route


async def test_every_route_is_in_the_table(world):
    app = portal_application(world)
    there = {found for found in routes(app.routes) if not found[1].startswith(PROGRAMS)}

    assert there == {(route.method, pattern(route.path)) for route in TABLE}
