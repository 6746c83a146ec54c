"""Renewals bought before the move to this system: recorded one by one, or from a file (R19)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from commands import purchase_files, running
from commands.given import KEY_HELP, key_of, worded
from commands.license_files import storing_of
from commands.progress import progressing
from commands.running import BadInput, Refused
from commands.screen import AsJson, By, console, document
from config import Settings
from db import purchases
from db.license_keys import last_four
from db.purchase_refusals import PurchaseRefused
from domain.intake_cells import Cells
from domain.intake_license import LicenseCheck
from domain.intake_problem import Problem
from domain.local_time import local_date
from domain.money import format_minor
from domain.purchase import DESCRIPTION, Purchase
from domain.purchase_check import PurchaseCheck, check_known
from reception.purchases import Recording, SomeRefused, Told

_SENTENCES = {
    "on": "It will be renewed on its renewal date, and the credit is used then.",
    "collecting": "The renewal was waiting for money: it is collected now, if there is enough.",
    "turned_on": "Auto-renewal was off and is on again.",
    "asked": "Auto-renewal was off. No worker answered; the request was left with the server, a worker will decide it.",
    "off": "Auto-renewal was turned off after this purchase, and stays off.",
    "expired": "The license has expired: the credit is kept, but to be renewed it needs a request.",
}


def purchase(
    reference: Annotated[str, typer.Option(help="The purchase's number, unique for ever.")] = "",
    license_key: Annotated[
        str,
        typer.Option(help=KEY_HELP),
    ] = "",
    amount: Annotated[str, typer.Option(help="Exactly what was paid, written 200.00.")] = "",
    currency: Annotated[str, typer.Option(help="ISO currency.")] = "",
    email: Annotated[
        str, typer.Option(help="The customer; needed for a new key, as all below up to size.")
    ] = "",
    name: Annotated[str, typer.Option(help="The customer's name.")] = "",
    country: Annotated[str, typer.Option(help="The customer's country, like GB.")] = "",
    product: Annotated[str, typer.Option(help="As the catalogue names it, like SmarterMail.")] = "",
    edition: Annotated[str, typer.Option(help="Professional or Enterprise.")] = "",
    size: Annotated[str, typer.Option(help="As the catalogue names it, like 250.")] = "",
    addons: Annotated[str, typer.Option(help="Names, separated by semicolons.")] = "",
    expires_on: Annotated[str, typer.Option(help="Last covered day; needed for a new key.")] = "",
    renews_on: Annotated[str, typer.Option(help="A renewal date other than the usual one (R4).")] = "",
    previous_customer: Annotated[
        bool, typer.Option("--previous-customer", help="They earn the loyalty discount (R13).")
    ] = False,
    card_token: Annotated[
        str, typer.Option(help="The payment provider's token; for a customer without a card.")
    ] = "",
    file: Annotated[
        Path | None, typer.Option(help="A .csv or .jsonl file of purchases; see examples/purchases.csv.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check the file, record nothing.")] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Record the good rows although others are bad.")
    ] = False,
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Record a renewal bought before the move: what was paid becomes credit, and the license is set to auto-renew.

    A key that is not here yet is added, if the license and its customer are described. The same reference again
    changes nothing; with another amount, key or customer it is refused.

    Example: evergreen purchase --reference INV-1042 --license-key - --amount 200.00 --currency GBP < key.txt

    Example: evergreen purchase --file examples/purchases.csv --check
    """
    console.quiet = as_json
    given = {
        "reference": reference,
        "amount": amount,
        "customer_email": email,
        "customer_name": name,
        "country": country,
        "currency": currency,
        "license_key": license_key,
        "product": product,
        "edition": edition,
        "size": size,
        "addons": addons,
        "expires_on": expires_on,
        "renews_on": renews_on,
        "previous_customer": "yes" if previous_customer else "",
        "card_token": card_token,
    }
    if file is not None:
        if any(given.values()):
            raise typer.BadParameter("a --file of purchases goes without the options of a single one")
        purchase_files.record(file, check, skip_bad, by, as_json)
        return
    if check or skip_bad:
        raise typer.BadParameter("--check and --skip-bad are for a --file of purchases")
    given["license_key"] = key_of(license_key)
    _report(running.run(lambda: _record(given, by)), as_json)


async def _record(given: dict[str, str], by: str) -> tuple[Purchase, Told]:
    bought = _good(check_known(Cells(1, given)))  # what is badly written is told before any server is asked
    settings, at = running.settings(), datetime.now(UTC)
    key_ring = settings.key_ring()
    client = await running.temporal()
    async with running.database(settings) as sessions:
        async with sessions() as session:
            is_here = await purchases.is_here(session, key_ring, bought.license_key)
        if not is_here and any(given[column] for column in DESCRIPTION):
            why = f"The key ending in {last_four(bought.license_key)} is new here, so its license is to be described.\n"
            bought = _good(_check(settings, at).check(Cells(1, given)), why)
        digest = sha256(bought.reference.encode()).digest()
        storing = storing_of(settings, f"purchase {bought.reference}", digest, by, at)
        recording = Recording(sessions, client, storing)
        try:
            if bought.license is None:
                return bought, await recording.record(bought)
            with progressing() as progress:
                told, _refused = await replace(recording, progress=progress).store([bought])
        except PurchaseRefused as no:
            raise Refused(f"{no} Nothing was recorded.") from no
        except SomeRefused as refused:
            raise Refused(f"{worded(refused.problems)}\nNothing was recorded.") from refused
    return bought, told[0]


def _check(settings: Settings, at: datetime) -> PurchaseCheck:
    today = local_date(at, settings.zone)
    return PurchaseCheck(LicenseCheck(settings.price_list(), today, settings.notice_days))


def _good(found: Purchase | list[Problem], why: str = "") -> Purchase:
    if isinstance(found, Purchase):
        return found
    raise BadInput(f"{why}{worded(found)}\nNothing was recorded.")


def _report(answer: tuple[Purchase, Told], as_json: bool) -> None:
    bought, told = answer
    recorded = told.recorded
    if as_json:
        document(told.as_document())
        return
    if recorded.new:
        amount = format_minor(bought.amount_minor, bought.currency)
        console.print(
            f"Recorded [bold]{amount}[/] as credit {recorded.grant_id} for {recorded.subscription_id}."
        )
    else:
        console.print(
            f"The purchase was recorded before, as credit {recorded.grant_id} for "
            f"{recorded.subscription_id}: nothing was changed."
        )
    if recorded.taken_new_key:
        console.print("The license is new here.")
    if recorded.window_closed:
        console.print("Its cancel-by date has passed: the coming renewal cannot be stopped any more.")
    console.print(_SENTENCES[told.renewal])
