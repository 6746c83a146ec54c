"""A license's add-ons: which it has and could have, adding some now, leaving one out at the renewal (R14, R15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import typer

import starter
from commands import orders, running
from commands.orders import Answered, answer_of
from commands.quotes import NO, Addons, quoting
from commands.running import Refused
from commands.screen import AsJson, By, console, document, short, table
from commands.subscriptions import Which, one
from db.orders import paid_changes
from db.quotes import Quoting
from db.subscriptions import Held
from domain.intake_problem import closest
from domain.messages import AddAddons, ChangeAtRenewal
from domain.money import format_minor
from domain.not_offered import NotOffered
from domain.pricing import Bill, LineKind


@dataclass(frozen=True)
class Choice:
    """The add-ons of one license: what it has, what it could have and for how much, or why nothing is sold now."""

    held: Held
    ordered: tuple[str, ...]
    """Paid, and the license is being updated."""
    offers: dict[str, Bill]
    """Add-on → what it costs for the rest of the term (R14)."""
    reason: str | None


def addons(subscription: Which, as_json: AsJson = False) -> None:
    """List a license's add-ons: those it has, and those it could have with their price for the rest of the term.

    Example: evergreen addons 7K2P
    """

    async def command() -> Choice:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions() as session:
            held = await one(session, subscription)
            waiting = await paid_changes(session, held.subscription.id)
        ordered = tuple(addon for order in waiting for addon in order.added_addons)
        return _choice(quoting(settings), held, ordered, datetime.now(UTC))

    found = running.run(command)
    if as_json:
        document(_as_document(found))
    else:
        _show(found)


def add_addons(
    subscription: Which,
    addons: Addons,
    quote: Annotated[
        str, typer.Option(callback=short, help="The quote that is accepted: exactly that is charged.")
    ] = "",
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Add add-ons to a license now: credits pay first, the saved card the rest, the license is updated as promised.

    If the quote does not hold any more nothing is charged, and a new one is shown.

    Example: evergreen add-addons 7K2P "Message Sniffer" --quote quo_01kb2v3x5y7z9a1c3e5g7j9m1p
    """

    async def command() -> Answered:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions() as session:
            held = await one(session, subscription)
        wanted, item = tuple(dict.fromkeys(addons)), held.item
        try:  # a name that nobody knows is not left for a worker to refuse
            settings.price_list().check(item.product, item.edition, item.size, wanted)
        except NotOffered as no:
            raise Refused(str(no)) from no
        request = AddAddons(addons=wanted, quote_id=quote, by=by, request_id=str(uuid4()))
        client, subscription_id = await running.temporal(), held.subscription.id
        taken = await answer_of(starter.add_addons(client, subscription_id, request))
        return Answered(subscription_id, taken.answer, settings.zone)

    orders.report(running.run(command), as_json)


def drop_addon(
    subscription: Which,
    addon: Annotated[str, typer.Argument(metavar="ADDON", callback=short, help="One that the license has.")],
    keep: Annotated[bool, typer.Option("--keep", help="Renew it after all.")] = False,
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Leave an add-on out at the next renewal; until then the license has it.

    Example: evergreen drop-addon 7K2P "Message Sniffer" --by support:jo
    """

    async def command() -> Answered:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions() as session:
            held = await one(session, subscription)
        row, named = held.subscription, _named(addon, held)
        marked = [name for name in row.drop_addons if name != named]
        request = ChangeAtRenewal(
            drop_addons=tuple(marked if keep else [*marked, named]),
            edition=row.next_edition,
            size=row.next_size,
            by=by,
            request_id=str(uuid4()),
        )
        taken = await answer_of(starter.change_at_renewal(await running.temporal(), row.id, request))
        return Answered(row.id, taken.answer, settings.zone)

    done = (
        "It is renewed with the license." if keep else "The next renewal leaves it out; until then it stays."
    )
    orders.report(running.run(command), as_json, done)


def _choice(quoting: Quoting, held: Held, ordered: tuple[str, ...], at: datetime) -> Choice:
    item = held.item
    try:
        names = quoting.catalogue.available_addons(
            item.product, item.edition, item.size, (*item.addons, *ordered)
        )
        return Choice(held, ordered, {name: quoting.bill(held, (name,), at)[0] for name in names}, None)
    except NO as no:
        return Choice(held, ordered, {}, str(no))


def _named(addon: str, held: Held) -> str:
    """The add-on that is meant, as the license has it. Raises Refused."""
    has = held.license.addons
    if addon in has:
        return addon
    meant = closest(addon, has)
    hint = f" Did you mean {meant!r}?" if meant else ""
    raise Refused(f"the license does not have {addon!r}.{hint} It has: {', '.join(has) or 'none'}.")


def _net_minor(bill: Bill) -> int:
    """The add-on's own lines, before discount and tax."""
    return sum(line.amount_minor for line in bill.lines if line.kind == LineKind.ADDON)


def _show(found: Choice) -> None:
    row, dropped = found.held.subscription, found.held.subscription.drop_addons
    has = [
        (name, "left out at the next renewal" if name in dropped else "yes", "", "")
        for name in found.held.license.addons
    ]
    has += [(name, "ordered", "", "") for name in found.ordered]
    could_have = [
        (
            name,
            "available",
            format_minor(_net_minor(bill), bill.currency),
            format_minor(bill.total_minor, bill.currency),
        )
        for name, bill in found.offers.items()
    ]
    columns = ["add-on", "has it", "rest of the term", "with discount and tax"]
    if has or could_have:
        table(
            f"{found.held.title}, {row.starts_on} … {row.expires_on}",
            columns,
            [*has, *could_have],
            columns[2:],
        )
    if found.reason is not None:
        console.print(f"Nothing can be added now: {found.reason}", markup=False)
    elif not could_have:
        console.print("There is nothing else to add.")


def _as_document(found: Choice) -> dict[str, Any]:
    dropped = found.held.subscription.drop_addons
    return {
        "subscription": found.held.subscription.id,
        "has": [
            {"addon": name, "left_out_at_renewal": name in dropped} for name in found.held.license.addons
        ],
        "ordered": list(found.ordered),
        "available": [
            {
                "addon": name,
                "currency": bill.currency,
                "net_minor": _net_minor(bill),
                "total_minor": bill.total_minor,
                "days": bill.lines[0].days,
                "term_days": bill.lines[0].term_days,
            }
            for name, bill in found.offers.items()
        ],
        "not_for_sale": found.reason,
    }
