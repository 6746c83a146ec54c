"""Looking at subscriptions, cancelling and resuming them, and what is refused (R7–R10)."""

from __future__ import annotations

import asyncio
from datetime import time, timedelta

import pytest_asyncio

from domain.local_time import in_words, local_instant
from domain.messages import subscription_workflow_id
from tests.commands import book
from tests.commands.tables import started, subscription_of, until


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def taken(evergreen, folder, sessions):
    """Imports rows; answers the ids of their subscriptions, whose workflows run."""

    async def take(*rows):
        file = book.write(folder / f"{rows[0]['license_key']}.csv", rows)
        assert (await evergreen("import", file, "--json")).json["taken"] == len(rows)
        return [await subscription_of(sessions, row) for row in rows]

    return take


def expiring(days):
    return str(book.today() + timedelta(days=days))


def noon(days):
    return local_instant(book.today() + timedelta(days=days), time(12), "Europe/London")


async def test_a_subscription_is_found_by_its_id_and_by_the_last_four_of_its_key(evergreen, taken):
    row = book.row(addons="Message Sniffer", expires_on=expiring(100))
    (subscription,) = await taken(row)

    by_id, by_key = await asyncio.gather(
        evergreen("show", subscription, "--json"), evergreen("show", row["license_key"][-4:], "--json")
    )

    assert by_id.json == by_key.json
    shown = by_id.json
    assert (shown["subscription"], shown["state"], shown["auto_renew"]) == (subscription, "active", True)
    assert (shown["expires_on"], shown["renews_on"]) == (expiring(100), expiring(86))
    assert shown["license"]["key"] == f"••••{row['license_key'][-4:]}"
    assert shown["license"]["addons"] == ["Message Sniffer"]
    assert shown["workflow"]["plan"]["cancel_by"] == expiring(85)
    assert row["license_key"] not in by_id.out


async def test_subscriptions_are_listed_by_state_customer_and_renewal_date(evergreen):
    email = "lists@example.com"
    near = book.row(customer_email=email, expires_on=expiring(40))
    far = book.row(customer_email=email, expires_on=expiring(300))
    await evergreen("import", book.write(evergreen.cwd / "lists.csv", [far, near, book.row()]))

    of_customer, soon, cancelled = await asyncio.gather(
        evergreen("list", "--customer", email.upper(), "--json"),
        evergreen("list", "--customer", email, "--renews-before", expiring(100), "--json"),
        evergreen("list", "--customer", email, "--state", "cancelled", "--json"),
    )

    assert [held["expires_on"] for held in of_customer.json] == [near["expires_on"], far["expires_on"]]
    assert [held["expires_on"] for held in soon.json] == [near["expires_on"]]
    assert cancelled.json == []


async def test_a_list_for_people_shows_each_id_whole(evergreen, taken):
    """So that it can be copied into the next command."""
    row = book.row()
    (subscription,) = await taken(row)

    answer = await evergreen.told(COLUMNS="100")("list", "--customer", row["customer_email"])

    assert subscription in answer.out


async def test_a_name_that_looks_like_markup_is_shown_as_it_is(evergreen, taken):
    row = book.row(customer_name="Bracket [/b] & [bold]Sons")
    (subscription,) = await taken(row)

    listed, shown = await asyncio.gather(
        evergreen("list", "--customer", row["customer_email"]), evergreen("show", subscription)
    )

    assert "Bracket [/b] & [bold]Sons" in listed.said
    assert "Bracket [/b] & [bold]Sons" in shown.said


