"""Requests of customers, from the form to what staff decide (R27)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import count

import pytest_asyncio

from db import subscriptions
from tests.commands import book
from tests.commands.tables import until
from tests.commands.vendor_side import Licensed, shows

_numbers = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def licensed(evergreen, sessions, stack):
    return Licensed(evergreen, sessions, stack.addresses.urls["vendor"])


def wish(**changes):
    """Options that ask for a key to be added."""
    number = next(_numbers)
    given = {
        "email": f"wish{number}@example.com",
        "name": "Jo Pine",
        "country": "GB",
        "currency": "GBP",
        "license-key": f"WISHED-{number:06d}-W{number:03d}",
        "product": "SmarterMail",
        "edition": "Professional",
        "size": "250",
        "expires-on": str(book.today() + timedelta(days=200)),
    } | {name.replace("_", "-"): text for name, text in changes.items()}
    return given, [word for name, text in given.items() if text for word in (f"--{name}", text)]


async def placed(evergreen, kind, options):
    answer = await evergreen("request", kind, *options, "--json")
    assert answer.code == 0, answer.said
    return answer.json["request"]


async def listed(evergreen, request_id):
    return next(
        one for one in (await evergreen("requests", "--all", "--json")).json if one["request"] == request_id
    )


async def test_R27_a_key_that_staff_accept_is_renewed_from_now_on(evergreen):
    given, options = wish(country="", text="Please add it")
    key, email = given["license-key"], given["email"]
    request_id = await placed(evergreen, "add-key", options)
    waiting = await evergreen("requests")
    assert request_id in waiting.out
    assert key not in waiting.out + (await evergreen("requests", "--json")).out
    shown = await evergreen("requests", "--reveal", request_id, "--by", "support:jo")
    assert shown.out.strip() == key

    incomplete = await evergreen("accept", request_id)
    assert (incomplete.code, "--country" in incomplete.said) == (2, True)
    accepted = await evergreen("accept", request_id, "--country", "JE", "--by", "support:jo", "--json")

    assert accepted.code == 0, accepted.said
    assert (accepted.json["carried_out"], accepted.json["past_cancel_by"]) == (True, False)
    held = (await evergreen("show", accepted.json["subscription"], "--json")).json
    assert (held["license"]["key"], held["state"]) == (f"••••{key[-4:]}", "active")
    assert held["workflow"]["state"] == "active"
    request = await listed(evergreen, request_id)
    assert (request["state"], request["decided_by"], request["subscription"]) == (
        "accepted",
        "support:jo",
        accepted.json["subscription"],
    )
    again = await evergreen("accept", request_id)
    assert (again.code, "was accepted by support:jo" in again.said) == (1, True)
    declined = await evergreen("decline", request_id, "--reason", "no")
    assert (declined.code, "was accepted by support:jo" in declined.said) == (1, True)
    known = await evergreen("request", "add-key", "--email", email, "--license-key", key)
    assert (known.code, "is in our system already" in known.said) == (1, True)


async def test_R26_an_expired_license_is_renewed_at_the_vendor_first(evergreen):
    _given, options = wish(expires_on=str(book.today() - timedelta(days=1)))
    request_id = await placed(evergreen, "add-key", options)

    expired = await evergreen("accept", request_id)
    assert (expired.code, "renew it at the vendor first" in expired.said) == (1, True)
    closed = str(book.today() + timedelta(days=10))
    accepted = await evergreen("accept", request_id, "--expires-on", closed, "--json")
    assert (accepted.code, accepted.json["past_cancel_by"]) == (0, True)


async def test_what_is_badly_written_is_told_with_its_option(evergreen):
    _given, options = wish(license_key="too short", country="UK", product="SmaterMail")

    answer = await evergreen("request", "add-key", *options)

    assert (answer.code, answer.out) == (2, "")
    assert "--license-key: it does not look like a license key" in answer.said
    assert "Did you mean GB?" in answer.said
    assert "Did you mean 'SmarterMail'?" in answer.said
    assert (await evergreen("request", "rename", "--email", "jo@example.com")).code == 2


async def test_R27_of_two_who_accept_a_key_at_once_one_does(evergreen):
    _given, options = wish()
    request_id = await placed(evergreen, "add-key", options)

    answers = await asyncio.gather(
        *(evergreen("accept", request_id, "--by", f"support:{n}") for n in range(3))
    )

    assert sorted(answer.code for answer in answers) == [0, 1, 1]


async def test_R27_an_accepted_upgrade_is_ordered_and_updated_when_it_is_paid(evergreen, licensed):
    row = book.row(country="JE", opening_credit="20.00")
    subscription = await licensed(row)
    options = ("--email", row["customer_email"], "--subscription", subscription, "--size", "500")
    request_id = await placed(evergreen, "upgrade", options)

    accepted = await evergreen("accept", request_id, "--price", "50.00", "--by", "support:jo", "--json")

    assert accepted.code == 0, accepted.said
    order, invoice = accepted.json["order"], accepted.json["invoice"]
    assert (await evergreen("invoice", invoice, "--json")).json["total_minor"] == 50_00
    short = await evergreen("pay", order, "--json")
    assert (short.code, short.json["answer"]["outcome"]) == (1, "refused")
    await evergreen(
        "grant", row["customer_email"], "--amount", "30.00", "--currency", "GBP", "--reason", "paid by transfer",
        "--reference", f"transfer-{request_id}", "--kind", "purchase",
    )  # fmt: skip
    paid = await evergreen("pay", order, "--json")
    assert (paid.code, paid.json["answer"]["outcome"]) == (0, "accepted"), paid.said
    await until(
        await shows(evergreen, subscription, lambda held: held["license"]["size"] == "500"), "the size"
    )


async def test_R27_of_two_who_accept_an_upgrade_at_once_both_get_the_one_order(evergreen, licensed):
    row = book.row()
    options = ("--email", row["customer_email"], "--subscription", await licensed(row), "--size", "500")
    request_id = await placed(evergreen, "upgrade", options)

    answers = await asyncio.gather(*(evergreen("accept", request_id, "--json") for _ in range(3)))

    orders = {answer.json["order"] for answer in answers if answer.code == 0}
    assert len(orders) == 1
    assert all(answer.code in (0, 1) for answer in answers)
    assert len((await evergreen("invoices", row["customer_email"], "--json")).json) == 1


async def test_what_the_workflow_refuses_leaves_the_request_open(evergreen, licensed):
    row = book.row(size="500")
    options = ("--email", row["customer_email"], "--subscription", await licensed(row), "--size", "250")
    request_id = await placed(evergreen, "upgrade", options)

    refused = await evergreen("accept", request_id, "--json")

    assert (refused.code, refused.json["state"]) == (1, "open")
    assert "no upgrade" in refused.json["reason"]
    assert (await listed(evergreen, request_id))["state"] == "open"
    assert (await evergreen("decline", request_id, "--reason", "Ask for a downgrade.")).code == 0


async def test_R27_an_accepted_downgrade_is_noted_for_the_renewal(evergreen, licensed, sessions):
    row = book.row(size="500")
    subscription = await licensed(row)
    options = ("--email", row["customer_email"], "--license-key", row["license_key"], "--size", "250")
    request_id = await placed(evergreen, "downgrade", options)

    accepted = await evergreen("accept", request_id, "--json")

    assert (accepted.code, accepted.json["subscription"]) == (0, subscription)
    async with sessions() as session:
        assert (await subscriptions.held(session, subscription)).subscription.next_size == "250"
    assert "at your next renewal" in (await listed(evergreen, request_id))["reason"]


async def test_something_else_is_answered_or_declined(evergreen):
    first = await placed(
        evergreen, "other", ("--email", "else@example.com", "--text", "May I pay by cheque?")
    )
    second = await placed(evergreen, "other", ("--email", "else@example.com", "--text", "Why not?"))

    assert (await evergreen("accept", first)).code == 2, "the customer waits for an answer"
    assert (await evergreen("accept", first, "--answer", "You may.")).code == 0
    assert (await evergreen("decline", second, "--reason", "Because.")).code == 0
    assert [(await listed(evergreen, one))["reason"] for one in (first, second)] == ["You may.", "Because."]
    assert (await evergreen("accept", "req_none")).code == 1
    assert (await evergreen("decline", "req_none", "--reason", "no")).code == 1


async def test_an_address_cannot_flood_staff(evergreen):
    options = ("--email", "flood@example.com", "--text", "again")
    for _ in range(5):
        await placed(evergreen, "other", options)

    answer = await evergreen("request", "other", *options)

    assert (answer.code, "please wait for it" in answer.said) == (1, True)
