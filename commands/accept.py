"""Accepting a request of a customer (R27)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from commands import running
from commands.given import KEY_HELP, key_of, worded
from commands.requests import WORDS, Request
from commands.running import BadInput, Refused, Unreachable
from commands.screen import AsJson, By, console, document, short, to_errors
from db.requests import RequestRefused, UnknownRequest
from domain.request_license import LicenseExpired
from reception import requests
from reception.acceptance import Accepted, Choice, Desk, Incomplete, NotAccepted
from starter import NoWorker


def accept(
    request: Request,
    license_key: Annotated[str, typer.Option(help=KEY_HELP)] = "",
    name: Annotated[str, typer.Option(help="The customer's name, where we do not know it.")] = "",
    country: Annotated[str, typer.Option(help="Their country, like GB; it decides the tax.")] = "",
    currency: Annotated[str, typer.Option(help="ISO currency in which the license is renewed.")] = "",
    product: Annotated[str, typer.Option(help="As the catalogue names it, like SmarterMail.")] = "",
    edition: Annotated[str, typer.Option(callback=short, help="Professional or Enterprise.")] = "",
    size: Annotated[str, typer.Option(callback=short, help="As the catalogue names it, like 250.")] = "",
    addons: Annotated[str, typer.Option(help="Names, separated by semicolons.")] = "",
    expires_on: Annotated[str, typer.Option(help="Last covered day, as the vendor's record shows it.")] = "",
    subscription: Annotated[
        str, typer.Option(help="The license to be changed, where the request does not say it.")
    ] = "",
    price: Annotated[
        str, typer.Option(help="A net price for an upgrade, like 50.00, instead of the difference.")
    ] = "",
    answer: Annotated[str, typer.Option(callback=short, help="What the customer is told besides.")] = "",
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Accept a request: a key is added and renewed from now on, an upgrade ordered, a downgrade noted for the renewal.

    What is left out stays as the customer filled it in. The customer is told.

    Example: evergreen accept req_01kb2v3x5y7z9a1c3e5g7j9m1p --product SmarterMail --edition Professional --size 250

    Example: evergreen accept req_01kb2v3x5y7z9a1c3e5g7j9m1p --size 500 --price 50.00 --by support:jo
    """
    given = {
        "license_key": key_of(license_key),
        "customer_name": name,
        "country": country,
        "currency": currency,
        "product": product,
        "edition": edition,
        "size": size,
        "addons": addons,
        "expires_on": expires_on,
    }
    stated = {column: text for column, text in given.items() if text}
    choice = Choice(stated, subscription, price, answer.strip())
    accepted = running.run(lambda: _accepted(request, choice, by))
    if as_json:
        document(_as_document(accepted))
    if accepted.refusal:
        to_errors.print(f"[bold red]evergreen:[/] {escape(accepted.refusal)}. The request stays open.")
        raise typer.Exit(1)
    if not as_json:
        _show(accepted)


async def _accepted(request_id: str, choice: Choice, by: str) -> Accepted:
    settings = running.settings()
    async with running.database(settings) as sessions:
        client, at = await running.temporal(), datetime.now(UTC)
        desk = Desk(sessions, client, settings.key_ring(), settings.price_list(), settings.policy(), by, at)
        try:
            return await requests.accept(desk, request_id, choice)
        except (RequestRefused, UnknownRequest, NotAccepted) as no:
            raise Refused(str(no)) from no
        except LicenseExpired as expired:
            raise Refused(f"{expired} (--expires-on)") from expired
        except Incomplete as wrong:
            raise BadInput(f"{worded(wrong.problems)}\nNothing was accepted.") from wrong
        except NoWorker as nobody:
            raise Unreachable(
                f"{nobody}. The request is accepted; accept it again to go on with it."
            ) from nobody


def _show(accepted: Accepted) -> None:
    answer = accepted.answer
    if not accepted.carried_out:
        console.print(
            "Accepted; no worker has carried it out yet. "
            + ("One will." if accepted.kind == "add_key" else "Accept it again to see what came of it.")
        )
    elif accepted.kind == "add_key":
        console.print(f"Added as [bold]{accepted.subscription_id}[/]; it is renewed from now on.")
    elif accepted.kind == "upgrade" and answer is not None:
        console.print(
            f"Ordered as [bold]{answer.order_id}[/], with invoice {answer.invoice}. The customer is asked to pay it; "
            "then the license is updated."
        )
    elif accepted.kind == "downgrade":
        console.print("Noted: it takes effect at the next renewal.")
    else:
        console.print("Answered.")
    if accepted.window_closed:
        console.print("Its cancel-by date has passed: the coming renewal cannot be stopped any more.")


def _as_document(accepted: Accepted) -> dict[str, Any]:
    answer = accepted.answer
    refused = bool(accepted.refusal)
    return {
        "request": accepted.request_id,
        "kind": WORDS[accepted.kind],
        "state": "open" if refused else "accepted",
        "carried_out": accepted.carried_out and not refused,
        "subscription": accepted.subscription_id,
        "order": answer.order_id if answer else None,
        "invoice": answer.invoice if answer else None,
        "past_cancel_by": accepted.window_closed,
        "reason": accepted.refusal or None,
    }
