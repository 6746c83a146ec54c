"""The sandbox vendor: stands in for the license vendor on one machine. Its `--help` teaches."""

import argparse
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from sandbox.door import attend, listener, serve
from sandbox.vendor_book import Book
from sandbox.vendor_controls import Controls
from sandbox.vendor_desk import Desk
from sandbox.vendor_faults import Faults
from sandbox.vendor_forms import Settings
from sandbox.vendor_problems import Problem, answer_problem

HELP = """\
A license vendor to develop and test against: it keeps licenses, renews them when ordered, and makes trouble
when told to. The contract, and how to make trouble, is in docs/vendor-api.md.
"""

LESSON = """\
try it:
  python -m sandbox.vendor --port 8601 --data .evergreen/vendor.sqlite3

  curl localhost:8601/sandbox/licenses -H 'content-type: application/json' -d '[{
    "license_key": "SM-DEMO-0001", "product": "SmarterMail", "edition": "Enterprise", "size": "250",
    "addons": [], "expires_on": "2027-08-31"}]'
  curl localhost:8601/v1/licenses/lookup -H 'content-type: application/json' \\
    -d '{"license_key": "SM-DEMO-0001"}'

what you can do to it (no token needed):
  POST   /sandbox/licenses          register a list of licenses; ?replace=true overwrites those already there
  GET    /sandbox/licenses          every license as it really stands
  POST   /sandbox/licenses/status   {"license_keys": [...], "status": "revoked" | "unknown" | "active"}
  GET    /sandbox/orders            every order: reference, idempotency key, expiry before and after, repeats
  POST   /sandbox/faults            {"kind": KIND, "times": N, "license_key": KEY, "on": [OPERATION, ...]}
  GET    /sandbox/faults            the faults that still stand
  DELETE /sandbox/faults            lift them all, or ?kind=KIND
  PUT    /sandbox/settings          {"strict_expiry": true}
  GET    /healthz                   is it up, and how much is in its book

kinds of fault (without "times": until lifted; without "license_key": for all keys; a restart lifts them):
  slow        waits "seconds" (2) first; the work is done even if the caller has hung up meanwhile
  down        answers 503
  fail        answers 500, and does nothing
  rate_limit  answers 429 with Retry-After "seconds"
  refuse      answers 422 not_possible, to orders
  lose_reply  does the work, then closes the connection without answering; orders, unless "on" says otherwise
  lag         an order's change is hidden from the next "reads" (1) look-ups of its license
operations: lookup, order, find

Only the idempotency key protects against doing an order twice: two keys renew twice, the record shows it.
With --strict-expiry, orders that do not start from the license's present expiry are refused too.
"""


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then exit with 0; exit with 1 if the port is taken."""
    options = _parser().parse_args(arguments)
    attend()
    book = Book(options.data)
    try:
        with listener(options.host, options.port) as door:
            port = door.getsockname()[1]
            print(f"sandbox vendor: http://{options.host}:{port}, book {options.data}", flush=True)
            serve(application(book, options.token, options.strict_expiry), door)
    finally:
        book.close()


def application(book: Book, token: str | None = None, strict_expiry: bool = False) -> FastAPI:
    """The vendor as an ASGI application."""
    faults = Faults()
    desk = Desk(book, faults, token, Settings(strict_expiry=strict_expiry))
    vendor = FastAPI(title="Sandbox license vendor", version="1")
    vendor.include_router(desk.routes())
    vendor.include_router(Controls(book, faults, desk).routes())
    vendor.add_exception_handler(Problem, answer_problem)
    vendor.add_exception_handler(RequestValidationError, answer_problem)
    return vendor


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.vendor",
        description=HELP,
        epilog=LESSON,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=int, required=True, help="0: any free one; the first line printed tells it"
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FILE", help="the book; made if there is none"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--token", help="the bearer token to ask for (none: any is accepted)")
    parser.add_argument("--strict-expiry", action="store_true", help="refuse orders from another expiry")
    return parser


if __name__ == "__main__":
    main()