async def test_a_cancellation_in_time_is_accepted_repeated_without_effect_and_taken_back(evergreen, taken):
    """R7, R9, R10: the answers name the dates and who asked."""
    row = book.row(expires_on=expiring(100))
    (subscription,) = await taken(row)

    cancelled = await evergreen("cancel", subscription, "--reason", "moved", "--by", "support:jo", "--json")
    assert cancelled.code == 0
    decision = cancelled.json["decision"]
    assert (decision["outcome"], decision["by"], decision["kind"]) == ("accepted", "support:jo", "cancel")
    assert (decision["cancel_by"], decision["effective_on"]) == (expiring(85), expiring(100))

    again = await evergreen("cancel", row["license_key"][-4:])
    assert again.code == 0
    assert "no_change: The renewal was already cancelled" in again.said

    listed = await evergreen("list", "--state", "cancelled", "--customer", row["customer_email"], "--json")
    assert [held["subscription"] for held in listed.json] == [subscription]

    resumed = await evergreen("resume", subscription, "--by", "support:jo", "--json")
    assert (resumed.code, resumed.json["decision"]["outcome"]) == (0, "accepted")
    assert resumed.json["decision"]["effective_on"] == expiring(100)
    assert in_words(book.today() + timedelta(days=86)) in resumed.json["decision"]["sentence"]


async def test_a_late_cancellation_is_kept_for_the_next_expiry_and_says_both_dates(evergreen, taken):
    """R8."""
    (subscription,) = await taken(book.row(expires_on=expiring(10)))

    answer = await evergreen("cancel", subscription)

    assert answer.code == 0
    assert answer.said.startswith("deferred: ")
    assert in_words(book.today() + timedelta(days=10)) in answer.said


async def test_what_is_not_there_is_refused_with_1_and_what_is_not_clear_with_2(evergreen, taken):
    twins = [book.row(license_key=f"TWIN-{place}-0000-TWIN") for place in ("LEFT", "RIGHT")]
    ids = await taken(*twins)

    unknown, ambiguous, long = await asyncio.gather(
        evergreen("cancel", "sub_nobody"),
        evergreen("show", "TWIN"),
        evergreen("cancel", ids[0], "--reason", "x" * 501),
    )

    assert (unknown.code, unknown.out) == (1, "")
    assert "there is no subscription 'sub_nobody'" in unknown.said
    assert ambiguous.code == 2
    assert all(subscription in ambiguous.said for subscription in ids)
    assert long.code == 2
    assert "reason" in long.said


async def test_what_has_ended_can_be_neither_cancelled_nor_resumed(evergreen, taken, clocks):
    """R7: it ran to its expiry and ended; exit code 1 and a reason."""
    (subscription,) = await taken(book.row(expires_on=expiring(30)))
    assert (await evergreen("cancel", subscription)).code == 0

    assert not await clocks.advance(subscription_workflow_id(subscription), noon(32))
    cancelled, resumed, shown = await asyncio.gather(
        evergreen("cancel", subscription), evergreen("resume", subscription), evergreen("show", subscription)
    )

    assert (cancelled.code, resumed.code, shown.code) == (1, 1, 0)
    assert "has ended" in cancelled.said
    assert "has ended" in resumed.said
    assert "expired" in shown.said


async def test_a_lapsed_license_is_not_resumed_and_the_reason_says_what_else_to_do(evergreen, taken, clocks):
    """R9, R22: the workflow is still open, the rule says no."""
    (subscription,) = await taken(book.row(expires_on=expiring(30)))
    await clocks.advance(subscription_workflow_id(subscription), noon(32))

    answer = await evergreen("resume", subscription)

    assert answer.code == 1
    assert "ask for a late renewal instead" in answer.said


async def test_with_no_worker_the_request_is_left_with_the_server_and_decided_later(
    evergreen, taken, stack, sessions
):
    """R3: received, not handled. The answer says that it was left; it is decided when a worker is back."""
    row = book.row(expires_on=expiring(100))
    (subscription,) = await taken(row)
    await until(lambda: started(sessions, f"{row['license_key']}.csv"), "its workflow runs")

    await stack.programs["worker"].stop()
    try:
        left, shown = await asyncio.gather(
            evergreen("cancel", subscription, "--by", "support:jo", "--json"), evergreen("show", subscription)
        )
    finally:
        await stack.programs["worker"].start()

    assert (left.code, left.json) == (0, {"subscription": subscription, "decision": None})
    assert "no worker answers" in shown.said

    async def decision():
        workflow = (await evergreen("show", subscription, "--json")).json["workflow"]
        return workflow and workflow["decision"]

    await until(decision, "the worker decides")
    decided = await decision()
    assert (decided["outcome"], decided["by"]) == ("accepted", "support:jo")
