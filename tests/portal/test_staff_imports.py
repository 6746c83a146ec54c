"""Imports that staff send: checked whole, taken once, followed, and the bad rows to be mended."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from db.models.intake import Intake
from db.models.subscription import Subscription
from tests.eventually import eventually

HEADER = (
    "customer_email,customer_name,country,currency,license_key,product,edition,size,addons,expires_on,renews_on,"
    "opening_credit,previous_customer,card_token\n"
)
COVERED_THROUGH = datetime.now(UTC).date() + timedelta(days=300)
KEYS = ("P539F-MH5ES-LKB3U-ML9GC", "SBVFV-4E4SQ-KY9V4-2EQQ5")


def row(number: int, size: str = "250") -> str:
    license = f"{KEYS[number]},SmarterMail,Professional,{size},,{COVERED_THROUGH},,,no,"
    return f"c{number}@example.org,Customer {number},JE,GBP,{license}\n"


GOOD = (HEADER + row(0) + row(1)).encode()
BAD = (HEADER + row(0) + row(1, size="999")).encode()


async def count(world, table):
    async with world.sessions() as session:
        return await session.scalar(select(func.count()).select_from(table))


async def form(jo):
    await jo.open("/staff/imports")
    return jo.form("/staff/imports")


async def test_R26_a_file_with_a_bad_row_is_reported_and_nothing_is_taken(world, jo):
    await jo.upload(await form(jo), "licenses.csv", BAD, what="import", reason="the move")

    assert "Nothing was taken. Good rows: 1; mistakes: 1." in jo.text
    assert "Line 3" in jo.text
    assert "999" in jo.text
    assert KEYS[1] not in jo.page.text
    assert await count(world, Subscription) == 0
    refused = await jo.http.get(f"{jo.page.url.path}/refused.csv")
    [only] = csv.DictReader(io.StringIO(refused.text))
    assert (only["line"], only["column"]) == ("3", "size")
    assert "attachment" in refused.headers["content-disposition"]


async def test_R26_the_good_rows_are_taken_when_staff_say_so_and_the_page_tells_how_far_it_is(world, jo):
    await jo.upload(await form(jo), "licenses.csv", BAD, what="skip_bad", reason="the move")
    here = jo.page.url.path

    async def done():
        return "Done. All 1 are looked after." in (await jo.open(here)).text.replace("</strong>", "").replace(
            "<strong>", ""
        )

    await eventually(done, "the import is done")
    assert "Download them as CSV" in jo.text
    async with world.sessions() as session:
        [taken] = await session.scalars(select(Intake))
    assert (taken.taken, taken.requested_by, taken.state) == (1, "support:jo@evergreen.example", "done")


async def test_a_file_sent_twice_at_once_is_one_import(world, jo):
    sent = await form(jo)

    await asyncio.gather(
        *(jo.upload(sent, "licenses.csv", GOOD, what="import", reason="the move") for _ in range(3))
    )

    assert (await count(world, Intake), await count(world, Subscription)) == (1, 2)
    await jo.upload(await form(jo), "licenses.csv", GOOD, what="import", reason="again")
    assert await count(world, Subscription) == 2


async def test_a_file_that_is_only_checked_or_cannot_be_read_takes_nothing(world, jo):
    await jo.upload(await form(jo), "licenses.csv", GOOD, what="check", reason="the move")
    assert "Every row is good" in jo.text

    await jo.upload(await form(jo), "licenses.xlsx", GOOD, what="import", reason="the move")
    assert (jo.page.status_code, "Save it as CSV" in jo.text) == (422, True)
    assert (await count(world, Intake), await count(world, Subscription)) == (0, 0)


async def test_while_it_runs_the_page_looks_again_with_and_without_scripts(world, jo, worker):
    await worker.stop()
    await jo.upload(await form(jo), "licenses.csv", GOOD, what="import", reason="the move")

    assert "Being started: 0 of 2." in jo.text
    assert '<noscript><meta http-equiv="refresh"' in jo.page.text
    part = await jo.http.get(f"{jo.page.url.path}/state")
    assert 'hx-trigger="every 2s"' in part.text
    assert "<html" not in part.text
    await worker.start()

    async def done():
        return "hx-get" not in (await jo.http.get(f"{jo.page.url.path}/state")).text

    await eventually(done, "the import is done")
