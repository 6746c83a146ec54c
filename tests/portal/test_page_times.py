"""Pages do not slow down as the book grows: what they ask is answered from an index (EXPLAIN says so).

How long they take with 10 and with 100,000 subscriptions is measured by `python -m benchmarks --only reading`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from benchmarks.filled import emptied, fill
from db import (
    figures,
    invoice_list,
    overview,
    portal_sessions,
    requests,
    search,
    subscriptions,
    timeline,
    update_queue,
)
from tests.portal.statements import statements

MANY = 10_000
"""Enough for the planner to prefer an index wherever there is one."""

NOW = datetime.now(UTC)


async def pages_of_a_customer(session):
    """What the pages of a customer ask."""
    held = await subscriptions.held(session, "sub_77")
    await subscriptions.of_customer(session, held.customer.id)
    await subscriptions.of_customer(session, held.customer.id, ended=True)
    await timeline.happened(session, held, lambda notice: notice.kind)
    await invoice_list.of_customer(session, held.customer.id)
    await requests.of_customer(session, held.customer.id)
    await portal_sessions.signed_in(session, "nobody", held.subscription.at)


async def search_of_staff(session):
    """What each kind of search asks."""
    assert len(await search.customers(session, "HOST77 exam")) == 11
    assert len(await search.by_last_four(session, "004D")) == 1
    for words in ("nobody", "sub_77", "ord_77", "EG-77", "req_77", "upd_77"):
        await search.exactly(session, words)
    await subscriptions.find(session, "sub_77")
    await subscriptions.find(session, "004D")


async def pages_of_staff(session):
    """What the front page, the update queue and the request inbox ask."""
    monday = NOW.date() - timedelta(days=NOW.weekday())
    await figures.money_waiting_minor(session)
    await figures.due(session, NOW.date())
    await figures.update_queue(session)
    await overview.renewals_by_week(session, monday, 13)
    await overview.failures_by_reason(session)
    await overview.open_requests(session)
    await update_queue.promises(session, "Europe/London", NOW)
    await update_queue.queue(session, NOW)
    await requests.listing(session)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def large(world):
    """A book of many subscriptions, emptied at once afterwards: to delete row by row takes ten times as long."""
    await world.empty()
    await fill(world.engine, MANY)
    yield world
    await emptied(world.engine, ["customers", "invoice_series", "audit", "promise_times"])


@pytest.mark.parametrize("pages", [pages_of_a_customer, search_of_staff, pages_of_staff])
async def test_no_page_reads_a_whole_table(large, pages):
    async with large.sessions() as session:
        async with statements(large.engine) as asked:
            await pages(session)
        plans = {}
        for statement, parameters in asked:
            connection = await (await session.connection()).get_raw_connection()
            rows = await connection.driver_connection.fetch(f"EXPLAIN {statement}", *parameters)
            plans[statement] = "\n".join(row[0] for row in rows)

    assert len(plans) >= 8
    grown = re.compile(
        r"Seq Scan on (customers|licenses|subscriptions|orders|accounts|invoices|license_updates|requests"
        r"|notices|audit)\b"
    )
    assert not {statement: plan for statement, plan in plans.items() if grown.search(plan)}
