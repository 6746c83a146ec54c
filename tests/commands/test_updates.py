"""License updates that are owed: the queue for staff, and their news of one (R23, R24)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest_asyncio
from sqlalchemy import select

from db.models.audit import AuditRecord
from tests.commands import book
from tests.commands.tables import until
from tests.commands.vendor_side import Licensed, shows

EAS = "Exchange ActiveSync"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def licensed(evergreen, sessions, stack):
    return Licensed(evergreen, sessions, stack.addresses.urls["vendor"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ordered(evergreen, licensed):
    """An add-on is paid, and the vendor's API does not answer."""

    async def order():
        row = book.row(edition="Enterprise", opening_credit="900.00")
        subscription = await licensed(row)
        await licensed.away(row)
        bought = await evergreen("add-addons", subscription, EAS, "--json")
        return row, subscription, bought.json["answer"]["paid"]["update_id"]

    return order


async def queued(evergreen, update):
    owed = (await evergreen("updates", "--json")).json["updates"]
    return next((one for one in owed if one["update"] == update), None)


async def test_R23_an_update_is_moved_to_staff_who_see_all_they_need_and_report_it_done(evergreen, ordered):
    row, subscription, update = await ordered()
    assert (await queued(evergreen, update))["channel"] == "api"
    twice = await evergreen("add-addons", subscription, EAS)
    assert (twice.code, "ordered and paid already" in twice.said) == (1, True)
    assert (await evergreen("addons", subscription, "--json")).json["ordered"] == [EAS]

    moved = await evergreen("update-move", update, "--channel", "by_hand", "--json")
    assert (moved.code, moved.json["channel"], moved.json["taken"]) == (0, "by_hand", True)
    shown = await queued(evergreen, update)
    assert (shown["subscription"], shown["kind"], shown["add"]) == (subscription, "addon", [EAS])
    assert (shown["from_expires_on"], shown["to_expires_on"]) == (row["expires_on"], row["expires_on"])
    assert (shown["product_code"], shown["license_key"]) == (
        "SmarterMailEnt-250",
        f"••••{row['license_key'][-4:]}",
    )
    listed = await evergreen("updates")
    assert update in listed.out
    assert row["license_key"] not in listed.out

    too_early = await evergreen("update-done", update, "--expires-on", _before(row))
    assert too_early.code == 1
    assert _before(row) in too_early.said
    assert row["expires_on"] in too_early.said
    done = await evergreen(
        "update-done", update, "--expires-on", row["expires_on"], "--by", "support:jo", "--json"
    )
    assert (done.code, done.json) == (
        0,
        {"update": update, "state": "done", "channel": "by_hand", "taken": True},
    )

    assert await queued(evergreen, update) is None
    await until(
        await shows(evergreen, subscription, lambda held: held["license"]["addons"] == [EAS]), "the add-on"
    )
    again = await evergreen("update-done", update, "--expires-on", row["expires_on"])
    assert (again.code, "is done already" in again.said) == (1, True)
    months = [one for one in (await evergreen("updates", "--share", "--json")).json if one["kept"]]
    assert months  # other tests of this stack have kept promises too, in months to come
    assert {month["kept_bp"] for month in months} == {10_000}
    assert "100%" in (await evergreen("updates", "--share")).out


async def test_R23_an_update_that_the_vendor_refuses_is_given_back(evergreen, ordered):
    row, _subscription, update = await ordered()

    refused = await evergreen(
        "update-refused", update, "--reason", "RevokedKey", "--by", "support:jo", "--json"
    )

    assert (refused.code, refused.json["state"]) == (0, "refused")
    (grant,) = (await evergreen("credits", row["customer_email"], "--json")).json
    assert grant["remaining_minor"] == 900_00


async def test_R28_staff_see_the_whole_key_and_that_is_audited(evergreen, ordered, sessions):
    row, _subscription, update = await ordered()

    revealed = await evergreen("updates", "--reveal", update, "--by", "support:jo")

    assert (revealed.code, revealed.out.strip()) == (0, row["license_key"])
    async with sessions() as session:
        query = select(AuditRecord).where(AuditRecord.reason == f"for license update {update}")
        assert (await session.scalars(query)).one().actor == "support:jo"


async def test_an_update_that_is_not_there_is_refused(evergreen):
    for arguments in (
        ("updates", "--reveal", "upd_none"),
        ("update-done", "upd_none", "--expires-on", "2027-08-31"),
        ("update-refused", "upd_none", "--reason", "no"),
        ("update-move", "upd_none", "--channel", "api"),
    ):
        answer = await evergreen(*arguments)
        assert (answer.code, "upd_none" in answer.err) == (1, True), arguments
    assert (await evergreen("update-done", "upd_none", "--expires-on", "soon")).code == 2


def _before(row):
    return str(date.fromisoformat(row["expires_on"]) - timedelta(days=1))
