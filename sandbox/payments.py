"""The sandbox payment provider: stands in for Stripe on one machine. Its `--help` teaches."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from sandbox.door import attend, listener, serve
from sandbox.payments_book import Book
from sandbox.payments_cashier import Cashier
from sandbox.payments_controls import Controls
from sandbox.payments_desk import Desk
from sandbox.payments_endpoints import Endpoints
from sandbox.payments_faults import Faults
from sandbox.payments_forms import Endpoint
from sandbox.payments_outbox import Outbox
from sandbox.payments_pages import Pages
from sandbox.payments_problems import Problem, answer_malformed, answer_problem
from sandbox.payments_requests import Requests
from sandbox.payments_returns import Returns
from sandbox.payments_wallet import Wallet
from sandbox.payments_webhooks import Messenger

HELP = """\
Stripe to develop and test against: customers, cards, charges, refunds, the pages for a new card and for a bank's
question, and signed webhooks, as Stripe's own API has them; and trouble when told to. More is in
docs/payments-sandbox.md.
"""

LESSON = """\
try it:
  python -m sandbox.payments --port 8602 --data .evergreen/payments.sqlite3

  curl localhost:8602/v1/customers -u sk_test_x: -d email=jo@example.com
  curl localhost:8602/v1/payment_intents -u sk_test_x: -H 'idempotency-key: one' -d amount=6049 -d currency=gbp \\
    -d customer=cus_... -d payment_method=pm_card_visa -d confirm=true -d off_session=true

keys: any that begins with sk_test_
cards, by Stripe's own tokens:
  pm_card_visa, pm_card_mastercard, pm_card_amex    always pay
  pm_card_authenticationRequired                    the bank wants the customer to approve on its page
  pm_card_chargeCustomerFail                        can be saved, never pays
  pm_card_refundFail, pm_card_pendingRefund         pays; a refund to it fails, or arrives, soon after the answer
  pm_card_chargeDeclined                            declined, also when it is to be saved; likewise
  ...InsufficientFunds ...LostCard ...StolenCard ...ExpiredCard ...IncorrectCvc ...ProcessingError
  ...Fraudulent ...VelocityLimitExceeded            e.g. pm_card_visa_chargeDeclinedInsufficientFunds

what you can do to it (no key needed):
  GET    /sandbox/charges           every charge tried: status, decline, refunded, keys, repeats; ?customer=ID
  GET    /sandbox/refunds           every refund; ?customer=ID
  GET    /sandbox/events            every event, and whether the webhook took it; ?customer=ID
  POST   /sandbox/cards             {"customer": ID or "payment_method": ID, "answers": ANSWER}
  PUT    /sandbox/webhook           {"url": URL or null, "secret": S}: send events there; kept over a restart
  POST   /sandbox/faults            {"kind": KIND, "times": N, "customer": ID, "on": [OPERATION, ...]}
  GET    /sandbox/faults            the faults that still stand
  DELETE /sandbox/faults            lift them all, or ?kind=KIND; what is owed to the webhook is sent at once
  GET    /healthz                   is it up, and how much is in its book

answers of a card: approve, authenticate, or any code of Stripe's for a decline (insufficient_funds, lost_card, ...)

kinds of fault (without "times": until lifted; without "customer": for all; a restart lifts them):
  slow           waits "seconds" (2) first; the work is done even if the caller has hung up meanwhile
  down           answers 503
  fail           answers 500, and does nothing
  rate_limit     answers 429 with Retry-After "seconds"
  lose_reply     does the work, then closes the connection without answering; charge and refund, unless "on" says
  webhook_off    an event does not get through, and is tried again later
  webhook_lost   an event never arrives
  webhook_twice  an event arrives twice
  webhook_late   an event arrives "seconds" later, after those that came up meanwhile
operations: charge, withdraw, refund, customer, card, page, read
"""


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then exit with 0; exit with 1 if the port is taken."""
    options = _parser().parse_args(arguments)
    attend()
    book = Book(options.data)
    try:
        with listener(options.host, options.port) as door:
            url = f"http://{options.host}:{door.getsockname()[1]}"
            print(f"sandbox payments: {url}, book {options.data}", flush=True)
            outbox = Outbox(book)
            if options.webhook_url:
                outbox.send_to(Endpoint(url=options.webhook_url, secret=options.webhook_secret))
            serve(application(book, outbox, options.public_url or url), door, lifespan="on")
    finally:
        book.close()


def application(book: Book, outbox: Outbox, public_url: str) -> FastAPI:
    """The provider as an ASGI application; it delivers its webhooks while it is up."""
    faults, requests = Faults(), Requests(book)
    messenger = Messenger(outbox, faults)
    wallet = Wallet(book, outbox, public_url)
    cashier = Cashier(book, outbox, wallet)
    endpoints = Endpoints(book, wallet, cashier, Returns(book, outbox))

    @asynccontextmanager
    async def delivering(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(messenger.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    provider = FastAPI(title="Sandbox payment provider", version="1", lifespan=delivering)
    provider.include_router(Desk(book, endpoints, requests, faults, messenger).routes())
    provider.include_router(Controls(book, wallet, requests, outbox, faults, messenger).routes())
    provider.include_router(Pages(book, wallet, cashier, messenger).routes())
    provider.add_exception_handler(Problem, answer_problem)
    provider.add_exception_handler(RequestValidationError, answer_malformed)
    return provider


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.payments",
        description=HELP,
        epilog=LESSON,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--port", type=int, required=True, help="0: any free one; the first line printed tells it")
    add("--data", type=Path, required=True, metavar="FILE", help="the book; made if there is none")
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    add("--public-url", metavar="URL", help="how customers reach its pages, if not where it listens")
    add("--webhook-url", metavar="URL", help="where events go (as last time, else nowhere)")
    add("--webhook-secret", metavar="S", default="", help="signs the events")
    return parser


if __name__ == "__main__":
    main()
