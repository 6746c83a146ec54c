"""Add-ons and sizes of a license: quoted, ordered, dropped, made smaller (R14, R15, R27)."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest_asyncio

from domain.money import share
from domain.term import term_ending
from tests.commands import book
from tests.commands.tables import until
from tests.commands.vendor_side import Licensed, shows

SNIFFER, EAS, MAPI = "Message Sniffer", "Exchange ActiveSync", "MAPI & EWS"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def licensed(evergreen, sessions, stack):
    return Licensed(evergreen, sessions, stack.addresses.urls["vendor"])


def enterprise(**cells):
    return book.row(
        edition="Enterprise", country="JE", expires_on=str(book.today() + timedelta(days=200)), **cells
    )


def days_left(row):
    term = term_ending(date.fromisoformat(row["expires_on"]))
    return term.days_left(book.today()), term.days


async def test_R14_what_a_license_has_and_could_have_is_listed_with_its_price(evergreen, licensed):
    row = enterprise(addons=MAPI)
    subscription = await licensed(row)

    listed = (await evergreen("addons", subscription, "--json")).json

    left, term = days_left(row)
    assert listed["has"] == [{"addon": MAPI, "left_out_at_renewal": False}]
    assert [(offer["addon"], offer["net_minor"]) for offer in listed["available"]] == [
        (SNIFFER, share(80_00, left, term)),
        (EAS, share(120_00, left, term)),
    ]
    assert [offer["total_minor"] for offer in listed["available"]] == [
        offer["net_minor"] - share(offer["net_minor"], 10, 100) for offer in listed["available"]
    ]
    shown = await evergreen("addons", subscription)
    assert shown.code == 0
    assert EAS in shown.out


async def test_R15_an_addon_is_charged_as_quoted_and_the_license_updated(evergreen, licensed):
    row = enterprise(opening_credit="500.00")
    subscription = await licensed(row)

    quote = await evergreen("quote", subscription, EAS, "--json")
    assert (quote.code, quote.json["credits_minor"]) == (0, quote.json["total_minor"])
    bought = await evergreen("add-addons", subscription, EAS, "--quote", quote.json["quote_id"], "--json")

    assert bought.code == 0, bought.said
    answer = bought.json["answer"]
    assert (answer["outcome"], answer["quote"]["total_minor"]) == ("accepted", quote.json["total_minor"])
    await until(
        await shows(evergreen, subscription, lambda shown: shown["license"]["addons"] == [EAS]), "the add-on"
    )
    invoice = (await evergreen("invoice", answer["invoice"], "--json")).json
    assert (invoice["total_minor"], invoice["due_minor"]) == (quote.json["total_minor"], 0)

    again = await evergreen("add-addons", subscription, EAS, "--quote", quote.json["quote_id"])
    assert again.code == 1
    assert "was accepted before" in again.err


async def test_R15_a_quote_that_does_not_hold_is_refused_with_the_new_one(evergreen, licensed):
    row = enterprise(opening_credit="10.00")
    subscription = await licensed(row)
    quote = (await evergreen("quote", subscription, EAS, "--json")).json
    await evergreen(
        "grant", row["customer_email"], "--amount", "500.00", "--currency", "GBP", "--reason", "goodwill",
        "--reference", row["license_key"][-9:],
    )  # fmt: skip

    refused = await evergreen("add-addons", subscription, EAS, "--quote", quote["quote_id"], "--json")

    assert refused.code == 1
    answer = refused.json["answer"]
    assert (answer["outcome"], "have changed" in answer["reason"]) == ("refused", True)
    assert answer["quote"]["remainder_minor"] == 0
    shown = await evergreen("add-addons", subscription, EAS, "--quote", quote["quote_id"])
    assert (shown.code, "This is what it costs now" in shown.out) == (1, True)
    taken = await evergreen("add-addons", subscription, EAS, "--quote", answer["quote"]["quote_id"], "--json")
    assert taken.json["answer"]["outcome"] == "accepted"


async def test_what_is_not_there_is_refused_with_what_was_meant(evergreen, licensed):
    subscription = await licensed(enterprise(addons=MAPI))

    for command in ("quote", "add-addons", "drop-addon"):
        answer = await evergreen(command, subscription, "MAPI & EVS")
        assert answer.code == 1, command
        assert "Did you mean 'MAPI & EWS'?" in answer.said, command
    twice = await evergreen("quote", subscription, MAPI)
    assert (twice.code, "already has 'MAPI & EWS'" in twice.said) == (1, True)
    nobody = await evergreen("addons", "sub_nobody")
    assert nobody.code == 1
    unpaid = await evergreen("pay", "ord_nobody")
    assert (unpaid.code, "there is no order ord_nobody" in unpaid.said) == (1, True)


async def test_without_money_nothing_is_charged_and_nothing_added(evergreen, licensed):
    row = enterprise()
    subscription = await licensed(row)

    answer = await evergreen("add-addons", subscription, EAS)

    assert answer.code == 1
    assert "nothing was charged" in answer.said
    invoices = (await evergreen("invoices", row["customer_email"], "--json")).json
    assert sum(invoice["total_minor"] for invoice in invoices) == 0


async def test_an_addon_is_marked_to_be_left_out_and_kept_after_all_whatever_else_is_marked(
    evergreen, licensed
):
    row = enterprise(addons=f"{MAPI};{SNIFFER};{EAS}", size="500")
    row["size"] = "500"
    subscription = await licensed(row)

    async def left_out():
        listed = (await evergreen("addons", subscription, "--json")).json
        return {had["addon"] for had in listed["has"] if had["left_out_at_renewal"]}

    assert (await evergreen("drop-addon", subscription, SNIFFER)).code == 0
    assert (await evergreen("drop-addon", subscription, MAPI)).code == 0
    smaller = await evergreen("downgrade", subscription, "--size", "250")
    assert (smaller.code, "at the next renewal" in smaller.said) == (0, True)
    assert await left_out() == {SNIFFER, MAPI}
    assert (await evergreen("drop-addon", subscription, MAPI, "--keep")).code == 0
    assert await left_out() == {SNIFFER}

    not_possible = await evergreen("downgrade", subscription, "--edition", "Professional")
    assert (not_possible.code, EAS in not_possible.said) == (1, True)
    larger = await evergreen("downgrade", subscription, "--size", "1000")
    assert (larger.code, "ask for an upgrade instead" in larger.said) == (1, True)
    assert (await evergreen("downgrade", subscription, "--keep")).code == 0
    assert await left_out() == {SNIFFER}
    assert (await evergreen("downgrade", subscription)).code == 2


async def test_with_no_worker_an_order_is_left_with_the_server_and_done_once(evergreen, licensed, stack):
    """R10: the update that nobody took up and the signal that was left are one request."""
    row = enterprise(opening_credit="500.00")
    subscription = await licensed(row)
    await until(await shows(evergreen, subscription, lambda shown: shown["workflow"]), "its workflow runs")

    await stack.programs["worker"].stop()
    try:
        left, smaller = await asyncio.gather(
            evergreen("add-addons", subscription, EAS, "--json"),
            evergreen("downgrade", subscription, "--size", "250"),
        )
    finally:
        await stack.programs["worker"].start()

    assert (left.code, left.json) == (0, {"subscription": subscription, "answer": None})
    assert (smaller.code, "make it again" in smaller.said) == (3, True)
    await until(
        await shows(evergreen, subscription, lambda shown: shown["license"]["addons"] == [EAS]), "the add-on"
    )
    invoices = (await evergreen("invoices", row["customer_email"], "--json")).json
    assert len(invoices) == 1
