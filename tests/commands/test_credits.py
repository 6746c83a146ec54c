"""A customer's credits: granted by staff, once per reference, shown grant by grant (R17–R19)."""

from __future__ import annotations

import asyncio
from datetime import time, timedelta

import httpx
import pytest_asyncio

from domain.local_time import local_instant
from domain.messages import subscription_workflow_id
from tests.commands import book
from tests.commands.tables import subscription_of, until

GRANT = ("--currency", "GBP", "--reason", "apology", "--by", "support:jo")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def row(evergreen, folder):
    """A customer with one license."""
    made = book.row(opening_credit="5.00")
    await evergreen("import", book.write(folder / "credits.csv", [made]))
    return made


async def test_a_grant_is_made_once_per_reference_and_stands_in_the_statement(evergreen, row):
    email = row["customer_email"]
    grant = ("grant", email, "--amount", "20.00", "--reference", "goodwill-17", *GRANT)

    made = await evergreen(*grant, "--json")
    again, other = await asyncio.gather(
        evergreen(*grant, "--json"),
        evergreen("grant", email, "--amount", "21.00", "--reference", "goodwill-17", *GRANT),
    )
    statement = (await evergreen("credits", email, "--json")).json

    assert (made.code, made.json["new"]) == (0, True)
    assert (again.code, again.json) == (0, {"grant": made.json["grant"], "new": False})
    assert other.code == 1
    assert "the reference is taken by another grant" in other.said
    assert [(g["kind"], g["amount_minor"], g["remaining_minor"], g["reference"]) for g in statement] == [
        ("purchase", 500, 500, statement[0]["reference"]),
        ("promotional", 2000, 2000, "goodwill-17"),
    ]
    assert [line["balance_minor"] for line in statement[1]["movements"]] == [2000]


async def test_amounts_that_are_no_money_are_misuse_and_unknown_customers_are_refused(evergreen, row):
    """R11: the raw text is checked; nothing is guessed."""
    email = row["customer_email"]

    def grant(*changes):
        return evergreen("grant", email, "--reference", "bad", "--amount", "1.00", *GRANT, *changes)

    misused = await asyncio.gather(
        grant("--amount", "1e2"),
        grant("--amount", "0.00"),
        grant("--amount=-5.00"),
        grant("--amount", "1.005"),
        grant("--currency", "POUND"),
        grant("--priority", "101"),
        grant("--kind", "gift"),
        grant("--expires-on", "soon"),
    )
    unknown = await asyncio.gather(
        evergreen("credits", "nobody@example.com"),
        evergreen("grant", "nobody@example.com", "--reference", "bad", "--amount", "1.00", *GRANT),
    )

    assert [(answer.code, answer.out) for answer in misused] == [(2, "")] * len(misused)
    assert all("Traceback" not in answer.err for answer in misused)
    assert [answer.code for answer in unknown] == [1, 1]
    assert all("there is no such customer" in answer.said for answer in unknown)


async def test_a_grant_pays_at_once_what_waits_for_money(evergreen, stack, folder, sessions, clocks):
    """R22: the renewal was due and short; the credit comes, the license is updated and proved."""
    row = book.row(expires_on=str(book.today() + timedelta(days=30)))
    at_vendor = {
        "addons": [],
        **{k: row[k] for k in ("license_key", "product", "edition", "size", "expires_on")},
    }
    httpx.post(f"{stack.addresses.urls['vendor']}/sandbox/licenses", json=[at_vendor]).raise_for_status()
    await evergreen("import", book.write(folder / "short.csv", [row]))
    subscription = await subscription_of(sessions, row)
    due = local_instant(book.today() + timedelta(days=16), time(12), "Europe/London")
    await clocks.advance(subscription_workflow_id(subscription), due)

    waiting = await evergreen("list", "--state", "collecting", "--customer", row["customer_email"], "--json")
    assert [held["subscription"] for held in waiting.json] == [subscription]

    granted = await evergreen(
        "grant", row["customer_email"], "--amount", "1000.00", "--reference", "short", *GRANT
    )
    assert granted.code == 0, granted.said

    async def is_renewed():
        shown = (await evergreen("show", subscription, "--json")).json
        return shown["state"] == "active" and shown["license"]["vendor_expires_on"] == shown["expires_on"]

    await until(is_renewed, "the renewal")
    shown = (await evergreen("show", subscription, "--json")).json
    assert shown["starts_on"] == str(book.today() + timedelta(days=31))


async def test_the_statement_for_people_names_each_grant_and_what_is_left(evergreen, row):
    answer = await evergreen("credits", row["customer_email"])

    assert answer.code == 0
    assert "£5.00 left of £5.00" in answer.said
